"""JSON values as text, however deep they are nested."""

import json
from typing import Any

import pytest
from hypothesis import given

from logger_extension.json_text import to_text
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_values


@LAW
@given(json_values)
def test_text_is_json(value: Any) -> None:
    """The text of a value can be read again."""
    assert json.loads(to_text(value)) == value


@pytest.mark.parametrize("depth", [253, 254, 255, 500])
def test_deep_values_are_whole(depth: int) -> None:
    """Also where the fast encoder gives up, nothing is left out."""
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    assert json.loads(to_text(value)) == value


def test_what_is_too_deep_to_be_written_says_so() -> None:
    """Beyond the interpreter's own limit there is a note instead of an error."""
    value: Any = "core"
    for _ in range(100_000):
        value = [value]
    assert "nested too deeply" in to_text(value)
