"""Memory and CPU of the extension's Python over many invocations: the peak, and what grows.

    memory_peak     the most that it ever had (VmHWM), against a bare Python of the same version
    memory_growth   what it has (VmRSS) more than after the first invocations, at each of eight
                    checkpoints, which come after the same number of invocations each
    invocation_cpu  CPU time of an invocation between two checkpoints, against the first of them
    growth          the exponent k in cost = a * invocations**k, of CPU time until each checkpoint

Invocations print 10 lines each. What takes the memory, by import and by library, and what a flood
does to it, is in benchmarks/memory.py.
"""

import asyncio
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

from benchmarks.cases.slowdown import read_cpu_ms
from benchmarks.frame import Plan, Results, Series
from benchmarks.local_lambda import Lane, Setup, open_lane, run_server
from benchmarks.memory import read_memory
from benchmarks.subjects import IDLE_EVENT, OURS
from deploy.stage import this_interpreter
from logger_extension_cli.bench.estimates import fit_exponent

PORTIONS = (100, 1_250)
CHECKPOINTS = 8
WARM_UPS = 100
SIZES_MB = (512, 3_538)
EVENT = {**IDLE_EVENT, "lines": 10}
BARE, FIRST = "bare Python", "at first"
BARE_RUNS = 5


def run(plan: Plan, results: Results) -> None:
    """Invoke and invoke at each memory size."""
    asyncio.run(_measure(plan, results))


async def _measure(plan: Plan, results: Results) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector = await stack.enter_async_context(run_server("collector", "all=0"))
        endpoint = f"http://{collector.addresses['all']}"
        lanes = {}
        for size_mb in SIZES_MB:
            setup = Setup(
                name=f"{OURS} {size_mb}",
                extension="ours",
                environ={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
                scenario={"memory_size_mb": size_mb},
            )
            lanes[size_mb] = await stack.enter_async_context(open_lane(folder, setup))
        await asyncio.gather(
            *(_grow(plan, results, size_mb, lane) for size_mb, lane in lanes.items())
        )
        bare_mb = statistics.median(measure_bare_mb() for _ in range(BARE_RUNS))
        for size_mb, lane in lanes.items():
            peak = _series("memory_peak", "ratio", BARE, size_mb, 0.05)
            results.add(peak, BARE, bare_mb)
            results.add(peak, OURS, read_memory(lane.extension_pid()).peak)


async def _grow(plan: Plan, results: Results, size_mb: int, lane: Lane) -> None:
    portion = plan.rounds(*PORTIONS)
    growth = _series("memory_growth", "difference", FIRST, size_mb, 0.5)
    for _ in range(plan.warm_ups(WARM_UPS)):
        await lane.invoke(EVENT)
    first_mb = read_memory(lane.extension_pid()).now
    cpu_ms = [read_cpu_ms(lane.extension_pid())]
    for _ in range(CHECKPOINTS):
        for _ in range(portion):
            await lane.invoke(EVENT)
        results.add(growth, FIRST, first_mb)
        results.add(growth, OURS, read_memory(lane.extension_pid()).now)
        cpu_ms.append(read_cpu_ms(lane.extension_pid()))
    _add_cpu(results, size_mb, portion, cpu_ms)


def _add_cpu(results: Results, size_mb: int, portion: int, cpu_ms: Sequence[float]) -> None:
    """Add what each portion of invocations has cost.

    Args:
        results: where to.
        size_mb: memory size of the function.
        portion: invocations between two checkpoints.
        cpu_ms: CPU time at the start and at each checkpoint.
    """
    each_ms = [(after - before) / portion for before, after in pairwise(cpu_ms)]
    cost = _series("invocation_cpu", "ratio", FIRST, size_mb, 0.05, "ms of CPU")
    results.add(cost, FIRST, *[each_ms[0]] * len(each_ms))
    results.add(cost, OURS, *each_ms)
    exponent = Series(
        case="growth",
        unit="exponent",
        relation="difference",
        baseline="linear",
        least_change=0.02,
        parameters={"of": "invocations", "most": portion * CHECKPOINTS, "memory_mb": size_mb},
    )
    counts = [portion * number for number in range(1, CHECKPOINTS + 1)]
    costs_ms = [now_ms - cpu_ms[0] for now_ms in cpu_ms[1:]]
    results.add(exponent, "linear", 1.0)
    results.add(exponent, OURS, fit_exponent(counts, costs_ms))


def measure_bare_mb() -> float:
    """Return the peak of an interpreter that does nothing, started as the launcher starts ours."""
    script = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    command = [str(this_interpreter()), "-I", "-S", "-c", script]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def _series(
    case: str,
    relation: str,
    baseline: str,
    size_mb: int,
    least_change: float,
    unit: str = "MB",
) -> Series:
    return Series(
        case=case,
        unit=unit,
        relation="ratio" if relation == "ratio" else "difference",
        baseline=baseline,
        least_change=least_change,
        parameters={"memory_mb": size_mb},
    )
