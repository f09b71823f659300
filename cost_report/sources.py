"""Where telemetry is read from: the viewer's store, OTLP/JSON lines, a ClickHouse.

Every source has the same tables, so reports need not know which it is. Owns how a source is told
from another, and which tables it has. Must not know what is read from the tables.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import ibis
import ibis.expr.types as ir
from ibis.common.exceptions import TableNotFound
from ibis.expr.datatypes import Map

from cost_report import clickhouse, duckdb_file, json_folder
from cost_report.errors import DatabaseError, UnknownSourceError
from cost_report.reading import foreign_errors, shorten


@dataclass(frozen=True, slots=True)
class TableNames:
    """What the tables are called; the collector's ClickHouse exporter lets one choose.

    The names are its own ones; an empty one of exponential histograms stands for both that its
    versions have.
    """

    traces: str = "otel_traces"
    logs: str = "otel_logs"
    sums: str = "otel_metrics_sum"
    histograms: str = "otel_metrics_histogram"
    exponential_histograms: str = ""


DEFAULT_NAMES = TableNames()
_EXPONENTIAL = ("otel_metrics_exponential_histogram", "otel_metrics_exp_histogram")

# What reports read of each table. Buckets of histograms are not needed for means.
_OF_LOGS = ("ResourceAttributes", "LogAttributes")
_OF_TRACES = (
    *("Timestamp", "TraceId", "SpanId", "ParentSpanId", "SpanName", "SpanKind", "ScopeName"),
    *("ResourceAttributes", "SpanAttributes", "Duration", "StatusCode"),
)
_OF_METRICS = (
    *("MetricName", "ServiceName", "ResourceAttributes", "Attributes", "StartTimeUnix", "TimeUnix"),
    "AggregationTemporality",
)
_OF_SUMS = (*_OF_METRICS, "Value")
_OF_HISTOGRAMS = (*_OF_METRICS, "Count", "Sum")


@dataclass(frozen=True, slots=True)
class Source:
    """Telemetry that reports can be made from; a context manager that closes what it opened.

    Attributes:
        title: what it is and where, to be shown; without user and password.
        traces: spans, None where the source has no such table (yet), as for the others.
        logs: log records.
        sums: points of counters.
        histograms: points of histograms of both kinds, without their buckets.
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


def open_source(
    where: str,
    *,
    names: TableNames = DEFAULT_NAMES,
    password: str = "",
    progress: json_folder.Progress = lambda _read_bytes, _all_bytes: None,
) -> Source:
    """Open what `where` names.

    Args:
        where: a DuckDB file of the viewer, a file or folder of OTLP/JSON lines, or
            `clickhouse://user:password@host:port/database?secure=true`.
        names: what the tables are called.
        password: of the ClickHouse user, where the address holds none.
        progress: told how many bytes of files have been read, and of how many.

    Raises:
        SourceError: it cannot be read; the message says why and what to do.
    """
    if clickhouse.is_address(where):
        opened = clickhouse.connect(where, password)
    elif "://" in where:
        raise UnknownSourceError(
            f"{where.partition('://')[0]}:// is none of the sources; name a file, a folder or an"
            " address that begins with clickhouse://"
        )
    elif duckdb_file.is_duckdb(Path(where)):
        opened = duckdb_file.connect(Path(where))
    else:
        opened = json_folder.load(Path(where), progress)
    try:
        return read_tables(
            opened.connection, opened.title, names=names, notes=opened.notes, close=opened.close
        )
    except BaseException:
        opened.close()
        raise


def read_tables(
    connection: ibis.BaseBackend,
    title: str,
    *,
    names: TableNames = DEFAULT_NAMES,
    notes: tuple[str, ...] = (),
    close: Callable[[], None] = lambda: None,
) -> Source:
    """Return the tables of an open connection, which `close` closes.

    Raises:
        DatabaseError: the server refuses, or cannot be reached.
    """
    told = list(notes)

    def find(name: str, columns: Sequence[str]) -> ir.Table | None:
        table = _find(connection, name, title)
        fault = "" if table is None else _find_fault(table, columns)
        if fault:
            told.append(f"{name} is not read: {fault}")
        return None if fault else table

    named = names.exponential_histograms
    places = (names.histograms, *([named] if named else _EXPONENTIAL))
    found = [find(place, _OF_HISTOGRAMS) for place in places]
    histograms = [table.select(*_OF_HISTOGRAMS) for table in found if table is not None]
    return Source(
        title=title,
        traces=find(names.traces, _OF_TRACES),
        logs=find(names.logs, _OF_LOGS),
        sums=find(names.sums, _OF_SUMS),
        histograms=ibis.union(*histograms) if histograms else None,
        notes=tuple(told),
        close=close,
    )


def _find(connection: ibis.BaseBackend, name: str, title: str) -> ir.Table | None:
    """Return a table, None where there is none of that name."""
    try:
        return connection.table(name)
    except TableNotFound:
        return None
    except foreign_errors() as error:
        raise DatabaseError(f"{title}: {shorten(error)}") from error


def _find_fault(table: ir.Table, columns: Sequence[str]) -> str:
    """Return why a table cannot be read, '' where it is as the exporter makes it."""
    schema = table.schema()
    missing = [column for column in columns if column not in schema]
    if missing:
        return f"it has no {', '.join(missing)}, as the collector's ClickHouse exporter makes"
    odd = [each for each in columns if "Attributes" in each and not isinstance(schema[each], Map)]
    if odd:
        return (
            f"its {', '.join(odd)} are no maps of text (the exporter's JSON columns are not read)"
        )
    return ""
