"""What stands before the HTTP receivers: who may connect, how much may wait, and for how long.

Owns the connections of one listening socket. Anything in the sandbox can connect, and the telemetry
listener is bound to all addresses, because `sandbox.localdomain` may be any of them. Whoever is
refused is counted, never told of line by line. Must not know what a body holds.

Time is counted in ticks of running time. A sandbox freezes for any length of time, and the timer of
a tick then fires late: it counts as one tick, however long that was, so a request that Lambda had
half sent before a freeze is not cut when it thaws.

State: the connections in the order of their last change, and the bytes that they hold.
"""

import _socket
import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import cast

from aiohttp import hdrs, web

from logger_extension.receivers.connection import OPTIONS, Connection, Stage

BACKLOG = 128

# Between a request's first byte and its last: whoever sends it is on the same machine.
PATIENCE_TICKS = 10
# From here on a request is stalled, and gives way to others.
STALLED_TICKS = 2

# Handlers that were cancelled end at once. (To aiohttp 0 means for ever.)
CLOSING_S = 0.1

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Answer = Callable[[web.BaseRequest], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one listener bears.

    Attributes:
        max_connections: how many there may be; a new one takes the place of the longest idle.
        max_body_bytes: the largest body, as it comes.
        max_held_bytes: what unfinished requests may hold together.
        tick_s: seconds of a tick.
    """

    max_connections: int
    max_body_bytes: int
    max_held_bytes: int
    tick_s: float = 1.0


class Guard:
    """Serves POST on a few paths, within limits.

    Args:
        paths: those that are there.
        answer: answers a request to one of them; reads its body by `read`.
        limits: what is borne.
        refuse: told of what was not let in, by reason.
        lambda_host: the address of Lambda's API, whence telemetry may come too.
    """

    def __init__(
        self,
        paths: Collection[str],
        answer: Answer,
        limits: Limits,
        refuse: Callable[[str], None],
        lambda_host: str = "",
    ) -> None:
        self._paths = paths
        self._answer = answer
        self._limits = limits
        self._refuse = refuse
        self._lambda_host = lambda_host
        self._connections: dict[Connection, None] = {}
        self._held_bytes = 0
        self._server: web.Server | None = None
        self._listening: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def open(self, listener: _socket.socket) -> None:
        """Begin to serve a listening socket, which is ours from now on."""
        loop = asyncio.get_running_loop()
        # Who has gone waits for no answer.
        server = self._server = web.Server(self._serve, handler_cancellation=True)
        self._listening = await loop.create_server(
            lambda: Connection(self, server, loop=loop, **OPTIONS),
            sock=socket.socket(fileno=listener.detach()),
            backlog=BACKLOG,
        )

    async def close(self) -> None:
        """Stop serving; half a request is not waited for."""
        server, self._server = self._server, None
        if self._timer is not None:
            self._timer.cancel()
        if self._listening is not None:
            self._listening.close()
        for connection in tuple(self._connections):
            connection.cut()
        if server is not None:
            await server.shutdown(CLOSING_S)

    async def read(self, request: web.BaseRequest) -> bytes | HTTPStatus:
        """Return the body as it came, or the status that refuses it.

        Those are 413 (larger than the limit), 503 (others hold all there is to hold) and 400 (it
        broke off, or its chunks are none). From the last byte on, time is the receiver's.
        """
        if (request.content_length or 0) > self._limits.max_body_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        connection = _connection_of(request)
        body = bytearray()
        try:
            if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
                await request.writer.write(CONTINUE)
                request.writer.output_size = 0  # the answer proper has not begun
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > self._limits.max_body_bytes:
                    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                if not self._has_room(connection, len(chunk)):
                    return HTTPStatus.SERVICE_UNAVAILABLE
        except (ConnectionError, web.RequestPayloadError, RuntimeError):
            return HTTPStatus.BAD_REQUEST  # aiohttp has the last for a connection that was cut
        self._move(connection, Stage.ANSWERING)
        return bytes(body)

    def admit(self, connection: Connection, peer: str, own: str) -> bool:
        """Return whether a new connection may stay, from the address `peer` to our address `own`.

        Where there are too many, one that nobody waits for gives way to it: Lambda's own may be
        the newest.
        """
        if self._server is None:
            return False
        if not self._is_inside(peer, own):
            self._refuse("foreign_peer")
            return False
        if len(self._connections) >= self._limits.max_connections:
            spare = self._find_spare()
            if spare is None:
                self._refuse("too_many_connections")
                return False
            self.cut(spare, "too_many_connections")
        self._connections[connection] = None
        return True

    def take(self, connection: Connection, size_bytes: int) -> bool:
        """Note bytes that came; return whether the connection still is."""
        if connection not in self._connections:
            return False  # cut a moment ago
        if connection.stage is Stage.IDLE:
            self._move(connection, Stage.RECEIVING)
        elif connection.stage in (Stage.READING, Stage.LEAVING):
            return True  # `read` counts them, or nobody keeps them
        if self._has_room(connection, size_bytes):
            return True
        self.cut(connection, "no_room")
        return False

    def cut(self, connection: Connection, reason: str) -> None:
        """End a connection at once, and count it."""
        self._refuse(reason)
        connection.cut()
        self.forget(connection)

    def note_malformed(self) -> None:
        """Note bytes that are no HTTP."""
        self._refuse("malformed_request")

    def forget(self, connection: Connection) -> None:
        """Note the end of a connection."""
        self._release(connection)
        self._connections.pop(connection, None)

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        connection = _connection_of(request)
        self._move(connection, Stage.READING)
        if request.path not in self._paths:
            response = self._reject(HTTPStatus.NOT_FOUND)
        elif request.method != hdrs.METH_POST:
            response = self._reject(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            response = await self._answer(request)
        if request.content.is_eof():
            connection.has_served = True
            self._move(connection, Stage.IDLE)
        else:
            # The rest is thrown away for a moment, so that the sender sees the answer.
            response.force_close()
            self._move(connection, Stage.LEAVING)
        return response

    def _reject(self, status: HTTPStatus) -> web.Response:
        self._refuse(status.name.lower())
        return web.Response(status=status, headers={hdrs.ALLOW: hdrs.METH_POST})

    def _is_inside(self, peer: str, own: str) -> bool:
        """Return whether an address is of this machine, or of Lambda around it.

        Link-local addresses are not routed: none but Lambda can have one that reaches us.
        """
        if peer in (own, self._lambda_host):
            return True
        address = ip_address(peer)
        return address.is_loopback or address.is_link_local

    def _find_spare(self) -> Connection | None:
        """Return the connection that is missed least, None if all are needed.

        First those that never sent a whole request, for the connections that Lambda and the SDK
        keep have; of these and of those the longest idle.
        """
        spare = filter(_is_spare, self._connections)
        return min(spare, key=lambda c: (c.has_served, c.is_unfinished), default=None)

    def _has_room(self, connection: Connection, size_bytes: int) -> bool:
        """Hold so many bytes more; without room for them, first at the expense of the stalled."""
        if connection not in self._connections:
            return False  # cut a moment ago
        connection.held_bytes += size_bytes
        self._held_bytes += size_bytes
        for other in tuple(self._connections):
            if self._held_bytes <= self._limits.max_held_bytes:
                return True
            if other is not connection and other.age_ticks >= STALLED_TICKS:
                self.cut(other, "too_slow")
        return self._held_bytes <= self._limits.max_held_bytes

    def _release(self, connection: Connection) -> None:
        self._held_bytes -= connection.held_bytes
        connection.held_bytes = 0

    def _move(self, connection: Connection, stage: Stage) -> None:
        """Note a new stage."""
        self._release(connection)
        connection.stage = stage
        if connection not in self._connections:
            return  # cut meanwhile
        if not connection.is_unfinished:
            connection.age_ticks = 0
        elif self._timer is None:
            self._timer = self._call_tick()
        del self._connections[connection]
        self._connections[connection] = None

    def _call_tick(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._limits.tick_s, self._tick)

    def _tick(self) -> None:
        """Let unfinished requests grow older; cut those that take too long."""
        unfinished = [c for c in self._connections if c.is_unfinished]
        for connection in unfinished:
            connection.age_ticks += 1
            if connection.age_ticks > PATIENCE_TICKS:
                self.cut(connection, "too_slow")
        self._timer = self._call_tick() if unfinished else None


def _connection_of(request: web.BaseRequest) -> Connection:
    return cast("Connection", request.protocol)


def _is_spare(connection: Connection) -> bool:
    if connection.stage is Stage.ANSWERING:
        return False
    is_wanted = connection.has_served and connection.is_unfinished
    return not is_wanted or connection.age_ticks >= STALLED_TICKS
