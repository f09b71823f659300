"""The OpenTelemetry SDK's own encoder as oracle: the same telemetry gives the same messages.

Where the SDK and we differ on purpose, the comparison says so: the SDK leaves the trace flags out
of a span's `flags`, and writes an empty `Status` where there is none to tell (it means the same).
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs as sdk_encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as sdk_encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from logger_extension import __version__
from logger_extension.events import FunctionLog, Report
from logger_extension.policy.initialization import InitFacts
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.logs import LogLine, encode_logs
from logger_extension.signals.phases import (
    make_init_spans,
    make_invocation_spans,
    make_report_span,
)
from logger_extension.signals.traces import Span, encode_spans
from tests.support.extension import RESOURCE
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_values

MS = 1_000_000
T0 = 1_795_427_494_620_000_000
OBSERVED = T0 + 30 * MS
HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout:live"

TRACE_FLAGS_MASK = 0xFF
SCOPE = InstrumentationScope("logger_extension", __version__)
SDK_RESOURCE = Resource(RESOURCE)


def _invocation(trace_header: str, status: str = "success", error_type: str = "") -> Invocation:
    return Invocation(
        "b397bf4c-7424-4baa-b7e2-ab6e11d76a35",
        derive_context("b397bf4c-7424-4baa-b7e2-ab6e11d76a35", trace_header),
        function_arn=ARN,
        is_cold_start=True,
        start_unix_nano=T0,
        end_unix_nano=T0 + 20 * MS,
        status=status,
        error_type=error_type,
    )


def _sdk_log(invocation: Invocation | None = None, **fields: Any) -> ReadableLogRecord:
    """Return the SDK's record of a line, made inside the invocation's span if there is one."""
    ids: dict[str, Any] = {"trace_id": 0, "span_id": 0, "trace_flags": TraceFlags(0)}
    attributes = dict(fields.pop("attributes", {}))
    if invocation is not None:
        ids = {
            "trace_id": int.from_bytes(invocation.context.trace_id, "big"),
            "span_id": int.from_bytes(invocation.context.span_id, "big"),
            "trace_flags": TraceFlags(TraceFlags.SAMPLED),
        }
        attributes["faas.invocation_id"] = invocation.request_id
    record = LogRecord(observed_timestamp=OBSERVED, attributes=attributes, **ids, **fields)
    return ReadableLogRecord(record, SDK_RESOURCE, SCOPE)


def _assert_same_logs(lines: list[LogLine], expected: list[ReadableLogRecord]) -> None:
    ours = ExportLogsServiceRequest.FromString(encode_logs(RESOURCE, lines))
    assert ours == sdk_encode_logs(expected)


def _line(record: str | dict[str, Any], invocation: Invocation | None = None) -> LogLine:
    return LogLine(FunctionLog(record), T0, OBSERVED, invocation)


@pytest.mark.parametrize("invocation", [None, _invocation(HEADER), _invocation("")])
def test_a_text_line(invocation: Invocation | None) -> None:
    """Body, times, ids, resource and scope."""
    _assert_same_logs(
        [_line("hello\n", invocation), _line("ü\x00", invocation)],
        [
            _sdk_log(invocation, timestamp=T0, body="hello"),
            _sdk_log(invocation, timestamp=T0, body="ü\x00"),
        ],
    )


@pytest.mark.parametrize("as_text", [False, True])
def test_a_json_line(*, as_text: bool) -> None:
    """Severity, time and attributes of every kind."""
    attributes: dict[str, Any] = {
        "text": "ü",
        "whole": 2**62,
        "part": 0.1,
        "yes": True,
        "no": False,
        "none": None,
        "list": [1, "a", None, [True], {"deep": 1.5}],
        "object": {"a": {"b": []}, "c": {}},
    }
    fields = {
        "timestamp": "2026-11-23T09:51:30.250Z",
        "level": "ERROR",
        "message": "paid",
        **attributes,
    }
    record: str | dict[str, Any] = json.dumps(fields) if as_text else fields
    expected = _sdk_log(
        _invocation(HEADER),
        timestamp=1_795_427_490_250_000_000,
        severity_number=SeverityNumber.ERROR,
        severity_text="ERROR",
        body="paid",
        attributes=attributes,
    )
    _assert_same_logs([_line(record, _invocation(HEADER))], [expected])


@LAW
@given(
    body=json_values,
    attributes=st.dictionaries(
        st.text(max_size=8).filter(lambda key: key not in ("message", "level", "timestamp")),
        json_values,
        max_size=4,
    ),
)
def test_any_line(body: Any, attributes: dict[str, Any]) -> None:
    """Any JSON that fits into 64 bits."""
    body, attributes = _within_64_bits(body), _within_64_bits(attributes)
    _assert_same_logs(
        [_line({"message": body, **attributes})],
        [_sdk_log(timestamp=T0, body=body, attributes=attributes)],
    )


def _within_64_bits(value: Any) -> Any:
    """Return the value with integers that OTLP has a place for; the SDK refuses all others."""
    if isinstance(value, dict):
        return {key: _within_64_bits(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_within_64_bits(child) for child in value]
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return max(-(2**63), min(value, 2**63 - 1)) if is_integer else value


def _context(trace_id: bytes, span_id: bytes, *, is_remote: bool) -> SpanContext:
    return SpanContext(
        int.from_bytes(trace_id, "big"),
        int.from_bytes(span_id, "big"),
        is_remote=is_remote,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def _sdk_span(
    span: Span, span_id: bytes, parent: SpanContext | None, kind: SpanKind
) -> ReadableSpan:
    attributes = dict(span.attributes)
    status = Status(StatusCode.UNSET)
    if span.error_type:
        attributes["error.type"] = span.error_type
        status = Status(StatusCode.ERROR)
    return ReadableSpan(
        span.name,
        context=_context(span.invocation.context.trace_id, span_id, is_remote=False),
        parent=parent,
        resource=SDK_RESOURCE,
        attributes=attributes,
        kind=kind,
        status=status,
        start_time=span.start_unix_nano,
        end_time=span.end_unix_nano,
        instrumentation_scope=SCOPE,
    )


def _assert_same_spans(spans: list[Span], expected: list[ReadableSpan]) -> None:
    ours = ExportTraceServiceRequest.FromString(encode_spans(RESOURCE, spans))
    for message in ours.resource_spans[0].scope_spans[0].spans:
        assert message.flags & TRACE_FLAGS_MASK == TraceFlags.SAMPLED
        message.flags &= ~TRACE_FLAGS_MASK
        message.status.SetInParent()
    assert ours == sdk_encode_spans(expected)


@pytest.mark.parametrize(
    ("status", "error_type"),
    [("success", ""), ("error", "Runtime.ExitError"), ("timeout", ""), ("failure", "")],
)
@pytest.mark.parametrize("trace_header", [HEADER, HEADER.replace("Parent", "Other"), ""])
def test_an_invocation(trace_header: str, status: str, error_type: str) -> None:
    """A SERVER span with a remote parent or none, failed or not."""
    invocation = _invocation(trace_header, status, error_type)
    context = invocation.context
    parent = None
    if context.parent_span_id:
        parent = _context(context.trace_id, context.parent_span_id, is_remote=True)
    span = make_invocation_spans(invocation, "checkout", "$LATEST", {})[0]
    expected = _sdk_span(span, context.span_id, parent, SpanKind.SERVER)
    assert expected.attributes is not None
    assert expected.attributes["faas.invocation_id"] == invocation.request_id
    _assert_same_spans([span], [expected])


@pytest.mark.parametrize("status", ["success", "error"])
def test_the_children(status: str) -> None:
    """Init and overhead: INTERNAL spans whose parent is ours."""
    invocation = _invocation(HEADER)
    facts = InitFacts(
        instance_id="i",
        start_unix_nano=T0 - 9 * MS,
        runtime_end_unix_nano=T0 - 2 * MS,
        is_restore=False,
        status=status,
    )
    [init] = make_init_spans(facts, invocation, "checkout")
    report = Report(invocation.request_id, "success", "", 33.5)
    overhead = make_report_span(invocation, report, {"aws.lambda.billed_duration_ms": 34})
    assert overhead is not None
    ours = ExportTraceServiceRequest.FromString(encode_spans(RESOURCE, [init, overhead]))
    ids = [message.span_id for message in ours.resource_spans[0].scope_spans[0].spans]
    parent = _context(invocation.context.trace_id, invocation.context.span_id, is_remote=False)
    expected = [
        _sdk_span(span, span_id, parent, SpanKind.INTERNAL)
        for span, span_id in zip((init, overhead), ids, strict=True)
    ]
    _assert_same_spans([init, overhead], expected)
