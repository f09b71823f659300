"""Stopping a generation of processes: the 2 seconds of contract section 5.

Owns the order: runtime first, then SHUTDOWN for extensions, then the end of everybody who is left.
No extension ever gets SIGTERM. It must not know why the processes have to go; the reason is passed
in.
"""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from lambda_sandbox.states import ALLOWED, AgentState

if TYPE_CHECKING:
    from lambda_sandbox.generation import Generation
    from lambda_sandbox.host import Host
    from lambda_sandbox.processes import Process

EXTERNAL_BUDGET_S = 2.0
INTERNAL_BUDGET_S = 0.5
RUNTIME_SHARE = 0.3
FLUSH_S = 0.2
MANAGED_INSTANCES_FLUSH_S = 1.0


async def stop_generation(host: Host, generation: Generation, reason: str) -> None:
    """Stop all processes of a generation and reap them.

    `reason` is what extensions see: `spindown`, `timeout` or `failure`. Returns as soon as the last
    process is gone, after about 2 s at most.
    """
    generation.stopping = True
    scenario = host.scenario
    began, began_unix_ms = time.monotonic(), scenario.unix_ms()
    host.transcript.record("sandbox", "shutdown.start", reason=reason)
    budget_s = _budget_s(generation)
    try:
        if budget_s:
            await _stop_runtime(generation, budget_s * RUNTIME_SHARE)
            managed = scenario.managed_instances
            await host.telemetry.flush(timeout_s=MANAGED_INSTANCES_FLUSH_S if managed else FLUSH_S)
            if scenario.shutdown_left_ms is not None:
                began, began_unix_ms = time.monotonic(), scenario.unix_ms()
                budget_s = scenario.shutdown_left_ms / 1_000
            event = {
                "eventType": "SHUTDOWN",
                "deadlineMs": began_unix_ms + round(budget_s * 1_000),
                "shutdownReason": reason,
            }
            _notify_extensions(generation, event)
            left_s = began + budget_s - time.monotonic()
            await _wait(list(generation.extensions.values()), left_s)
    finally:
        await kill_generation(generation)
    host.transcript.record("sandbox", "shutdown.end", reason=reason)


async def kill_generation(generation: Generation) -> None:
    """Kill what is left, reap it, and end every request that still waits."""
    generation.stopping = True
    for agent in generation.registry:
        if AgentState.SHUTDOWN_FAILED in ALLOWED[agent.state]:
            agent.move(AgentState.SHUTDOWN_FAILED)
    for process in generation.processes:
        process.signal(signal.SIGKILL)
    for process in generation.processes:
        await process.wait()
    generation.changes.close()


def _budget_s(generation: Generation) -> float:
    """2 s with external extensions, 0.5 s with internal ones only, nothing without any."""
    registered = generation.registry.registered()
    if any(agent.external for agent in registered):
        return EXTERNAL_BUDGET_S
    return INTERNAL_BUDGET_S if registered else 0.0


async def _stop_runtime(generation: Generation, grace_s: float) -> None:
    """SIGTERM, a grace, SIGKILL."""
    runtime = generation.runtime
    if runtime is None or not runtime.alive:
        return
    runtime.signal(signal.SIGTERM)
    await _wait([runtime], grace_s)
    if runtime.alive:
        runtime.signal(signal.SIGKILL)
        await runtime.wait()


def _notify_extensions(generation: Generation, event: dict[str, object]) -> None:
    """Release SHUTDOWN to those that asked for it, kill the others."""
    generation.registry.begin_shutdown(event)
    for name, process in generation.extensions.items():
        agent = generation.registry.by_name(name)
        if agent is None or "SHUTDOWN" not in agent.events:
            process.signal(signal.SIGKILL)


async def _wait(processes: list[Process], seconds: float) -> None:
    """Wait until all are gone, or the time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            for process in processes:
                await process.wait()
