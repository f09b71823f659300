"""The store in DuckDB: all signals as tables, in memory or in a file, bounded.

Written by one thread at a time, read by any: each reader has a cursor of its own. What had to make
room is counted and kept in the file, never silent. Must not know what the rows mean, nor who reads
them.

State: the connections and whether they still serve, the ledger of each signal, the version that
readers wait for, and how much was written since the last checkpoint.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from otlp_viewer import storage
from otlp_viewer.changes import Changes
from otlp_viewer.columns import Columns, arrange_logs, arrange_metrics, arrange_spans
from otlp_viewer.database_file import open_database
from otlp_viewer.errors import DatabaseError, DatabaseOpenError, QueryError, SinkError
from otlp_viewer.ledger import split
from otlp_viewer.rows import LogRow, MetricRow, SpanRow
from otlp_viewer.storage import Part
from otlp_viewer.store import Counts, Limits
from otlp_viewer.tables import TABLES, Table

# Compressed, a span takes some 200 bytes.
DEFAULT_LIMITS = Limits(max_rows=1_000_000, max_bytes=1024**3)
# For reports about files, which are about all that is in them.
UNLIMITED = Limits(max_rows=2**62, max_bytes=2**62)

# A checkpoint compresses what was written and gives room back. It takes some 0.1 s.
_CHECKPOINT_ROWS = 20_000
_CHECKPOINT_BYTES = 16 * 1024**2


class Database:
    """Logs, spans and data points in the tables of `tables`; a context manager, and a `Sink`.

    All methods may be called from any thread.
    """

    def __init__(self, path: Path | None = None, limits: Limits | None = None) -> None:
        """Open the database in `path` (None: in memory), and keep at most `limits` a signal.

        Raises:
            DatabaseOpenError: the file is in use, cannot be read or written, or is none of ours.
            DatabaseVersionError: it is of another version of this package.
        """
        self._path = path
        self._limits = limits or DEFAULT_LIMITS
        self._lock = threading.Lock()
        self._changes = Changes()
        self._is_closed = False
        self._open()
        for signal in TABLES:
            # The limits may be lower than those of the program that wrote the file.
            self._write(signal, [])

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection for a library that wants one, such as Ibis; for one thread at a time.

        Ask for it anew each time: after a full disk it is another one.
        """
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
        """Store the rows of a request of `size_bytes`; SinkError: nothing of it is stored."""
        self._add("logs", arrange_logs, rows, size_bytes)

    def add_spans(self, rows: Sequence[SpanRow], size_bytes: int = 0) -> None:
        """Store the rows of a request of `size_bytes`; SinkError: nothing of it is stored."""
        self._add("spans", arrange_spans, rows, size_bytes)

    def add_metrics(self, rows: Sequence[MetricRow], size_bytes: int = 0) -> None:
        """Store the rows of a request of `size_bytes`; SinkError: nothing of it is stored."""
        self._add("metrics", arrange_metrics, rows, size_bytes)

    async def wait_for_change(self, seen: int) -> int:
        """Return `version` as soon as it is another than `seen`."""
        return await self._changes.wait(seen)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own, for reading in one thread; close it after use.

        Its errors are DuckDB's. A transaction sees the rows of its beginning until its end.
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
            self._is_closed = True
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
        parts = [Part(arrange(part), share * len(part)) for part in split(rows, self._limits)]
        with self._lock:
            self._write(signal, parts)
            self._rows_since += len(rows)
            self._bytes_since += size_bytes
            if self._rows_since >= _CHECKPOINT_ROWS or self._bytes_since >= _CHECKPOINT_BYTES:
                self._checkpoint()
        self._changes.tell()

    def _write(self, signal: str, parts: Sequence[Part]) -> None:
        """Store parts of one request and make room for them: all of it, or raise SinkError."""
        self._make_ready()
        ledger = self._ledgers[signal]
        entries = [part.enter(number) for number, part in enumerate(parts, self._next_number)]
        surplus = ledger.find_surplus(entries)
        try:
            with _transaction(self._writer):
                storage.insert(self._writer, signal, parts, entries)
                storage.delete(self._writer, signal, surplus)
        except duckdb.Error as error:
            self._is_broken = isinstance(error, duckdb.FatalException)
            raise SinkError(f"the database cannot store: {error}") from error
        self._next_number += len(entries)
        ledger.take(entries, surplus)

    def _checkpoint(self) -> None:
        self._rows_since = self._bytes_since = 0
        try:
            self._writer.execute("CHECKPOINT")
        except duckdb.FatalException:
            # The disk is full, mostly. What was stored is safe in the log beside the file, but
            # DuckDB refuses to go on: readers would find nothing until the next request.
            self._is_broken = True
            with suppress(SinkError):
                self._make_ready()
        except duckdb.Error:
            # Somebody's transaction is in its way; the next checkpoint does for both.
            pass

    def _make_ready(self) -> None:
        """Open the file anew where DuckDB refuses to go on; raise SinkError if that is in vain."""
        if self._is_closed:
            raise SinkError("the database is closed")
        if not self._is_broken:
            return
        if self._path is None:
            raise SinkError("the database in memory has failed; start the program again")
        self._connection.close()
        try:
            self._open()
        except DatabaseError as error:
            raise SinkError(str(error)) from error

    def _open(self) -> None:
        self._connection = open_database(self._path)
        self._writer = self._connection.cursor()
        try:
            self._next_number, self._ledgers = storage.load(self._writer, self._limits)
        except duckdb.Error as error:
            self._connection.close()
            raise DatabaseOpenError(f"{self._path} is damaged ({error}); name another") from error
        self._rows_since = self._bytes_since = 0
        self._is_broken = False


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Everything within is stored, or nothing."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):
            connection.rollback()
        raise
