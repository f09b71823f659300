"""Finished invocations as OTLP spans."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from logger_extension import __version__
from logger_extension.events import InitRuntimeDone, Report
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.traces import (
    SPAN_SIZE_BYTES,
    Span,
    encode_spans,
    make_init_span,
    make_invocation_span,
    make_overhead_span,
)
from tests.support.extension import RESOURCE, read_spans
from tests.support.laws import LAW

MS = 1_000_000
T0 = 1_795_427_494_000_000_000
HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout:live"


def _invocation(
    trace_header: str = HEADER, status: str = "success", error_type: str = ""
) -> Invocation:
    return Invocation(
        "r",
        derive_context("r", trace_header),
        function_arn=ARN,
        start_unix_nano=T0,
        end_unix_nano=T0 + 20 * MS,
        status=status,
        error_type=error_type,
    )


def _encode(span: Span) -> SpanMessage:
    (only,) = read_spans(encode_spans({}, [span]))
    return only


def _attributes(span: SpanMessage) -> dict[str, Any]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "")
        for pair in span.attributes
    }


def test_an_invocation_is_a_server_span() -> None:
    """Named as the function, in the trace of its caller, unset status on success."""
    span = _encode(make_invocation_span(_invocation(), "checkout"))
    assert span.name == "checkout"
    assert span.kind == SpanMessage.SPAN_KIND_SERVER
    assert span.trace_id.hex() == "5f35ae120c0fec141ab77a00bc047aa2"
    assert span.parent_span_id.hex() == "2be948a625588e32"
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (T0, T0 + 20 * MS)
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert span.flags == 0x301  # sampled; the parent is known to be remote
    assert _attributes(span) == {
        "faas.invocation_id": "r",
        "faas.coldstart": False,
        "faas.trigger": "other",
        "aws.lambda.invoked_arn": ARN,
    }


def test_an_invocation_without_a_header_is_a_root() -> None:
    """It has no parent, and that is known."""
    span = _encode(make_invocation_span(_invocation(""), "checkout"))
    assert span.parent_span_id == b""
    assert span.flags == 0x101


@pytest.mark.parametrize(
    ("status", "error_type", "told"),
    [
        ("error", "Runtime.ExitError", "Runtime.ExitError"),
        ("failure", "", "failure"),
        ("timeout", "", "timeout"),
        ("timeout", "Sandbox.Timedout", "Sandbox.Timedout"),
        ("of tomorrow", "", "of tomorrow"),
    ],
)
def test_a_failure_is_an_error_with_its_type(status: str, error_type: str, told: str) -> None:
    """Any status but success."""
    span = _encode(make_invocation_span(_invocation(HEADER, status, error_type), "checkout"))
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert _attributes(span)["error.type"] == told


@pytest.mark.parametrize("status", ["success", ""])
def test_an_error_type_without_a_failure_is_none(status: str) -> None:
    """The status decides."""
    span = _encode(make_invocation_span(_invocation(HEADER, status, "Odd"), "checkout"))
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert "error.type" not in _attributes(span)


def test_an_estimate_says_so() -> None:
    """Times from INVOKE and next alone are marked."""
    invocation = _invocation()
    invocation.is_estimated = True
    span = _encode(make_invocation_span(invocation, "checkout"))
    assert _attributes(span)["logger_extension.timing"] == "estimated"


def test_the_trace_is_read_when_the_span_is_sent() -> None:
    """A header that becomes known while the span waits still counts."""
    invocation = _invocation("")
    waiting = make_invocation_span(invocation, "checkout")
    invocation.learn_trace(HEADER)
    assert _encode(waiting).trace_id.hex() == "5f35ae120c0fec141ab77a00bc047aa2"


def test_init_is_a_child_of_the_invocation_that_waited_for_it() -> None:
    """Named after opentelemetry-lambda's span, an internal one."""
    invocation = _invocation()
    make = make_init_span("checkout", T0 - 300 * MS, T0 - 60 * MS, InitRuntimeDone("success"))
    span = _encode(make(invocation))
    assert span.name == "init checkout"
    assert span.kind == SpanMessage.SPAN_KIND_INTERNAL
    assert span.trace_id == invocation.context.trace_id
    assert span.parent_span_id == invocation.context.span_id
    assert span.span_id not in (b"", invocation.context.span_id)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (T0 - 300 * MS, T0 - 60 * MS)
    assert _attributes(span) == {"faas.coldstart": True}
    assert span.flags == 0x101


def test_a_failed_init_is_an_error() -> None:
    """With Lambda's type of it."""
    make = make_init_span("checkout", T0, T0 - MS, InitRuntimeDone("error", "Runtime.ExitError"))
    span = _encode(make(_invocation()))
    assert span.end_time_unix_nano == span.start_time_unix_nano
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert _attributes(span)["error.type"] == "Runtime.ExitError"


def test_what_extensions_took_is_a_child_after_the_handler() -> None:
    """From the runtime's end to the report's."""
    invocation = _invocation()
    overhead = make_overhead_span(invocation, Report("r", "success", "", 55.5))
    assert overhead is not None
    span = _encode(overhead)
    assert span.name == "extensionOverhead"
    assert span.kind == SpanMessage.SPAN_KIND_INTERNAL
    assert span.parent_span_id == invocation.context.span_id
    assert span.start_time_unix_nano == invocation.end_unix_nano
    assert span.end_time_unix_nano == T0 + int(55.5 * MS)


@pytest.mark.parametrize("duration_ms", [None, 0.0, 19.9, 20.0])
def test_no_time_of_extensions_is_no_span(duration_ms: float | None) -> None:
    """Nothing is made up."""
    assert make_overhead_span(_invocation(), Report("r", "success", "", duration_ms)) is None


def test_the_request_holds_resource_and_scope_once() -> None:
    """Spans in order below one resource and one scope."""
    spans = [make_invocation_span(_invocation(), name) for name in ("a", "b")]
    request = ExportTraceServiceRequest.FromString(encode_spans(RESOURCE, spans))
    (resource_spans,) = request.resource_spans
    (scope_spans,) = resource_spans.scope_spans
    assert {a.key for a in resource_spans.resource.attributes} == set(RESOURCE)
    assert (scope_spans.scope.name, scope_spans.scope.version) == ("logger_extension", __version__)
    assert [span.name for span in scope_spans.spans] == ["a", "b"]


@LAW
@given(st.text(max_size=170), st.text(max_size=64), st.text(max_size=100))
def test_any_text_in_a_span_can_be_encoded(request_id: str, status: str, error_type: str) -> None:
    """And a span counts about what it takes."""
    invocation = _invocation(HEADER, status, error_type)
    invocation.request_id = request_id
    encoded = encode_spans({}, [make_invocation_span(invocation, "checkout")])
    assert read_spans(encoded)[0].name == "checkout"
    assert len(encoded) <= 2 * SPAN_SIZE_BYTES
