"""What stands around a function in a benchmark, each a process of its own.

    python benchmarks/servers.py collector NAME=DELAY_MS ...
    python benchmarks/servers.py sink

Their CPU must not be taken for the extension's. Each prints where it listens as one line of JSON
(names to HOST:PORT), works until its stdin ends, and then prints what it has counted as JSON.

    collector   an OTLP collector with a way of its own to it for each NAME, on which bytes take
                half of DELAY_MS in each direction; takes HTTP there, and gRPC where NAME ends with
                `-grpc`. It answers at once and reads what it has got when all is over: of lines
                that end with `mark=NAME.ROUND;` how many there are, and when the last one came, by
                the monotonic clock; and how many bytes came by each way, whatever the protocol.
    sink        answers every POST with 200, as a telemetry listener that drops everything would
"""

import asyncio
import json
import re
import sys
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

CHUNK_BYTES = 256 * 1024
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
MARK = re.compile(rb"mark=([\w-]+\.\d+);")
# zlib: a stream with gzip's head and tail.
GZIP_WBITS = 16 + zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b"

Addresses = dict[str, str]
Counts = dict[str, Any]
Server = tuple[Addresses, Callable[[], Counts]]


@dataclass(slots=True)
class Arrivals:
    """What has come, unread until it is counted.

    Attributes:
        bodies: time in seconds of the monotonic clock, and the body as it was sent.
        sent_bytes: by the way they came.
    """

    bodies: list[tuple[float, bytes]] = field(default_factory=list)
    sent_bytes: Counter[str] = field(default_factory=Counter)

    def take(self, body: bytes) -> None:
        """Keep a body with the time of now."""
        self.bodies.append((time.monotonic(), body))

    def count(self) -> Counts:
        """Return lines and the time of the last one by mark, and bytes by way."""
        lines: Counter[str] = Counter()
        arrived_s: dict[str, float] = {}
        for time_s, body in self.bodies:
            plain = zlib.decompress(body, GZIP_WBITS) if body.startswith(GZIP_MAGIC) else body
            found = Counter(mark.decode() for mark in MARK.findall(plain))
            lines += found
            arrived_s.update(dict.fromkeys(found, time_s))
        return {"lines": lines, "arrived_s": arrived_s, "bytes": self.sent_bytes}


@asynccontextmanager
async def collect(*ways: str) -> AsyncIterator[Server]:
    """Take OTLP by several ways, each with its delay."""
    arrivals = Arrivals()
    delays_ms = {name: float(delay) for name, _, delay in (way.partition("=") for way in ways)}
    async with AsyncExitStack() as stack:
        addresses = {}
        targets = {False: await stack.enter_async_context(_serve_http(arrivals.take))}
        if any(map(_is_grpc, delays_ms)):
            targets[True] = await stack.enter_async_context(_serve_grpc(arrivals.take))
        for name, delay_ms in delays_ms.items():
            relay = _relay(targets[_is_grpc(name)], delay_ms / 2_000, name, arrivals.sent_bytes)
            addresses[name] = await stack.enter_async_context(_serve(relay))
        yield addresses, arrivals.count


@asynccontextmanager
async def swallow() -> AsyncIterator[Server]:
    """Answer POSTs and keep nothing."""
    async with _serve_http(lambda _body: None) as address:
        yield {"sink": address}, dict


SERVERS: dict[str, Callable[..., Any]] = {"collector": collect, "sink": swallow}


def _is_grpc(name: str) -> bool:
    return name.endswith("-grpc")


@asynccontextmanager
async def _serve(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
) -> AsyncIterator[str]:
    async def serve_until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio would print a traceback for each connection that is open when all ends.
        with suppress(asyncio.CancelledError):
            await serve(reader, writer)

    server = await asyncio.start_server(serve_until_end, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


@asynccontextmanager
async def _serve_http(take: Callable[[bytes], None]) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _read_head(reader):
            take(await _read_body(reader, head))
            writer.write(ANSWER)
        writer.close()

    async with _serve(serve) as address:
        yield address


@asynccontextmanager
async def _serve_grpc(take: Callable[[bytes], None]) -> AsyncIterator[str]:
    """Answer any unary call with an empty message."""
    import grpc.aio  # noqa: PLC0415  (an extra, and slow to import)

    async def answer(request: bytes, _context: Any) -> bytes:
        take(request)
        return b""

    class AnyMethod(grpc.GenericRpcHandler):
        def service(self, _details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((AnyMethod(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


def _relay(
    target: str, delay_s: float, name: str, sent_bytes: Counter[str]
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
    """Return what passes connections on to a target, late, and counts what goes there."""
    host, _, port = target.rpartition(":")

    def count(chunk: bytes) -> None:
        sent_bytes[name] += len(chunk)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(reader, back, delay_s, count))
            group.create_task(_pass_on(there, writer, delay_s, lambda _chunk: None))

    return serve


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    delay_s: float,
    count: Callable[[bytes], None],
) -> None:
    """Write what is read, each piece so much later; pieces do not wait for each other."""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while chunk := await reader.read(CHUNK_BYTES):
            count(chunk)
            if delay_s:
                loop.call_later(delay_s, writer.write, chunk)
            else:
                writer.write(chunk)
    loop.call_later(delay_s, writer.close)


async def _read_head(reader: asyncio.StreamReader) -> str:
    """Return the head of a request in lower case, empty at the end of the connection."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""


async def _read_body(reader: asyncio.StreamReader, head: str) -> bytes:
    _, _, after = head.partition("content-length:")
    if after:
        return await reader.readexactly(int(after.partition("\r\n")[0]))
    parts = []
    if "transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            parts.append((await reader.readexactly(size + 2))[:-2])
        await reader.readline()
    return b"".join(parts)


async def main() -> None:
    """Run a server until stdin ends."""
    name, *arguments = sys.argv[1:]
    async with SERVERS[name](*arguments) as (addresses, count):
        print(json.dumps(addresses), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps(count()), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
