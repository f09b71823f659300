"""JSON values as OTLP values: nothing is lost, nothing raises, everything parses again."""

from typing import Any

import pytest
from hypothesis import example, given
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValueList

from logger_extension.signals.values import MAX_DEPTH, set_attributes, set_value
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_objects, json_values


def _write(value: Any) -> AnyValue:
    message = AnyValue()
    set_value(message, value)
    return AnyValue.FromString(message.SerializeToString())


def _read(message: AnyValue) -> Any:
    match message.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_read(value) for value in message.array_value.values]
        case "kvlist_value":
            return {pair.key: _read(pair.value) for pair in message.kvlist_value.values}
        case kind:
            return getattr(message, kind)


def _depth(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, children), default=0) if isinstance(value, dict | list) else 0


def _nest(depth: int, *, in_objects: bool) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = {"in": value} if in_objects else [value]
    return value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", "string_value"),
        ("text", "string_value"),
        (True, "bool_value"),
        (False, "bool_value"),
        (0, "int_value"),
        (2**63 - 1, "int_value"),
        (-(2**63), "int_value"),
        (0.0, "double_value"),
        (1e308, "double_value"),
        ([], "array_value"),
        ([1, "a", None], "array_value"),
        ({}, "kvlist_value"),
        ({"a": {"b": [True]}}, "kvlist_value"),
        (None, None),
    ],
)
def test_each_kind_has_its_place(value: Any, kind: str | None) -> None:
    """Empty lists and objects too stay what they are."""
    message = _write(value)
    assert message.WhichOneof("value") == kind
    assert _read(message) == value


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**400])
def test_integers_beyond_64_bits_are_text(value: int) -> None:
    """OTLP has no place for them; their digits are kept."""
    assert _write(value).string_value == str(value)


@LAW
@given(json_values)
@example(float("1e308"))
def test_every_value_comes_back(value: Any) -> None:
    """What was written is what is read, but for integers beyond 64 bits, which are text."""

    def expected(of: Any) -> Any:
        if isinstance(of, dict):
            return {key: expected(child) for key, child in of.items()}
        if isinstance(of, list):
            return [expected(child) for child in of]
        is_small = not isinstance(of, int) or -(2**63) <= of < 2**63
        return of if is_small else str(of)

    assert _depth(value) <= MAX_DEPTH
    assert _read(_write(value)) == expected(value)


@LAW
@given(json_objects)
def test_attributes_keep_their_order(attributes: dict[str, Any]) -> None:
    """One pair a key, in the order of the object."""
    message = KeyValueList()
    set_attributes(message.values, attributes)
    assert [pair.key for pair in message.values] == list(attributes)


@pytest.mark.parametrize("in_objects", [False, True], ids=["arrays", "objects"])
@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 100, 300])
def test_what_is_too_deep_is_text_from_there_on(depth: int, *, in_objects: bool) -> None:
    """Any protobuf parser can read the message, and the innermost value is still in it."""
    message = _write({"a": _nest(depth, in_objects=in_objects)})
    assert "core" in str(message)


def test_what_is_too_deep_even_for_text_says_so() -> None:
    """Nesting beyond the interpreter's own limit is told instead of raised."""
    message = _write(_nest(100_000, in_objects=False))
    assert "nested too deeply" in str(message)
