"""The tables: names, columns and types of the OpenTelemetry Collector's ClickHouse exporter.

One schema for all sources, so that one expression serves this package's DuckDB and a ClickHouse
that a collector writes to (exporter/clickhouseexporter in opentelemetry-collector-contrib, the
newest form of its tables: `EventName` of logs; less what ClickHouse computes by itself, and with
nanoseconds in all times, where some of its metrics have seconds). ClickHouse's Nested columns are
lists of the same length, named `Events.Name`. Pure: says what statements there are and runs none.
Must not know rows or connections.
"""

from dataclasses import dataclass

TEXT, TIME, FLOAT = "VARCHAR", "TIMESTAMP_NS", "DOUBLE"
ATTRIBUTES = "MAP(VARCHAR, VARCHAR)"

# How a type travels: the type of the parameter, and the expression that makes a value of it. Maps
# go as JSON text: DuckDB reads that some four times faster than it takes a Python dict apart.
_ON_THE_WAY = {
    TIME: ("BIGINT", "make_timestamp_ns({})"),
    f"{TIME}[]": ("BIGINT[]", "list_transform({}, lambda nano: make_timestamp_ns(nano))"),
    ATTRIBUTES: (TEXT, f"""from_json({{}}, '"{ATTRIBUTES}"')"""),
    f"{ATTRIBUTES}[]": (TEXT, f"""from_json({{}}, '["{ATTRIBUTES}"]')"""),
}

# Rows lie in order of arrival.
_DELETION = "DELETE FROM {name} WHERE rowid IN (SELECT rowid FROM {name} ORDER BY rowid LIMIT ?)"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of DuckDB; `columns` are names and types in order."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def ddl(self) -> str:
        """The statement that creates it, where it is not there yet."""
        columns = ", ".join(f"{_quote(name)} {kind} NOT NULL" for name, kind in self.columns)
        return f"CREATE TABLE IF NOT EXISTS {_quote(self.name)} ({columns})"

    @property
    def insertion(self) -> str:
        """The statement that inserts rows; its parameters are one list a column, in order.

        Times are nanoseconds since the epoch, maps (and lists of maps) JSON texts.
        """
        values = ", ".join(
            _expression(kind, place) for place, (_, kind) in enumerate(self.columns, start=1)
        )
        return f"INSERT INTO {_quote(self.name)} SELECT {values}"

    @property
    def deletion(self) -> str:
        """The statement that deletes the oldest rows; its parameter is how many."""
        return _DELETION.format(name=_quote(self.name))


_TRACES = (
    ("Timestamp", TIME),
    ("TraceId", TEXT),
    ("SpanId", TEXT),
    ("ParentSpanId", TEXT),
    ("TraceState", TEXT),
    ("SpanName", TEXT),
    ("SpanKind", TEXT),
    ("ServiceName", TEXT),
    ("ResourceAttributes", ATTRIBUTES),
    ("ScopeName", TEXT),
    ("ScopeVersion", TEXT),
    ("SpanAttributes", ATTRIBUTES),
    ("Duration", "UBIGINT"),
    ("StatusCode", TEXT),
    ("StatusMessage", TEXT),
    ("Events.Timestamp", f"{TIME}[]"),
    ("Events.Name", f"{TEXT}[]"),
    ("Events.Attributes", f"{ATTRIBUTES}[]"),
    ("Links.TraceId", f"{TEXT}[]"),
    ("Links.SpanId", f"{TEXT}[]"),
    ("Links.TraceState", f"{TEXT}[]"),
    ("Links.Attributes", f"{ATTRIBUTES}[]"),
)
_LOGS = (
    ("Timestamp", TIME),
    ("TraceId", TEXT),
    ("SpanId", TEXT),
    ("TraceFlags", "UTINYINT"),
    ("SeverityText", TEXT),
    ("SeverityNumber", "UTINYINT"),
    ("ServiceName", TEXT),
    ("Body", TEXT),
    ("ResourceSchemaUrl", TEXT),
    ("ResourceAttributes", ATTRIBUTES),
    ("ScopeSchemaUrl", TEXT),
    ("ScopeName", TEXT),
    ("ScopeVersion", TEXT),
    ("ScopeAttributes", ATTRIBUTES),
    ("LogAttributes", ATTRIBUTES),
    ("EventName", TEXT),
)
# What each metric table begins with, and what those with exemplars have.
_METRIC = (
    ("ResourceAttributes", ATTRIBUTES),
    ("ResourceSchemaUrl", TEXT),
    ("ScopeName", TEXT),
    ("ScopeVersion", TEXT),
    ("ScopeAttributes", ATTRIBUTES),
    ("ScopeDroppedAttrCount", "UINTEGER"),
    ("ScopeSchemaUrl", TEXT),
    ("ServiceName", TEXT),
    ("MetricName", TEXT),
    ("MetricDescription", TEXT),
    ("MetricUnit", TEXT),
    ("Attributes", ATTRIBUTES),
    ("StartTimeUnix", TIME),
    ("TimeUnix", TIME),
)
_EXEMPLARS = (
    ("Exemplars.FilteredAttributes", f"{ATTRIBUTES}[]"),
    ("Exemplars.TimeUnix", f"{TIME}[]"),
    ("Exemplars.Value", f"{FLOAT}[]"),
    ("Exemplars.SpanId", f"{TEXT}[]"),
    ("Exemplars.TraceId", f"{TEXT}[]"),
)
_FLAGS = ("Flags", "UINTEGER")
_TEMPORALITY = ("AggregationTemporality", "INTEGER")
_TOTAL = (("Count", "UBIGINT"), ("Sum", FLOAT))
_EXTREMES = (("Min", FLOAT), ("Max", FLOAT))
_GAUGE = (*_METRIC, ("Value", FLOAT), _FLAGS, *_EXEMPLARS)
_SUM = (*_GAUGE, _TEMPORALITY, ("IsMonotonic", "BOOLEAN"))
_HISTOGRAM = (
    *_METRIC,
    *_TOTAL,
    ("BucketCounts", "UBIGINT[]"),
    ("ExplicitBounds", f"{FLOAT}[]"),
    *_EXEMPLARS,
    _FLAGS,
    *_EXTREMES,
    _TEMPORALITY,
)
_EXP_HISTOGRAM = (
    *_METRIC,
    *_TOTAL,
    ("Scale", "INTEGER"),
    ("ZeroCount", "UBIGINT"),
    ("PositiveOffset", "INTEGER"),
    ("PositiveBucketCounts", "UBIGINT[]"),
    ("NegativeOffset", "INTEGER"),
    ("NegativeBucketCounts", "UBIGINT[]"),
    *_EXEMPLARS,
    _FLAGS,
    *_EXTREMES,
    _TEMPORALITY,
)
_SUMMARY = (
    *_METRIC,
    *_TOTAL,
    ("ValueAtQuantiles.Quantile", f"{FLOAT}[]"),
    ("ValueAtQuantiles.Value", f"{FLOAT}[]"),
    _FLAGS,
)

TRACES = Table("otel_traces", _TRACES)
LOGS = Table("otel_logs", _LOGS)
SUM = Table("otel_metrics_sum", _SUM)
GAUGE = Table("otel_metrics_gauge", _GAUGE)
HISTOGRAM = Table("otel_metrics_histogram", _HISTOGRAM)
EXP_HISTOGRAM = Table("otel_metrics_exponential_histogram", _EXP_HISTOGRAM)
SUMMARY = Table("otel_metrics_summary", _SUMMARY)
# By signal, as `Counts` names them.
TABLES = {
    "logs": (LOGS,),
    "spans": (TRACES,),
    "metrics": (SUM, GAUGE, HISTOGRAM, EXP_HISTOGRAM, SUMMARY),
}


def _expression(kind: str, place: int) -> str:
    """Return the values of a column, one a row, from the list that is parameter `place`."""
    sent, made = _ON_THE_WAY.get(kind, (kind, "{}"))
    return made.format(f"unnest(${place}::{sent}[])")


def _quote(name: str) -> str:
    return f'"{name}"'
