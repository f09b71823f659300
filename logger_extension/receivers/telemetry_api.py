"""The listener that Lambda posts telemetry to.

Owns the listening socket, which the bootstrap bound before anything could serve it. A body is
taken, handed on and answered 200; it is read later, because Lambda waits for the answer
(https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html). Must not know what a body holds.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import web

from logger_extension.bootstrap import Handoff
from logger_extension.receivers.guard import Limits
from logger_extension.receivers.server import BACKLOG, Server

# Lambda sends up to twice `maxBytes` (262,144) plus metadata. More is not Lambda's.
MAX_BODY_BYTES = 16 * 1024 * 1024

# Lambda sends one body after the other, over a connection that it keeps. No fewer connections than
# the kernel may have kept for us before we served.
LIMITS = Limits(
    max_connections=BACKLOG, max_body_bytes=MAX_BODY_BYTES, max_held_bytes=MAX_BODY_BYTES * 5 // 4
)

TRY_AGAIN_S = 0.1

REASONS: Mapping[HTTPStatus, str] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
    HTTPStatus.SERVICE_UNAVAILABLE: "no_room",
    HTTPStatus.BAD_REQUEST: "malformed_request",
}


class TelemetryReceiver:
    """Serves the adopted listener.

    Args:
        handoff: holds the listener.
        accept: takes one whole body; must not block and must not raise.
        refuse: told of what was not taken, with the reason.
        wait_for_room: awaited before a body that was accepted is answered: Lambda sends no other
            until then, and keeps what the function prints meanwhile.
        limits: what the listener bears.
    """

    def __init__(
        self,
        handoff: Handoff,
        accept: Callable[[bytes], None],
        refuse: Callable[[str], None],
        *,
        wait_for_room: Callable[[], Awaitable[None]] | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self._listener = handoff.listener
        self._port = 0
        self._is_lost = asyncio.Event()
        self._accept = accept
        self._refuse = refuse
        self._wait_for_room = wait_for_room
        lambda_host = handoff.api.rpartition(":")[0]
        self._server = Server({"/"}, self._receive, limits, refuse, lambda_host)

    async def open(self) -> None:
        """Begin to serve; the kernel has kept what came before."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._port = listener.getsockname()[1]
            await self._server.open(listener)

    def check(self) -> None:
        """See whether the listener still is one; to be called when the event loop met a fault."""
        if self._port and not self._server.is_listening:
            # The event loop would meet the same fault again and again.
            self._server.stop_listening()
            self._is_lost.set()

    async def keep_open(self) -> None:
        """Listen on the same port again whenever the listener is lost, for ever.

        Without it no invocation's end is ever told, and each would be waited for until its timeout.
        """
        while True:
            await self._is_lost.wait()
            try:
                listener = socket.create_server(("0.0.0.0", self._port), backlog=BACKLOG)
            except OSError:
                # Lambda tries again as well, and knows no other port.
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            self._is_lost.clear()
            await self._server.open(listener)

    async def close(self) -> None:
        """Stop serving."""
        await self._server.close()

    async def _receive(self, request: web.BaseRequest) -> web.Response:
        try:
            body = await self._server.read(request)
        except MemoryError:
            # Lambda sends it again; but what it tells comes later than anybody should wait.
            self._refuse("no_memory")
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        if isinstance(body, HTTPStatus):
            # Half a body whose sender has gone is not lost: Lambda sends it again.
            if request.transport is not None:
                self._refuse(REASONS[body])
            return web.Response(status=body)
        self._accept(body)
        if self._wait_for_room is not None:
            await self._wait_for_room()
        return web.Response()
