"""Where log lines are decoded, mapped, encoded and compressed: would a worker gain anything?

    make bench-worker

The way of 1,000 and of 10,000 lines from Telemetry API bodies (1,000 lines each) to compressed OTLP
requests, one for each body:

    loop         all of it in the event loop
    gzip thread  compression in a thread, which lets go of the interpreter's lock; else in the loop
    thread       all of it in a thread, under the lock
    fork         all of it in a forked process; bodies go in by a pipe, requests come back by one
    spawn        the same in a process that is started anew: it shares nothing with us

`wall` is until the last request is there, `blocked` the longest time that the loop could not run
anything else, `late` the sum of all such times; a handler's OTLP SDK or Lambda's telemetry waits
so long. `CPU` counts all threads and processes. What a worker costs once stands below: the time
until it has answered for the first time, and the memory that it does not share with us. Rounds are
interleaved and medians compared. There is no bound: an ADR is written from the table.
"""

import argparse
import asyncio
import gzip
import json
import os
import statistics
import struct
import sys
import sysconfig
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.stage import REPOSITORY, this_interpreter
from logger_extension.events import FunctionLog
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.logs import LogLine, encode_logs
from logger_extension.telemetry import decode

LINES = (1_000, 10_000)
BODY_LINES = 1_000
GZIP_LEVEL = 1
BEAT_S = 0.001
LENGTH = struct.Struct("<I")

REQUEST_ID = "b397bf4c-7424-4baa-b7e2-ab6e11d76a35"
INVOCATION = Invocation(REQUEST_ID, derive_context(REQUEST_ID, ""))
OBSERVED_UNIX_NANO = 1_795_427_494_400_000_000
RESOURCE: dict[str, str | int] = {"service.name": "checkout", "faas.name": "checkout"}

SPAWNED = """
import sys
sys.path[:0] = sys.argv[1:]
from benchmarks.encoding_worker import serve
serve(0, 1)
"""

Way = Callable[[Sequence[bytes]], Awaitable[list[bytes]]]


def make_bodies(lines: int, seed: int) -> list[bytes]:
    """Return Telemetry API bodies; another seed makes other lines."""
    items = [
        {
            "time": f"2026-11-23T09:51:{number // 1000 % 60:02}.{number % 1000:03}Z",
            "type": "function",
            "record": f"order {number * seed} received, payment of customer {number % 97} checked,"
            f" basket {seed:x}-{number:x} kept for the region eu and the price list of {number}\n",
        }
        for number in range(lines)
    ]
    return [
        json.dumps(items[start : start + BODY_LINES]).encode()
        for start in range(0, lines, BODY_LINES)
    ]


def encode(body: bytes) -> bytes:
    """Return the request of a body, as the extension makes it."""
    lines = [
        LogLine(event.record, event.time_unix_nano, OBSERVED_UNIX_NANO, INVOCATION)
        for event in decode(body).events
        if isinstance(event.record, FunctionLog)
    ]
    return encode_logs(RESOURCE, lines)


def compress(request: bytes) -> bytes:
    """Return the request as the exporter sends it."""
    return gzip.compress(request, GZIP_LEVEL, mtime=0)


def encode_and_compress(body: bytes) -> bytes:
    """Do all of it."""
    return compress(encode(body))


async def in_loop(bodies: Sequence[bytes]) -> list[bytes]:
    """Do all in the loop, which may do other things between bodies."""
    requests = []
    for body in bodies:
        requests.append(encode_and_compress(body))
        await asyncio.sleep(0)
    return requests


async def with_gzip_thread(bodies: Sequence[bytes]) -> list[bytes]:
    """Compress in a thread while the next body is encoded."""
    tasks = []
    for body in bodies:
        tasks.append(asyncio.create_task(asyncio.to_thread(compress, encode(body))))
        await asyncio.sleep(0)
    return await asyncio.gather(*tasks)


async def in_thread(bodies: Sequence[bytes]) -> list[bytes]:
    """Do all in a thread."""
    return [await asyncio.to_thread(encode_and_compress, body) for body in bodies]


class Worker:
    """A process that takes bodies and gives requests, each with its length before it.

    Args:
        pid: of the process.
        reader: the end of the pipe that requests come from.
        writer: the end of the pipe that bodies go to.
    """

    def __init__(
        self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = pid
        self._reader = reader
        self._writer = writer

    async def encode(self, bodies: Sequence[bytes]) -> list[bytes]:
        """Return the requests of bodies."""
        for body in bodies:
            self._writer.write(LENGTH.pack(len(body)) + body)
        requests = []
        for _ in bodies:
            (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            requests.append(await self._reader.readexactly(length))
        return requests


def serve(source: int, sink: int) -> None:
    """Work as a worker, until the pipe ends."""
    with open(source, "rb") as bodies, open(sink, "wb") as requests:
        while head := bodies.read(LENGTH.size):
            request = encode_and_compress(bodies.read(*LENGTH.unpack(head)))
            requests.write(LENGTH.pack(len(request)) + request)
            requests.flush()


@asynccontextmanager
async def fork_worker() -> AsyncIterator[Worker]:
    """Run a worker in a copy of this process."""
    source, body_sink = os.pipe()
    request_source, sink = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(body_sink)
        os.close(request_source)
        serve(source, sink)
        os._exit(0)
    os.close(source)
    os.close(sink)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    incoming, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(request_source, "rb", 0)
    )
    outgoing, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(body_sink, "wb", 0)
    )
    yield Worker(pid, reader, asyncio.StreamWriter(outgoing, protocol, None, loop))
    outgoing.close()
    # Its end closes the pipe that it writes to.
    await reader.read()
    incoming.close()
    os.waitpid(pid, 0)  # noqa: ASYNC222  (it is at its end)


@asynccontextmanager
async def spawn_worker() -> AsyncIterator[Worker]:
    """Run a worker in a new interpreter, started as the launcher starts ours."""
    places = [str(REPOSITORY), sysconfig.get_path("purelib")]
    process = await asyncio.create_subprocess_exec(
        *(str(this_interpreter()), "-I", "-S", "-c", SPAWNED, *places),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None  # noqa: S101  (asked for above)
    assert process.stdout is not None  # noqa: S101  (asked for above)
    yield Worker(process.pid, process.stdout, process.stdin)
    await process.communicate(b"")


@dataclass(slots=True)
class Figures:
    """What one way has cost, a value for each round; milliseconds."""

    wall: list[float] = field(default_factory=list)
    blocked: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


async def measure_once(way: Way, bodies: Sequence[bytes], pids: Sequence[int]) -> list[float]:
    """Return wall time, longest and summed lateness of the loop, and CPU time; milliseconds."""
    late_s: list[float] = []

    async def beat() -> None:
        while True:
            due_s = time.perf_counter() + BEAT_S
            await asyncio.sleep(BEAT_S)
            late_s.append(time.perf_counter() - due_s)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(2 * BEAT_S)
    cpu_s, start_s = read_cpu_s(pids), time.perf_counter()
    late_s.clear()
    await way(bodies)
    wall_s, used_s = time.perf_counter() - start_s, read_cpu_s(pids) - cpu_s
    # The beat that could not come while we worked comes now.
    await asyncio.sleep(2 * BEAT_S)
    beating.cancel()
    # The selector rounds up to a millisecond: so much is late by itself.
    real_s = [max(0.0, each - BEAT_S) for each in late_s]
    return [1000 * each for each in (wall_s, max(real_s), sum(real_s), used_s)]


def read_cpu_s(pids: Sequence[int]) -> float:
    """Return the CPU time of this process and of others until now."""
    spent_ns = [int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids]
    return time.process_time() + sum(spent_ns) / 1e9


def read_private_mb(pid: int) -> float:
    """Return the memory that a process shares with nobody."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


async def measure(rounds: int) -> None:
    """Measure all ways, interleaved, and write a table for each number of lines."""
    async with fork_worker() as forked, spawn_worker() as spawned:
        ways: dict[str, tuple[Way, Sequence[int]]] = {
            "loop": (in_loop, ()),
            "gzip thread": (with_gzip_thread, ()),
            "thread": (in_thread, ()),
            "fork": (forked.encode, (forked.pid,)),
            "spawn": (spawned.encode, (spawned.pid,)),
        }
        for lines in LINES:
            figures = {name: Figures() for name in ways}
            for number in range(rounds + 1):
                bodies = make_bodies(lines, seed=number + 1)
                if not number:
                    await check(ways, bodies)
                for name, (way, pids) in ways.items():
                    wall, blocked, late, cpu = await measure_once(way, bodies, pids)
                    row = figures[name]
                    row.wall.append(wall)
                    row.blocked.append(blocked)
                    row.late.append(late)
                    row.cpu.append(cpu)
            print_table(lines, figures)
        for name, worker in (("fork", forked), ("spawn", spawned)):
            print(f"{name}: {read_private_mb(worker.pid):.1f} MB private")


async def check(ways: dict[str, tuple[Way, Sequence[int]]], bodies: Sequence[bytes]) -> None:
    """Stop unless all ways come to the same requests."""
    results = {name: await way(bodies) for name, (way, _) in ways.items()}
    for name, requests in results.items():
        if requests != results["loop"]:
            raise SystemExit(f"{name} comes to other requests than loop: nothing to compare")


def print_table(lines: int, figures: dict[str, Figures]) -> None:
    """Write medians; the first round, which warms caches, does not count."""
    print(f"{f'{lines} lines, ms':<18}{'wall':>10}{'blocked':>10}{'late':>10}{'CPU':>10}")
    for name, row in figures.items():
        columns = (row.wall, row.blocked, row.late, row.cpu)
        print(f"{name:<18}" + "".join(f"{statistics.median(c[1:]):>10.2f}" for c in columns))


async def measure_starts(times: int) -> None:
    """Write what it takes until a worker has answered for the first time."""
    bodies = make_bodies(1, seed=1)
    for name, opened in (("fork", fork_worker), ("spawn", spawn_worker)):
        taken_ms = []
        for _ in range(times):
            start_s = time.perf_counter()
            async with opened() as worker:
                await worker.encode(bodies)
                taken_ms.append((time.perf_counter() - start_s) * 1000)
        print(f"{name}: {statistics.median(taken_ms):.1f} ms until its first answer")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30, help="repetitions of each (default 30)")
    rounds = parser.parse_args().rounds
    # Before there are threads: a fork copies only one.
    asyncio.run(measure_starts(5))
    asyncio.run(measure(rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
