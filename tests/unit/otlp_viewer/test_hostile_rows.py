"""Whatever OTLP can say is stored and counted, and costs nothing of what came beside it."""

from typing import Any

import pytest
from hypothesis import given
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otlp_viewer import Counts, mapping
from otlp_viewer.database import Database
from otlp_viewer.tables import TABLES
from tests.support.laws import LAW
from tests.support.otlp_messages import messages
from tests.support.viewer_rows import make_log, make_metric, make_span


@pytest.fixture(scope="module")
def database() -> Any:
    """One for all examples: opening takes longer than an example."""
    with Database() as opened:
        yield opened


def _count(database: Database, signal: str) -> int:
    counts = [
        database.query(f"SELECT count(*) AS n FROM {table.name}")[0]["n"]  # noqa: S608
        for table in TABLES[signal]
    ]
    return sum(counts)


@LAW
@given(messages(ExportLogsServiceRequest))
def test_any_logs_are_stored(database: Database, request_: ExportLogsServiceRequest) -> None:
    """Every record is a row."""
    rows = mapping.map_logs(request_)
    before = _count(database, "logs")
    database.add_logs([*rows, make_log()])
    assert _count(database, "logs") == before + len(rows) + 1


@LAW
@given(messages(ExportTraceServiceRequest))
def test_any_spans_are_stored(database: Database, request_: ExportTraceServiceRequest) -> None:
    """Every span is a row."""
    rows = mapping.map_spans(request_)
    before = _count(database, "spans")
    database.add_spans([*rows, make_span()])
    assert _count(database, "spans") == before + len(rows) + 1


@LAW
@given(messages(ExportMetricsServiceRequest))
def test_any_data_points_are_stored(
    database: Database, request_: ExportMetricsServiceRequest
) -> None:
    """Every point is a row of one of the tables."""
    rows = mapping.map_metrics(request_)
    before = _count(database, "metrics")
    database.add_metrics([*rows, make_metric()])
    assert _count(database, "metrics") == before + len(rows) + 1


def test_text_that_no_encoding_can_hold_is_stored() -> None:
    """Lone surrogates come from rows made by hand, NUL from anybody."""
    odd = "a\ud800b\x00c"
    with Database() as database:
        database.add_logs([make_log(body=odd, attributes={odd: odd}, trace_id=odd), make_log()])
        database.add_spans([make_span(name=odd, resource={odd: [odd]})])
        found = database.query("SELECT Body, LogAttributes, TraceId FROM otel_logs LIMIT 1")
        kept = "a?b\x00c"
        assert found == [{"Body": kept, "LogAttributes": {kept: kept}, "TraceId": kept}]
        assert database.received == Counts(logs=2, spans=1)
