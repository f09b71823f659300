"""Where telemetry is read from: the viewer's store, OTLP/JSON lines, a ClickHouse.

Owns connections and what opens them; every source has the same tables, so reports need not know
which it is. Must not know what is read from the tables.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import ibis
import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class TableNames:
    """What the tables are called; the collector's ClickHouse exporter lets one choose."""

    traces: str = "otel_traces"
    logs: str = "otel_logs"
    sums: str = "otel_metrics_sum"
    histograms: str = "otel_metrics_histogram"


DEFAULT_NAMES = TableNames()


@dataclass(frozen=True, slots=True)
class Source:
    """Telemetry that reports can be made from; a context manager that closes what it opened.

    Attributes:
        title: what it is and where, to be shown; without user and password.
        traces: spans, None where the source has no such table (yet), as for the others.
        logs: log records.
        sums: points of counters.
        histograms: points of histograms.
        notes: what could not be read, a sentence each.
    """

    title: str
    traces: ir.Table | None
    logs: ir.Table | None
    sums: ir.Table | None
    histograms: ir.Table | None
    notes: tuple[str, ...] = ()
    close: Callable[[], None] = field(default=lambda: None)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection, if this opened one."""
        self.close()


def open_source(where: str, *, names: TableNames = DEFAULT_NAMES, password: str = "") -> Source:
    """Open what `where` names.

    Args:
        where: a DuckDB file of the viewer, a file or folder of OTLP/JSON lines, or
            `clickhouse://user:password@host:port/database?secure=true`.
        names: what the tables are called.
        password: of the ClickHouse user, where the address holds none.

    Raises:
        SourceError: it cannot be read; the message says why and what to do.
    """
    raise NotImplementedError


def read_tables(
    connection: ibis.BaseBackend, title: str, *, names: TableNames = DEFAULT_NAMES
) -> Source:
    """Return the tables of an open connection, which stays its owner's to close.

    Raises:
        DatabaseError: the server does not answer.
    """
    raise NotImplementedError
