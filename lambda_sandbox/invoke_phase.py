"""The invoke phase: one invocation in a generation that is ready.

Owns the order of contract section 4, once for on-demand functions and once for Managed Instances.
It must not know of freeze and reset, which the sandbox does around it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from lambda_sandbox import records
from lambda_sandbox.errors import PhaseError
from lambda_sandbox.invocation import error_payload, timeout_message
from lambda_sandbox.records import Outcome
from lambda_sandbox.states import AgentState

if TYPE_CHECKING:
    from lambda_sandbox.generation import Generation
    from lambda_sandbox.host import Host
    from lambda_sandbox.invocation import Invocation

TIMED_OUT = "Sandbox.Timedout"


def instant(host: Host) -> tuple[float, int]:
    """Now, as monotonic seconds and as unix milliseconds."""
    return time.monotonic(), host.scenario.unix_ms()


def begin(host: Host, invocation: Invocation) -> None:
    """Start the clock of the function timeout."""
    invocation.begin(*instant(host))
    host.transcript.record("sandbox", "invoke.start", request_id=invocation.request_id)


def remaining_s(invocation: Invocation) -> float:
    """Seconds until the function timeout."""
    return invocation.started + invocation.timeout_ms / 1_000 - time.monotonic()


async def run_on_demand(host: Host, generation: Generation, invocation: Invocation) -> Outcome:
    """Run an invocation until the runtime and all INVOKE extensions have called next.

    Raises:
        PhaseError: timeout or crash; what the caller gets is `fail`'s to say.
    """
    try:
        async with asyncio.timeout(remaining_s(invocation)):
            return await _run_on_demand(host, generation, invocation)
    except TimeoutError:
        raise timeout_error(invocation) from None


def timeout_error(invocation: Invocation) -> PhaseError:
    """The end of an invocation at its deadline."""
    return PhaseError("timeout", None, timeout_message(invocation.timeout_ms))


async def _run_on_demand(host: Host, generation: Generation, invocation: Invocation) -> Outcome:
    if generation.crash is not None:  # somebody died while the environment was frozen
        raise generation.crash
    slots, registry = generation.slots, generation.registry
    await generation.until(slots.has_worker)
    invoked = registry.subscribed("INVOKE")
    event = _invoke_event(host, invocation)
    for agent in invoked:
        if agent.state is AgentState.READY:
            registry.release(agent, event)
    slots.give(invocation)
    await generation.until(lambda: invocation.responded)
    await generation.until(lambda: invocation.runtime_next is not None)
    generation.drain_output()
    runtime_done = instant(host)
    host.telemetry.publish(records.runtime_done(host.scenario, invocation, runtime_done, "success"))
    invocation.runtime_done = runtime_done[0]
    await generation.until(lambda: all(agent.state is AgentState.READY for agent in invoked))
    return Outcome(
        status="success",
        ended=instant(host),
        runtime_done=runtime_done[0] if registry.registered() else None,
    )


def fail(host: Host, invocation: Invocation, error: PhaseError) -> Outcome:
    """Answer the caller and publish `platform.runtimeDone`, each if that has not been done."""
    ended = instant(host)
    message = f"RequestId: {invocation.request_id} Error: {error.message}"
    error_type = error.error_type or TIMED_OUT
    payload = error.payload or error_payload(error_type, message)
    answer(host, invocation, error.status, payload, error_type)
    if invocation.runtime_done is None:
        host.telemetry.publish(
            records.runtime_done(host.scenario, invocation, ended, error.status, error.error_type)
        )
    return Outcome(status=error.status, ended=ended, error_type=error.error_type)


def answer(
    host: Host, invocation: Invocation, status: str, payload: bytes, error_type: str | None
) -> None:
    """Answer the caller if it has no answer yet."""
    if invocation.resolve(status, payload, error_type, time.monotonic()):
        host.transcript.record("client", "answer", request_id=invocation.request_id, status=status)


async def run_managed(host: Host, generation: Generation, invocation: Invocation) -> None:
    """Run one of several invocations on Managed Instances; a timeout kills nothing."""
    refusal = _refusal(host, generation, invocation)
    if refusal is not None:
        payload = error_payload(refusal, "the invocation was not accepted")
        answer(host, invocation, "error", payload, refusal)
        return
    begin(host, invocation)
    host.telemetry.publish(records.start(host.scenario, invocation))
    failure = await _give_to_worker(generation, invocation)
    if failure is not None:
        status, error_type = failure.status, failure.error_type
        payload = error_payload(error_type or TIMED_OUT, failure.message)
        answer(host, invocation, status, payload, error_type)
    else:
        error_type = invocation.error_type  # of a handler that raised, from the runtime's header
        status = "success" if error_type is None else "error"
    outcome = Outcome(status=status, ended=instant(host), error_type=error_type)
    generation.drain_output()
    host.telemetry.publish(records.report(host.scenario, invocation, outcome))
    host.transcript.record("sandbox", "invoke.end", request_id=invocation.request_id, status=status)


def _refusal(host: Host, generation: Generation, invocation: Invocation) -> str | None:
    """The error type of an invocation that a Managed Instance does not take, or None."""
    if generation.slots.knows(invocation.request_id):
        return "Client.DuplicatedInvokeId"
    if generation.slots.running >= host.scenario.max_concurrency:
        return "Runtime.Unavailable"
    return None


async def _give_to_worker(generation: Generation, invocation: Invocation) -> PhaseError | None:
    """Wait for a worker, and for its response; return what went wrong."""
    slots = generation.slots
    try:
        async with asyncio.timeout(remaining_s(invocation)):
            await generation.until(slots.has_worker)
            slots.give(invocation)
            await generation.until(lambda: invocation.responded)
    except TimeoutError:
        invocation.timed_out = True
        return PhaseError("timeout", TIMED_OUT, timeout_message(invocation.timeout_ms))
    except PhaseError as error:
        message = f"RequestId: {invocation.request_id} Error: {error.message}"
        return PhaseError(error.status, error.error_type, message)
    return None


def _invoke_event(host: Host, invocation: Invocation) -> dict[str, Any]:
    """The INVOKE event; `tracing` only if the caller sent a trace header."""
    event: dict[str, Any] = {
        "eventType": "INVOKE",
        "deadlineMs": invocation.deadline_ms,
        "requestId": invocation.request_id,
        "invokedFunctionArn": host.scenario.function_arn,
    }
    if invocation.trace_header is not None:
        event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": invocation.trace_header}
    return event
