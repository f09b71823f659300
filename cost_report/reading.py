"""Running an expression: the edge to the engines' errors.

Must not know what is asked.
"""

import sys
from typing import Any

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
from ibis.common.exceptions import IbisError

from cost_report.errors import DatabaseError

_LONGEST_MESSAGE = 300


def read_rows(table: ir.Table) -> list[dict[str, Any]]:
    """Return the rows of an expression, each as a dict by the names of its columns.

    Raises:
        DatabaseError: the engine refuses, or cannot be reached.
    """
    rows: list[dict[str, Any]] = read_columns(table).to_pylist()
    return rows


def read_columns(table: ir.Table) -> pa.Table:
    """Return the rows of an expression as columns, for many rows of numbers.

    Raises:
        DatabaseError: the engine refuses, or cannot be reached.
    """
    try:
        return table.to_pyarrow()
    except foreign_errors() as error:
        raise DatabaseError(f"the query failed: {shorten(error)}") from error


def foreign_errors() -> tuple[type[Exception], ...]:
    """Return what engines raise; ClickHouse's only where its client has been loaded."""
    client = sys.modules.get("clickhouse_connect.driver.exceptions")
    errors: tuple[type[Exception], ...] = (duckdb.Error, IbisError)
    return errors if client is None else (*errors, client.ClickHouseError)


def shorten(error: Exception) -> str:
    """Return the first line of an error's message, cut where it is long."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + " ..."
