"""Records of the platform's own telemetry events.

Pure: builders from values to (type, record) pairs, with the shapes of contract section 7.2; what is
absent is left out, as Lambda does. Durations are milliseconds with three decimals. It must not know
of subscribers or of the envelope.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lambda_sandbox.environment import python_name
from lambda_sandbox.events import iso_ms
from lambda_sandbox.invocation import billed_ms, milliseconds
from lambda_sandbox.scenario import InitType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_sandbox.agents import Agent
    from lambda_sandbox.invocation import Invocation
    from lambda_sandbox.scenario import Scenario

BYTES_PER_MB = 1024 * 1024

Record = dict[str, Any]
TypedRecord = tuple[str, Record]


def init_start(scenario: Scenario, phase: str, instance_id: str) -> TypedRecord:
    """`platform.initStart`; `instanceMaxMemory` is in bytes."""
    record = {"initializationType": scenario.init_type.value, "phase": phase}
    return "platform.initStart", record | _identity(scenario, instance_id)


def init_runtime_done(
    scenario: Scenario, phase: str, status: str, error_type: str | None = None
) -> TypedRecord:
    """`platform.initRuntimeDone`."""
    record = {
        "initializationType": scenario.init_type.value,
        "phase": phase,
        "status": status,
        "errorType": error_type,
    }
    return "platform.initRuntimeDone", _without_none(record)


def init_report(
    scenario: Scenario, phase: str, status: str, duration_ms: float, error_type: str | None = None
) -> TypedRecord:
    """`platform.initReport`."""
    record = {
        "initializationType": scenario.init_type.value,
        "phase": phase,
        "status": status,
        "metrics": {"durationMs": duration_ms},
        "errorType": error_type,
    }
    return "platform.initReport", _without_none(record)


def restore_start(scenario: Scenario, instance_id: str) -> TypedRecord:
    """`platform.restoreStart` of SnapStart."""
    return "platform.restoreStart", _identity(scenario, instance_id)


def restore_runtime_done(status: str, error_type: str | None = None) -> TypedRecord:
    """`platform.restoreRuntimeDone` of SnapStart."""
    record = {"status": status, "errorType": error_type}
    return "platform.restoreRuntimeDone", _without_none(record)


def restore_report(status: str, duration_ms: float, error_type: str | None = None) -> TypedRecord:
    """`platform.restoreReport` of SnapStart."""
    record = {"status": status, "metrics": {"durationMs": duration_ms}, "errorType": error_type}
    return "platform.restoreReport", _without_none(record)


def extension(agent: Agent) -> TypedRecord:
    """`platform.extension`: where an extension stands at the end of init."""
    record = {
        "name": agent.name,
        "state": agent.state.value,
        "events": list(agent.events),
        "errorType": agent.error_type,
    }
    return "platform.extension", _without_none(record)


def telemetry_subscription(name: str, state: str, types: Sequence[str]) -> TypedRecord:
    """`platform.telemetrySubscription`: state `Subscribed` or `Already subscribed`."""
    record = {"name": name, "state": state, "types": list(types)}
    return "platform.telemetrySubscription", record


def start(scenario: Scenario, invocation: Invocation) -> TypedRecord:
    """`platform.start`."""
    record = {
        "requestId": invocation.request_id,
        "version": scenario.function_version,
        "functionArn": scenario.function_arn,
        "tracing": _tracing(scenario, invocation),
    }
    return "platform.start", _without_none(record)


def runtime_done(
    scenario: Scenario,
    invocation: Invocation,
    now: tuple[float, int],
    status: str,
    error_type: str | None = None,
) -> TypedRecord:
    """`platform.runtimeDone`; never sent on Managed Instances. `now`: monotonic s, unix ms."""
    record = {
        "requestId": invocation.request_id,
        "status": status,
        "spans": _runtime_spans(invocation, now) or None,
        "metrics": {
            "durationMs": invocation.handler_ms(now[0]),
            "producedBytes": invocation.produced_bytes,
        },
        "tracing": _tracing(scenario, invocation),
        "errorType": error_type,
    }
    return "platform.runtimeDone", _without_none(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What `platform.report` says of an invocation that is over.

    Attributes:
        ended: monotonic time of the end and the same instant in unix milliseconds.
        runtime_done: monotonic time of `platform.runtimeDone` if extensions ran on after it.
        init_ms: of a cold start, else None.
        restore_ms: of a SnapStart cold start, else None.
    """

    status: str
    ended: tuple[float, int]
    error_type: str | None = None
    runtime_done: float | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    max_memory_bytes: int = 0


def report(scenario: Scenario, invocation: Invocation, outcome: Outcome) -> TypedRecord:
    """`platform.report`; on Managed Instances with the duration and the response spans only."""
    duration_ms = milliseconds(outcome.ended[0] - invocation.started)
    if outcome.status == "timeout":  # the time until the platform noticed is not reported
        duration_ms = min(duration_ms, float(invocation.timeout_ms))
    metrics: Record = {"durationMs": duration_ms}
    spans = []
    if scenario.managed_instances:
        spans = _runtime_spans(invocation, outcome.ended)
    else:
        cold = scenario.init_type is InitType.ON_DEMAND
        metrics |= {
            "billedDurationMs": billed_ms(duration_ms, outcome.init_ms if cold else None),
            "memorySizeMB": scenario.memory_size_mb,
            "maxMemoryUsedMB": round(outcome.max_memory_bytes / BYTES_PER_MB),
            "initDurationMs": outcome.init_ms,
            "restoreDurationMs": outcome.restore_ms,
        }
        if outcome.runtime_done is not None:
            spans = [_span("extensionOverhead", outcome.runtime_done, *outcome.ended)]
    record = {
        "requestId": invocation.request_id,
        "status": outcome.status,
        "metrics": _without_none(metrics),
        "spans": spans or None,
        "tracing": _tracing(scenario, invocation),
        "errorType": outcome.error_type,
    }
    return "platform.report", _without_none(record)


def logs_dropped(dropped_bytes: int, dropped_records: int) -> TypedRecord:
    """`platform.logsDropped`, with the reason that Lambda gives for a slow subscriber."""
    return "platform.logsDropped", {
        "droppedBytes": dropped_bytes,
        "droppedRecords": dropped_records,
        "reason": "Some logs were dropped because the downstream consumer is slower than the "
        "logs production rate",
    }


def log_stream(scenario: Scenario, unix_ms: int, token: str) -> str:
    """The log stream name, which is also `instanceId`."""
    day = datetime.fromtimestamp(unix_ms / 1_000, UTC)
    return f"{day:%Y/%m/%d}/{scenario.function_name}[{scenario.function_version}]{token}"


def _identity(scenario: Scenario, instance_id: str) -> Record:
    version = (
        python_name().replace("python", "python:") + ".v0"
        if scenario.uses_default_runtime()
        else "provided:al2023.v0"
    )
    digest = sha256(version.encode()).hexdigest()
    return {
        "functionName": scenario.function_name,
        "functionVersion": scenario.function_version,
        "instanceId": instance_id,
        "instanceMaxMemory": scenario.memory_size_mb * BYTES_PER_MB,
        "runtimeVersion": version,
        "runtimeVersionArn": f"arn:aws:lambda:{scenario.region}::runtime:{digest}",
    }


def _runtime_spans(invocation: Invocation, now: tuple[float, int]) -> list[Record]:
    """responseLatency, responseDuration and (not on Managed Instances) runtimeOverhead."""
    released = invocation.released
    began, ended = invocation.response_began, invocation.response_ended
    if released is None or began is None or ended is None:
        return []
    points = [("responseLatency", released, began), ("responseDuration", began, ended)]
    if invocation.runtime_next is not None:
        points.append(("runtimeOverhead", ended, invocation.runtime_next))
    return [_span(name, start, end, now[1] - (now[0] - end) * 1_000) for name, start, end in points]


def _span(name: str, start: float, end: float, end_unix_ms: float) -> Record:
    duration_ms = milliseconds(end - start)
    return {
        "name": name,
        "start": iso_ms(int(end_unix_ms - duration_ms)),
        "durationMs": duration_ms,
    }


def _tracing(scenario: Scenario, invocation: Invocation) -> Record | None:
    """The trace header, only of a sampled request (contract 7.2)."""
    header = invocation.trace_header
    if header is None or "Sampled=1" not in header.split(";"):
        return None
    tracing = {"type": "X-Amzn-Trace-Id", "value": header}
    return tracing if scenario.managed_instances else {"spanId": invocation.span_id} | tracing


def _without_none(record: Record) -> Record:
    return {key: value for key, value in record.items() if value is not None}
