"""Finding invocations among chosen spans, by the expression of the cost report.

The expression is long: planning it takes DuckDB several times as long as running it over the spans
of a page. So it is prepared once a connection, over a temporary table that holds the chosen spans
while a page is read. State: connections that nobody uses at the moment. For any thread.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from queue import Empty, LifoQueue
from typing import Any

import duckdb
import ibis

from cost_report.invocations import find_invocations
from otlp_viewer.database import Database
from otlp_viewer.tables import NAMES
from web_view.rows import InvocationRow

_CHOSEN = "chosen_spans"
_PREPARED = "find_invocations"


class InvocationFinder:
    """The invocations of a database."""

    def __init__(self, database: Database) -> None:
        """Read from `database`, which stays its owner's."""
        self._database = database
        self._idle: LifoQueue[duckdb.DuckDBPyConnection] = LifoQueue()
        with database.cursor() as cursor:
            schema = ibis.duckdb.from_connection(cursor).table(NAMES.traces).schema()
        self._sql = _write_sql(schema)

    def find(self, chosen_sql: str, parameters: Mapping[str, Any]) -> list[InvocationRow]:
        """Return the invocations among the rows of `otel_traces` that a query chooses.

        Newest first.
        """
        with self._borrow() as connection:
            connection.begin()
            try:
                connection.execute(f"INSERT INTO {_CHOSEN} {chosen_sql}", dict(parameters))
                found = connection.execute(f"EXECUTE {_PREPARED}")
                names = [column[0] for column in found.description or ()]
                rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            finally:
                # The table is empty again.
                connection.rollback()
        return [InvocationRow(**row) for row in rows]

    def find_all_sql(self, condition: str) -> str:
        """Return a query for all invocations that meet a condition, with the report's columns."""
        return (
            f"WITH {_CHOSEN} AS (SELECT * FROM {NAMES.traces})"  # noqa: S608 - our own words
            f" SELECT * FROM ({self._sql}) WHERE {condition}"
        )

    def close(self) -> None:
        """Close the idle connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _borrow(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection; one that failed is not used again."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._prepare()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)

    def _prepare(self) -> duckdb.DuckDBPyConnection:
        connection = self._database.cursor()
        connection.execute(f"CREATE TEMP TABLE {_CHOSEN} AS FROM {NAMES.traces} LIMIT 0")
        connection.execute(
            f"PREPARE {_PREPARED} AS SELECT * EXCLUDE (start), epoch_ns(start) AS start_unix_nano"  # noqa: S608
            f" FROM ({self._sql}) ORDER BY start DESC, span_id DESC"
        )
        return connection


@cache
def _write_sql(schema: ibis.Schema) -> str:
    """Return the expression of the report over `chosen_spans`; the first time takes a while."""
    found = find_invocations(ibis.table(schema, name=_CHOSEN))
    return str(ibis.to_sql(found, dialect="duckdb"))
