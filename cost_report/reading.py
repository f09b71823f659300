"""Running an expression: the edge to the engines' errors.

Must not know what is asked.
"""

import sys
from typing import Any

import duckdb
import ibis.expr.types as ir
from ibis.common.exceptions import IbisError

from cost_report.errors import DatabaseError

_LONGEST_MESSAGE = 300


def read_rows(table: ir.Table) -> list[dict[str, Any]]:
    """Return the rows of an expression, each as a dict by the names of its columns.

    Raises:
        DatabaseError: the engine refuses, or cannot be reached.
    """
    try:
        rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    except foreign_errors() as error:
        raise DatabaseError(f"the query failed: {shorten(error)}") from error
    return rows


def foreign_errors() -> tuple[type[Exception], ...]:
    """Return what engines raise; ClickHouse's only where its client has been loaded."""
    client = sys.modules.get("clickhouse_connect.driver.exceptions")
    errors: tuple[type[Exception], ...] = (duckdb.Error, IbisError)
    return errors if client is None else (*errors, client.ClickHouseError)


def shorten(error: Exception) -> str:
    """Return the first line of an error's message, cut where it is long."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + " ..."
