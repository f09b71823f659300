"""Resident memory of the extension's Python: the peak, and how it grows with invocations.

    memory_peak     the most that it ever had (VmHWM), against a bare Python of the same version
    memory_growth   what it has (VmRSS) more than after the first invocations, at each of eight
                    checkpoints, which come after the same number of invocations each

Invocations print 10 lines each. What takes the memory, by import and by library, and what a flood
does to it, is in benchmarks/memory.py.
"""

import asyncio
import statistics
import subprocess
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.frame import Plan, Results, Series
from benchmarks.local_lambda import Lane, Setup, open_lane, run_server
from benchmarks.memory import read_memory
from benchmarks.subjects import IDLE_EVENT, OURS
from deploy.stage import this_interpreter

PORTIONS = (100, 1_250)
CHECKPOINTS = 8
WARM_UPS = 100
SIZES_MB = (512, 3_538)
EVENT = {**IDLE_EVENT, "lines": 10}
BARE = "bare Python"
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
    growth = _series("memory_growth", "difference", "at first", size_mb, 0.5)
    for _ in range(plan.warm_ups(WARM_UPS)):
        await lane.invoke(EVENT)
    first_mb = read_memory(lane.extension_pid()).now
    for _ in range(CHECKPOINTS):
        for _ in range(portion):
            await lane.invoke(EVENT)
        results.add(growth, "at first", first_mb)
        results.add(growth, OURS, read_memory(lane.extension_pid()).now)


def measure_bare_mb() -> float:
    """Return the peak of an interpreter that does nothing, started as the launcher starts ours."""
    script = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    command = [str(this_interpreter()), "-I", "-S", "-c", script]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def _series(case: str, relation: str, baseline: str, size_mb: int, least_change: float) -> Series:
    return Series(
        case=case,
        unit="MB",
        relation="ratio" if relation == "ratio" else "difference",
        baseline=baseline,
        least_change=least_change,
        parameters={"memory_mb": size_mb},
    )
