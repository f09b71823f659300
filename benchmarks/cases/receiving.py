"""CPU that the telemetry listener takes for one POST, beside aiohttp's server and a bare protocol.

    receiving   microseconds of CPU of this process a POST, against a protocol that looks for the
                length of a body and for nothing else

A client in a process of its own posts bodies over one connection, as Lambda does: one after the
other, or spread, with other work on the same CPU between, so that the caches are cold each time.
"""

import asyncio
import os
import socket
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

from aiohttp import web

from benchmarks.frame import Plan, Results, Series
from benchmarks.local_lambda import HERE
from logger_extension.bootstrap import Handoff
from logger_extension.receivers.telemetry_api import TelemetryReceiver

ROUNDS = (5, 20)
CLIENT = HERE / "posting.py"
WORK_MS = 10
WARM_UPS = 100

Serve = Callable[[socket.socket], AbstractAsyncContextManager[None]]


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


class Posting(NamedTuple):
    """How a client posts: lines a body, how many bodies, and the work between two."""

    lines: int
    posts: int
    pause_ms: int


SHORT = (Posting(10, 3_000, 0), Posting(10, 40, WORK_MS))
FULL = (*SHORT, Posting(100, 1_000, 0))


def run(plan: Plan, results: Results) -> None:
    """Measure each way of posting, with client and server on one CPU."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})  # the client inherits it
    try:
        for posting in plan.choose(SHORT, FULL):
            series = Series(
                case="receiving",
                unit="us of CPU a POST",
                relation="ratio",
                baseline="bare",
                least_change=0.05,
                parameters={
                    "lines": posting.lines,
                    "posts": "spread" if posting.pause_ms else "in a row",
                },
            )
            for _ in range(plan.rounds(*ROUNDS)):
                for name, serve in WAYS.items():
                    results.add(series, name, asyncio.run(measure(serve, posting)))
    finally:
        os.sched_setaffinity(0, cpus)


async def measure(serve: Serve, posting: Posting) -> float:
    """Return microseconds of CPU of this process for one POST."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    async def run_client(posts: int, pause_ms: int) -> float:
        words = map(str, (port, posting.lines, posts, pause_ms))
        began_s = time.process_time()
        client = await asyncio.create_subprocess_exec(sys.executable, str(CLIENT), *words)
        if await client.wait():
            raise SystemExit("the client failed")
        return time.process_time() - began_s

    async with serve(listener):
        await run_client(WARM_UPS, 0)
        client_s = await run_client(0, 0)
        taken_s = await run_client(posting.posts, posting.pause_ms) - client_s
        return taken_s / posting.posts * 1e6
