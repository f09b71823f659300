"""The listener that Lambda posts telemetry to.

Owns the listening socket, which the bootstrap bound before anything could serve it. A body is
taken, handed on and answered 200; it is read later, because Lambda waits for the answer
(https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html). Must not know what a body holds.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from logger_extension.bootstrap import Handoff
from logger_extension.receivers.guard import Limits
from logger_extension.receivers.request import TAKEN, Head, Response
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
        has_room: says whether there is room for another body.
        wait_for_room: awaited where there is none before a body that was accepted is answered:
            Lambda sends no other until then, and keeps what the function prints meanwhile.
        limits: what the listener bears.
    """

    def __init__(
        self,
        handoff: Handoff,
        accept: Callable[[bytes], None],
        refuse: Callable[[str], None],
        *,
        has_room: Callable[[], bool],
        wait_for_room: Callable[[], Awaitable[None]],
        limits: Limits = LIMITS,
    ) -> None:
        self._listener = handoff.listener
        self._port = 0
        self._is_lost = asyncio.Event()
        self._accept = accept
        self._refuse = refuse
        self._has_room = has_room
        self._wait_for_room = wait_for_room
        lambda_host = handoff.api.rpartition(":")[0]
        self._server = Server({"/"}, self._receive, self._turn_away, limits, refuse, lambda_host)

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

    def _receive(self, _: Head, body: bytes) -> Response | Awaitable[Response]:
        self._accept(body)
        return TAKEN if self._has_room() else self._answer_with_room()

    async def _answer_with_room(self) -> Response:
        await self._wait_for_room()
        return TAKEN

    def _turn_away(self, _: Head, status: HTTPStatus) -> Response:
        self._refuse(REASONS[status])
        return Response(status)
