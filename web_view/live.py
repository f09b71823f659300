"""Server-sent events: that something new is here, no more.

A page that hears of it asks for itself again, so every filter holds for what is new as well. State:
whether the server is ending. A stream ends with its reader: a closed tab is noticed within a
second, and nothing of it stays. https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from aiohttp import web

from web_view.source import Source

# Between two events of a stream: more would only make pages ask more often.
_PAUSE_S = 0.5
# How soon a reader that went away is noticed where nothing is to be sent.
_LOOK_S = 1.0
# Proxies and laptops close what is silent for long.
_SILENCE_S = 15.0
_RETRY_MS = 2_000


class Streams:
    """All streams of one server."""

    def __init__(self, source: Source) -> None:
        """Tell of changes of `source`."""
        self._source = source
        self._ended = asyncio.Event()

    def end(self) -> None:
        """End every stream now, and those that would be opened later."""
        self._ended.set()

    async def serve(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Answer with a stream that ends when its reader or the server does."""
        response = web.StreamResponse(
            headers={
                **headers,
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
            }
        )
        await response.prepare(request)
        # A reader that is gone is how most streams end.
        with suppress(ConnectionError):
            await self._tell(request, response)
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        seen = self._source.version
        await response.write(f"retry: {_RETRY_MS}\n{_event(seen)}".encode())
        told_at = loop.time()
        while not self._ended.is_set() and not _is_gone(request):
            version = await self._wait(seen)
            if version != seen:
                seen = version
                await response.write(_event(seen).encode())
                told_at = loop.time()
                await self._rest()
            elif loop.time() - told_at > _SILENCE_S:
                await response.write(b":\n\n")
                told_at = loop.time()

    async def _wait(self, seen: int) -> int:
        """Return the version after a change, after a while, or when the server ends."""
        change = asyncio.ensure_future(self._source.wait_for_change(seen))
        end = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({change, end}, timeout=_LOOK_S, return_when="FIRST_COMPLETED")
            return change.result() if change.done() else seen
        finally:
            change.cancel()
            end.cancel()
            await asyncio.gather(change, end, return_exceptions=True)

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), _PAUSE_S)


def _event(version: int) -> str:
    return f"data: {version}\n\n"


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
