"""Rows as the tables of a source, in either engine, so that a test can ask the same of both."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ibis
import ibis.expr.types as ir

from cost_report.sources import Source, open_source, read_tables
from otlp_viewer import MetricRow, SpanRow
from otlp_viewer.database import Database
from tests.support.clickhouse_front import ClickHouseFront

DUCKDB, CLICKHOUSE = "duckdb", "clickhouse"
ENGINES = (DUCKDB, CLICKHOUSE)


@contextmanager
def open_tables(
    engine: str,
    *,
    spans: Sequence[SpanRow] = (),
    metrics: Sequence[MetricRow] = (),
    **front: Any,
) -> Iterator[Source]:
    """Yield a source that holds the rows; `front` is for ClickHouseFront."""
    if engine == DUCKDB:
        with Database() as database:
            database.add_spans(spans)
            database.add_metrics(metrics)
            yield read_tables(ibis.duckdb.from_connection(database.connection), "memory")
        return
    with ClickHouseFront(**front) as server:
        server.add_spans(spans)
        server.add_metrics(metrics)
        with open_source(server.url) as source:
            yield source


def spans_of(source: Source) -> ir.Table:
    """Return the spans of a source that has some."""
    assert source.traces is not None
    return source.traces


def sums_of(source: Source) -> ir.Table:
    """Return the sums of a source that has some."""
    assert source.sums is not None
    return source.sums
