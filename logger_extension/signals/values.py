"""Python values to OTLP's `AnyValue` and attributes.

Any value that JSON can hold has a place
(https://opentelemetry.io/docs/specs/otel/common/#anyvalue). Must not know which signal the
attributes belong to.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from logger_extension.json_text import to_text

# Protobuf parsers refuse messages nested deeper than 100; one value takes three levels.
MAX_DEPTH = 16
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1


class KeyValues(Protocol):
    """A repeated `KeyValue` field of any message."""

    def add(self) -> KeyValue:
        """Append an empty pair and return it."""


def set_value(target: AnyValue, value: Any, depth: int = 0) -> None:
    """Write a value into an `AnyValue`; None leaves it empty."""
    match value:
        case str():
            target.string_value = value
        case bool():
            target.bool_value = value
        case int() if MIN_INT64 <= value <= MAX_INT64:
            target.int_value = value
        case float():
            target.double_value = value
        case None:
            target.SetInParent()
        case list() | tuple() if depth < MAX_DEPTH:
            target.array_value.SetInParent()
            for item in value:
                set_value(target.array_value.values.add(), item, depth + 1)
        case dict() if depth < MAX_DEPTH:
            target.kvlist_value.SetInParent()
            set_attributes(target.kvlist_value.values, value, depth + 1)
        case _:
            # Too large for 64 bits or too deep: readable text is better than nothing.
            target.string_value = to_text(value)


def set_attributes(target: KeyValues, attributes: Mapping[str, Any], depth: int = 0) -> None:
    """Append attributes, in their order."""
    for key, value in attributes.items():
        pair = target.add()
        pair.key = key
        set_value(pair.value, value, depth)
