"""The most that one line may take."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from logger_extension.signals.log_limit import ORIGINAL_SIZE, cut_reading
from logger_extension.signals.log_reading import Reading
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_objects, json_values

MARK = "[truncated: "


def _cut(body: Any, attributes: dict[str, Any], max_bytes: int) -> tuple[Reading, int]:
    reading = Reading(body, attributes)
    return reading, cut_reading(reading, max_bytes, 1_000)


def test_a_long_body_is_cut_and_says_so() -> None:
    """In place, with how much is missing; and the record says how long the line was."""
    reading, dropped = _cut("x" * 1_000, {}, 10)
    assert reading.body == "xxxxxxxxxx[truncated: 990 bytes more]"
    assert reading.attributes == {ORIGINAL_SIZE: 1_000}
    assert dropped == 0


def test_no_character_is_cut_in_two() -> None:
    """The limit is in bytes, what is kept is whole characters."""
    reading, _ = _cut("ü" * 10, {}, 5)
    assert reading.body == "üü[truncated: 15 bytes more]"


def test_attributes_have_what_the_body_leaves() -> None:
    """In their order; those that find no room are counted."""
    attributes = {"a": "x" * 30, "b": 5, "c": "y" * 30, "d": "z"}
    reading, dropped = _cut("message", attributes, 70)
    assert list(reading.attributes) == ["a", "b", "c", ORIGINAL_SIZE]
    assert reading.attributes["a"] == "x" * 30
    assert reading.attributes["c"] == "y" * 22 + "[truncated: 8 bytes more]"
    assert dropped == 1


def test_a_body_that_is_an_object_is_cut_as_text() -> None:
    """What is left of it can be read, if not parsed."""
    reading, _ = _cut({"a": "x" * 100}, {}, 10)
    assert reading.body == '{"a":"xxxx[truncated: 98 bytes more]'


def test_what_fits_stays_what_it_is() -> None:
    """An object remains one."""
    reading, dropped = _cut({"a": 1}, {"b": [1]}, 100)
    assert (reading.body, reading.attributes["b"], dropped) == ({"a": 1}, [1], 0)


@LAW
@given(json_values | st.text(), json_objects, st.integers(1, 200))
def test_no_text_is_longer_than_the_limit(
    body: Any, attributes: dict[str, Any], max_bytes: int
) -> None:
    """But for the marks; and every attribute is there or counted."""
    reading, dropped = _cut(body, attributes, max_bytes)
    texts = [reading.body, *reading.attributes.values()]
    kept = sum(len(text.split(MARK)[0].encode()) for text in texts if isinstance(text, str))
    assert kept <= max_bytes
    assert len(attributes.keys() - {ORIGINAL_SIZE}) - dropped <= len(reading.attributes)
