"""The statements of the store: rows in, the oldest out, and the ledger that tells which they are.

Each function runs on the connection that it is given, within the caller's transaction. Must not
know what the rows mean, nor who decides which make room.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from otlp_viewer.columns import Columns
from otlp_viewer.database_file import ENTRIES_TABLE, EVICTED_TABLE
from otlp_viewer.ledger import Entry, Ledger
from otlp_viewer.store import Limits
from otlp_viewer.tables import TABLES, Table

_INSERTIONS = {table: table.insertion for tables in TABLES.values() for table in tables}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one request that come and go together, as columns by their tables."""

    columns: Mapping[Table, Columns]
    size_bytes: float

    def enter(self, number: int) -> Entry:
        """Return what the ledger notes of it."""
        counts = {table.name: len(columns[0]) for table, columns in self.columns.items()}
        return Entry(number, counts, self.size_bytes)


def insert(
    connection: duckdb.DuckDBPyConnection,
    signal: str,
    parts: Sequence[Part],
    entries: Sequence[Entry],
) -> None:
    """Insert the rows of a request, and what the ledger notes of them."""
    for part in parts:
        for table, columns in part.columns.items():
            connection.execute(_INSERTIONS[table], columns)
    for entry in entries:
        for name, count in entry.rows.items():
            share = entry.size_bytes * count / entry.count
            connection.execute(
                f"INSERT INTO {ENTRIES_TABLE} VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - names are ours
                [signal, entry.number, name, count, share],
            )


def delete(connection: duckdb.DuckDBPyConnection, signal: str, surplus: Sequence[Entry]) -> None:
    """Delete the rows of the oldest entries, which are these, and count them."""
    if not surplus:
        return
    for table in TABLES[signal]:
        count = sum(entry.rows.get(table.name, 0) for entry in surplus)
        if count:
            connection.execute(
                f"DELETE FROM {table.name} WHERE rowid IN"  # noqa: S608 - names are ours
                f" (SELECT rowid FROM {table.name} ORDER BY rowid LIMIT ?)",
                [count],
            )
    connection.execute(
        f"DELETE FROM {ENTRIES_TABLE} WHERE Signal = ? AND Number <= ?",  # noqa: S608
        [signal, surplus[-1].number],
    )
    connection.execute(
        f"UPDATE {EVICTED_TABLE} SET Rows = Rows + ? WHERE Signal = ?",  # noqa: S608
        [sum(entry.count for entry in surplus), signal],
    )


def load(connection: duckdb.DuckDBPyConnection, limits: Limits) -> tuple[int, dict[str, Ledger]]:
    """Return the number that the next entry gets, and the ledger of each signal."""
    evicted = dict(connection.execute(f"SELECT Signal, Rows FROM {EVICTED_TABLE}").fetchall())  # noqa: S608
    found = connection.execute(
        "SELECT Signal, Number, map(list(TableName), list(Rows)), sum(Bytes)"  # noqa: S608
        f" FROM {ENTRIES_TABLE} GROUP BY Signal, Number ORDER BY Number"
    ).fetchall()
    entries: dict[str, list[Entry]] = {signal: [] for signal in TABLES}
    for signal, number, rows, size_bytes in found:
        entries[signal].append(Entry(number, rows, size_bytes))
    next_number = found[-1][1] + 1 if found else 0
    return next_number, {
        signal: Ledger(limits, entries[signal], evicted[signal]) for signal in TABLES
    }
