"""A real TCP server that does to each connection what a test tells it to, broken things too."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Behaviour = Callable[["RawServer", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """Listens on a free port of 127.0.0.1.

    Connection n is handled by behaviour n, the last behaviour is for all more.

    Attributes:
        port: where it listens.
        connections: how many were made.
        requests: head and body of each request that was read by `read_request`.
    """

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = behaviours
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.requests: list[tuple[str, bytes]] = []

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening, end all connections."""
        assert self._server is not None
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request with a Content-Length, keep it, return its body; EOFError at the end."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = 0
        for header in head.lower().split("\r\n"):
            if header.startswith("content-length:"):
                length = int(header.partition(":")[2])
        body = await reader.readexactly(length)
        self.requests.append((head, body))
        return body

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            await behaviour(self, reader, writer)
        except (EOFError, ConnectionError, asyncio.CancelledError):
            return  # the client has gone, or the test is over
        finally:
            writer.close()


def respond(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """Return the bytes of a response with its length."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body
