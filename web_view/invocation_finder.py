"""Finding invocations among chosen spans, by the expression of the cost report.

The expression becomes SQL once. It reads from `chosen_spans`, so that a page can say which spans
are to be looked at: all of them for a report, those of a few traces for a list. Planning it is most
of what it costs then, and preparing it would not help: DuckDB plans it again each time.
"""

from functools import cache

import ibis

from cost_report.invocations import find_invocations
from otlp_viewer.database import Database
from otlp_viewer.tables import TRACES

_CHOSEN = "chosen_spans"


class InvocationFinder:
    """Writes queries for invocations; for any thread."""

    def __init__(self, database: Database) -> None:
        """Take the columns of `otel_traces` as they are in `database`."""
        with database.cursor() as cursor:
            schema = ibis.duckdb.from_connection(cursor).table(TRACES.name).schema()
        self._sql = _write_sql(schema)

    def write(self, select: str, chosen_sql: str = f"FROM {TRACES.name}") -> str:
        """Return a query that selects from `invocations`, those among the rows of another query."""
        return f"WITH {_CHOSEN} AS ({chosen_sql}), invocations AS ({self._sql}) {select}"


@cache
def _write_sql(schema: ibis.Schema) -> str:
    """Return the expression of the report over `chosen_spans`; the first time takes a while."""
    found = find_invocations(ibis.table(schema, name=_CHOSEN))
    return str(ibis.to_sql(found, dialect="duckdb"))
