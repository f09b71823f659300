"""Which spans an invocation and an init consist of.

    <function>                      SERVER, start to runtimeDone
    ├── init <function>             cold start: until the runtime was ready (`restore …`: SnapStart)
    ├── init extensions             what extensions took of init beyond that
    ├── handler                     until the last byte of the response
    │   ├── responseLatency         until its first byte
    │   └── responseDuration        from its first to its last byte
    ├── runtimeOverhead             from there until the runtime was done
    └── extensionOverhead           from there until the extensions were done; known only later

Names in camel case are Lambda's own, from the `spans` of its events
(https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html). Must not know how
spans are encoded or when they are sent.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from logger_extension.events import NANOS_PER_MS, PhaseSpan, Report
from logger_extension.policy.initialization import InitFacts
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.out_of_memory import OUT_OF_MEMORY, is_out_of_memory
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.traces import SERVER, Span

RESPONSE_LATENCY, RESPONSE_DURATION = "responseLatency", "responseDuration"
RUNTIME_OVERHEAD, EXTENSION_OVERHEAD = "runtimeOverhead", "extensionOverhead"
HANDLER = "handler"


def make_invocation_spans(
    invocation: Invocation, function_name: str, function_version: str, extra: Mapping[str, Any]
) -> list[Span]:
    """Return the SERVER span of a finished invocation and its children; `extra` are attributes."""
    server = Span(
        invocation=invocation,
        key=SERVER,
        parent_key="",
        name=function_name,
        start_unix_nano=invocation.start_unix_nano,
        end_unix_nano=invocation.end_unix_nano,
        attributes={**_describe(invocation, function_version), **extra},
        error_type=_find_error_type(invocation),
    )
    return [server, *_make_measured(invocation)]


def make_init_spans(
    facts: InitFacts, invocation: Invocation | None, function_name: str
) -> list[Span]:
    """Return the spans of an init: children of the invocation that waited for it, if there is one.

    Provisioned concurrency and Managed Instances initialise ahead of any invocation: their init is
    a trace of its own.
    """
    parent_key = SERVER if invocation is not None else ""
    if invocation is None:
        own_id = f"init {facts.instance_id} {facts.start_unix_nano}"
        invocation = Invocation(own_id, derive_context(own_id, ""))
    name = "restore" if facts.is_restore else "init"
    failed = facts.status not in ("success", "")
    init = Span(
        invocation=invocation,
        key=name,
        parent_key=parent_key,
        name=f"{name} {function_name}",
        start_unix_nano=facts.start_unix_nano,
        end_unix_nano=facts.runtime_end_unix_nano,
        attributes={"faas.coldstart": True},
        error_type=(facts.error_type or facts.status) if failed else "",
    )
    if facts.end_unix_nano <= facts.runtime_end_unix_nano:
        return [init]
    extensions = Span(
        invocation=invocation,
        key=f"{name} extensions",
        parent_key=parent_key,
        name=f"{name} extensions",
        start_unix_nano=facts.runtime_end_unix_nano,
        end_unix_nano=facts.end_unix_nano,
    )
    return [init, extensions]


def make_report_span(
    invocation: Invocation, report: Report, extra: Mapping[str, Any]
) -> Span | None:
    """Return the span of what extensions took after the handler, None when there is none.

    `platform.report` counts from the start until the last extension is done, `runtimeDone` until
    the runtime is. The span carries what only the report tells: billed duration, memory, cost.
    """
    end_unix_nano = invocation.start_unix_nano + int((report.duration_ms or 0) * NANOS_PER_MS)
    if end_unix_nano <= invocation.end_unix_nano:
        return None
    return Span(
        invocation=invocation,
        key=EXTENSION_OVERHEAD,
        parent_key=SERVER,
        name=EXTENSION_OVERHEAD,
        start_unix_nano=invocation.end_unix_nano,
        end_unix_nano=end_unix_nano,
        attributes={"faas.invocation_id": invocation.request_id, **extra},
    )


def describe_report(invocation: Invocation, report: Report) -> dict[str, Any]:
    """Return what only the report tells, as attributes; what it does not tell is left out."""
    told = {
        "aws.lambda.billed_duration_ms": report.billed_duration_ms,
        "aws.lambda.max_memory_used_mb": report.max_memory_used_mb,
        "aws.lambda.memory_size_mb": report.memory_size_mb,
        "aws.lambda.init_duration_ms": report.init_duration_ms,
        "aws.lambda.restore_duration_ms": report.restore_duration_ms,
    }
    sizes = report.memory_size_mb, report.max_memory_used_mb
    if invocation.has_failed and is_out_of_memory(report.error_type, invocation.last_lines, *sizes):
        told["aws.lambda.out_of_memory"] = True
    return {name: value for name, value in told.items() if value is not None}


def _describe(invocation: Invocation, function_version: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "faas.invocation_id": invocation.request_id,
        "faas.coldstart": invocation.is_cold_start,
        # The extension sees no payload, so it cannot tell what the trigger was.
        "faas.trigger": "other",
    }
    if invocation.function_arn:
        attributes["aws.lambda.invoked_arn"] = invocation.function_arn
        attributes["cloud.resource_id"] = _qualify(invocation.function_arn, function_version)
    if invocation.produced_bytes is not None:
        attributes["aws.lambda.produced_bytes"] = invocation.produced_bytes
    if invocation.is_estimated:
        attributes["logger_extension.timing"] = "estimated"
    return attributes


def _qualify(arn: str, function_version: str) -> str:
    """Return the function's ARN with its version in place of an alias (semantic conventions)."""
    parts = arn.split(":")
    unqualified = 7
    if len(parts) > unqualified:
        parts[unqualified:] = [function_version]
    return ":".join(parts)


def _find_error_type(invocation: Invocation) -> str:
    if not invocation.has_failed:
        return ""
    if is_out_of_memory(invocation.error_type, invocation.last_lines):
        return OUT_OF_MEMORY
    return invocation.error_type or invocation.status


def _make_measured(invocation: Invocation) -> Iterator[Span]:
    """Yield the parts that Lambda has measured; the handler is what lies before the overhead."""
    measured = {span.name: span for span in invocation.spans}
    response = [measured[n] for n in (RESPONSE_LATENCY, RESPONSE_DURATION) if n in measured]
    if response:
        yield Span(
            invocation=invocation,
            key=HANDLER,
            parent_key=SERVER,
            name=HANDLER,
            start_unix_nano=response[0].start_unix_nano,
            # Starts are cut to milliseconds, durations are not: the later end encloses both.
            end_unix_nano=max(map(_end_of, response)),
        )
    for part in response:
        yield _make_part(invocation, part, HANDLER)
    if RUNTIME_OVERHEAD in measured:
        yield _make_part(invocation, measured[RUNTIME_OVERHEAD], SERVER)


def _make_part(invocation: Invocation, part: PhaseSpan, parent_key: str) -> Span:
    return Span(
        invocation=invocation,
        key=part.name,
        parent_key=parent_key,
        name=part.name,
        start_unix_nano=part.start_unix_nano,
        end_unix_nano=_end_of(part),
    )


def _end_of(part: PhaseSpan) -> int:
    return part.start_unix_nano + int(part.duration_ms * NANOS_PER_MS)
