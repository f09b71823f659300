"""The entry point: the pages' addresses, added to the application that receives telemetry."""

from aiohttp import web

from otlp_viewer.database import Database
from web_view.assets import PATH as ASSETS_PATH
from web_view.contents import CONTENTS
from web_view.site import Handler, Site
from web_view.source import Source


def extend(app: web.Application, database: Database) -> None:
    """Add the pages over `database` to `app`, before it is started.

    Takes about a second; from then on every GET of `app` is answered by these pages, and only to
    this machine.
    """
    site = Site(Source(database))

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await site.answer(request, handler)

    app.middlewares.append(answer)
    for path in CONTENTS:
        app.router.add_get(path, site.show)
    app.router.add_get("/log.txt", site.show_text)
    app.router.add_get("/live", site.stream, allow_head=False)
    app.router.add_get(ASSETS_PATH + "{name}", site.send_asset)
    app.on_shutdown.append(site.end)
