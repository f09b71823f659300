"""A client on a bare connection: what it sends need not be HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def read_status(self) -> int:
        """Return the status of the next answer, whose body is read as well; 0 at the end."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            await self.reader.readexactly(length)
            return int(head.split()[1])
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0

    async def post(self, body: bytes = b"[]", path: bytes = b"/") -> int:
        """Send a request; return the status of its answer."""
        await self.send(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (path, len(body), body)
        )
        return await self.read_status()

    async def wait_end(self) -> bytes:
        """Return what still comes until the server ends the connection."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


@asynccontextmanager
async def connect(port: int) -> AsyncIterator[Client]:
    """Connect, and leave at the end without a farewell."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


def listen() -> socket.socket:
    """Return a listener whose connections hold little on their way out."""
    sock = socket.create_server(("0.0.0.0", 0), backlog=128)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    return sock


async def until(is_so: Callable[[], bool]) -> None:
    """Let others run until something is so; there is no event to wait for."""
    while not is_so():  # noqa: ASYNC110  (as the docstring says)
        await asyncio.sleep(0)
