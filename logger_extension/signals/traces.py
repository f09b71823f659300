"""Invocations and inits to OTLP spans.

One SERVER span an invocation, named as the function
(https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/), with children for what Lambda itself
has measured: init on a cold start, the handler, its response, the runtime's and the extensions'
part after it. Must not know when an invocation ends; a span is made from values only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_span_id
from logger_extension.signals.resource import SCOPE_NAME, SCOPE_VERSION
from logger_extension.signals.values import set_attributes

# What one span takes in memory and on the wire, roughly; measured spans are 200 to 500 bytes.
SPAN_SIZE_BYTES = 1_024

# The key of an invocation's SERVER span: what its id is derived from.
SERVER = "invocation"

# Span flags: sampled, and "the parent's remoteness is known" with "it is remote".
SAMPLED = 0x01
HAS_IS_REMOTE = 0x100
IS_REMOTE = 0x200


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span that waits for export; times in nanoseconds since the epoch.

    Attributes:
        invocation: whose trace it belongs to.
        key: what its id is derived from, unique within the invocation.
        parent_key: the key of its parent; empty for a span whose parent is the caller's, if any.
    """

    invocation: Invocation
    key: str
    parent_key: str
    name: str
    start_unix_nano: int
    end_unix_nano: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    error_type: str = ""


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
    request_id = span.invocation.request_id
    message.trace_id = context.trace_id
    message.span_id = derive_span_id(request_id, span.key)
    message.flags = SAMPLED | HAS_IS_REMOTE
    if span.parent_key:
        message.parent_span_id = derive_span_id(request_id, span.parent_key)
    elif context.parent_span_id:
        message.parent_span_id = context.parent_span_id
        message.flags |= IS_REMOTE
    is_server = span.key == SERVER
    message.kind = SpanMessage.SPAN_KIND_SERVER if is_server else SpanMessage.SPAN_KIND_INTERNAL
    message.name = span.name
    message.start_time_unix_nano = span.start_unix_nano
    message.end_time_unix_nano = max(span.end_unix_nano, span.start_unix_nano)
    attributes = span.attributes
    if span.error_type:
        message.status.code = Status.STATUS_CODE_ERROR
        attributes = {**attributes, "error.type": span.error_type}
    set_attributes(message.attributes, attributes)
