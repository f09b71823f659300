"""What becomes of one request at the fault proxy: the faults, each a function of an exchange.

Nothing here outlives its request. A fault must not know which requests it is played for.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST


class Exchange:
    """One request and its way back.

    Attributes:
        path: of the request.
        headers: names in lower case.
    """

    def __init__(
        self,
        head: bytes,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        upstream: Callable[[str, Mapping[str, str], bytes], Awaitable[tuple[int, str, bytes]]],
    ) -> None:
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        self.path = first.split()[1]
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.length = int(self.headers.get("content-length", "0"))
        self.reader, self.writer = streams
        self._upstream = upstream

    async def read_body(self) -> bytes:
        """Read the whole body."""
        return await self.reader.readexactly(self.length)

    async def ask_collector(self, body: bytes) -> tuple[int, str, bytes]:
        """Let the collector have it; return status, content type and body of its answer."""
        return await self._upstream(self.path, self.headers, body)

    async def pass_on(self, body: bytes) -> None:
        """Let the collector have it, and the client its answer."""
        status, content_type, answer = await self.ask_collector(body)
        await self.answer(status, answer, {"Content-Type": content_type})

    async def answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer the client."""
        self.writer.write(compose(status, body, headers or {}))
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection by RST."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()


Fault = Callable[[Exchange], Awaitable[None]]


def compose(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of an answer."""
    lines = [f"HTTP/1.1 {status} As-Asked", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def pass_on(exchange: Exchange) -> None:
    """No fault at all."""
    await exchange.pass_on(await exchange.read_body())


async def hang(exchange: Exchange) -> None:
    """Read, and never answer."""
    while await exchange.reader.read(65_536):
        pass


async def stay_deaf(exchange: Exchange) -> None:
    """Accept, and never read the body."""
    transport = exchange.writer.transport
    assert isinstance(transport, asyncio.ReadTransport)
    transport.pause_reading()
    await asyncio.Event().wait()


async def reset_in_request(exchange: Exchange) -> None:
    """Reset in mid-body; the collector sees nothing."""
    await exchange.reader.readexactly(exchange.length // 2)
    exchange.reset()


async def reset_in_answer(exchange: Exchange) -> None:
    """The collector takes it, the client sees half of the answer's head."""
    status, _, answer = await exchange.ask_collector(await exchange.read_body())
    exchange.writer.write(compose(status, answer, {})[:20])
    await exchange.writer.drain()
    exchange.reset()


async def lose_answer(exchange: Exchange) -> None:
    """The collector takes it, the client sees the end of the connection."""
    await exchange.ask_collector(await exchange.read_body())
    exchange.writer.close()


def refuse_with(
    status: int, *, retry_after_s: int | None = None, as_date: bool = False, body: bytes = b""
) -> Fault:
    """Answer with this status; the collector sees nothing."""

    async def fault(exchange: Exchange) -> None:
        await exchange.read_body()
        headers = {}
        if retry_after_s is not None:
            date = formatdate(time.time() + retry_after_s, usegmt=True)
            headers["Retry-After"] = date if as_date else str(retry_after_s)
        await exchange.answer(status, body, headers)

    return fault


def refuse_larger(most_bytes: int) -> Fault:
    """Answer 413 to bodies that are longer on the wire, pass on the others."""

    async def fault(exchange: Exchange) -> None:
        body = await exchange.read_body()
        if len(body) > most_bytes:
            await exchange.answer(413)
        else:
            await exchange.pass_on(body)

    return fault


def delay(seconds: float) -> Fault:
    """Answer late."""

    async def fault(exchange: Exchange) -> None:
        body = await exchange.read_body()
        await asyncio.sleep(seconds)
        await exchange.pass_on(body)

    return fault


def answer_late(seconds: float) -> Fault:
    """The collector takes it at once, and the client learns that late."""

    async def fault(exchange: Exchange) -> None:
        status, content_type, answer = await exchange.ask_collector(await exchange.read_body())
        await asyncio.sleep(seconds)
        await exchange.answer(status, answer, {"Content-Type": content_type})

    return fault


def throttle(bytes_per_s: float, chunk: int = 64) -> Fault:
    """Read slowly."""

    async def fault(exchange: Exchange) -> None:
        body, left = b"", exchange.length
        while left:
            part = await exchange.reader.readexactly(min(chunk, left))
            body, left = body + part, left - len(part)
            await asyncio.sleep(len(part) / bytes_per_s)
        await exchange.pass_on(body)

    return fault
