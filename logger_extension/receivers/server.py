"""The HTTP server of a receiver: POST on a few paths, behind a guard.

Owns the listening socket and what is the same for all requests: other paths and methods, limits,
the end. Must not know what a body holds.
"""

import _socket
import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus

from logger_extension.receivers.connection import Connection
from logger_extension.receivers.guard import Guard, Limits
from logger_extension.receivers.request import Head, Response

BACKLOG = 128

Answer = Callable[[Head, bytes], Response | Awaitable[Response]]
Refuse = Callable[[Head, HTTPStatus], Response]


class Server:
    """Serves one listener.

    Args:
        paths: those that are there.
        answer: answers a request to one of them.
        refuse: answers one whose body cannot be taken, with 413, 503 or 400.
        limits: what is borne.
        note: told of what was not let in, by reason.
        lambda_host: the address of Lambda's API, whence telemetry may come too.
    """

    def __init__(
        self,
        paths: Collection[str],
        answer: Answer,
        refuse: Refuse,
        limits: Limits,
        note: Callable[[str], None],
        lambda_host: str = "",
    ) -> None:
        self._paths = paths
        self.answer = answer
        self.refuse = refuse
        self.max_body_bytes = limits.max_body_bytes
        self._note = note
        self._guard = Guard(limits, note, lambda_host)
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
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._guard, self),
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
        await asyncio.sleep(0)  # in which the event loop closes their sockets

    def check(self, head: Head) -> Response | None:
        """Return the answer to what is no POST to one of the paths, None where it is."""
        if head.path not in self._paths:
            status = HTTPStatus.NOT_FOUND
        elif head.method != "POST":
            status = HTTPStatus.METHOD_NOT_ALLOWED
        else:
            return None
        self._note(status.name.lower())
        return Response(status, fields=("Allow: POST",))
