"""OTLP requests as bytes and as JSON: read by the specification, counted, answered."""

import base64
import re
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no stubs
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus

from logger_extension.errors import ProtocolError
from logger_extension.signals.requests import (
    MAX_DEPTH,
    SIGNALS,
    count_items,
    encode_answer_json,
    encode_status,
    make_answer,
    parse,
    parse_json,
)
from tests.support.function_requests import (
    CLIENT,
    LOCAL,
    ROOT,
    SDK_TRACE,
    make_metrics,
    make_request,
    make_span,
    make_traces,
)
from tests.support.laws import LAW

ID_KEYS = {"traceId", "spanId", "parentSpanId"}


def _to_otlp_json(document: Any) -> Any:
    """Turn protobuf's own JSON into OTLP's: ids from base64 to hex."""
    if isinstance(document, dict):
        return {
            key: base64.b64decode(value).hex() if key in ID_KEYS else _to_otlp_json(value)
            for key, value in document.items()
        }
    return [_to_otlp_json(each) for each in document] if isinstance(document, list) else document


def _in_json(message: Any) -> bytes:
    document = json_format.MessageToDict(message, use_integers_for_enums=True)
    return orjson.dumps(_to_otlp_json(document))


values = st.recursive(
    st.one_of(
        st.builds(lambda v: {"string_value": v}, st.text()),
        st.builds(lambda v: {"bool_value": v}, st.booleans()),
        st.builds(lambda v: {"int_value": v}, st.integers(-(2**63), 2**63 - 1)),
        st.builds(lambda v: {"double_value": v}, st.floats()),
        st.builds(lambda v: {"bytes_value": v}, st.binary()),
    ),
    lambda inner: st.one_of(
        st.builds(lambda v: {"array_value": {"values": v}}, st.lists(inner, max_size=3)),
        st.builds(
            lambda v: {"kvlist_value": {"values": [{"key": "k", "value": each} for each in v]}},
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=5,
)


@LAW
@given(values, st.integers(0, 2**64 - 1), st.binary(max_size=16))
def test_json_says_the_same_as_protobuf(value: Any, time: int, trace_id: bytes) -> None:
    """Any span, with any attribute value, comes out of its JSON as it was."""
    span = make_span(trace_id=trace_id, kind=CLIENT, flags=LOCAL, name="GET")
    span.end_time_unix_nano = time
    span.attributes.add(key="a", value=value)
    span.links.add(trace_id=SDK_TRACE, span_id=ROOT)
    span.status.code = SpanStatus.STATUS_CODE_ERROR
    request = ExportTraceServiceRequest.FromString(make_traces(span, service_name="shop"))
    read = ExportTraceServiceRequest.FromString(parse_json("traces", _in_json(request)))
    # Not by bytes: NaN has many, and is unequal to itself.
    assert str(read) == str(request)


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal_in_json(signal: str) -> None:
    """Logs and metrics too: exemplars, sums, histograms."""
    body = make_request(signal)
    assert parse_json(signal, _in_json(parse(signal, body))) == body


def test_json_as_other_senders_write_it() -> None:
    """Numbers as numbers, ids in capitals, unknown keys, null for a default: all are allowed."""
    document = {
        "resourceSpans": [
            {
                "unknown": {"deep": [1]},
                "resource": None,
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": SDK_TRACE.hex().upper(),
                                "spanId": ROOT.hex(),
                                "parentSpanId": "",
                                "name": None,
                                "startTimeUnixNano": 1_795_427_494_000_000_000,
                                "attributes": [{"key": "k", "value": {"bytesValue": "_-8"}}],
                            }
                        ]
                    }
                ],
            }
        ]
    }
    request = ExportTraceServiceRequest.FromString(parse_json("traces", orjson.dumps(document)))
    (span,) = request.resource_spans[0].scope_spans[0].spans
    assert (span.trace_id, span.span_id, span.name) == (SDK_TRACE, ROOT, "")
    assert span.start_time_unix_nano == 1_795_427_494_000_000_000
    assert span.attributes[0].value.bytes_value == b"\xff\xef"


def _nest(depth: int) -> bytes:
    opening = b'{"arrayValue":{"values":['
    value = opening * depth + b'{"intValue":1}' + b"]}}" * depth
    return b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":%s}]}}]}' % value


def test_nested_as_deep_as_collectors_read() -> None:
    """What is accepted can be read again; what is too deep is refused, not passed on."""
    parse("traces", parse_json("traces", _nest(MAX_DEPTH // 2 - 3)))
    with pytest.raises(ProtocolError, match="deep"):
        parse_json("traces", _nest(MAX_DEPTH // 2 + 3))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'"text"',
        b'{"resourceSpans": {}}',
        b'{"resourceSpans": [[]]}',
        b'{"resourceSpans": [{"resource": "r"}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "SPAN_KIND_CLIENT"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"value": {"bytesValue": 5}}]}}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"value": {"bytesValue": "*"}}]}}]}',
    ],
)
def test_json_that_is_no_request(body: bytes) -> None:
    """Each is one error, never another exception."""
    with pytest.raises(ProtocolError):
        parse_json("traces", body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "resourceSpans",
                        "resource",
                        "scopeSpans",
                        "spans",
                        "traceId",
                        "kind",
                        "links",
                    ),
                    *("attributes", "key", "value", "intValue", "arrayValue", "values", "status"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@LAW
@given(json_values)
def test_any_json_is_a_request_or_a_protocol_error(document: Any) -> None:
    """Nothing else comes out, and what is accepted is a valid request."""
    try:
        body = parse_json("traces", orjson.dumps(document))
    except ProtocolError:
        return
    parse("traces", body)


@LAW
@given(st.binary(max_size=64))
def test_any_bytes_are_a_request_or_a_protocol_error(body: bytes) -> None:
    """The same for protobuf."""
    try:
        parse("logs", body)
    except ProtocolError:
        return


def test_what_is_counted() -> None:
    """Spans and records one by one, metrics by their data points."""
    two = make_traces(make_span(), make_span(b"12345678"))
    assert count_items("traces", parse("traces", two)) == 2
    assert count_items("logs", parse("logs", make_request("logs"))) == 1
    assert count_items("metrics", parse("metrics", make_metrics())) == 3


@pytest.mark.parametrize(
    ("signal", "name"),
    [
        ("logs", "rejectedLogRecords"),
        ("traces", "rejectedSpans"),
        ("metrics", "rejectedDataPoints"),
    ],
)
def test_answers_in_json(signal: str, name: str) -> None:
    """Full success is an empty object; a partial one has its count as text."""
    assert encode_answer_json(make_answer(signal)) == b"{}"
    assert orjson.loads(encode_answer_json(make_answer(signal, 5, "full"))) == {
        "partialSuccess": {name: "5", "errorMessage": "full"}
    }


def test_answers_in_protobuf() -> None:
    """Full success is an empty message, so an empty body."""
    assert make_answer("traces").SerializeToString() == b""
    partial = ExportTraceServiceResponse.FromString(
        make_answer("traces", 5, "full").SerializeToString()
    ).partial_success
    assert (partial.rejected_spans, partial.error_message) == (5, "full")


@LAW
@given(st.text() | st.text(min_size=100, max_size=200))
def test_status_is_what_google_rpc_reads(message: str) -> None:
    """Code and text come back; a long text is cut, between characters too."""
    status = Status.FromString(encode_status(3, message))
    assert status.code == 3
    assert message.startswith(status.message)
    assert len(status.message) == len(message) or len(status.message.encode()) > 120


def test_the_fields_of_the_table_are_the_messages() -> None:
    """A wrong name in the table would only show when it is used."""
    for names in SIGNALS.values():
        entry = names.request.DESCRIPTOR.fields_by_name[names.entries].message_type
        assert entry is not None
        scope = entry.fields_by_name[names.scopes].message_type
        assert scope is not None
        assert names.items in scope.fields_by_name
        assert re.match("Export", names.response.DESCRIPTOR.name)
