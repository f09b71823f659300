"""The tables: what DuckDB makes of their statements."""

import duckdb

from otlp_viewer.tables import ATTRIBUTES, TABLES, TIME, TRACES


def test_each_table_takes_rows_and_has_its_columns() -> None:
    """Names and types are those that are declared; no column may be null."""
    with duckdb.connect() as connection:
        for tables in TABLES.values():
            for table in tables:
                connection.execute(table.ddl)
                connection.execute(table.insertion, [[] for _ in table.columns])
                found = connection.execute(
                    "SELECT column_name, data_type, is_nullable FROM duckdb_columns()"
                    " WHERE table_name = ? ORDER BY column_index",
                    [table.name],
                ).fetchall()
                assert found == [(*column, False) for column in table.columns]


def test_values_of_all_types_come_back_as_they_were_sent() -> None:
    """Times to the nanosecond, maps from JSON, lists of both."""
    samples = {
        TIME: 1_700_000_000_123_456_789,
        "VARCHAR": "text",
        ATTRIBUTES: '{"a":"b"}',
        "UBIGINT": 2**64 - 1,
        f"{TIME}[]": [1, 2],
        "VARCHAR[]": ["x", ""],
        f"{ATTRIBUTES}[]": '[{"c":"d"},{}]',
    }
    with duckdb.connect() as connection:
        connection.execute(TRACES.ddl)
        connection.execute(TRACES.insertion, [[samples[kind]] for _, kind in TRACES.columns])
        found = connection.execute(
            'SELECT epoch_ns("Timestamp"), SpanAttributes, Duration,'
            ' list_transform("Events.Timestamp", lambda time: epoch_ns(time)),'
            ' "Events.Name", "Events.Attributes" FROM otel_traces'
        ).fetchone()
    assert found == (
        1_700_000_000_123_456_789,
        {"a": "b"},
        2**64 - 1,
        [1, 2],
        ["x", ""],
        [{"c": "d"}, {}],
    )


def test_names_are_those_of_the_exporter() -> None:
    """As its default configuration has them."""
    assert {signal: [table.name for table in tables] for signal, tables in TABLES.items()} == {
        "logs": ["otel_logs"],
        "spans": ["otel_traces"],
        "metrics": [
            "otel_metrics_sum",
            "otel_metrics_gauge",
            "otel_metrics_histogram",
            "otel_metrics_exponential_histogram",
            "otel_metrics_summary",
        ],
    }
