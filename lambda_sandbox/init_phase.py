"""The init phase: extensions, then the runtime, until all of them called next.

Owns the order of contract section 2 and the init events of section 7. It must not know what comes
after, nor clean up after a failure: that is the shutdown's.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from lambda_sandbox import records
from lambda_sandbox.agents import MAX_EXTENSIONS
from lambda_sandbox.errors import PhaseError
from lambda_sandbox.host import RUNTIME
from lambda_sandbox.invocation import milliseconds
from lambda_sandbox.states import AgentState

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_sandbox.generation import Generation
    from lambda_sandbox.host import Host

LAUNCH_ERROR = "Extension.LaunchError"


async def initialise(host: Host, generation: Generation, *, phase: str, budget_s: float) -> float:
    """Start everything and wait until it is ready; return how long that took in milliseconds.

    `phase` is `init`, or `invoke` for a retry inside an invocation.

    Raises:
        PhaseError: a process died, could not be started, or the budget is over.
    """
    began = time.monotonic()
    host.transcript.record("sandbox", "init.start", phase=phase)
    host.telemetry.open()
    host.telemetry.publish(records.init_start(host.scenario, phase, host.instance_id))
    failure: PhaseError | None = None
    try:
        async with asyncio.timeout(budget_s):
            await _start_extensions(host, generation)
            await _start_runtime(host, generation, phase)
            await generation.until(lambda: _all_ready(generation))
    except TimeoutError:
        failure = PhaseError("timeout", None, f"init took more than {budget_s * 1_000:.0f} ms")
    except PhaseError as error:
        failure = error
    duration_ms = milliseconds(time.monotonic() - began)
    _report(host, generation, phase, duration_ms, failure)
    if failure is not None:
        raise failure
    return duration_ms


async def _start_extensions(host: Host, generation: Generation) -> None:
    """Start every file, then wait until each has registered."""
    for path in host.scenario.extension_files():
        await _start_extension(host, generation, path)
        if generation.crash is not None:
            break
    registry = generation.registry
    await generation.until(lambda: all(agent.registered for agent in registry if agent.external))


async def _start_extension(host: Host, generation: Generation, path: Path) -> None:
    """Start one file; the 11th fails like one that cannot be executed."""
    obstacle = None
    if len(generation.registry) >= MAX_EXTENSIONS:
        obstacle = f"Extension limit ({MAX_EXTENSIONS}) reached"
    elif not os.access(path, os.X_OK):
        obstacle = f"fork/exec {path}: permission denied"
    agent = generation.registry.expect(path.name)
    if obstacle is None:
        try:
            await host.start_extension(generation, path)
        except OSError as error:
            obstacle = str(error)
    if obstacle is not None:
        agent.move(AgentState.LAUNCH_ERROR)
        agent.error_type = LAUNCH_ERROR
        host.transcript.record(f"extension:{path.name}", "launch_error", message=obstacle)
        generation.fail(LAUNCH_ERROR, obstacle)


async def _start_runtime(host: Host, generation: Generation, phase: str) -> None:
    """Start the runtime and wait for its first next, after which nobody can register."""
    try:
        await host.start_runtime(generation)
    except OSError as error:
        host.transcript.record(RUNTIME, "launch_error", message=str(error))
        generation.fail("Runtime.InvalidEntrypoint", str(error))
    slots = generation.slots
    await generation.until(lambda: slots.ready or slots.restorable)
    generation.registry.close()
    generation.drain_output()
    host.telemetry.publish(records.init_runtime_done(host.scenario, phase, "success"))


def _all_ready(generation: Generation) -> bool:
    return all(agent.state is AgentState.READY for agent in generation.registry.registered())


def _report(
    host: Host,
    generation: Generation,
    phase: str,
    duration_ms: float,
    failure: PhaseError | None,
) -> None:
    """Publish how the init ended."""
    generation.drain_output()
    status = "success" if failure is None else failure.status
    error_type = None if failure is None else failure.error_type
    publish = host.telemetry.publish
    if not (generation.slots.ready or generation.slots.restorable):
        publish(records.init_runtime_done(host.scenario, phase, status, error_type))
    for agent in generation.registry:
        publish(records.extension(agent))
    publish(records.init_report(host.scenario, phase, status, duration_ms, error_type))
    host.telemetry.close()
    host.transcript.record(
        "sandbox", "init.end", phase=phase, status=status, duration_ms=duration_ms
    )
