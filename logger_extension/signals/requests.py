"""OTLP export requests as a receiver meets them: bytes or JSON, checked, counted and answered.

Owns what the three signals have in common, as a table, and OTLP/JSON on its way in
(https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in hex, 64-bit numbers as
text or number, unknown keys ignored. Must not know HTTP, gRPC, nor what becomes of a request.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from logger_extension.errors import ProtocolError

# Protobuf's parsers stop at 100 levels; what we build, the collector must be able to read.
MAX_DEPTH = 90

HEX_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})


class Signal(NamedTuple):
    """What differs from one signal to the next.

    Attributes:
        request: the message of a request; `response` likewise.
        entries: the request's field of entries, each with its resource.
        scopes: an entry's field of scopes.
        items: a scope's field of records.
        rejected: the partial success's field that counts what was not taken.
    """

    request: type[Message]
    response: type[Message]
    entries: str
    scopes: str
    items: str
    rejected: str


SIGNALS: Mapping[str, Signal] = {
    "logs": Signal(
        ExportLogsServiceRequest,
        ExportLogsServiceResponse,
        "resource_logs",
        "scope_logs",
        "log_records",
        "rejected_log_records",
    ),
    "traces": Signal(
        ExportTraceServiceRequest,
        ExportTraceServiceResponse,
        "resource_spans",
        "scope_spans",
        "spans",
        "rejected_spans",
    ),
    "metrics": Signal(
        ExportMetricsServiceRequest,
        ExportMetricsServiceResponse,
        "resource_metrics",
        "scope_metrics",
        "metrics",
        "rejected_data_points",
    ),
}


def parse(signal: str, body: bytes) -> Any:
    """Return a serialized request as its message.

    Raises:
        ProtocolError: the bytes are no request of this signal.
    """
    try:
        return SIGNALS[signal].request.FromString(body)
    except ProtobufDecodeError:
        kind = SIGNALS[signal].request.__name__
        raise ProtocolError(f"the body is no serialized {kind}") from None


def parse_json(signal: str, body: bytes) -> bytes:
    """Return an OTLP/JSON request serialized as protobuf.

    Raises:
        ProtocolError: the text is no JSON, or not of the request's shape.
    """
    kind = SIGNALS[signal].request
    try:
        fields = _shape(kind.DESCRIPTOR, orjson.loads(body), 0)
        return kind(**fields).SerializeToString()
    except (ValueError, TypeError, OverflowError) as error:
        raise ProtocolError(f"the body is no OTLP/JSON {kind.__name__}: {error}") from None


def items_of(signal: str, request: Any) -> Iterator[Any]:
    """Return every span, log record or metric of a request, in order."""
    names = SIGNALS[signal]
    for entry in getattr(request, names.entries):
        for scope in getattr(entry, names.scopes):
            yield from getattr(scope, names.items)


def points_of(metric: Any) -> Any:
    """Return the data points of a metric, whatever its kind."""
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def count_items(signal: str, request: Any) -> int:
    """Return how many spans, log records or data points a request holds."""
    if signal == "metrics":
        return sum(len(points_of(metric)) for metric in items_of(signal, request))
    return sum(1 for _ in items_of(signal, request))


def make_answer(signal: str, rejected: int = 0, message: str = "") -> Any:
    """Return the answer to a request: empty for full success, else the partial success."""
    names = SIGNALS[signal]
    answer: Any = names.response()
    if rejected or message:
        setattr(answer.partial_success, names.rejected, rejected)
        answer.partial_success.error_message = message
    return answer


def encode_answer_json(answer: Any) -> bytes:
    """Return an answer as OTLP/JSON."""
    if not answer.HasField("partial_success"):
        return b"{}"
    partial = answer.partial_success
    # 64-bit integers are decimal strings in proto3 JSON.
    fields = {
        field.camelcase_name: value if isinstance(value, str) else str(value)
        for field, value in partial.ListFields()
    }
    return orjson.dumps({"partialSuccess": fields})


def encode_status(code: int, message: str) -> bytes:
    """Return a serialized `google.rpc.Status`, the body that OTLP asks of every 4xx and 5xx.

    Its package is not in the layer: field 1 is the code, a small varint; field 2 the message.
    """
    # At most 127 bytes, so its length is one byte; cut between characters.
    text = message.encode(errors="replace")[:127].decode(errors="ignore").encode()
    return bytes((0x08, code, 0x12, len(text))) + text


Convert = Callable[[Any, int], Any]
# Descriptors are typed as Any: they are of one of two classes, by protobuf's backend.


@cache
def _fields_by_key(descriptor: Any) -> Mapping[str, tuple[str, Convert]]:
    """Return a message's fields by their JSON keys, each with what makes its value."""
    return {field.camelcase_name: (field.name, _converter(field)) for field in descriptor.fields}


def _shape(descriptor: Any, document: object, depth: int) -> dict[str, Any]:
    """Return a JSON object as the keyword arguments of its message."""
    if not isinstance(document, dict):
        raise TypeError(f"{descriptor.name} must be an object")
    if depth > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    fields = _fields_by_key(descriptor)
    shaped: dict[str, Any] = {}
    for key, value in document.items():
        # proto3 JSON: null is the field's default, which is what a new message has.
        if value is not None and key in fields:
            name, convert = fields[key]
            shaped[name] = convert(value, depth)
    return shaped


def _converter(field: FieldDescriptor) -> Convert:
    one = _converter_of_one(field)
    if not field.is_repeated:
        return one

    def convert_all(values: Any, depth: int) -> Any:
        if not isinstance(values, list):
            raise TypeError(f"{field.camelcase_name} must be an array")
        return [one(value, depth) for value in values]

    return convert_all


def _converter_of_one(field: FieldDescriptor) -> Convert:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_MESSAGE:
            inner = field.message_type
            return lambda value, depth: _shape(inner, value, depth + 1)
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
            decode = bytes.fromhex if field.name in HEX_FIELDS else _decode_base64
            return lambda value, _: decode(value)
        case FieldDescriptor.CPPTYPE_STRING | FieldDescriptor.CPPTYPE_BOOL:
            return lambda value, _: value
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            # Takes NaN, Infinity and -Infinity too, which JSON writes as text.
            return lambda value, _: float(value)
    return lambda value, _: int(value) if isinstance(value, str) else value


def _decode_base64(text: object) -> bytes:
    """Decode base64 of either alphabet, with or without padding (proto3 JSON)."""
    if not isinstance(text, str):
        raise TypeError("bytes must be a base64 string")
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
