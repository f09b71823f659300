"""The envelope of telemetry events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_sandbox.events import TelemetryEvent, iso_ms, printed_line


def encoded(record: Any, schema: str, *, json_lines: bool) -> Any:
    """The record as a subscriber with this schema gets it."""
    event = TelemetryEvent(0, "function", record)
    return json.loads(event.encode(schema, json_lines=json_lines))["record"]


def test_envelope() -> None:
    """Time in ISO milliseconds, type and record, and nothing else."""
    event = TelemetryEvent(1_795_427_494_620, "platform.start", {"requestId": "r"})
    assert json.loads(event.encode("2025-01-29", json_lines=False)) == {
        "time": "2026-11-23T09:51:34.620Z",
        "type": "platform.start",
        "record": {"requestId": "r"},
    }
    assert event.stream == "platform"


@pytest.mark.parametrize(("unix_ms", "text"), [(0, "000Z"), (999, "999Z"), (1_000, "000Z")])
def test_milliseconds_are_not_rounded(unix_ms: int, text: str) -> None:
    """Three digits, whatever the floating-point value of the seconds is."""
    assert iso_ms(unix_ms).endswith(text)


@given(st.text())
def test_a_printed_line_stays_what_it_is(line: str) -> None:
    """Any text survives as a string in text format."""
    _, record = printed_line("function", line)
    assert encoded(record, "2025-01-29", json_lines=False) == f"{line}\n"


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_object_lines(document: dict[str, Any]) -> None:
    """In JSON format an object becomes an object, but for the oldest schema."""
    _, record = printed_line("function", json.dumps(document))
    assert encoded(record, "2025-01-29", json_lines=True) == document
    assert encoded(record, "2022-07-01", json_lines=True) == record


@pytest.mark.parametrize(
    "line", ['{"a":' * 100_000, '{"a":NaN}', '{"a":-Infinity}', "{}x", "[1]", "7", '{"a":1'[:-1]]
)
def test_what_is_no_json_object_is_text(line: str) -> None:
    """A line that is not a JSON object by the letter stays text, and the event stays valid."""
    assert encoded(line, "2025-01-29", json_lines=True) == line


def test_object_lines_are_not_written_anew() -> None:
    """Numbers and keys come out as they were printed."""
    event = TelemetryEvent(0, "function", '{"n":1.0E400, "n":10000000000000000000001}\n')
    assert b'"record":{"n":1.0E400, "n":10000000000000000000001}\n}' in event.encode(
        "2025-01-29", json_lines=True
    )
