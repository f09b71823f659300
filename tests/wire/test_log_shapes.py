"""Lines of every shape, whole and broken, from Lambda's body to OTLP and back.

The law: whatever a line is, there is one record for it, in its place, and its neighbours are what
they would be without it.
"""

import json

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from logger_extension.events import FunctionLog
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.logs import LogLine, encode_logs, measure, request_id_of
from logger_extension.telemetry import decode
from tests.support.extension import read_logs
from tests.support.laws import LAW
from tests.support.log_shapes import (
    JSON_SHAPES,
    LINES,
    NEAR_UNIX_NANO,
    REQUEST_ID,
    TIME_UNIX_NANO,
)
from tests.support.telemetry_bodies import json_objects, line, to_body

OBSERVED_UNIX_NANO = NEAR_UNIX_NANO + 30_000_000
INVOCATION = Invocation(REQUEST_ID, derive_context(REQUEST_ID, ""))
NEIGHBOURS = ("before\n", {"level": "INFO", "message": "after", "n": 1})


def _send(*records: object) -> list[LogRecord]:
    """Return the records that lines become on their way."""
    lines = []
    for event in decode(to_body([line(record) for record in records])).events:
        log = event.record
        assert isinstance(log, FunctionLog)
        request_id_of(log)
        measure(log)
        lines.append(LogLine(log, event.time_unix_nano, OBSERVED_UNIX_NANO, INVOCATION))
    return read_logs(encode_logs({}, lines))


def _text_of(value: AnyValue) -> str:
    return value.string_value


@pytest.mark.parametrize("logger", JSON_SHAPES)
@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
def test_every_logger_comes_to_the_same_record(logger: str, *, as_text: bool) -> None:
    """Whether Lambda parsed the line or not."""
    fields, severity, attributes = JSON_SHAPES[logger]
    [record] = _send(json.dumps(fields) + "\n" if as_text else fields)
    assert _text_of(record.body) == "paid"
    assert record.severity_number == severity
    assert abs(record.time_unix_nano - TIME_UNIX_NANO) < 1_000
    assert [pair.key for pair in record.attributes] == [*attributes, "faas.invocation_id"]


@LAW
@given(data=st.data())
def test_a_broken_line_costs_nothing_but_its_shape(data: st.DataObject) -> None:
    """Cut, doubled or overwritten in any place: its text is there, and so are its neighbours."""
    whole = data.draw(st.sampled_from(LINES))
    at = data.draw(st.integers(0, len(whole)))
    until = data.draw(st.integers(at, len(whole)))
    broken = whole[:at] + data.draw(st.text(max_size=3)) + whole[until:]
    before, record, after = _send(NEIGHBOURS[0], broken, NEIGHBOURS[1])
    assert [before, after] == _send(*NEIGHBOURS)
    assert record.observed_time_unix_nano == OBSERVED_UNIX_NANO
    if record.body.WhichOneof("value") == "string_value" and not record.severity_number:
        has_shape = broken.startswith("{") and _is_object(broken)
        assert has_shape or _text_of(record.body) == broken.removesuffix("\n")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


@LAW
@given(st.text() | json_objects | json_objects.map(json.dumps))
def test_any_line_between_two_others(record: object) -> None:
    """Whatever a function prints: one record, and its neighbours are untouched."""
    records = _send(NEIGHBOURS[0], record, NEIGHBOURS[1])
    assert len(records) == 3
    assert [records[0], records[2]] == _send(*NEIGHBOURS)
    # What was written can be read by anybody.
    MessageToDict(records[1])
