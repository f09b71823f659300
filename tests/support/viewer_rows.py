"""Rows of the viewer with everything filled in, so that a test names only what it is about."""

from typing import Any

from otlp_viewer import LogRow, MetricRow, SpanRow

TRACE_ID = "5759e988bd862e3fe1be46a994272793"
REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
START_UNIX_NANO = 1_700_000_000_123_456_789  # 2023-11-14T22:13:20.123Z


def make_log(**changes: Any) -> LogRow:
    """Return a log record of the invocation REQUEST_ID."""
    values: dict[str, Any] = {
        "time_unix_nano": START_UNIX_NANO,
        "observed_time_unix_nano": START_UNIX_NANO,
        "severity_number": 9,
        "severity_text": "INFO",
        "body": "hello",
        "attributes": {"faas.invocation_id": REQUEST_ID},
        "trace_id": TRACE_ID,
        "span_id": "aa" * 8,
        "resource": {},
        "scope": "logger_extension",
    }
    return LogRow(**(values | changes))


def make_span(**changes: Any) -> SpanRow:
    """Return a span without parent; `start_ms` and `end_ms` count from START_UNIX_NANO."""
    start_ms, end_ms = changes.pop("start_ms", 0), changes.pop("end_ms", 100)
    values: dict[str, Any] = {
        "trace_id": TRACE_ID,
        "span_id": "aa" * 8,
        "parent_span_id": "",
        "name": "work",
        "kind": 1,
        "start_unix_nano": START_UNIX_NANO + start_ms * 1_000_000,
        "end_unix_nano": START_UNIX_NANO + end_ms * 1_000_000,
        "attributes": {},
        "status_code": 0,
        "status_message": "",
        "events": (),
        "resource": {"faas.name": "sandbox-function"},
        "scope": "logger_extension",
    }
    return SpanRow(**(values | changes))


def make_server_span(request_id: str = REQUEST_ID, **changes: Any) -> SpanRow:
    """Return the SERVER span of an invocation."""
    attributes = {"faas.invocation_id": request_id} | changes.pop("attributes", {})
    return make_span(**({"name": "sandbox-function", "kind": 2} | changes), attributes=attributes)


def make_metric(**changes: Any) -> MetricRow:
    """Return a point of a cumulative counter."""
    values: dict[str, Any] = {
        "name": "requests",
        "description": "",
        "unit": "{request}",
        "kind": "sum",
        "value": 3,
        "temporality": 2,
        "is_monotonic": True,
        "start_unix_nano": START_UNIX_NANO,
        "time_unix_nano": START_UNIX_NANO,
        "attributes": {},
        "resource": {},
        "scope": "test",
    }
    return MetricRow(**(values | changes))
