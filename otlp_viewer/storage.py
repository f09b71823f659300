"""The statements of the store: rows in, the oldest out, and the ledger that tells which they are.

Each function runs on the connection that it is given, within the caller's transaction. Must not
know what the rows mean, nor who decides which make room.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from otlp_viewer.columns import Columns
from otlp_viewer.ledger import Entry, Ledger
from otlp_viewer.store import Limits
from otlp_viewer.tables import TABLES, Table

_INSERTIONS = {table: table.insertion for tables in TABLES.values() for table in tables}
_NOTE = "INSERT INTO otlp_viewer_entries VALUES (?, ?, ?, ?, ?)"
_FORGET = "DELETE FROM otlp_viewer_entries WHERE Signal = ? AND Number <= ?"
_COUNT_EVICTED = "UPDATE otlp_viewer_evicted SET Rows = Rows + ? WHERE Signal = ?"
_LOAD_EVICTED = "SELECT Signal, Rows FROM otlp_viewer_evicted"
# Numbers that follow each other are read as one entry: there may be a million of them.
_LOAD_ENTRIES = """
    WITH width AS (
        SELECT greatest((max(Number) - min(Number)) // 1000, 1) AS numbers FROM otlp_viewer_entries
    )
    SELECT Signal, Number // numbers AS Block, max(Number), TableName, sum(Rows), sum(Bytes)
    FROM otlp_viewer_entries, width
    GROUP BY Signal, Block, TableName
    ORDER BY Block, max(Number)
"""


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
            connection.execute(_NOTE, [signal, entry.number, name, count, share])


def delete(connection: duckdb.DuckDBPyConnection, signal: str, surplus: Sequence[Entry]) -> None:
    """Delete the rows of the oldest entries, which are these, and count them."""
    if not surplus:
        return
    for table in TABLES[signal]:
        count = sum(entry.rows.get(table.name, 0) for entry in surplus)
        if count:
            connection.execute(table.deletion, [count])
    connection.execute(_FORGET, [signal, surplus[-1].number])
    gone = sum(entry.count for entry in surplus)
    connection.execute(_COUNT_EVICTED, [gone, signal])


def load(connection: duckdb.DuckDBPyConnection, limits: Limits) -> tuple[int, dict[str, Ledger]]:
    """Return the number that the next entry gets, and the ledger of each signal."""
    evicted = dict(connection.execute(_LOAD_EVICTED).fetchall())
    found = connection.execute(_LOAD_ENTRIES).fetchall()
    entries: dict[str, dict[int, Entry]] = {signal: {} for signal in TABLES}
    for signal, block, number, name, rows, size_bytes in found:
        entry = Entry(number, {name: rows}, size_bytes)
        earlier = entries[signal].get(block)
        entries[signal][block] = entry if earlier is None else earlier.join(entry)
    next_number = max((number for _, _, number, *_ in found), default=-1) + 1
    return next_number, {
        signal: Ledger(limits, entries[signal].values(), evicted[signal]) for signal in TABLES
    }
