"""How much slower a handler gets by the extension: CPU-bound, waiting for others, and log-heavy.

    handler_wall   the handler's own wall clock
    cpu_taken      CPU time of the extension while the handler ran, in per cent of the handler's

A control group gives all processes the CPU of the memory size (a share below 1,769 MB, one CPU
there, two at twice that); where it cannot be made, that is noted and the figures are of unlimited
CPU. Functions stand side by side in local Lambdas that freeze, and are invoked in turn:

    no-op             an extension in bash that only asks next
    subscribed        the same, subscribed to telemetry for a sink in another process: so the local
                      Lambda has the work of posting the lines, which on AWS is done elsewhere
    subscribed again  the same again: what it differs by is the noise floor
    ours              the extension with its default policy
    ours POLICY       where the policies are compared, with another

Each round has its own amount of work, the same for all: a control group that has used up its share
stops until its period of 100 ms is over, and amounts that are spread evenly over such a share show
what is used up, not where the last period happened to end. The wall clock on a shared machine shows
only what is larger than the noise floor; `cpu_taken` hardly changes with it. With one CPU or less
that much is taken from the handler; above, it is not.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.frame import Plan, Results, Series
from benchmarks.local_lambda import Lane, Setup, open_lane, run_server, turn
from benchmarks.peers import make_environ
from benchmarks.subjects import IDLE_EVENT, NOOP, OURS
from lambda_sandbox.cpu import PERIOD_US, quota_us

BASE, AGAIN = "subscribed", "subscribed again"
WORK_MS = 100.0
PARTS = 100
ROUNDS = (12, 15)
WARM_UPS = 3
TRIAL_TIMES = 1_000
# Where nothing stops the handler, a little spread is enough.
SPREAD_MS = 10.0
# Multiples of it leave no part of a share out, wherever one stops.
GOLDEN = 0.618034


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A handler: bound by `cpu` or by `io`, at a memory size, with its lines, and who runs by it.

    Attributes:
        policies: those that are compared with the default.
    """

    bound_by: str
    memory_mb: int
    lines: int
    policies: Sequence[str] = ()


SHORT = (
    Work(bound_by="cpu", memory_mb=512, lines=1_000),
    Work(bound_by="cpu", memory_mb=1_769, lines=10),
    Work(bound_by="cpu", memory_mb=1_769, lines=1_000),
    Work(bound_by="io", memory_mb=1_769, lines=10),
)
FULL = (
    *(
        Work(bound_by="cpu", memory_mb=size, lines=1_000)
        for size in (128, 512, 1_024, 3_538, 10_240)
    ),
    Work(bound_by="cpu", memory_mb=1_769, lines=1_000, policies=("end", "overlap")),
    *(
        Work(bound_by=kind, memory_mb=1_769, lines=lines)
        for kind in ("cpu", "io")
        for lines in (0, 10, 1_000, 100_000)
        if (kind, lines) != ("cpu", 1_000)
    ),
)


def run(plan: Plan, results: Results) -> None:
    """Measure each kind of work."""
    for work in plan.choose(SHORT, FULL):
        asyncio.run(_measure(plan, results, work))


async def _measure(plan: Plan, results: Results, work: Work) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector = await stack.enter_async_context(run_server("collector", "all=0"))
        sink = await stack.enter_async_context(run_server("sink"))
        setups = make_setups(plan, work, collector.addresses["all"], sink.addresses["sink"])
        lanes = [await stack.enter_async_context(open_lane(folder, setup)) for setup in setups]
        for note in lanes[0].sandbox.notes:
            results.note(note)
        times_a_ms = await _calibrate(lanes)
        for number in range(plan.rounds(*ROUNDS)):
            work_ms = choose_work_ms(work.memory_mb, number)
            event = make_event(work, work_ms, times_a_ms)
            for lane in turn(lanes, number):
                await _invoke(results, work, lane, event)


def make_setups(plan: Plan, work: Work, collector: str, sink: str) -> list[Setup]:
    """Return all ways at a memory size; the order puts the noise floor beside its twin."""
    scenario = {"memory_size_mb": work.memory_mb, "enforce_cpu": True}
    subscribed = {"NOOP_TELEMETRY_PORT": sink.rpartition(":")[2]}
    ours = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector}"}
    return [
        Setup(name=NOOP, extension="noop", scenario=scenario),
        Setup(name=BASE, extension="noop", environ=subscribed, scenario=scenario),
        Setup(name=OURS, extension="ours", environ=ours, scenario=scenario),
        *(
            Setup(
                name=f"{OURS} {policy}",
                extension="ours",
                environ={**ours, "LOGGER_EXTENSION_FLUSH_POLICY": policy},
                scenario=scenario,
            )
            for policy in work.policies
        ),
        Setup(name=AGAIN, extension="noop", environ=subscribed, scenario=scenario),
        *(
            Setup(
                name=name,
                extension=peer,
                environ=make_environ(peer, collector),
                scenario=scenario,
            )
            for name, peer in plan.peers.items()
        ),
    ]


async def _calibrate(lanes: Sequence[Lane]) -> float:
    """Warm all lanes up; return how many steps the handler computes in a millisecond."""
    event = {**IDLE_EVENT, "parts": PARTS, "times": TRIAL_TIMES, "lines": PARTS}
    cpu_ms = [
        (await lane.invoke(event)).answer["cpu_ms"] for _ in range(WARM_UPS) for lane in lanes
    ]
    times_a_ms: float = PARTS * TRIAL_TIMES / statistics.median(cpu_ms)
    return times_a_ms


def choose_work_ms(memory_mb: int, number: int) -> float:
    """Return the work of a round: spread evenly over what a period gives, in any prefix of them."""
    quota = quota_us(memory_mb)
    share_ms = quota / 1000 if quota < PERIOD_US else SPREAD_MS
    return WORK_MS + share_ms * (number * GOLDEN % 1)


def make_event(work: Work, work_ms: float, times_a_ms: float) -> Mapping[str, Any]:
    """Return what the handler is asked for: so much CPU time, or so much waiting."""
    is_cpu = work.bound_by == "cpu"
    return {
        "parts": PARTS,
        "times": round(work_ms * times_a_ms / PARTS) if is_cpu else 0,
        "sleep_ms": 0 if is_cpu else work_ms / PARTS,
        "lines": work.lines,
        "mark": IDLE_EVENT["mark"],
    }


async def _invoke(results: Results, work: Work, lane: Lane, event: Mapping[str, Any]) -> None:
    is_ours = lane.name.startswith(OURS)
    pid = lane.extension_pid() if is_ours else min(lane.sandbox.extension_pids.values())
    before_ms = read_cpu_ms(pid)
    taken_ms: list[float] = []
    invoked = await lane.invoke(event, lambda: taken_ms.append(read_cpu_ms(pid) - before_ms))
    parameters: dict[str, str | int | float] = {
        "handler": work.bound_by,
        "lines": work.lines,
        "memory_mb": work.memory_mb,
    }
    wall = Series(
        case="handler_wall",
        unit="ms",
        relation="ratio",
        baseline=BASE,
        least_change=0.01,
        parameters=parameters,
    )
    results.add(wall, lane.name, invoked.answer["wall_ms"])
    if work.bound_by == "cpu":
        taken = Series(
            case="cpu_taken",
            unit="%",
            relation="difference",
            baseline=BASE,
            least_change=0.2,
            parameters=parameters,
        )
        results.add(taken, lane.name, taken_ms[0] / invoked.answer["cpu_ms"] * 100)


def read_cpu_ms(pid: int) -> float:
    """Return the CPU time that all threads of a process have had until now."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e6
