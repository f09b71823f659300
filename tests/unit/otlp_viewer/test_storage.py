"""The ledger in the database: what is read back of it."""

import duckdb

from otlp_viewer import Limits, storage
from otlp_viewer.database_file import open_database


def _open() -> duckdb.DuckDBPyConnection:
    connection = open_database(None)
    connection.execute(
        """
        INSERT INTO otlp_viewer_entries
        SELECT if(range % 2 = 0, 'spans', 'metrics'), range,
            if(range % 2 = 0, 'otel_traces', 'otel_metrics_' || if(range % 4 = 1, 'sum', 'gauge')),
            1, 2.0
        FROM range(50000)
        """
    )
    connection.execute("UPDATE otlp_viewer_evicted SET Rows = 7 WHERE Signal = 'spans'")
    return connection


def test_a_ledger_of_many_requests_is_read_as_few_entries() -> None:
    """A million rows may have come one by one; opening must not take a minute for it."""
    with _open() as connection:
        next_number, ledgers = storage.load(connection, Limits(max_rows=100_000))
    assert next_number == 50_000
    counts = {signal: (ledger.count, ledger.evicted) for signal, ledger in ledgers.items()}
    assert counts == {"logs": (0, 0), "spans": (25_000, 7), "metrics": (25_000, 0)}
    assert len(ledgers["spans"]._entries) <= 1_001
    # Lower limits: what goes is the oldest, of all tables.
    with _open() as connection:
        _, ledgers = storage.load(connection, Limits(max_rows=10_000))
    surplus = ledgers["metrics"].find_surplus()
    gone = sum(entry.count for entry in surplus)
    assert 15_000 <= gone <= 16_000
    by_table = [sum(entry.rows[name] for entry in surplus) for name in surplus[0].rows]
    assert max(by_table) - min(by_table) <= len(surplus)


def test_a_new_database_has_an_empty_ledger() -> None:
    """Numbers begin with 0."""
    with open_database(None) as connection:
        next_number, ledgers = storage.load(connection, Limits())
    assert next_number == 0
    assert all(ledger.received == 0 for ledger in ledgers.values())
