"""OTLP/JSON out: protobuf's own JSON and the viewer's decoder as oracles."""

import base64
import math
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_ERROR, LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from logger_extension.signals.otlp_json import REQUESTS, encode_json, transcode
from otlp_viewer.otlp_json import parse_json
from tests.support.laws import LAW

IDS = {"traceId", "spanId", "parentSpanId"}


def _make(kind: type[Message], **fields: Any) -> Any:
    """Return a message whose fields may be given as dictionaries, as protobuf takes them."""
    return kind(**fields)


def _encode(message: Message) -> Any:
    return orjson.loads(encode_json(message))


def test_a_log_record() -> None:
    """Ids hex, enums integers, 64-bit integers strings, 32-bit integers numbers, keys camelCase."""
    record = LogRecord(
        time_unix_nano=1_795_427_490_250_000_000,
        severity_number=SEVERITY_NUMBER_ERROR,
        severity_text="ERROR",
        dropped_attributes_count=3,
        flags=1,
        trace_id=bytes(range(16)),
        span_id=bytes(range(8, 16)),
    )
    record.body.int_value = -5
    record.attributes.add(key="raw").value.bytes_value = b"\xfb\xff"
    assert _encode(record) == {
        "timeUnixNano": "1795427490250000000",
        "severityNumber": 17,
        "severityText": "ERROR",
        "body": {"intValue": "-5"},
        "attributes": [{"key": "raw", "value": {"bytesValue": "+/8="}}],
        "droppedAttributesCount": 3,
        "flags": 1,
        "traceId": "000102030405060708090a0b0c0d0e0f",
        "spanId": "08090a0b0c0d0e0f",
    }


def test_a_span() -> None:
    """Kinds and status codes are integers, all three ids hex."""
    span = Span(
        trace_id=b"\xaa" * 16,
        span_id=b"\xbb" * 8,
        parent_span_id=b"\xcc" * 8,
        kind=Span.SPAN_KIND_SERVER,
    )
    span.status.code = span.status.STATUS_CODE_ERROR
    span.links.add(trace_id=b"\xdd" * 16, span_id=b"\xee" * 8)
    assert _encode(span) == {
        "traceId": "aa" * 16,
        "spanId": "bb" * 8,
        "parentSpanId": "cc" * 8,
        "kind": 2,
        "status": {"code": 2},
        "links": [{"traceId": "dd" * 16, "spanId": "ee" * 8}],
    }


def test_a_histogram() -> None:
    """Counts are strings one by one, bounds numbers; what is 0 but present stands there."""
    point = HistogramDataPoint(
        count=3, sum=0.0, bucket_counts=[1, 2**64 - 1], explicit_bounds=[0.5], min=0.0
    )
    point.exemplars.add(as_int=7, trace_id=b"\x01" * 16, span_id=b"\x02" * 8)
    assert _encode(point) == {
        "count": "3",
        "sum": 0.0,
        "bucketCounts": ["1", "18446744073709551615"],
        "explicitBounds": [0.5],
        "exemplars": [{"asInt": "7", "traceId": "01" * 16, "spanId": "02" * 8}],
        "min": 0.0,
    }


@pytest.mark.parametrize(
    ("value", "name"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_numbers_without_figures_have_names(value: float, name: str) -> None:
    """As proto3 JSON spells them; JSON itself has nothing for them."""
    assert _encode(NumberDataPoint(as_double=value)) == {"asDouble": name}
    assert _encode(HistogramDataPoint(explicit_bounds=[value])) == {"explicitBounds": [name]}


def test_what_is_set_and_empty_stands_there() -> None:
    """A value that is 0, false or empty is a value."""
    for value in (
        AnyValue(int_value=0),
        AnyValue(bool_value=False),
        AnyValue(string_value=""),
        _make(AnyValue, array_value={}),
        AnyValue(bytes_value=b""),
    ):
        parsed = AnyValue()
        parse_json(encode_json(value), parsed)
        assert parsed == value
    assert _encode(AnyValue()) == {}


def test_a_body_that_is_no_request_is_an_error() -> None:
    """The exporter makes an outcome of it."""
    with pytest.raises(DecodeError):
        transcode("traces", b"\xff\xff")


@pytest.mark.parametrize("signal", list(REQUESTS))
def test_an_empty_request(signal: str) -> None:
    """An object without fields."""
    assert transcode(signal, b"") == b"{}"


def _fix_ids(document: Any) -> Any:
    """Return protobuf's own JSON with its base64 ids as the hex that OTLP demands."""
    if isinstance(document, list):
        return [_fix_ids(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: base64.b64decode(value).hex() if key in IDS else _fix_ids(value)
        for key, value in document.items()
    }


TEXT = st.text(max_size=5)
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(0, 2**64 - 1)
UINT32 = st.integers(0, 2**32 - 1)
FLOATS = st.floats(allow_nan=False)
TRACE_ID = st.binary(min_size=16, max_size=16) | st.just(b"")
SPAN_ID = st.binary(min_size=8, max_size=8) | st.just(b"")

any_values = st.recursive(
    st.builds(AnyValue)
    | st.builds(AnyValue, string_value=TEXT)
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=INT64)
    | st.builds(AnyValue, double_value=FLOATS)
    | st.builds(AnyValue, bytes_value=st.binary(max_size=5)),
    lambda inner: (
        st.builds(
            lambda values: _make(AnyValue, array_value={"values": values}),
            st.lists(inner, max_size=2),
        )
        | st.builds(
            lambda pairs: _make(
                AnyValue,
                kvlist_value={"values": [{"key": k, "value": v} for k, v in pairs.items()]},
            ),
            st.dictionaries(TEXT, inner, max_size=2),
        )
    ),
    max_leaves=4,
)
attributes = st.lists(st.fixed_dictionaries({"key": TEXT, "value": any_values}), max_size=2)
ids = st.fixed_dictionaries({}, optional={"trace_id": TRACE_ID, "span_id": SPAN_ID})

records = st.fixed_dictionaries(
    {},
    optional={
        "time_unix_nano": UINT64,
        "severity_number": st.integers(0, 24),
        "severity_text": TEXT,
        "body": any_values,
        "attributes": attributes,
        "flags": UINT32,
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "event_name": TEXT,
    },
)
spans = st.fixed_dictionaries(
    {},
    optional={
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "parent_span_id": SPAN_ID,
        "kind": st.integers(0, 5),
        "start_time_unix_nano": UINT64,
        "attributes": attributes,
        "links": st.lists(ids, max_size=2),
        "events": st.lists(st.fixed_dictionaries({"name": TEXT}), max_size=2),
        "status": st.fixed_dictionaries({}, optional={"code": st.integers(0, 2), "message": TEXT}),
    },
)
points = st.one_of(
    st.builds(
        lambda points: _make(Metric, sum={"data_points": points, "is_monotonic": True}),
        st.lists(
            st.builds(NumberDataPoint, as_int=INT64, exemplars=st.lists(ids, max_size=1))
            | st.builds(NumberDataPoint, as_double=FLOATS),
            max_size=2,
        ),
    ),
    st.builds(
        lambda point: _make(
            Metric, histogram={"data_points": [point], "aggregation_temporality": 1}
        ),
        st.builds(
            HistogramDataPoint,
            count=UINT64,
            sum=FLOATS,
            bucket_counts=st.lists(UINT64, max_size=3),
            explicit_bounds=st.lists(FLOATS, max_size=3),
            attributes=attributes,
        ),
    ),
    st.builds(
        lambda point: _make(Metric, exponential_histogram={"data_points": [point]}),
        st.builds(
            ExponentialHistogramDataPoint,
            scale=st.integers(-(2**31), 2**31 - 1),
            positive=st.fixed_dictionaries(
                {"offset": st.integers(-5, 5), "bucket_counts": st.lists(UINT64, max_size=2)}
            ),
        ),
    ),
)


def _request(signal: str, scope: str, item: str, items: list[Any]) -> Message:
    scopes = [{"scope": {"name": "s"}, item: items, "schema_url": "u"}]
    return REQUESTS[signal](**{f"resource_{scope}": [{f"scope_{scope}": scopes}]})


requests = st.one_of(
    st.builds(
        lambda items: ("logs", _request("logs", "logs", "log_records", items)),
        st.lists(records, max_size=3),
    ),
    st.builds(
        lambda items: ("traces", _request("traces", "spans", "spans", items)),
        st.lists(spans, max_size=3),
    ),
    st.builds(
        lambda items: ("metrics", _request("metrics", "metrics", "metrics", items)),
        st.lists(points, max_size=3),
    ),
)


@LAW
@given(requests)
def test_every_request_comes_back_equal(case: tuple[str, Message]) -> None:
    """Through the viewer's decoder, which shares no code with us."""
    signal, message = case
    parsed = REQUESTS[signal]()
    parse_json(transcode(signal, message.SerializeToString()), parsed)
    assert parsed == message


@LAW
@given(requests)
def test_every_request_is_protobufs_own_json_but_for_the_ids(case: tuple[str, Message]) -> None:
    """Protobuf's writer, told to write enums as integers, with its base64 ids turned into hex."""
    signal, message = case
    oracle = MessageToDict(message, use_integers_for_enums=True)
    assert orjson.loads(transcode(signal, message.SerializeToString())) == _fix_ids(oracle)


def test_as_deep_as_protobuf_goes() -> None:
    """A body at protobuf's own limit of nesting is written, not an exception."""
    request = ExportTraceServiceRequest()
    value = request.resource_spans.add().resource.attributes.add(key="deep").value
    for _ in range(30):
        value = value.array_value.values.add()
    value.string_value = "bottom"
    assert b"bottom" in transcode("traces", request.SerializeToString())
