"""Finished invocations as OTLP spans."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from logger_extension import __version__
from logger_extension.events import PhaseSpan, Report
from logger_extension.policy.initialization import InitFacts
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.out_of_memory import OUT_OF_MEMORY
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.phases import (
    describe_report,
    make_init_spans,
    make_invocation_spans,
    make_report_span,
)
from logger_extension.signals.traces import SPAN_SIZE_BYTES, Span, encode_spans
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


def _server_span(invocation: Invocation) -> Span:
    return make_invocation_spans(invocation, "checkout", "7", {})[0]


def _init(status: str = "success", error_type: str = "", **more: Any) -> InitFacts:
    times = {"start_unix_nano": T0 - 300 * MS, "runtime_end_unix_nano": T0 - 60 * MS}
    facts: dict[str, Any] = {"instance_id": "i", "is_restore": False, **times, **more}
    return InitFacts(**facts, status=status, error_type=error_type)


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
    span = _encode(_server_span(_invocation()))
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
        "cloud.resource_id": ARN.removesuffix("live") + "7",
    }


def test_an_invocation_without_a_header_is_a_root() -> None:
    """It has no parent, and that is known."""
    span = _encode(_server_span(_invocation("")))
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
    span = _encode(_server_span(_invocation(HEADER, status, error_type)))
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert _attributes(span)["error.type"] == told


@pytest.mark.parametrize("status", ["success", ""])
def test_an_error_type_without_a_failure_is_none(status: str) -> None:
    """The status decides."""
    span = _encode(_server_span(_invocation(HEADER, status, "Odd")))
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert "error.type" not in _attributes(span)


def test_an_estimate_says_so() -> None:
    """Times from INVOKE and next alone are marked."""
    invocation = _invocation()
    invocation.is_estimated = True
    span = _encode(_server_span(invocation))
    assert _attributes(span)["logger_extension.timing"] == "estimated"


def test_the_trace_is_read_when_the_span_is_sent() -> None:
    """A header that becomes known while the span waits still counts."""
    invocation = _invocation("")
    waiting = _server_span(invocation)
    invocation.context = derive_context("r", HEADER)
    assert _encode(waiting).trace_id.hex() == "5f35ae120c0fec141ab77a00bc047aa2"


@pytest.mark.parametrize(
    ("arn", "resource_id"),
    [
        (ARN, ARN.removesuffix("live") + "7"),
        (ARN.removesuffix(":live"), ARN.removesuffix(":live")),
        ("odd", "odd"),
    ],
)
def test_the_resource_id_has_the_version_in_place_of_an_alias(arn: str, resource_id: str) -> None:
    """An unqualified ARN stays as it is."""
    invocation = _invocation()
    invocation.function_arn = arn
    assert _attributes(_encode(_server_span(invocation)))["cloud.resource_id"] == resource_id


@pytest.mark.parametrize(
    ("error_type", "line", "told"),
    [
        ("Runtime.OutOfMemory", "", OUT_OF_MEMORY),
        ("Runtime.ExitError", "MemoryError\n", OUT_OF_MEMORY),
        ("Runtime.ExitError", "Error: Runtime exited with error: signal: killed", OUT_OF_MEMORY),
        ("Runtime.ExitError", "all is well", "Runtime.ExitError"),
    ],
)
def test_out_of_memory_is_recognised(error_type: str, line: str, told: str) -> None:
    """By the type, or by what the runtime printed last."""
    invocation = _invocation(HEADER, "error", error_type)
    invocation.last_lines.append(line)
    assert _attributes(_encode(_server_span(invocation)))["error.type"] == told


def test_a_success_that_prints_the_words_is_a_success() -> None:
    """A function may catch a MemoryError and go on."""
    invocation = _invocation()
    invocation.last_lines.append("MemoryError")
    assert _encode(_server_span(invocation)).status.code == Status.STATUS_CODE_UNSET


@pytest.mark.parametrize(("used_mb", "told"), [(128, True), (127, None)])
def test_a_report_with_all_memory_used_tells_out_of_memory(
    used_mb: int,
    told: bool | None,  # noqa: FBT001  (the expected value)
) -> None:
    """Known late: on the span that the report brings."""
    report = Report("r", "error", memory_size_mb=128, max_memory_used_mb=used_mb)
    failed = _invocation(HEADER, "error", "Runtime.ExitError")
    assert describe_report(failed, report).get("aws.lambda.out_of_memory") == told
    assert "aws.lambda.out_of_memory" not in describe_report(_invocation(), report)


def test_parts_that_lambda_measured_are_children() -> None:
    """The handler with the response's two parts below it, and the runtime's overhead after it."""
    invocation = _invocation()
    invocation.spans = (
        PhaseSpan("responseLatency", T0, 12.0),
        PhaseSpan("responseDuration", T0 + 12 * MS, 1.0),
        PhaseSpan("runtimeOverhead", T0 + 13 * MS, 7.0),
        PhaseSpan("unheardOf", T0, 1.0),
    )
    spans = [_encode(span) for span in make_invocation_spans(invocation, "checkout", "7", {})]
    by_name = {span.name: span for span in spans}
    assert list(by_name) == [
        "checkout",
        "handler",
        "responseLatency",
        "responseDuration",
        "runtimeOverhead",
    ]
    assert by_name["handler"].parent_span_id == by_name["checkout"].span_id
    assert by_name["responseLatency"].parent_span_id == by_name["handler"].span_id
    assert by_name["responseDuration"].parent_span_id == by_name["handler"].span_id
    assert by_name["runtimeOverhead"].parent_span_id == by_name["checkout"].span_id
    assert by_name["handler"].end_time_unix_nano == T0 + 13 * MS
    assert len({span.span_id for span in spans}) == len(spans)
    assert {span.trace_id for span in spans} == {invocation.context.trace_id}


def test_init_is_a_child_of_the_invocation_that_waited_for_it() -> None:
    """Named after opentelemetry-lambda's span, an internal one."""
    invocation = _invocation()
    [span] = [_encode(span) for span in make_init_spans(_init(), invocation, "checkout")]
    assert span.name == "init checkout"
    assert span.kind == SpanMessage.SPAN_KIND_INTERNAL
    assert span.trace_id == invocation.context.trace_id
    assert span.parent_span_id == invocation.context.span_id
    assert span.span_id not in (b"", invocation.context.span_id)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (T0 - 300 * MS, T0 - 60 * MS)
    assert _attributes(span) == {"faas.coldstart": True}
    assert span.flags == 0x101


def test_what_extensions_took_of_init_stands_apart() -> None:
    """The extension's own part of a cold start is visible."""
    facts = _init(end_unix_nano=T0 - 10 * MS)
    init, ours = (_encode(span) for span in make_init_spans(facts, _invocation(), "checkout"))
    assert ours.name == "init extensions"
    assert (ours.start_time_unix_nano, ours.end_time_unix_nano) == (T0 - 60 * MS, T0 - 10 * MS)
    assert ours.parent_span_id == init.parent_span_id


def test_an_init_that_no_invocation_waited_for_is_a_trace_of_its_own() -> None:
    """Provisioned concurrency, Managed Instances, a sandbox that was never used."""
    first, second = (
        _encode(make_init_spans(_init(instance_id=name), None, "checkout")[0]) for name in "ab"
    )
    assert first.parent_span_id == b""
    assert first.trace_id != second.trace_id


def test_a_restore_takes_the_place_of_init() -> None:
    """SnapStart."""
    [span] = make_init_spans(_init(is_restore=True), _invocation(), "checkout")
    assert span.name == "restore checkout"


def test_a_failed_init_is_an_error() -> None:
    """With Lambda's type of it."""
    facts = _init("error", "Runtime.ExitError", runtime_end_unix_nano=0)
    span = _encode(make_init_spans(facts, _invocation(), "checkout")[0])
    assert span.end_time_unix_nano == span.start_time_unix_nano
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert _attributes(span)["error.type"] == "Runtime.ExitError"


def test_what_extensions_took_is_a_child_after_the_handler() -> None:
    """From the runtime's end to the report's, with what only the report tells."""
    invocation = _invocation()
    report = Report("r", "success", duration_ms=55.5, billed_duration_ms=56, memory_size_mb=128)
    overhead = make_report_span(invocation, report, describe_report(invocation, report))
    assert overhead is not None
    span = _encode(overhead)
    assert span.name == "extensionOverhead"
    assert span.kind == SpanMessage.SPAN_KIND_INTERNAL
    assert span.parent_span_id == invocation.context.span_id
    assert span.start_time_unix_nano == invocation.end_unix_nano
    assert span.end_time_unix_nano == T0 + int(55.5 * MS)
    assert _attributes(span) == {
        "faas.invocation_id": "r",
        "aws.lambda.billed_duration_ms": 56,
        "aws.lambda.memory_size_mb": 128,
    }


@pytest.mark.parametrize("duration_ms", [None, 0.0, 19.9, 20.0])
def test_no_time_of_extensions_is_no_span(duration_ms: float | None) -> None:
    """Nothing is made up."""
    report = Report("r", "success", duration_ms=duration_ms)
    assert make_report_span(_invocation(), report, {}) is None


def test_the_request_holds_resource_and_scope_once() -> None:
    """Spans in order below one resource and one scope."""
    spans = [replace(_server_span(_invocation()), name=name) for name in ("a", "b")]
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
    encoded = encode_spans({}, [_server_span(invocation)])
    assert read_spans(encoded)[0].name == "checkout"
    assert len(encoded) <= 2 * SPAN_SIZE_BYTES
