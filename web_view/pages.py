"""The routes: which page answers which address.

Owns the aiohttp side. Must not know what a page shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from web_view import guard

if TYPE_CHECKING:
    from otlp_viewer.database import Database

DATABASE: web.AppKey[Database] = web.AppKey("database")


def extend(app: web.Application, database: Database) -> None:
    """Add the pages over `database` to `app`, before it is started."""
    app[DATABASE] = database
    app.router.add_get("/", _show_invocations)


async def _show_invocations(request: web.Request) -> web.Response:
    guard.check_host(request.host)
    return web.Response(text="Invocations", headers=guard.make_headers(has_charts=False))
