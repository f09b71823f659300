"""What pages read: the tables of a database, and what is found in them. For any thread."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir

from otlp_viewer.database import Database
from otlp_viewer.store import Counts
from otlp_viewer.tables import SUM
from web_view.invocation_finder import InvocationFinder
from web_view.rows import InvocationRow

_FOUND = "found_invocations"
_NEWEST_FIRST = """SELECT * EXCLUDE (start), epoch_ns(start) AS start_unix_nano FROM invocations
  ORDER BY start DESC, span_id DESC"""

Parameters = Mapping[str, Any]


class Source:
    """The tables of a database, to be read in any thread."""

    def __init__(self, database: Database) -> None:
        """Read from `database`, which stays its owner's."""
        self._database = database
        self._finder = InvocationFinder(database)

    @property
    def version(self) -> int:
        """Grows with whatever is stored."""
        return self._database.version

    @property
    def held(self) -> Counts:
        """How many rows are here."""
        received, evicted = self._database.received, self._database.evicted
        return Counts(
            logs=received.logs - evicted.logs,
            spans=received.spans - evicted.spans,
            metrics=received.metrics - evicted.metrics,
        )

    @property
    def evicted(self) -> Counts:
        """How many rows had to make room."""
        return self._database.evicted

    async def wait_for_change(self, seen: int) -> int:
        """Return `version` as soon as it is another than `seen`."""
        return await self._database.wait_for_change(seen)

    def query(self, sql: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """Return rows by the names of their columns; only the parameters that `sql` names count."""
        named = {key: value for key, value in (parameters or {}).items() if f"${key}" in sql}
        return self._database.query(sql, named)

    def value(self, sql: str, parameters: Parameters | None = None) -> Any:
        """Return the first column of the first row."""
        return next(iter(self.query(sql, parameters)[0].values()))

    def invocations(self, chosen_sql: str, parameters: Parameters) -> list[InvocationRow]:
        """Return the invocations among the spans that a query chooses, newest first."""
        found = self.query(self._finder.write(_NEWEST_FIRST, chosen_sql), parameters)
        return [InvocationRow(**row) for row in found]

    @contextmanager
    def report(self, function: str) -> Iterator["Report"]:
        """Yield what a report is made from: the invocations of a function ("": of all).

        They are copied into a table that only this report sees, because each of its figures needs
        them all.
        """
        sql = self._finder.write("FROM invocations WHERE $function IN ('', function)")
        with self._database.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE {_FOUND} AS {sql}", {"function": function})
            backend = ibis.duckdb.from_connection(cursor)
            yield Report(cursor, backend.table(_FOUND), backend.table(SUM.name))


class Report:
    """The tables of one report: `invocations` and `sums` for Ibis; for one thread."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, invocations: ir.Table, sums: ir.Table
    ) -> None:
        """Read by `cursor`."""
        self.invocations = invocations
        self.sums = sums
        self._cursor = cursor

    def query(self, select: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query in which `{found}` stands for the invocations."""
        found = self._cursor.execute(select.format(found=_FOUND), dict(parameters or {}))
        return found.fetchall()


def place_list(values: Sequence[str]) -> list[str]:
    """Return values as a parameter that `IN (SELECT unnest($name))` takes, empty as well."""
    return list(values) or [""]
