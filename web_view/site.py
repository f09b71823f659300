"""The aiohttp side: what is let in, where a page is made, and how errors are answered.

Pages are read and written in a thread, because the event loop also receives telemetry. Must not
know what a page shows. State: the streams, and what a `Source` has.
"""

import asyncio
import sys
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from web_view import guard
from web_view.assets import read_asset
from web_view.contents import CONTENTS
from web_view.errors import MissingError, WebViewError
from web_view.live import Streams
from web_view.log_list import read_line
from web_view.parameters import LogQuery, read_query, write_query
from web_view.source import Source
from web_view.templating import make_environment, render

_YEAR_S = 365 * 24 * 3600
_READING = ("GET", "HEAD")
_ADVICE = {
    404: ("Not here", "There is no page at this address."),
    405: ("Nothing to read here", "Telemetry is sent to this address by POST, as OTLP over HTTP."),
}
_FAULT = (
    "This should not happen",
    "The page could not be made. Other pages may work; reload to try again.",
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """The handlers of all addresses of the pages."""

    def __init__(self, source: Source) -> None:
        """Show what `source` reads."""
        self._source = source
        self._streams = Streams(source)
        self._environment = make_environment()

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Be the middleware: let in, and answer every error with a page that says what to do."""
        if request.method not in _READING:
            # Telemetry comes in; who may send it is not for the pages to say.
            return await handler(request)
        try:
            guard.check_host(request.host)
            guard.check_origin(request.headers)
            return await handler(request)
        except WebViewError as error:
            return self._explain(error.status, error.title, str(error), way_on=error.way_on)
        except web.HTTPRedirection:
            raise
        except web.HTTPException as error:
            return self._explain(error.status, *_ADVICE.get(error.status, (error.reason, "")))
        except Exception:  # noqa: BLE001 - a fault must cost one page, and is told
            correlation = uuid.uuid4().hex[:12]
            head = f"web view: fault {correlation} at {request.path}\n"
            sys.stderr.write(head + traceback.format_exc())
            return self._explain(500, *_FAULT, correlation=correlation)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Answer with a page."""
        content = CONTENTS[request.path]
        query = read_query(content.query, request.query.items())
        if any(not value for value in request.query.values()):
            # Forms send their empty fields too; the address of a state is the short one.
            raise web.HTTPFound(request.path + write_query(query))
        text = await asyncio.to_thread(self._write, request.path, query, request.host)
        return self._page(text, has_charts=content.has_charts)

    async def show_text(self, request: web.Request) -> web.Response:
        """Answer with all of a log line, as it is."""
        query = read_query(LogQuery, request.query.items())
        line = await asyncio.to_thread(read_line, self._source, query)
        headers = {**guard.make_headers(), "Cache-Control": "no-store"}
        return web.Response(text=line.body, content_type="text/plain", headers=headers)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer with a stream of what is new."""
        return await self._streams.serve(request, guard.make_headers())

    async def send_asset(self, request: web.Request) -> web.Response:
        """Answer with a file that pages load."""
        asset = await asyncio.to_thread(read_asset, request.match_info["name"])
        if asset is None:
            raise MissingError("There is no such file.")
        headers = {
            **guard.make_headers(),
            "Cache-Control": f"public, max-age={_YEAR_S}, immutable",
            "Content-Type": asset.media_type,
            "ETag": f'"{asset.digest}"',
            "Vary": "Accept-Encoding",
        }
        if request.if_none_match and any(
            tag.value == asset.digest for tag in request.if_none_match
        ):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=asset.zipped, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=asset.plain, headers=headers)

    async def end(self, _app: web.Application) -> None:
        """End all streams, before the server waits for its connections."""
        self._streams.end()

    def _write(self, path: str, query: Any, host: str) -> str:
        """Read and write a page; in a thread."""
        content = CONTENTS[path]
        # Before anything is read: what comes while it is read is then new to the page.
        version = self._source.version
        values = {
            **content.read(self._source, query),
            "query": query,
            "section": content.section,
            "has_charts": content.has_charts,
            "version": version,
            "host": host,
        }
        return self._render(content.template, values)

    def _explain(
        self,
        status: int,
        heading: str,
        advice: str,
        *,
        correlation: str = "",
        way_on: tuple[str, str] | None = None,
    ) -> web.Response:
        values = {
            "heading": heading,
            "advice": advice,
            "correlation": correlation,
            "way_on": way_on,
            "section": "",
            "has_charts": False,
            "version": self._source.version,
        }
        return self._page(self._render("problem.html", values), status=status)

    def _render(self, template: str, values: Mapping[str, Any]) -> str:
        common = {
            "held": self._source.held,
            "evicted": self._source.evicted,
            "now_unix_nano": time.time_ns(),
        }
        return render(self._environment, template, {**common, **values})

    def _page(self, text: str, *, status: int = 200, has_charts: bool = False) -> web.Response:
        headers = {**guard.make_headers(has_charts=has_charts), "Cache-Control": "no-store"}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)
