"""Resident memory of the extension's Python: steady, in a flood, by import and by library.

    make bench-memory

MB are 1,048,576 bytes, as Lambda counts them. The launcher (bash) is 3 MB besides.

    imports   what each step of the start adds, in its order, in a process of its own
    steady    thousands of invocations with 10 lines each, below and above one CPU; the collector is
              a process of its own
    flood     100,000 lines in one invocation, then SHUTDOWN; once with the collector, once with one
              that refuses every connection

Bounds: the peak (VmHWM) of the steady state is at most 48 MB. That of a flood is at most 48 MB, the
two buffers that log lines go through (what is unread, and the queue: each the share of the
function's memory that the settings give), and 8 MB for the batch that is being read and the request
that is being made. Exits 1 when one is missed.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.local_lambda import Lane, Setup, open_lane, run_server
from deploy.stage import REPOSITORY, this_interpreter
from logger_extension.config import Config

MIB = 1024 * 1024
MOST_STEADY_MB = 48.0
WORK_MB = 8.0
LINES, FLOOD_LINES = 10, 100_000
STEADY_SIZES_MB = (512, 3_538)
FLOOD_SIZES_MB = (128, 1_769)
FLOOD_TIMEOUT_MS = 20_000
LOOK_S = 0.01
LIBRARIES = 12

HANDLER = """
def handler(event, context):
    for number in range(event["lines"]):
        print(f"order {number} received, basket of customer {number * 7} kept, mark=memory.0;")
"""

# Each step as the start comes to it; what one has imported costs the next nothing.
STEPS: Sequence[tuple[str, str]] = (
    ("bootstrap", "logger_extension.bootstrap"),
    ("dataclasses, re, enum", "dataclasses re enum"),
    ("hashlib with libcrypto", "hashlib"),
    ("orjson", "orjson"),
    ("settings", "logger_extension.config"),
    ("asyncio", "asyncio"),
    ("ssl with libssl", "ssl"),
    ("protobuf", "google.protobuf.message google.protobuf.descriptor_pool"),
    ("OTLP messages", "logger_extension.signals.requests"),
    ("yarl, multidict", "yarl multidict"),
    ("email, cookies, urllib", "email.message email.policy http.cookies urllib.request"),
    ("aiohttp client", "aiohttp"),
    ("aiohttp server", "aiohttp.web"),
    ("the rest of ours", "logger_extension.app"),
    ("extra: grpc", "grpc.aio"),
    ("extra: botocore", "botocore.auth botocore.session"),
)

PROBE = """
import sys, time
sys.path[:0] = sys.argv[1:3]

def look():
    with open("/proc/self/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return [int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon", "RssFile")]

print("bare Python", *look(), 0, len(sys.modules), sep="|")
for step in sys.argv[3:]:
    title, _, names = step.partition("=")
    start_s = time.perf_counter()
    for name in names.split():
        __import__(name)
    elapsed_ms = (time.perf_counter() - start_s) * 1000
    print(title, *look(), elapsed_ms, len(sys.modules), sep="|")
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process has resident, in MB; `peak` is the most that it ever had."""

    now: float
    peak: float
    anonymous: float


def read_memory(pid: int) -> Memory:
    """Return what the kernel says of a process.

    Raises:
        OSError: the process is gone.
        KeyError: it is about to be.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    now, peak, anonymous = (int(fields[n][0]) / 1024 for n in ("VmRSS", "VmHWM", "RssAnon"))
    return Memory(now, peak, anonymous)


def read_libraries(pid: int) -> Counter[str]:
    """Return the resident kilobytes of a process by mapped file; memory without one is by kind."""
    sizes: Counter[str] = Counter()
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if words[0] == "Rss:":
            sizes[name] += int(words[1])
        elif not words[0].endswith(":"):
            name = Path(words[5]).name if len(words) > 5 else "anonymous"
    return sizes


def print_imports() -> None:
    """Start Python as the launcher does, and write what each step adds."""
    steps = [
        f"{title}={names}"
        for title, names in STEPS
        if find_spec(names.split()[0].partition(".")[0])
    ]
    places = [str(REPOSITORY), sysconfig.get_path("purelib")]
    command = [str(this_interpreter()), "-I", "-S", "-c", PROBE, *places, *steps]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(
        f"{'imports':<26}{'adds':>9}{'anonymous':>11}{'files':>9}{'in all':>9}{'':>9}{'modules':>9}"
    )
    before = [0.0] * 5
    for line in printed.splitlines():
        title, *words = line.split("|")
        values = [float(word) for word in words]
        added, anonymous, files = (
            now - old for now, old in zip(values[:3], before[:3], strict=True)
        )
        print(
            f"{title:<26}{added:>6.2f} MB{anonymous:>8.2f} MB{files:>6.2f} MB{values[0]:>6.1f} MB"
            f"{values[3]:>6.0f} ms{values[4] - before[4]:>9.0f}"
        )
        before = values


async def measure_steady(invocations: int) -> list[str]:
    """Invoke and invoke, write what is resident on the way; return what is missed."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector = await stack.enter_async_context(run_server("collector", "all=0"))
        setups = [
            make_setup(f"steady {size}", size, collector.addresses["all"])
            for size in STEADY_SIZES_MB
        ]
        lanes = [
            await stack.enter_async_context(open_lane(folder, setup, HANDLER)) for setup in setups
        ]
        print(f"\n{'steady':<14}{'after':>9}{'now':>10}{'peak':>10}{'anonymous':>10}")
        for lane in lanes:
            await lane.invoke({"lines": LINES})
        print_steady(lanes, 1)
        rounds = 4
        for number in range(1, rounds + 1):
            await asyncio.gather(*(invoke_often(lane, invocations // rounds) for lane in lanes))
            print_steady(lanes, number * invocations // rounds)
        print_libraries(lanes[0])
        return [
            f"{lane.name}: the peak is {peak:.1f} MB, at most {MOST_STEADY_MB}"
            for lane in lanes
            if (peak := read_memory(lane.extension_pid()).peak) > MOST_STEADY_MB
        ]


async def invoke_often(lane: Lane, times: int) -> None:
    """Invoke one after another."""
    for _ in range(times):
        await lane.invoke({"lines": LINES})


def print_steady(lanes: Sequence[Lane], invocations: int) -> None:
    """Write a row for each lane."""
    for lane in lanes:
        memory = read_memory(lane.extension_pid())
        print(
            f"{lane.name:<14}{invocations:>9}{memory.now:>7.1f} MB{memory.peak:>7.1f} MB"
            f"{memory.anonymous:>7.1f} MB"
        )


def print_libraries(lane: Lane) -> None:
    """Write where the memory of a lane's extension lies."""
    sizes = read_libraries(lane.extension_pid())
    print(f"\nwhere it lies, {lane.name}")
    for name, size_kb in sizes.most_common(LIBRARIES):
        print(f"  {name:<52}{size_kb / 1024:>7.2f} MB")
    rest = sum(sizes.values()) - sum(size for _, size in sizes.most_common(LIBRARIES))
    print(f"  {'all others':<52}{rest / 1024:>7.2f} MB")


async def measure_floods() -> list[str]:
    """Let a hundred thousand lines come at once; return what is missed."""
    heads = "".join(f"{head:>9}" for head in ("before", "peak", "bound"))
    print(f"\n{'flood':<22}{heads}{'took':>10}{'delivered':>11}{'fallback':>10}{'of lines':>9}")
    missed = []
    for size_mb in FLOOD_SIZES_MB:
        for is_dead in (False, True):
            name = f"{'dead' if is_dead else 'live'} collector {size_mb}"
            bound_mb = MOST_STEADY_MB + WORK_MB + 2 * find_buffer_mb(size_mb)
            peak_mb = await measure_flood(name, size_mb, is_dead=is_dead, bound_mb=bound_mb)
            if peak_mb > bound_mb:
                missed.append(f"{name}: the peak is {peak_mb:.1f} MB, at most {bound_mb:.1f}")
    return missed


async def measure_flood(name: str, size_mb: int, *, is_dead: bool, bound_mb: float) -> float:
    """Return the peak of a flood and of the shutdown after it, in MB."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector = await stack.enter_async_context(run_server("collector", "all=0"))
        # A port that is bound, and where nobody listens, refuses.
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{deaf.getsockname()[1]}" if is_dead else collector.addresses["all"]
        setup = make_setup(name, size_mb, address)
        async with open_lane(folder, setup, HANDLER) as lane, watch_peak(lane) as peaks:
            for _ in range(5):
                await lane.invoke({"lines": LINES})
            before = read_memory(lane.extension_pid())
            invoked = await lane.invoke({"lines": FLOOD_LINES})
            took_s = (invoked.before_ms + invoked.after_ms) / 1000
            # Leaving would shut down too, but the watch is over by then.
            await lane.sandbox.shutdown()
        counts = await collector.finish()
    peak_mb = max(peaks)
    print(
        f"{name:<22}{before.now:>6.1f} MB{peak_mb:>6.1f} MB{bound_mb:>6.1f} MB{took_s:>8.1f} s"
        f"{sum(counts['lines'].values()):>11}{count_fallback(lane):>10}{5 * LINES + FLOOD_LINES:>9}"
    )
    return peak_mb


def count_fallback(lane: Lane) -> int:
    """Return how many log records went to the fallback: OTLP/JSON lines on stdout.

    The last line may be torn by the end of the process: the extension counts what is in it as lost.
    """
    documents = []
    for line in lane.said().splitlines():
        if line.startswith('{"resourceLogs"'):
            with suppress(json.JSONDecodeError):
                documents.append(json.loads(line))
    scopes = [s for d in documents for r in d["resourceLogs"] for s in r["scopeLogs"]]
    return sum(len(scope["logRecords"]) for scope in scopes)


@asynccontextmanager
async def watch_peak(lane: Lane) -> AsyncIterator[list[float]]:
    """Look at the peak of a lane's extension again and again, until it is gone."""
    pid = lane.extension_pid()
    peaks = [read_memory(pid).peak]

    async def watch() -> None:
        try:
            while True:
                peaks.append(read_memory(pid).peak)
                await asyncio.sleep(LOOK_S)
        except (OSError, KeyError):
            return

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        yield peaks
        watching.cancel()


def make_setup(name: str, size_mb: int, address: str) -> Setup:
    """Return our extension at a memory size, with the default policy."""
    return Setup(
        name=name,
        extension="ours",
        environ={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}"},
        scenario={"memory_size_mb": size_mb, "timeout_ms": FLOOD_TIMEOUT_MS},
    )


def find_buffer_mb(size_mb: int) -> float:
    """Return how much one buffer may hold at a memory size."""
    environ: Mapping[str, str] = {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(size_mb),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
    }
    return Config.from_env(environ).delivery.queue_max_bytes / MIB


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--invocations", type=int, default=2_000, help="of the steady state (default 2000)"
    )
    invocations = parser.parse_args().invocations
    print_imports()
    missed = asyncio.run(measure_steady(invocations)) + asyncio.run(measure_floods())
    for sentence in missed:
        print(sentence)
    if not missed:
        print("ok: every bound is kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
