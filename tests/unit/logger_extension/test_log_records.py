"""Log records as bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from logger_extension.signals.log_reading import Reading
from logger_extension.signals.log_records import RecordTemplate, wrap_records
from logger_extension.signals.values import set_attributes, set_value
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_values

NAMES = ("a", "b")
CONSTANT = {"faas.invocation_id": "r"}


def _identity() -> LogRecord:
    record = LogRecord(trace_id=b"t" * 16, span_id=b"s" * 8, flags=1, observed_time_unix_nano=7)
    set_attributes(record.attributes, CONSTANT)
    return record


def _expected(reading: Reading, time_unix_nano: int, dropped: int) -> LogRecord:
    """Return the same record, made in the plain way."""
    record = _identity()
    del record.attributes[:]
    set_attributes(record.attributes, {**reading.attributes, **CONSTANT})
    set_value(record.body, reading.body)
    record.time_unix_nano = reading.time_unix_nano or time_unix_nano
    record.severity_number = reading.severity_number  # type: ignore[assignment]  # a private type of the generated module
    record.severity_text = reading.severity_text
    record.dropped_attributes_count = dropped
    return record


_readings = st.tuples(
    json_values,
    st.tuples(json_values, json_values).map(lambda values: dict(zip(NAMES, values, strict=True))),
    st.sampled_from([(0, ""), (9, "INFO"), (17, "error"), (9, "info")]),
    st.sampled_from([0, 5]),
    st.sampled_from([0, 3]),
)


@LAW
@given(st.lists(_readings, max_size=5))
def test_a_template_keeps_nothing_of_the_last_record(
    rows: list[tuple[Any, dict[str, Any], tuple[int, str], int, int]],
) -> None:
    """One after the other, records are what they would be each by itself."""
    template = RecordTemplate(_identity(), NAMES)
    for body, attributes, severity, time_unix_nano, dropped in rows:
        reading = Reading(body, attributes)
        reading.severity_number, reading.severity_text = severity
        reading.time_unix_nano = time_unix_nano
        written = LogRecord.FromString(template.write(reading, 11, dropped))
        assert written == _expected(reading, 11, dropped)


@LAW
@given(st.lists(st.tuples(st.text(), st.integers(0, 2**64 - 1))))
def test_plain_text_is_the_same_by_both_ways(rows: list[tuple[str, int]]) -> None:
    """The short way leaves out what a plain line does not have."""
    template, other = RecordTemplate(_identity()), RecordTemplate(_identity())
    for text, time_unix_nano in rows:
        written = template.write_text(text, time_unix_nano)
        assert written == other.write(Reading(text, {}), time_unix_nano)


@pytest.mark.parametrize("size_bytes", [0, 1, 127, 128, 16_383, 16_384, 2**21])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_records_are_wrapped_into_a_request(size_bytes: int, count: int) -> None:
    """Of any length and number; checked by protobuf itself."""
    record = LogRecord()
    record.body.string_value = "x" * size_bytes
    records = [record.SerializeToString()] * count
    body = wrap_records({"service.name": "shop", "n": 1}, "scope", "1", records)
    expected = ExportLogsServiceRequest()
    resource_logs = expected.resource_logs.add()
    set_attributes(resource_logs.resource.attributes, {"service.name": "shop", "n": 1})
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name, scope_logs.scope.version = "scope", "1"
    for _ in range(count):
        scope_logs.log_records.add().CopyFrom(record)
    assert ExportLogsServiceRequest.FromString(body) == expected
    assert body == expected.SerializeToString(deterministic=True)
