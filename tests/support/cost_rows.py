"""Invocations as a table with all columns filled in, for reports that start from them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

_SCHEMA = {
    **dict.fromkeys(
        ("request_id", "trace_id", "span_id", "function", "version", "alias", "region"), "string"
    ),
    "architecture": "string",
    "instance": "string",
    "memory_size_mb": "int64",
    "start": "timestamp(9)",
    "duration_ms": "float64",
    "is_cold_start": "boolean",
    "status": "string",
    "error_type": "string",
    **dict.fromkeys(
        ("billed_ms", "max_memory_used_mb", "init_ms", "extension_ms", "cost_usd"), "float64"
    ),
    **dict.fromkeys(("handler_usd", "init_usd", "extension_usd"), "float64"),
    "missing_reason": "string",
}


def make_row(**changes: Any) -> dict[str, Any]:
    """Return a warm invocation of version 7 of `shop`, with a cost of 2 millionths of a USD."""
    values: dict[str, Any] = {
        "request_id": "r",
        "trace_id": "t",
        "span_id": "s",
        "function": "shop",
        "version": "7",
        "alias": "live",
        "region": "eu-west-1",
        "architecture": "x86_64",
        "instance": "i",
        "memory_size_mb": 1024,
        "start": datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None),
        "duration_ms": 100.0,
        "is_cold_start": False,
        "status": "ok",
        "error_type": "",
        "billed_ms": 104.0,
        "max_memory_used_mb": 300.0,
        "init_ms": None,
        "extension_ms": 3.0,
        "cost_usd": 2e-6,
        "handler_usd": 1.9e-6,
        "init_usd": 0.0,
        "extension_usd": 1e-7,
        "missing_reason": "",
    }
    return values | changes


def make_table(rows: Iterable[dict[str, Any]]) -> ir.Table:
    """Return rows of `make_row` as a table of DuckDB; there may be none."""
    schema = ibis.schema(_SCHEMA)
    columns = pa.Table.from_pylist(list(rows), schema=schema.to_pyarrow())
    return ibis.memtable(columns, schema=schema)
