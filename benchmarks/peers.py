"""What stands around a function in a benchmark, each a process of its own.

    python benchmarks/peers.py collector
    python benchmarks/peers.py proxy HOST:PORT DELAY_MS
    python benchmarks/peers.py sink

Their CPU must not be taken for the extension's. Each prints its address first, works until its
stdin ends, and then prints what it has counted as JSON.

    collector   the viewer's OTLP receiver; counts log records and spans
    proxy       passes bytes on, in each direction half of DELAY_MS late: a collector far away
    sink        answers every POST with 200, as a telemetry listener that drops everything would
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from otlp_viewer import Collector
from otlp_viewer.store import Limits, Store

CHUNK_BYTES = 256 * 1024
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

Count = Callable[[], dict[str, int]]


@asynccontextmanager
async def collect() -> AsyncIterator[tuple[str, Count]]:
    """Serve OTLP; keep little."""
    async with Collector(store=Store(Limits(max_rows=1_000))) as collector:
        store = collector.store

        def count() -> dict[str, int]:
            received = store.received
            return {"logs": received.logs, "spans": received.spans}

        yield collector.endpoint.removeprefix("http://"), count


@asynccontextmanager
async def delay(target: str, delay_ms: str) -> AsyncIterator[tuple[str, Count]]:
    """Pass connections on to a target, late."""
    host, _, port = target.rpartition(":")
    half_s = float(delay_ms) / 2_000

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(reader, back, half_s))
            group.create_task(_pass_on(there, writer, half_s))

    async with _serve(serve) as address:
        yield address, dict


@asynccontextmanager
async def swallow() -> AsyncIterator[tuple[str, Count]]:
    """Answer POSTs and keep nothing."""
    counts = {"posts": 0}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _read_head(reader):
            await _read_body(reader, head)
            counts["posts"] += 1
            writer.write(ANSWER)
        writer.close()

    async with _serve(serve) as address:
        yield address, lambda: counts


PEERS: dict[str, Callable[..., Any]] = {"collector": collect, "proxy": delay, "sink": swallow}


@asynccontextmanager
async def _serve(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
) -> AsyncIterator[str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    """Write what is read, each piece so much later; pieces do not wait for each other."""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while chunk := await reader.read(CHUNK_BYTES):
            loop.call_later(delay_s, writer.write, chunk)
    loop.call_later(delay_s, writer.close)


async def _read_head(reader: asyncio.StreamReader) -> str:
    """Return the head of a request in lower case, empty at the end of the connection."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""


async def _read_body(reader: asyncio.StreamReader, head: str) -> None:
    _, _, after = head.partition("content-length:")
    if after:
        await reader.readexactly(int(after.partition("\r\n")[0]))
    elif "transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()


async def main() -> None:
    """Run a peer until stdin ends."""
    name, *arguments = sys.argv[1:]
    async with PEERS[name](*arguments) as (address, count):
        print(address, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps(count()), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
