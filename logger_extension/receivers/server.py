"""The HTTP server of a receiver: POST on a few paths, behind a guard.

Owns the listening socket and what is the same for all requests: other paths and methods, reading a
body within limits, the end. Must not know what a body holds.
"""

import _socket
import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from typing import cast

from aiohttp import hdrs, web

from logger_extension.receivers.connection import OPTIONS, Connection, Stage
from logger_extension.receivers.guard import Guard, Limits

BACKLOG = 128

# Handlers that were cancelled end at once. (To aiohttp 0 means for ever.)
CLOSING_S = 0.1

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Answer = Callable[[web.BaseRequest], Awaitable[web.Response]]


class Server:
    """Serves one listener.

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
        self._max_body_bytes = limits.max_body_bytes
        self._refuse = refuse
        self._guard = Guard(limits, refuse, lambda_host)
        self._server: web.Server | None = None
        self._listening: asyncio.Server | None = None

    @property
    def is_listening(self) -> bool:
        """Whether connections can be made."""
        try:
            return self._listening is not None and any(
                sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                for sock in self._listening.sockets
            )
        except OSError:
            return False

    async def open(self, listener: _socket.socket) -> None:
        """Begin to serve a listening socket, which is ours from now on; it may replace another."""
        loop = asyncio.get_running_loop()
        # Who has gone waits for no answer.
        server = self._server = self._server or web.Server(self._serve, handler_cancellation=True)
        self._listening = await loop.create_server(
            lambda: Connection(self._guard, server, loop=loop, **OPTIONS),
            sock=socket.socket(fileno=listener.detach()),
            backlog=BACKLOG,
        )

    def stop_listening(self) -> None:
        """Let nobody connect any more; those that are connected stay."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    async def close(self) -> None:
        """Stop serving; half a request is not waited for."""
        self.stop_listening()
        self._guard.close()
        if self._server is not None:
            await self._server.shutdown(CLOSING_S)

    async def read(self, request: web.BaseRequest) -> bytes | HTTPStatus:
        """Return the body as it came, or the status that refuses it.

        Those are 413 (larger than the limit), 503 (others hold all there is to hold) and 400 (it
        broke off, or its chunks are none). From the last byte on, time is the receiver's.
        """
        if (request.content_length or 0) > self._max_body_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        connection = _connection_of(request)
        body = bytearray()
        try:
            if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
                await request.writer.write(CONTINUE)
                request.writer.output_size = 0  # the answer proper has not begun
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > self._max_body_bytes:
                    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                if not self._guard.has_room(connection, len(chunk)):
                    return HTTPStatus.SERVICE_UNAVAILABLE
        except (ConnectionError, web.RequestPayloadError, RuntimeError):
            return HTTPStatus.BAD_REQUEST  # aiohttp has the last for a connection that was cut
        self._guard.move(connection, Stage.ANSWERING)
        return bytes(body)

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        connection = _connection_of(request)
        self._guard.move(connection, Stage.READING)
        if request.path not in self._paths:
            response = self._reject(HTTPStatus.NOT_FOUND)
        elif request.method != hdrs.METH_POST:
            response = self._reject(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            response = await self._answer(request)
        if request.content.is_eof():
            connection.has_served |= response.status == HTTPStatus.OK
            self._guard.move(connection, Stage.IDLE)
        else:
            # The rest is thrown away for a moment, so that the sender sees the answer.
            response.force_close()
            self._guard.move(connection, Stage.LEAVING)
        return response

    def _reject(self, status: HTTPStatus) -> web.Response:
        self._refuse(status.name.lower())
        return web.Response(status=status, headers={hdrs.ALLOW: hdrs.METH_POST})


def _connection_of(request: web.BaseRequest) -> Connection:
    return cast("Connection", request.protocol)
