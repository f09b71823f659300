"""How much slower a CPU-bound handler gets by the extension, with 1,000 log lines an invocation.

    make bench-slowdown

The handler computes for about 100 ms of CPU time and prints 1,000 lines meanwhile; it measures
itself by wall clock and by CPU time. A control group gives all processes the CPU of the memory size
(a share below 1,769 MB, one CPU there, two at twice that); where it cannot be made, it is said and
the figures are of unlimited CPU. Functions stand side by side in local Lambdas that freeze, and are
invoked in turn, forwards and backwards by turns; all are started anew a few times, because one
process may be luckier than another:

    no-op        an extension in bash that only asks next
    subscribed   the same, subscribed to telemetry for a sink in another process: so the local
                 Lambda has the work of posting the lines, which on AWS is done elsewhere
    once more    the same again: what it differs by is the noise floor
    ours         the extension with its default policy; its collector is a sink in another process

Each round has its own amount of work, the same for all: a control group that has used up its share
stops until its period of 100 ms is over, and amounts that are spread evenly over such a share show
in their mean what is used up, not where the last period happened to end. Hence the mean of the
differences in a round, less the tenth at either end, against the subscribed no-op extension; `+-`
is its standard error.

What one process is luckier than another by is more than what is looked for, on a shared machine:
the wall clock can only show what is larger than the noise floor. `taken`, the CPU time of the
extension while the handler ran, hardly changes with it; `share` is what it has more of it than the
no-op one, of the handler's CPU time, the median of all rounds. With one CPU or less that much is
taken from the handler; above, it is not, and the wall clock is all there is.

Bounds: at most 2 % slower at 1,769 and 3,538 MB, at most 5 % at 512 MB, by the wall clock. One is
missed when it is exceeded by more than the standard error and the noise floor, in three attempts.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.local_lambda import Lane, Setup, open_lane, run_peer, try_three_times
from lambda_sandbox.cpu import PERIOD_US, quota_us

MOST_SHARE = {512: 0.05, 1_769: 0.02, 3_538: 0.02}
WORK_MS = 100.0
LINES = 1_000
WARM_UPS = 4
TRIMMED = 0.1
# Where nothing stops the handler, a little spread is enough.
SPREAD_MS = 10.0
# Multiples of it leave no part of a share out, wherever one stops.
GOLDEN = 0.618034
NOOP, BASE, AGAIN, OURS = "no-op", "subscribed", "once more", "ours"
BATCHES = 3

HANDLER = f"""
import time

def compute(times):
    value = 1
    for _ in range(times):
        value = value * 1103515245 + 12345 & 0x7FFFFFFF
    return value

def handler(event, context):
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for number in range({LINES}):
        compute(event["times"])
        print(f"order {{number}} received, payment checked, basket {{number * 7}} kept")
    return {{
        "wall_ms": (time.perf_counter() - wall_s) * 1000,
        "cpu_ms": (time.process_time() - cpu_s) * 1000,
    }}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation, as the handler saw it; `taken_ms` is the extension's CPU time meanwhile."""

    wall_ms: float
    cpu_ms: float
    taken_ms: float


Rows = Mapping[str, Sequence[Run]]


async def run_once(lane: Lane, times: int) -> Run:
    """Invoke a lane's function with an amount of work."""
    pid = lane.extension_pid() if lane.name == OURS else min(lane.sandbox.extension_pids.values())
    before_ms = read_cpu_ms(pid)
    taken_ms: list[float] = []
    invoked = await lane.invoke(
        {"times": times}, lambda: taken_ms.append(read_cpu_ms(pid) - before_ms)
    )
    return Run(invoked.answer["wall_ms"], invoked.answer["cpu_ms"], *taken_ms)


def read_cpu_ms(pid: int) -> float:
    """Return the CPU time that all threads of a process have had until now."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e6


async def measure(size_mb: int, rounds: int) -> Rows:
    """Return the runs of each way at a memory size."""
    rows: dict[str, list[Run]] = {}
    for batch in range(BATCHES):
        numbers = range(batch * rounds // BATCHES, (batch + 1) * rounds // BATCHES)
        for name, runs in (await measure_batch(size_mb, numbers)).items():
            rows.setdefault(name, []).extend(runs)
    return rows


async def measure_batch(size_mb: int, numbers: Sequence[int]) -> Rows:
    """Start all ways and invoke them; what this machine cannot do is written."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector = await stack.enter_async_context(run_peer("sink"))
        sink = await stack.enter_async_context(run_peer("sink"))
        lanes = [
            await stack.enter_async_context(open_lane(folder, setup, HANDLER))
            for setup in make_setups(size_mb, collector.address, sink.address)
        ]
        for note in lanes[0].sandbox.notes:
            print(note)
        times_a_ms = await calibrate(lanes)
        rows: dict[str, list[Run]] = {lane.name: [] for lane in lanes}
        for number in numbers:
            times = round(times_a_ms * choose_work_ms(size_mb, number))
            for lane in lanes if number % 2 else reversed(lanes):
                rows[lane.name].append(await run_once(lane, times))
        return rows


def make_setups(size_mb: int, collector: str, sink: str) -> list[Setup]:
    """Return all ways at a memory size."""
    scenario = {"memory_size_mb": size_mb, "enforce_cpu": True}
    subscribed = {"NOOP_TELEMETRY_PORT": sink.rpartition(":")[2]}
    ours = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector}"}
    return [
        Setup(name=NOOP, extension="noop", scenario=scenario),
        Setup(name=BASE, extension="noop", environ=subscribed, scenario=scenario),
        Setup(name=OURS, extension="ours", environ=ours, scenario=scenario),
        Setup(name=AGAIN, extension="noop", environ=subscribed, scenario=scenario),
    ]


async def calibrate(lanes: Sequence[Lane]) -> float:
    """Warm all lanes up; return how many times a line the handler computes in a millisecond."""
    times = 100
    cpu_ms = [(await run_once(lane, times)).cpu_ms for _ in range(WARM_UPS) for lane in lanes]
    return times / statistics.median(cpu_ms)


def choose_work_ms(size_mb: int, number: int) -> float:
    """Return the work of a round: spread evenly over what a period gives, in any prefix of them."""
    share_ms = quota_us(size_mb) / 1000 if quota_us(size_mb) < PERIOD_US else SPREAD_MS
    return WORK_MS + share_ms * (number * GOLDEN % 1)


@dataclass(frozen=True, slots=True)
class Slowdown:
    """How much slower than the subscribed no-op extension, as shares of its wall time.

    Attributes:
        mean: of the differences, less the outermost.
        error: of that mean.
        median: of the differences.
        share: what the extension takes more than it, of the handler's CPU time.
    """

    mean: float
    error: float
    median: float
    share: float


def find_slowdown(runs: Sequence[Run], base: Sequence[Run]) -> Slowdown:
    """Compare runs with those of the same rounds."""
    base_ms = statistics.fmean(each.wall_ms for each in base)
    pairs = list(zip(runs, base, strict=True))
    differences = sorted(run.wall_ms - other.wall_ms for run, other in pairs)
    cut = int(len(differences) * TRIMMED)
    kept = differences[cut : len(differences) - cut]
    return Slowdown(
        mean=statistics.fmean(kept) / base_ms,
        error=statistics.stdev(kept) / len(kept) ** 0.5 / base_ms,
        median=statistics.median(differences) / base_ms,
        share=statistics.median(
            (run.taken_ms - other.taken_ms) / run.cpu_ms for run, other in pairs
        ),
    )


def print_rows(size_mb: int, rows: Rows) -> None:
    """Write a row for each way."""
    base = rows[BASE]
    for name, runs in rows.items():
        slowdown = find_slowdown(runs, base)
        wall_ms, cpu_ms, taken_ms = (
            statistics.median(getattr(run, field) for run in runs)
            for field in ("wall_ms", "cpu_ms", "taken_ms")
        )
        print(
            f"{size_mb:>5} MB {name:<12}{wall_ms:>9.1f} ms{cpu_ms:>9.1f} ms{taken_ms:>7.2f} ms"
            f"{slowdown.mean:>+8.2%} +- {slowdown.error:.2%}{slowdown.median:>+9.2%}"
            f"{slowdown.share:>+9.2%}"
        )


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60, help="invocations of each (default 60)")
    rounds = parser.parse_args().rounds
    sizes = list(MOST_SHARE)

    def attempt() -> Sequence[str]:
        # Only the sizes whose bound was not kept yet.
        print(
            f"{'':<21}{'wall':>12}{'CPU':>12}{'taken':>10}{'slower':>17}{'median':>9}{'share':>9}"
        )
        missed = []
        for size_mb in list(sizes):
            rows = asyncio.run(measure(size_mb, rounds))
            print_rows(size_mb, rows)
            slowdown = find_slowdown(rows[OURS], rows[BASE])
            floor = abs(find_slowdown(rows[AGAIN], rows[BASE]).mean)
            most = MOST_SHARE[size_mb]
            if slowdown.mean > most + slowdown.error + floor:
                missed.append(f"{size_mb} MB: {slowdown.mean:.2%} slower: at most {most:.0%}")
            else:
                sizes.remove(size_mb)
        return missed

    return try_three_times(attempt)


if __name__ == "__main__":
    sys.exit(main())
