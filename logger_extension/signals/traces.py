"""Finished invocations to OTLP spans.

One SERVER span an invocation, named as the function
(https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/), with children for init on a cold
start and for the time that extensions took after the handler. Must not know when an invocation
ends; a span is made from values only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from logger_extension.events import InitRuntimeDone, Report
from logger_extension.policy.invocation import NANOS_PER_MS, Invocation
from logger_extension.policy.trace_context import derive_span_id
from logger_extension.signals.resource import SCOPE_NAME, SCOPE_VERSION
from logger_extension.signals.values import set_attributes

# What one span takes in memory and on the wire, roughly; measured spans are 200 to 500 bytes.
SPAN_SIZE_BYTES = 1_024

# Lambda's own name for it, in the spans of `platform.report`.
EXTENSION_OVERHEAD = "extensionOverhead"

# Span flags: sampled, and "the parent's remoteness is known" with "it is remote".
SAMPLED = 0x01
HAS_IS_REMOTE = 0x100
IS_REMOTE = 0x200


@dataclass(frozen=True, slots=True)
class Span:
    """One span that waits for export; times in nanoseconds since the epoch."""

    invocation: Invocation
    name: str
    start_unix_nano: int
    end_unix_nano: int
    is_server: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    error_type: str = ""


def make_invocation_span(invocation: Invocation, function_name: str) -> Span:
    """Return the SERVER span of a finished invocation."""
    attributes: dict[str, Any] = {
        "faas.invocation_id": invocation.request_id,
        "faas.coldstart": invocation.is_cold_start,
        # The extension sees no payload, so it cannot tell what the trigger was.
        "faas.trigger": "other",
    }
    if invocation.function_arn:
        attributes["aws.lambda.invoked_arn"] = invocation.function_arn
    if invocation.is_estimated:
        attributes["logger_extension.timing"] = "estimated"
    failed = invocation.status not in ("success", "")
    error_type = (invocation.error_type or invocation.status) if failed else ""
    return Span(
        invocation=invocation,
        name=function_name,
        start_unix_nano=invocation.start_unix_nano,
        end_unix_nano=invocation.end_unix_nano,
        is_server=True,
        attributes=attributes,
        error_type=error_type,
    )


def make_init_span(
    function_name: str, start_unix_nano: int, end_unix_nano: int, init: InitRuntimeDone
) -> Callable[[Invocation], Span]:
    """Return what makes the init span once the invocation that waited for it is known."""
    failed = init.status not in ("success", "")

    def make(invocation: Invocation) -> Span:
        return Span(
            invocation=invocation,
            name=f"init {function_name}",
            start_unix_nano=start_unix_nano,
            end_unix_nano=max(end_unix_nano, start_unix_nano),
            attributes={"faas.coldstart": True},
            error_type=(init.error_type or init.status) if failed else "",
        )

    return make


def make_overhead_span(invocation: Invocation, report: Report) -> Span | None:
    """Return the span of what extensions took after the handler, None when there is none.

    `platform.report` counts from the start until the last extension is done, `platform.runtimeDone`
    until the runtime is.
    """
    if report.duration_ms is None:
        return None
    end_unix_nano = invocation.start_unix_nano + int(report.duration_ms * NANOS_PER_MS)
    if end_unix_nano <= invocation.end_unix_nano:
        return None
    return Span(
        invocation=invocation,
        name=EXTENSION_OVERHEAD,
        start_unix_nano=invocation.end_unix_nano,
        end_unix_nano=end_unix_nano,
    )


def encode_spans(resource: Mapping[str, Any], spans: Iterable[Span]) -> bytes:
    """Return a serialized `ExportTraceServiceRequest`, spans in order."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    set_attributes(resource_spans.resource.attributes, resource)
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = SCOPE_NAME
    scope_spans.scope.version = SCOPE_VERSION
    for span in spans:
        _fill(scope_spans.spans.add(), span)
    return request.SerializeToString()


def _fill(message: SpanMessage, span: Span) -> None:
    context = span.invocation.context
    message.trace_id = context.trace_id
    message.flags = SAMPLED | HAS_IS_REMOTE
    if span.is_server:
        message.span_id = context.span_id
        message.kind = SpanMessage.SPAN_KIND_SERVER
        if context.parent_span_id:
            message.parent_span_id = context.parent_span_id
            message.flags |= IS_REMOTE
    else:
        message.span_id = derive_span_id(span.invocation.request_id, span.name)
        message.parent_span_id = context.span_id
        message.kind = SpanMessage.SPAN_KIND_INTERNAL
    message.name = span.name
    message.start_time_unix_nano = span.start_unix_nano
    message.end_time_unix_nano = span.end_unix_nano
    set_attributes(message.attributes, span.attributes)
    if span.error_type:
        message.status.code = Status.STATUS_CODE_ERROR
        set_attributes(message.attributes, {"error.type": span.error_type})
