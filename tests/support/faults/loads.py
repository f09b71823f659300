"""More than is usual: lines, invocations at once, invocations without a collector."""

from __future__ import annotations

import asyncio
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_sandbox import InitType, TelemetryFaults
from tests.support.faults import answers
from tests.support.faults.figures import Fault, Figures, Required
from tests.support.faults.processes import find_python
from tests.support.faults.trial import FUNCTION, read_memory, run_trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOOD_LINES = 100_000
AT_ONCE = 1_000
WITHOUT_COLLECTOR, WARM_UP = 1_200, 300
MOST_GROWTH_BYTES = 4 * 1024 * 1024

WORKERS = f"""\
def work():
    {FUNCTION.replace(chr(10), chr(10) + "    ")}
threading.stack_size(256 * 1024)
for _ in range({AT_ONCE}):
    threading.Thread(target=work).start()
"""


async def play_flood(folder: Path) -> Figures:
    """100,000 lines in one invocation, of a function of the smallest size."""
    scenario = {
        "timeout_ms": 120_000,
        # The local Lambda drops what its own buffer cannot hold; here ours is in question.
        "telemetry": TelemetryFaults(queue_bytes=256 * 1024 * 1024),
    }
    environ = {"LOGGER_EXTENSION_FLUSH_TIMEOUT_MS": "60000"}
    async with run_trial(folder, scenario=scenario, environ=environ) as trial:
        await trial.invoke_often(2)
        trial.is_faulty = True
        await trial.invoke_often(1, lines=FLOOD_LINES, text="of words " * 8)
        trial.is_faulty = False
        await trial.invoke_often(2)
        return await trial.finish()


async def play_at_once(folder: Path) -> Figures:
    """1,000 invocations at once on Managed Instances."""
    scenario = {
        "init_type": InitType.MANAGED_INSTANCES,
        "max_concurrency": AT_ONCE,
        "timeout_ms": 60_000,
        "memory_size_mb": 2_048,
    }
    with raised_descriptor_limit():
        async with run_trial(folder, scenario=scenario, function=WORKERS) as trial:
            next_calls = trial.whole.sandbox.transcript.wait_for
            await next_calls("next", actor="runtime", count=AT_ONCE)
            trial.is_faulty = True
            await asyncio.gather(*(trial.invoke(1, sleep_s=0.5) for _ in range(AT_ONCE)))
            return await trial.finish()


async def play_without_collector(folder: Path) -> Figures:
    """Thousands of invocations whose telemetry nobody takes: memory must not grow for ever."""
    environ = {
        "LOGGER_EXTENSION_QUEUE_MAX_BYTES": "524288",
        "LOGGER_EXTENSION_FLUSH_POLICY": "auto",
    }
    async with run_trial(folder, environ=environ) as trial:
        trial.proxy.play(answers.refuse_with(503))
        trial.is_faulty = True
        await trial.invoke_often(WARM_UP)
        pid = await find_python(trial)
        warm = read_memory(pid, "VmRSS")
        await trial.invoke_often(WITHOUT_COLLECTOR - WARM_UP)
        grown = read_memory(pid, "VmRSS") - warm
        assert grown < MOST_GROWTH_BYTES, f"{grown} bytes more after {WITHOUT_COLLECTOR}"
        return await trial.finish()


@contextmanager
def raised_descriptor_limit() -> Iterator[None]:
    """Let this process and its children have as many descriptors as it may."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def find_faults() -> list[Fault]:
    """Return all faults of this module."""
    return [
        Fault(
            name=f"{FLOOD_LINES:,} log lines in one invocation",
            play=play_flood,
            # The collector has the same two CPUs: a request that it is late with may come twice.
            required=Required(doubled=4_000, median_ms=30_000),
            is_slow=True,
        ),
        Fault(
            name=f"{AT_ONCE:,} invocations at once (Managed Instances)",
            play=play_at_once,
            is_slow=True,
        ),
        Fault(
            name=f"{WITHOUT_COLLECTOR:,} invocations without a collector",
            play=play_without_collector,
            is_slow=True,
        ),
    ]
