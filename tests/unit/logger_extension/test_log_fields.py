"""JSON lines: which field means what."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.signals.log_fields import read_fields
from logger_extension.signals.log_reading import (
    Reading,
    read_span_id,
    read_time,
    read_trace_id,
)
from tests.support.laws import LAW
from tests.support.log_shapes import (
    EXCEPTION_SHAPES,
    JSON_SHAPES,
    NEAR_UNIX_NANO,
    REQUEST_ID,
    SPAN_ID,
    TIME_UNIX_NANO,
    TRACE_ID,
)
from tests.support.telemetry_bodies import json_values


def _read(fields: dict[str, Any]) -> Reading:
    return read_fields(fields, NEAR_UNIX_NANO, REQUEST_ID)


@pytest.mark.parametrize("logger", JSON_SHAPES)
def test_the_shapes_of_loggers(logger: str) -> None:
    """Message, severity, time and ids are found; the rest are attributes under their names."""
    fields, severity, attributes = JSON_SHAPES[logger]
    reading = _read(fields)
    assert reading.body == "paid"
    assert reading.severity_number == severity
    assert abs(reading.time_unix_nano - TIME_UNIX_NANO) < 1_000
    assert reading.attributes == attributes
    has_trace = any("trace" in name.lower() or name == "@tr" for name in fields)
    assert reading.trace_id.hex() == (TRACE_ID if has_trace else "")
    has_span = any("span" in name.lower() for name in fields)
    assert reading.span_id.hex() == (SPAN_ID if has_span else "")


@pytest.mark.parametrize("logger", EXCEPTION_SHAPES)
def test_the_exceptions_of_loggers(logger: str) -> None:
    """Type, message and trace under their semantic names; the trace is there once."""
    fields, (kind, message, trace) = EXCEPTION_SHAPES[logger]
    attributes = _read(fields).attributes
    assert attributes["exception.type"] == kind
    assert attributes["exception.message"] == message
    assert attributes.get("exception.stacktrace", "") == trace
    if trace:
        assert [value for value in attributes.values() if value == trace] == [trace]


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "x", "error": "refused"},
        {"message": "x", "errorType": "Timeout", "name": "n"} | {"errorType": ""},
        {"message": "x", "stack": "prod"},
        {"message": "x", "stackTrace": []},
        {"message": "x", "exception": {}},
        {"message": "x", "err": None},
        {"name": "logger", "message": "x", "err": {"code": 5}},
    ],
)
def test_a_field_with_such_a_name_alone_is_no_exception(fields: dict[str, Any]) -> None:
    """Two of type, message and trace make one; the fields stay what they are."""
    reading = _read(fields)
    assert not any(name.startswith("exception.") for name in reading.attributes)
    assert reading.attributes == {k: v for k, v in fields.items() if k != "message"}


def test_an_exception_in_a_line_without_a_message() -> None:
    """The whole line is the body, and the exception is named beside it."""
    fields = {"errorType": "E", "errorMessage": "boom", "stackTrace": ["a", "b"], "level": "ERROR"}
    reading = _read(fields)
    assert reading.body == fields
    assert reading.severity_number == 17
    assert reading.attributes == {
        "exception.type": "E",
        "exception.message": "boom",
        "exception.stacktrace": "a\nb",
    }


def test_of_two_messages_the_first_is_the_body() -> None:
    """The other one is an attribute."""
    reading = _read({"msg": "first", "message": "second"})
    assert (reading.body, reading.attributes) == ("first", {"message": "second"})


def test_of_two_levels_and_times_the_first_that_is_one_counts() -> None:
    """What is none stays an attribute."""
    fields = {"level": "loud", "severity": "WARN", "time": "noon", "ts": 1_795_427_494_250}
    reading = _read({"message": "x", **fields})
    assert reading.severity_number == 13
    assert reading.time_unix_nano == TIME_UNIX_NANO
    assert reading.attributes == {"level": "loud", "time": "noon"}


def test_event_is_the_message_of_structlog_only() -> None:
    """Without a level, `event` is a field of a line that is its body as a whole."""
    assert _read({"event": "paid", "level": "info"}).body == "paid"
    assert _read({"event": "paid"}).body == {"event": "paid"}
    assert _read({"event": {"a": 1}, "level": "info"}).body == {"event": {"a": 1}, "level": "info"}
    assert _read({"event": "e", "level": "info", "message": "m"}).attributes == {"event": "e"}


def test_a_request_id_that_adds_nothing_is_left_out() -> None:
    """Any other one may be the id of some other kind of request."""
    assert _read({"message": "x", "request_id": REQUEST_ID}).attributes == {}
    assert _read({"message": "x", "request_id": "http-1"}).attributes == {"request_id": "http-1"}


def test_our_own_name_for_the_invocation_is_taken_at_its_word() -> None:
    """`faas.invocation_id` can mean nothing else."""
    reading = _read({"message": "x", "faas.invocation_id": "other"})
    assert (reading.request_id, reading.attributes) == ("other", {})
    assert _read({"message": "x", "faas.invocation_id": REQUEST_ID}).request_id == ""
    assert _read({"message": "x", "faas.invocation_id": 5}).attributes == {}


def test_ids_that_are_none_stay_attributes() -> None:
    """Loggers without a span print zeros."""
    fields = {"trace_id": "0" * 32, "span_id": "0" * 16}
    reading = _read({"message": "x", **fields})
    assert (reading.trace_id, reading.span_id, reading.attributes) == (b"", b"", fields)


def test_a_span_id_without_its_trace_is_no_id() -> None:
    """It cannot be found by itself; and is not lost."""
    reading = _read({"message": "x", "span_id": SPAN_ID})
    assert (reading.span_id, reading.attributes) == (b"", {"span_id": SPAN_ID})


_names = st.sampled_from(
    sorted({name for shape in JSON_SHAPES.values() for name in shape[0]})
    + sorted({name for shape in EXCEPTION_SHAPES.values() for name in shape[0]})
    + ["event", "request_id", "faas.invocation_id", "error", "exception.type"]
)
_likely = st.sampled_from(
    [value for shape in JSON_SHAPES.values() for value in shape[0].values()]
    + [value for shape in EXCEPTION_SHAPES.values() for value in shape[0].values()]
)


@LAW
@given(st.dictionaries(_names | st.text(max_size=6), _likely | json_values, max_size=8))
def test_nothing_of_a_line_is_lost(fields: dict[str, Any]) -> None:
    """Any names with any values: each is in the body, an attribute, or has its own place."""
    before = repr(fields)
    reading = _read(fields)
    assert repr(fields) == before
    if reading.body is fields:
        return
    for name, value in fields.items():
        if name not in reading.attributes and name != "faas.invocation_id":
            assert _has_its_place(reading, value), name


def _has_its_place(reading: Reading, value: Any) -> bool:
    trace = reading.attributes.get("exception.stacktrace", "")
    return (
        value is reading.body
        or (isinstance(value, dict) and "epochSecond" in value and reading.time_unix_nano != 0)
        or value == REQUEST_ID
        or str(value) == reading.severity_text
        or (reading.trace_id != b"" and read_trace_id(value) == reading.trace_id)
        or (reading.span_id != b"" and read_span_id(value) == reading.span_id)
        or (reading.time_unix_nano != 0 and read_time(value, NEAR_UNIX_NANO) != 0)
        or (isinstance(value, str) and value == trace)
        or (isinstance(value, list) and "\n".join(str(v).rstrip("\n") for v in value) == trace)
    )
