"""OTLP/JSON: the deviations from proto3 JSON, and protobuf's own JSON as oracle for the rest."""

import base64
import contextlib
import math
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

from otlp_viewer.errors import BadRequestError
from otlp_viewer.otlp_json import parse_json

_REQUESTS: list[type[Message]] = [
    ExportLogsServiceRequest,
    ExportTraceServiceRequest,
    ExportMetricsServiceRequest,
]
_IDS = {"traceId", "spanId", "parentSpanId"}


def _parse(document: object, message_type: type[Message] = LogRecord) -> Any:
    message = message_type()
    parse_json(orjson.dumps(document), message)
    return message


def test_ids_are_hex_of_either_case() -> None:
    """Where proto3 JSON would take them for base64."""
    record = _parse({"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174"})
    assert record.trace_id.hex() == "5b8efff798038103d269b633813fc60c"
    assert record.span_id.hex() == "eee19b7ec3c1b174"


@pytest.mark.parametrize("value", ["-_-_", "+/+/", "-_-_QQ", "+/+/QQ=="])
def test_other_bytes_are_base64(value: str) -> None:
    """Of either alphabet, padded or not, as proto3 JSON has it."""
    decoded = _parse({"bytesValue": value}, AnyValue).bytes_value
    assert decoded == b"\xfb\xff\xbf" + (b"A" if "Q" in value else b"")


@pytest.mark.parametrize(
    "value", ["1544712660300000000", 1544712660300000000, 1544712660300000000.0]
)
def test_64_bit_integers_are_strings_or_numbers(value: object) -> None:
    """Senders do all three."""
    assert _parse({"timeUnixNano": value}).time_unix_nano == 1_544_712_660_300_000_000


def test_the_whole_range_of_64_bits_is_exact() -> None:
    """A float would round it."""
    assert _parse({"asInt": "-9223372036854775808"}, NumberDataPoint).as_int == -(2**63)
    assert _parse({"timeUnixNano": 2**64 - 1}).time_unix_nano == 2**64 - 1


def test_enums_are_integers_of_which_unknown_ones_are_kept() -> None:
    """A newer sender may know a severity that we do not."""
    assert _parse({"severityNumber": 17}).severity_number == 17
    assert _parse({"severityNumber": 99}).severity_number == 99


@pytest.mark.parametrize(("text", "value"), [("Infinity", math.inf), ("1.5", 1.5), (2, 2.0)])
def test_doubles_may_be_strings(text: object, value: float) -> None:
    """JSON has no infinity, so proto3 JSON spells it."""
    assert _parse({"doubleValue": text}, AnyValue).double_value == value
    assert math.isnan(_parse({"doubleValue": "NaN"}, AnyValue).double_value)


def test_unknown_keys_null_and_snake_case_are_ignored() -> None:
    """Keys are lowerCamelCase only, so a snake_case one is an unknown one."""
    document = {"body": None, "severity_text": "INFO", "future": {"deep": [1]}, "severityText": "W"}
    assert _parse(document) == LogRecord(severity_text="W")


def test_an_empty_object_is_a_value_that_is_set() -> None:
    """An empty array is not the same as no value."""
    assert _parse({"arrayValue": {}}, AnyValue).WhichOneof("value") == "array_value"


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], r"\$ must be an object, not an array"),
        ({"traceId": "xyz"}, r"\$\.traceId must be a hex string"),
        ({"traceId": 5}, r"\$\.traceId has a wrong type: a number"),
        ({"severityNumber": "SEVERITY_NUMBER_INFO"}, r"\$\.severityNumber has a wrong type"),
        ({"severityNumber": True}, r"\$\.severityNumber has a wrong type: a boolean"),
        ({"severityNumber": 2**31}, r"\$\.severityNumber: "),
        ({"timeUnixNano": "1e3"}, r"\$\.timeUnixNano must be an integer"),
        ({"timeUnixNano": -1}, r"\$\.timeUnixNano: "),
        ({"timeUnixNano": str(2**64)}, r"\$\.timeUnixNano: "),
        ({"timeUnixNano": False}, r"\$\.timeUnixNano must be an integer"),
        ({"attributes": {}}, r"\$\.attributes must be an array, not an object"),
        ({"attributes": [{"key": 1}]}, r"\$\.attributes\[0\]\.key has a wrong type"),
        ({"attributes": [None]}, r"\$\.attributes\[0\] must be an object"),
        ({"body": {"stringValue": "a", "intValue": 1}}, r"only one of value may be set"),
        ({"body": {"doubleValue": "many"}}, r"\$\.body\.doubleValue must be a number"),
        ({"body": {"bytesValue": "!"}}, r"\$\.body\.bytesValue must be a base64 string"),
        ({"body": {"boolValue": "true"}}, r"\$\.body\.boolValue has a wrong type: a string"),
    ],
)
def test_what_is_wrong_is_refused_by_its_place(document: object, place: str) -> None:
    """The sender's developer reads where to look."""
    with pytest.raises(BadRequestError, match=place):
        _parse(document)


def test_nesting_has_a_limit() -> None:
    """As deep as protobuf's own parser goes, and not as deep as the stack."""
    body = b'{"body":' + b'{"arrayValue":{"values":[' * 200 + b"{}" + b"]}}" * 200 + b"}"
    with pytest.raises(BadRequestError, match="nested more than 100 deep"):
        parse_json(body, LogRecord())


@st.composite
def _filled(draw: st.DrawFn, message_type: type[Message], depth: int = 0) -> Message:
    """Draw a message of a type with any of its fields set, to a bounded depth."""
    message = message_type()
    descriptor: Any = message.DESCRIPTOR
    for field in draw(st.lists(st.sampled_from(list(descriptor.fields)), unique=True, max_size=4)):
        if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
            continue
        if field.message_type is None:
            scalar = draw(_scalars(field))
            if field.is_repeated:
                getattr(message, field.name).append(scalar)
            else:
                setattr(message, field.name, scalar)
        elif depth < 7:
            child = draw(_filled(field.message_type._concrete_class, depth + 1))
            if field.is_repeated:
                getattr(message, field.name).append(child)
            else:
                getattr(message, field.name).CopyFrom(child)
    return message


def _scalars(field: Any) -> st.SearchStrategy[Any]:
    return {
        field.CPPTYPE_BOOL: st.booleans(),
        field.CPPTYPE_STRING: st.text(max_size=5)
        if field.type == field.TYPE_STRING
        else st.binary(max_size=16),
        field.CPPTYPE_DOUBLE: st.floats(allow_nan=False),
        field.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
        field.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
        field.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
        field.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
        field.CPPTYPE_ENUM: st.integers(0, 30),
    }[field.cpp_type]


def _hex_ids(value: Any) -> Any:
    """Turn the base64 ids of proto3 JSON into the hex ones of OTLP/JSON."""
    if isinstance(value, list):
        return [_hex_ids(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64decode(item).hex() if key in _IDS else _hex_ids(item)
            for key, item in value.items()
        }
    return value


@settings(max_examples=200)
@given(st.sampled_from(_REQUESTS).flatmap(_filled))
def test_every_message_comes_back_from_its_json(message: Message) -> None:
    """Protobuf's own JSON, with the ids turned to hex, is the oracle."""
    document = _hex_ids(MessageToDict(message, use_integers_for_enums=True))
    assert _parse(document, type(message)) == message


_KEYS = st.sampled_from(
    [
        *("resourceLogs", "scopeLogs", "logRecords", "body", "attributes", "key", "value"),
        *("resourceSpans", "scopeSpans", "spans", "events", "traceId", "timeUnixNano", "kind"),
        *("resourceMetrics", "scopeMetrics", "metrics", "sum", "dataPoints"),
        *("arrayValue", "values", "intValue"),
    ]
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300)
@given(st.sampled_from(_REQUESTS), _JSON.map(orjson.dumps) | st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_bad_request(message_type: type[Message], body: bytes) -> None:
    """No other exception leaves the parser."""
    with contextlib.suppress(BadRequestError):
        parse_json(body, message_type())
