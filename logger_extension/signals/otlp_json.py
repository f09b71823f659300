"""Requests as OTLP/JSON: proto3 JSON with the deviations that OTLP demands.

Owns the encoding (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): trace and span
ids are hex, enums integers, 64-bit integers decimal strings, keys lowerCamelCase. protobuf's own
`json_format` writes ids as base64 and enums as names, which no collector takes. Driven by the
messages' descriptors, so it knows every message of OTLP; must not know what any of them means.

State: a table of fields, filled as fields are met.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from math import isnan
from typing import Any

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS: dict[str, type[Message]] = {
    "logs": ExportLogsServiceRequest,
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}

IDS = frozenset({"trace_id", "span_id", "parent_span_id"})
INT64 = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
FLOAT = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
INFINITY = float("inf")


def transcode(signal: str, body: bytes) -> bytes:
    """Return a serialized `Export…ServiceRequest` as OTLP/JSON.

    Raises:
        google.protobuf.message.DecodeError: the body is no such request.
    """
    return encode_json(REQUESTS[signal].FromString(body))


def encode_json(message: Message) -> bytes:
    """Return any message of OTLP as OTLP/JSON on one line."""
    return orjson.dumps(_to_object(message))


def _to_object(message: Message) -> dict[str, Any]:
    # Fields without presence that hold their default are not listed: proto3 JSON leaves them out.
    document = {}
    for field, value in message.ListFields():
        key, convert = _plan(field)
        document[key] = value if convert is None else convert(value)
    return document


@cache
def _plan(field: FieldDescriptor) -> tuple[str, Callable[[Any], Any] | None]:
    """Return the key of a field and what makes JSON of its value, None where the value is JSON."""
    convert = _choose_conversion(field)
    if not field.is_repeated:
        return field.json_name, convert
    one = convert or _keep
    return field.json_name, lambda values: [one(value) for value in values]


def _choose_conversion(field: FieldDescriptor) -> Callable[[Any], Any] | None:
    if field.message_type is not None:
        return _to_object
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes.hex if field.name in IDS else _to_base64
    if field.cpp_type in INT64:
        return str
    return _to_number if field.cpp_type in FLOAT else None


def _to_base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _to_number(value: float) -> float | str:
    """Return a number, or proto3 JSON's name of one that JSON has no figures for."""
    if isnan(value):
        return "NaN"
    if value in (INFINITY, -INFINITY):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _keep(value: Any) -> Any:
    return value
