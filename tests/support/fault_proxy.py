"""A proxy in front of a real collector, whose faults a test switches while it runs.

Owns the listener, the connections and the script of faults (mutable). It reads HTTP/1.1 requests
with a Content-Length, as OTLP exporters send them, and asks a fault what becomes of each. It must
not know OTLP.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import TYPE_CHECKING, Self

import aiohttp

from tests.support.faults.answers import Exchange, Fault, pass_on

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

LOCALHOST = "127.0.0.1"
HOP_BY_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length"})


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and passes on to `upstream`, an OTLP/HTTP base URL.

    The port stays the proxy's own while it refuses connections.

    Attributes:
        port: where it listens.
        connections: how many were accepted.
        requests: how many requests began, faulty ones too.
        greeting: what each new connection gets before it is closed; None for none.
    """

    def __init__(self, upstream: str, *, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = upstream
        self._tls = tls
        self._reservation = _bind(0)
        self.port: int = self._reservation.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._script: deque[Fault] = deque()
        self._standing: Fault = pass_on
        self._session: aiohttp.ClientSession
        self._changed = asyncio.Event()
        self.connections = 0
        self.requests = 0
        self.greeting: bytes | None = None

    @property
    def endpoint(self) -> str:
        """The base URL, as OTEL_EXPORTER_OTLP_ENDPOINT wants it."""
        return f"{'https' if self._tls else 'http'}://{LOCALHOST}:{self.port}"

    async def __aenter__(self) -> Self:
        """Listen."""
        self._session = aiohttp.ClientSession(auto_decompress=False)
        await self.listen(tls=self._tls)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening, end all connections."""
        await self.refuse()
        await self._session.close()
        self._reservation.close()

    def play(self, fault: Fault, *, times: int | None = None) -> None:
        """Play a fault: for the next `times` requests, or until told otherwise."""
        if times is None:
            self._script.clear()
            self._standing = fault
        else:
            self._script.extend([fault] * times)

    def heal(self) -> None:
        """Play no fault from the next request on."""
        self.greeting = None
        self.play(pass_on)

    async def listen(self, *, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections, with this certificate; those there were end."""
        await self.refuse()
        self._server = await asyncio.start_server(self._serve, sock=_bind(self.port), ssl=tls)

    async def refuse(self) -> None:
        """Refuse connections; those there were end."""
        if self._server is not None:
            self._server.close()
            self._server = None
        serving = dict(self._serving)
        for task, writer in serving.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def wait_for(self, requests: int) -> None:
        """Return when so many requests have begun."""
        while self.requests < requests:
            await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        self.connections += 1
        try:
            await self._exchange(reader, writer)
        except (EOFError, OSError, asyncio.CancelledError):
            return  # the client has gone, or the test is over
        finally:
            writer.close()
            del self._serving[task]

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.greeting is not None:
            writer.write(self.greeting)
            await writer.drain()
            return
        while not writer.is_closing():
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            self._changed.set()
            self._changed = asyncio.Event()
            fault = self._script.popleft() if self._script else self._standing
            await fault(Exchange(head, (reader, writer), self._ask))

    async def _ask(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str, bytes]:
        kept = {name: value for name, value in headers.items() if name not in HOP_BY_HOP}
        url = self._upstream + path
        async with self._session.post(url, data=body, headers=kept) as response:
            return response.status, response.content_type, await response.read()


def _bind(port: int) -> socket.socket:
    """Return a socket that shares its port with the proxy's others and listens not yet."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((LOCALHOST, port))
    return sock
