"""OTLP/JSON to protobuf messages, driven by the messages' own descriptors.

OTLP/JSON is proto3 JSON with deviations, which `google.protobuf.json_format` does not know: trace
and span ids are hex, enums are integers only, keys are lowerCamelCase only, unknown keys are
ignored (OTLP specification, "JSON Protobuf Encoding"). 64-bit integers come as decimal strings or
as numbers. Pure: bytes in, message filled, or BadRequestError naming the place in the document.
"""

import base64
import binascii
import re
from typing import Any

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from otlp_viewer.errors import BadRequestError

# As deep as protobuf's own parser goes.
_MAX_DEPTH = 100
_HEX_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_INTEGER_TYPES = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    }
)


def parse_json(body: bytes, message: Message) -> None:
    """Fill `message` from an OTLP/JSON document; raise BadRequestError if it is none."""
    fill_message(message, load_json(body))


def load_json(body: bytes) -> object:
    """Return what a JSON document holds; raise BadRequestError if it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error


def fill_message(message: Message, document: object) -> None:
    """Fill `message` from what an OTLP/JSON document holds; raise BadRequestError if it is none."""
    _fill(message, document, path="$", depth=0)


def _fill(message: Message, document: object, *, path: str, depth: int) -> None:
    if not isinstance(document, dict):
        raise BadRequestError(f"{path} must be an object, not {_kind(document)}")
    if depth > _MAX_DEPTH:
        raise BadRequestError(f"{path} is nested more than {_MAX_DEPTH} deep")
    descriptor: Any = message.DESCRIPTOR  # one of two classes, by protobuf's backend
    for key, value in document.items():
        field: FieldDescriptor | None = descriptor.fields_by_camelcase_name.get(key)
        # proto3 JSON: null is the field's default, which is what a new message has.
        if field is None or value is None:
            continue
        _set_field(message, field, value, path=f"{path}.{key}", depth=depth)


def _set_field(
    message: Message, field: FieldDescriptor, value: object, *, path: str, depth: int
) -> None:
    if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
        raise BadRequestError(f"{path}: only one of {field.containing_oneof.name} may be set")
    if field.is_repeated:
        _extend(getattr(message, field.name), field, value, path=path, depth=depth)
    elif field.message_type is not None:
        child: Message = getattr(message, field.name)
        child.SetInParent()  # an empty object is still a set field
        _fill(child, value, path=path, depth=depth + 1)
    else:
        try:
            setattr(message, field.name, _scalar(field, value, path=path))
        except (ValueError, TypeError) as error:
            raise BadRequestError(f"{path}: {error}") from error


def _extend(target: Any, field: FieldDescriptor, value: object, *, path: str, depth: int) -> None:
    if not isinstance(value, list):
        raise BadRequestError(f"{path} must be an array, not {_kind(value)}")
    for index, item in enumerate(value):
        here = f"{path}[{index}]"
        if field.message_type is not None:
            _fill(target.add(), item, path=here, depth=depth + 1)
            continue
        try:
            target.append(_scalar(field, item, path=here))
        except (ValueError, TypeError) as error:
            raise BadRequestError(f"{here}: {error}") from error


def _scalar(field: FieldDescriptor, value: object, *, path: str) -> Any:
    """Return `value` as protobuf wants it for `field`; range checks are protobuf's own."""
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_BOOL if isinstance(value, bool):
            return value
        case FieldDescriptor.CPPTYPE_STRING if isinstance(value, str):
            if field.type == FieldDescriptor.TYPE_STRING:
                return value
            return _id(value, path) if field.name in _HEX_FIELDS else _base64(value, path)
        case FieldDescriptor.CPPTYPE_ENUM if isinstance(value, int) and not isinstance(value, bool):
            return value
        case kind if kind in _INTEGER_TYPES:
            return _integer(value, path)
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return _double(value, path)
    raise BadRequestError(f"{path} has a wrong type: {_kind(value)}")


def _id(value: str, path: str) -> bytes:
    try:
        return binascii.unhexlify(value)
    except ValueError as error:
        raise BadRequestError(f"{path} must be a hex string") from error


def _base64(value: str, path: str) -> bytes:
    """Decode base64 of either alphabet, with or without padding (proto3 JSON)."""
    standard = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError as error:
        raise BadRequestError(f"{path} must be a base64 string") from error


def _integer(value: object, path: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise BadRequestError(f"{path} must be an integer or a decimal string")


def _double(value: object, path: str) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)  # takes NaN, Infinity and -Infinity too
        except ValueError:
            pass
    raise BadRequestError(f"{path} must be a number")


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return kinds.get(type(value), "a number")
