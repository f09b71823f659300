"""CPU that the telemetry listener takes for one POST, beside aiohttp's server and a bare protocol.

A client in a process of its own posts bodies over one connection, as Lambda does: one after the
other, or spread, with other work on the same CPU between, so that the caches are cold each time.
Each way in its turn, several times; medians.

    PYTHONPATH=. python benchmarks/receiving.py [--rounds 5]
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import sys
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web

from logger_extension.bootstrap import Handoff
from logger_extension.receivers.telemetry_api import TelemetryReceiver

WORK_MS = 20
WARM_UPS = 100

Serve = Callable[[socket.socket], AbstractAsyncContextManager[None]]


def make_post(lines: int) -> bytes:
    """Return a POST of so many lines."""
    record = {"timestamp": "2026-11-25T02:00:00.000Z", "level": "INFO", "message": "order accepted"}
    item = {"time": "2026-11-25T02:00:00.000Z", "type": "function", "record": record}
    body = json.dumps([item] * lines).encode()
    return (
        b"POST / HTTP/1.1\r\nHost: sandbox.localdomain:4243\r\nUser-Agent: Go-http-client/1.1\r\n"
        b"Content-Length: %d\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n%s"
        % (len(body), body)
    )


def work(duration_ms: int) -> None:
    """Do what a handler does: make and read objects."""
    document = [{f"k{number}": list(range(50))} for number in range(400)]
    end_s = time.perf_counter() + duration_ms / 1000
    while time.perf_counter() < end_s:
        json.loads(json.dumps(document))


def post_all(port: int, lines: int, posts: int, pause_ms: int) -> None:
    """Be the client."""
    post = make_post(lines)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for _ in range(posts):
            work(pause_ms)
            sock.sendall(post)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += sock.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(answer.decode())


@asynccontextmanager
async def serve_ours(listener: socket.socket) -> AsyncIterator[None]:
    """Serve with the receiver of the extension."""
    handoff = Handoff("127.0.0.1:1", "e", b"")
    handoff.listener = listener
    keep_last: deque[bytes] = deque(maxlen=1)
    receiver = TelemetryReceiver(
        handoff,
        keep_last.append,
        print,
        has_room=lambda: True,
        wait_for_room=lambda: asyncio.sleep(0),
    )
    await receiver.open()
    try:
        yield
    finally:
        await receiver.close()


@asynccontextmanager
async def serve_by_aiohttp(listener: socket.socket) -> AsyncIterator[None]:
    """Serve with what aiohttp has, without a guard."""

    async def answer(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response()

    async with await asyncio.get_running_loop().create_server(web.Server(answer), sock=listener):
        yield


class BareProtocol(asyncio.Protocol):
    """Looks for the length of a body, and for nothing else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport
        self._data = bytearray()

    def data_received(self, data: bytes) -> None:
        """Answer when a request is whole."""
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if end and len(body) == int(head.partition(b"Content-Length:")[2].split()[0]):
            self._data.clear()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]  # of its subclass


@asynccontextmanager
async def serve_barely(listener: socket.socket) -> AsyncIterator[None]:
    """Serve with the least that answers."""
    async with await asyncio.get_running_loop().create_server(BareProtocol, sock=listener):
        yield


WAYS: Mapping[str, Serve] = {
    "aiohttp": serve_by_aiohttp,
    "ours": serve_ours,
    "bare": serve_barely,
}


async def measure(serve: Serve, lines: int, posts: int, pause_ms: int) -> float:
    """Return microseconds of CPU of this process for one POST."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    async def run(number: int) -> float:
        words = map(str, (port, lines, number, pause_ms))
        began_s = time.process_time()
        client = await asyncio.create_subprocess_exec(sys.executable, __file__, "--client", *words)
        if await client.wait():
            raise SystemExit("the client failed")
        return time.process_time() - began_s

    async with serve(listener):
        await run(WARM_UPS)
        client_s = await run(0)
        return (await run(posts) - client_s) / posts * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each way (default 5)")
    parser.add_argument("--client", nargs=4, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        post_all(*arguments.client)
        return
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the client inherits it
    print(f"{'CPU of a POST, us':<28}" + "".join(f"{name:>10}" for name in WAYS))
    for lines, posts, pause_ms in ((10, 3_000, 0), (100, 3_000, 0), (10, 150, WORK_MS)):
        found: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(arguments.rounds):
            for name, serve in WAYS.items():
                found[name].append(asyncio.run(measure(serve, lines, posts, pause_ms)))
        title = f"{lines} lines, " + ("spread" if pause_ms else "one after the other")
        print(f"{title:<28}" + "".join(f"{statistics.median(found[name]):>10.0f}" for name in WAYS))


if __name__ == "__main__":
    main()
