"""Lambda's own events as log lines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.signals.log_lines import find_request_id, read_line
from logger_extension.signals.log_platform import TEXTS, make_platform_log
from tests.support.laws import LAW
from tests.support.telemetry_bodies import json_objects

METRICS = {"durationMs": 17.493, "billedDurationMs": 18, "memorySizeMB": 128, "maxMemoryUsedMB": 75}

REPORT = (
    "REPORT RequestId: r Duration: 17.49 ms Billed Duration: 18 ms Memory Size: 128 MB"
    " Max Memory Used: 75 MB"
)


@pytest.mark.parametrize(
    ("event_type", "record", "text"),
    [
        ("start", {"requestId": "r", "version": "7"}, "START RequestId: r Version: 7"),
        ("runtimeDone", {"requestId": "r", "status": "success"}, "END RequestId: r"),
        (
            "report",
            {"requestId": "r", "status": "success", "metrics": METRICS},
            f"{REPORT} Status: success",
        ),
        (
            "report",
            {"requestId": "r", "metrics": {**METRICS, "initDurationMs": 235.086}},
            f"{REPORT} Init Duration: 235.09 ms",
        ),
        (
            "initStart",
            {"runtimeVersion": "python:3.13.v12", "runtimeVersionArn": "arn:x"},
            "INIT_START Runtime Version: python:3.13.v12 Runtime Version ARN: arn:x",
        ),
        ("initRuntimeDone", {"status": "success"}, "INIT_RUNTIME_DONE Status: success"),
        (
            "initReport",
            {
                "initializationType": "od",
                "phase": "init",
                "status": "success",
                "metrics": {"durationMs": 234.766},
            },
            "INIT_REPORT Initialization Type: od Phase: init Status: success Duration: 234.77 ms",
        ),
        (
            "telemetrySubscription",
            {"name": "ext", "state": "Subscribed", "types": ["platform", "function"]},
            "TELEMETRY Name: ext State: Subscribed Subscribed Types: ['platform', 'function']",
        ),
        (
            "extension",
            {"name": "ext", "state": "Ready", "events": ["INVOKE"]},
            "EXTENSION Name: ext State: Ready Events: ['INVOKE']",
        ),
        (
            "logsDropped",
            {"droppedRecords": 12, "droppedBytes": 4096, "reason": "too slow"},
            "LOGS_DROPPED DroppedRecords: 12 DroppedBytes: 4096 Reason: too slow",
        ),
        ("restoreReport", {"status": "success"}, "RESTORE_REPORT Status: success"),
    ],
)
def test_the_texts(event_type: str, record: dict[str, Any], text: str) -> None:
    """As Lambda and its collectors write them; the event's fields are attributes."""
    log = make_platform_log(f"platform.{event_type}", record)
    reading = read_line(log.record, 0)
    assert reading.body == text
    assert reading.attributes["type"] == f"platform.{event_type}"
    assert find_request_id(log.record) == record.get("requestId", "")
    assert record.items() <= reading.attributes.items()


@pytest.mark.parametrize(
    ("event_type", "status", "severity"),
    [
        ("platform.report", "success", 9),
        ("platform.report", "timeout", 17),
        ("platform.initReport", "error", 17),
        ("platform.runtimeDone", "failure", 17),
        ("platform.logsDropped", None, 17),
        ("platform.start", None, 9),
    ],
)
def test_a_failure_is_an_error(event_type: str, status: str | None, severity: int) -> None:
    """So that it is found among the rest."""
    record = {} if status is None else {"status": status}
    assert read_line(make_platform_log(event_type, record).record, 0).severity_number == severity


def test_an_unknown_event_is_a_line_as_a_whole() -> None:
    """What Lambda may add tomorrow."""
    log = make_platform_log("platform.tomorrow", {"a": [1]})
    assert read_line(log.record, 0).body == {"a": [1], "type": "platform.tomorrow"}


@LAW
@given(
    st.sampled_from([*TEXTS, "platform.tomorrow"]),
    json_objects
    | st.dictionaries(
        st.sampled_from(["requestId", "status", "metrics", "version", "message", "level", "type"]),
        st.none() | st.text(max_size=3) | st.floats() | json_objects,
    ),
)
def test_any_record_is_a_line(event_type: str, record: dict[str, Any]) -> None:
    """Fields may be missing or of another type."""
    log = make_platform_log(event_type, record)
    assert isinstance(log.record, dict)
    assert log.record["type"] == event_type
