"""The store in DuckDB: all signals as tables, in memory or in a file, bounded.

Written by one thread at a time, read by any: each reader takes a cursor of its own. What had to
make room is counted and kept in the file, never silent. Must not know what the rows mean, nor who
reads them.

State: the connections, the ledger of each signal, and the version that readers wait for.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from otlp_viewer.changes import Changes
from otlp_viewer.columns import Columns, arrange_logs, arrange_metrics, arrange_spans
from otlp_viewer.database_file import ENTRIES_TABLE, EVICTED_TABLE, open_database
from otlp_viewer.errors import QueryError, SinkError
from otlp_viewer.ledger import Entry, Ledger, split
from otlp_viewer.rows import LogRow, MetricRow, SpanRow
from otlp_viewer.store import Counts, Limits
from otlp_viewer.tables import TABLES, Table

DEFAULT_LIMITS = Limits(max_rows=1_000_000, max_bytes=1024 * 1024 * 1024)


class Database:
    """Logs, spans and data points in the tables of `tables`; a context manager.

    `add_logs`, `add_spans` and `add_metrics` may be called from any thread, `cursor` and `query` as
    well.
    """

    def __init__(self, path: Path | None = None, limits: Limits | None = None) -> None:
        """Open the database in `path` (None: in memory), and keep at most `limits` a signal.

        Raises:
            DatabaseOpenError: the file is in use, cannot be read or written, or is none of ours.
            DatabaseVersionError: it is of another version of this package.
        """
        self._limits = limits or DEFAULT_LIMITS
        self._connection = open_database(path)
        self._writer = self._connection.cursor()
        self._lock = threading.Lock()
        self._changes = Changes()
        self._next_number, self._ledgers = self._load()
        for signal in TABLES:
            self._write(signal, [])

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection for a library that wants one, such as Ibis; for one thread at a time."""
        return self._connection

    @property
    def version(self) -> int:
        """A number that grows with each request that is stored."""
        return self._changes.version

    @property
    def received(self) -> Counts:
        """How many rows ever came, the evicted ones included."""
        return Counts(**{signal: ledger.received for signal, ledger in self._ledgers.items()})

    @property
    def evicted(self) -> Counts:
        """How many rows had to make room for newer ones."""
        return Counts(**{signal: ledger.evicted for signal, ledger in self._ledgers.items()})

    def add_logs(self, rows: Sequence[LogRow], size_bytes: int = 0) -> None:
        """Store the rows of a request of `size_bytes`; raise SinkError with nothing stored."""
        self._add("logs", arrange_logs, rows, size_bytes)

    def add_spans(self, rows: Sequence[SpanRow], size_bytes: int = 0) -> None:
        """Store the rows of a request of `size_bytes`; raise SinkError with nothing stored."""
        self._add("spans", arrange_spans, rows, size_bytes)

    def add_metrics(self, rows: Sequence[MetricRow], size_bytes: int = 0) -> None:
        """Store the rows of a request of `size_bytes`; raise SinkError with nothing stored."""
        self._add("metrics", arrange_metrics, rows, size_bytes)

    async def wait_for_change(self, seen: int) -> int:
        """Return `version` as soon as it is another than `seen`."""
        return await self._changes.wait(seen)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own for reading in one thread; close it after use.

        Its errors are DuckDB's. What is written meanwhile does not disturb it.
        """
        return self._connection.cursor()

    def query(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[dict[str, Any]]:
        """Return the rows of a query by the names of their columns.

        Times come as naive datetimes in UTC, cut to microseconds; maps as dicts.

        Raises:
            QueryError: the query is wrong, or the database is closed.
        """
        try:
            with self.cursor() as cursor:
                found = cursor.execute(sql, parameters)
                names = [column[0] for column in found.description or ()]
                return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except duckdb.Error as error:
            raise QueryError(f"the query failed: {error}") from error

    def close(self) -> None:
        """Write everything to the file and close it; open cursors are closed too."""
        with self._lock:
            self._writer.close()
            self._connection.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _add(
        self,
        signal: str,
        arrange: Callable[[Sequence[Any]], dict[Table, Columns]],
        rows: Sequence[Any],
        size_bytes: int,
    ) -> None:
        if not rows:
            return
        share = size_bytes / len(rows)
        parts = [(arrange(part), share * len(part)) for part in split(rows, self._limits)]
        with self._lock:
            self._write(signal, parts)
        self._changes.tell()

    def _write(self, signal: str, parts: Sequence[tuple[dict[Table, Columns], float]]) -> None:
        ledger = self._ledgers[signal]
        entries = [
            Entry(
                self._next_number + index,
                {table.name: len(columns[0]) for table, columns in part.items()},
                size_bytes,
            )
            for index, (part, size_bytes) in enumerate(parts)
        ]
        surplus = ledger.find_surplus(entries)
        with self._transaction():
            for part, _ in parts:
                for table, columns in part.items():
                    self._writer.execute(table.insertion, columns)
            self._note(signal, entries)
            self._delete(signal, surplus)
        self._next_number += len(entries)
        ledger.extend(entries)
        ledger.evict(surplus)

    def _note(self, signal: str, entries: Sequence[Entry]) -> None:
        for entry in entries:
            for table, count in entry.rows.items():
                share = entry.size_bytes * count / entry.count
                self._writer.execute(
                    f"INSERT INTO {ENTRIES_TABLE} VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                    [signal, entry.number, table, count, share],
                )

    def _delete(self, signal: str, surplus: Sequence[Entry]) -> None:
        if not surplus:
            return
        for table in TABLES[signal]:
            count = sum(entry.rows.get(table.name, 0) for entry in surplus)
            if count:
                self._writer.execute(
                    f"DELETE FROM {table.name} WHERE rowid IN"  # noqa: S608
                    f" (SELECT rowid FROM {table.name} ORDER BY rowid LIMIT ?)",
                    [count],
                )
        self._writer.execute(
            f"DELETE FROM {ENTRIES_TABLE} WHERE Signal = ? AND Number <= ?",  # noqa: S608
            [signal, surplus[-1].number],
        )
        self._writer.execute(
            f"UPDATE {EVICTED_TABLE} SET Rows = Rows + ? WHERE Signal = ?",  # noqa: S608
            [sum(entry.count for entry in surplus), signal],
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Everything within is stored, or nothing."""
        try:
            self._writer.begin()
            try:
                yield
                self._writer.commit()
            except BaseException:
                with suppress(duckdb.Error):
                    self._writer.rollback()
                raise
        except duckdb.Error as error:
            raise SinkError(f"the database cannot store: {error}") from error

    def _load(self) -> tuple[int, dict[str, Ledger]]:
        """Return the number of the next entry, and what the file holds of each signal."""
        evicted = dict(self._writer.execute(f"SELECT Signal, Rows FROM {EVICTED_TABLE}").fetchall())  # noqa: S608
        found = self._writer.execute(
            f"SELECT Number, Signal, map(list(TableName), list(Rows)), sum(Bytes)"  # noqa: S608
            f" FROM {ENTRIES_TABLE} GROUP BY Number, Signal ORDER BY Number"
        ).fetchall()
        entries: dict[str, list[Entry]] = {signal: [] for signal in TABLES}
        for number, signal, rows, size_bytes in found:
            entries[signal].append(Entry(number, rows, size_bytes))
        return (
            found[-1][0] + 1 if found else 0,
            {
                signal: Ledger(self._limits, entries[signal], evicted.get(signal, 0))
                for signal in TABLES
            },
        )
