"""The tables of the OpenTelemetry Collector's ClickHouse exporter: columns, types and order.

Facts read off its templates (opentelemetry-collector-contrib, exporter/clickhouseexporter), without
codecs and indexes, which change no answer. An oracle: must not be derived from the viewer's tables.
"""

_MAP = "Map(LowCardinality(String), String)"
_NAME = "LowCardinality(String)"

_TRACES = f"""
    Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String,
    TraceState String, SpanName {_NAME}, SpanKind {_NAME}, ServiceName {_NAME},
    ResourceAttributes {_MAP}, ScopeName String, ScopeVersion String, SpanAttributes {_MAP},
    Duration UInt64, StatusCode {_NAME}, StatusMessage String,
    Events Nested (Timestamp DateTime64(9), Name {_NAME}, Attributes {_MAP}),
    Links Nested (TraceId String, SpanId String, TraceState String, Attributes {_MAP})
"""
_LOGS = f"""
    Timestamp DateTime64(9), TimestampTime DateTime DEFAULT toDateTime(Timestamp),
    TraceId String, SpanId String, TraceFlags UInt8, SeverityText {_NAME}, SeverityNumber UInt8,
    ServiceName {_NAME}, Body String, ResourceSchemaUrl {_NAME}, ResourceAttributes {_MAP},
    ScopeSchemaUrl {_NAME}, ScopeName String, ScopeVersion {_NAME}, ScopeAttributes {_MAP},
    LogAttributes {_MAP}, EventName String
"""
_METRIC = f"""
    ResourceAttributes {_MAP}, ResourceSchemaUrl String, ScopeName String, ScopeVersion String,
    ScopeAttributes {_MAP}, ScopeDroppedAttrCount UInt32, ScopeSchemaUrl String,
    ServiceName {_NAME}, MetricName {_NAME}, MetricDescription String, MetricUnit String,
    Attributes {_MAP}, StartTimeUnix TIME, TimeUnix TIME
"""
_EXEMPLARS = f"""
    Exemplars Nested (
        FilteredAttributes {_MAP}, TimeUnix TIME, Value Float64, SpanId String, TraceId String
    ), Flags UInt32
"""
_TEMPORALITY = "AggregationTemporality Int32"
_EXTREMES = "Min Float64, Max Float64"

_BY_SERVICE = "ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix"

# Columns, what partitions are made of, and the order, by the exporter's usual names.
TABLES = {
    "otel_traces": (
        _TRACES,
        "Timestamp",
        "ServiceName, SpanName, toDateTime(Timestamp), Timestamp",
    ),
    "otel_logs": (_LOGS, "TimestampTime", "ServiceName, TimestampTime, Timestamp"),
    "otel_metrics_sum": (
        f"{_METRIC}, Value Float64, {_EXEMPLARS}, {_TEMPORALITY}, IsMonotonic Boolean",
        "TimeUnix",
        _BY_SERVICE,
    ),
    "otel_metrics_gauge": (f"{_METRIC}, Value Float64, {_EXEMPLARS}", "TimeUnix", _BY_SERVICE),
    "otel_metrics_histogram": (
        (
            f"{_METRIC}, Count UInt64, Sum Float64, BucketCounts Array(UInt64),"
            f" ExplicitBounds Array(Float64), {_EXEMPLARS}, {_EXTREMES}, {_TEMPORALITY}"
        ),
        "TimeUnix",
        _BY_SERVICE,
    ),
    "otel_metrics_exponential_histogram": (
        (
            f"{_METRIC}, Count UInt64, Sum Float64, Scale Int32, ZeroCount UInt64,"
            " PositiveOffset Int32, PositiveBucketCounts Array(UInt64), NegativeOffset Int32,"
            f" NegativeBucketCounts Array(UInt64), {_EXEMPLARS}, {_EXTREMES}, {_TEMPORALITY}"
        ),
        "TimeUnix",
        _BY_SERVICE,
    ),
}


def make_ddl(target: str, table: str, time_type: str) -> str:
    """Return the statement that creates one of TABLES under the name `target`."""
    columns, day, order = TABLES[table]
    return (
        f"CREATE TABLE {target} ({columns.replace('TIME', time_type)}) ENGINE = MergeTree"
        f" PARTITION BY toDate({day}) ORDER BY ({order})"
    )
