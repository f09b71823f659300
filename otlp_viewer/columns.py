"""Rows to the columns of the tables: pure, and total over whatever OTLP can say.

A column is a list with one value a row, as `Table.insertion` takes it. What a column's type cannot
hold is bent, never refused: times are cut to what nanoseconds in 64 bits can tell (the year 2262),
a span that ends before it starts lasts nothing, a number that is not there is 0 as in the
exporter. Must not know SQL or connections.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from otlp_viewer.rows import SPAN_KINDS, Distribution, LogRow, MetricRow, SpanRow
from otlp_viewer.tables import (
    EXP_HISTOGRAM,
    GAUGE,
    HISTOGRAM,
    LOGS,
    SUM,
    SUMMARY,
    TRACES,
    Table,
)
from otlp_viewer.values import as_string, as_strings, clean_utf8

Columns: TypeAlias = list[list[Any]]

# DuckDB's TIMESTAMP_NS calls the number above it infinity.
MAX_UNIX_NANO = 2**63 - 2
_MAX_UINT8 = 0xFF
_KINDS = tuple(kind.capitalize() for kind in SPAN_KINDS)
_STATUS_CODES = ("Unset", "Ok", "Error")
_NO_DISTRIBUTION = Distribution(count=0, sum=None, min=None, max=None)
_METRIC_TABLES = {
    "sum": SUM,
    "gauge": GAUGE,
    "histogram": HISTOGRAM,
    "exponential_histogram": EXP_HISTOGRAM,
    "summary": SUMMARY,
}


def arrange_logs(rows: Iterable[LogRow]) -> dict[Table, Columns]:
    """Return log records as columns, by their table."""
    resources = _Resources()
    values = [
        (
            clamp_time(row.time_unix_nano or row.observed_time_unix_nano),
            clean_utf8(row.trace_id),
            clean_utf8(row.span_id),
            row.flags & _MAX_UINT8,
            clean_utf8(row.severity_text),
            min(max(row.severity_number, 0), _MAX_UINT8),
            resources.service(row.resource),
            as_string(row.body),
            clean_utf8(row.resource_schema_url),
            resources.text(row.resource),
            clean_utf8(row.scope_schema_url),
            clean_utf8(row.scope),
            clean_utf8(row.scope_version),
            resources.text(row.scope_attributes),
            _to_map(row.attributes),
            clean_utf8(row.event_name),
        )
        for row in rows
    ]
    return _by_table({LOGS: values})


def arrange_spans(rows: Iterable[SpanRow]) -> dict[Table, Columns]:
    """Return spans as columns, by their table."""
    resources = _Resources()
    values = [
        (
            clamp_time(row.start_unix_nano),
            clean_utf8(row.trace_id),
            clean_utf8(row.span_id),
            clean_utf8(row.parent_span_id),
            clean_utf8(row.trace_state),
            clean_utf8(row.name),
            _name(_KINDS, row.kind),
            resources.service(row.resource),
            resources.text(row.resource),
            clean_utf8(row.scope),
            clean_utf8(row.scope_version),
            _to_map(row.attributes),
            max(row.end_unix_nano - row.start_unix_nano, 0),
            _name(_STATUS_CODES, row.status_code),
            clean_utf8(row.status_message),
            [clamp_time(event.time_unix_nano) for event in row.events],
            [clean_utf8(event.name) for event in row.events],
            _to_maps(event.attributes for event in row.events),
            [clean_utf8(link.trace_id) for link in row.links],
            [clean_utf8(link.span_id) for link in row.links],
            [clean_utf8(link.trace_state) for link in row.links],
            _to_maps(link.attributes for link in row.links),
        )
        for row in rows
    ]
    return _by_table({TRACES: values})


def arrange_metrics(rows: Iterable[MetricRow]) -> dict[Table, Columns]:
    """Return data points as columns, by their tables: one for each kind."""
    resources = _Resources()
    values: dict[Table, list[tuple[Any, ...]]] = {}
    for row in rows:
        table = _METRIC_TABLES.get(row.kind, GAUGE)
        point = _METRIC_VALUES[table](row)
        values.setdefault(table, []).append((*_describe(row, resources), *point))
    return _by_table(values)


def clamp_time(unix_nano: int) -> int:
    """Return the nearest time that a table can hold, in nanoseconds since the epoch."""
    return min(max(unix_nano, 0), MAX_UNIX_NANO)


class _Resources:
    """What the rows of one request share, made to text once; for the life of one call."""

    def __init__(self) -> None:
        # By identity: the rows of a request hold the same mapping. It is kept beside its text, so
        # that no other can come to have its id.
        self._texts: dict[int, tuple[Mapping[str, Any], str, str]] = {}

    def text(self, attributes: Mapping[str, Any]) -> str:
        return self._find(attributes)[1]

    def service(self, attributes: Mapping[str, Any]) -> str:
        return self._find(attributes)[2]

    def _find(self, attributes: Mapping[str, Any]) -> tuple[Mapping[str, Any], str, str]:
        known = self._texts.get(id(attributes))
        if known is None:
            service = as_string(attributes.get("service.name"))
            known = (attributes, _to_map(attributes), service)
            self._texts[id(attributes)] = known
        return known


def _describe(row: MetricRow, resources: _Resources) -> tuple[Any, ...]:
    return (
        resources.text(row.resource),
        clean_utf8(row.resource_schema_url),
        clean_utf8(row.scope),
        clean_utf8(row.scope_version),
        resources.text(row.scope_attributes),
        0,
        clean_utf8(row.scope_schema_url),
        resources.service(row.resource),
        clean_utf8(row.name),
        clean_utf8(row.description),
        clean_utf8(row.unit),
        _to_map(row.attributes),
        clamp_time(row.start_unix_nano),
        clamp_time(row.time_unix_nano),
    )


def _gauge(row: MetricRow) -> tuple[Any, ...]:
    value = row.value if isinstance(row.value, int | float) else 0.0
    return float(value), row.flags, *_exemplars(row)


def _sum(row: MetricRow) -> tuple[Any, ...]:
    return *_gauge(row), row.temporality, row.is_monotonic


def _histogram(row: MetricRow) -> tuple[Any, ...]:
    value = _distribution(row)
    buckets = (list(value.bucket_counts), list(map(float, value.explicit_bounds)))
    return *_total(value), *buckets, *_exemplars(row), row.flags, *_extremes(value), row.temporality


def _exp_histogram(row: MetricRow) -> tuple[Any, ...]:
    value = _distribution(row)
    return (
        *_total(value),
        value.scale,
        value.zero_count,
        value.positive.offset,
        list(value.positive.counts),
        value.negative.offset,
        list(value.negative.counts),
        *_exemplars(row),
        row.flags,
        *_extremes(value),
        row.temporality,
    )


def _summary(row: MetricRow) -> tuple[Any, ...]:
    value = _distribution(row)
    quantiles = [float(quantile) for quantile, _ in value.quantiles]
    return *_total(value), quantiles, [float(each) for _, each in value.quantiles], row.flags


_METRIC_VALUES: Mapping[Table, Callable[[MetricRow], tuple[Any, ...]]] = {
    SUM: _sum,
    GAUGE: _gauge,
    HISTOGRAM: _histogram,
    EXP_HISTOGRAM: _exp_histogram,
    SUMMARY: _summary,
}


def _distribution(row: MetricRow) -> Distribution:
    return row.value if isinstance(row.value, Distribution) else _NO_DISTRIBUTION


def _total(value: Distribution) -> tuple[int, float]:
    return value.count, float(value.sum or 0.0)


def _extremes(value: Distribution) -> tuple[float, float]:
    return float(value.min or 0.0), float(value.max or 0.0)


def _exemplars(row: MetricRow) -> tuple[Any, ...]:
    return (
        _to_maps(each.attributes for each in row.exemplars),
        [clamp_time(each.time_unix_nano) for each in row.exemplars],
        [float(each.value or 0.0) for each in row.exemplars],
        [clean_utf8(each.span_id) for each in row.exemplars],
        [clean_utf8(each.trace_id) for each in row.exemplars],
    )


def _name(names: Sequence[str], number: int) -> str:
    """Return the name of an enum's value, "" for a number that the exporter does not know."""
    return names[number] if 0 <= number < len(names) else ""


def _to_map(attributes: Mapping[str, Any]) -> str:
    return orjson.dumps(as_strings(attributes)).decode()


def _to_maps(attributes: Iterable[Mapping[str, Any]]) -> str:
    return orjson.dumps([as_strings(each) for each in attributes]).decode()


def _by_table(values: Mapping[Table, Sequence[tuple[Any, ...]]]) -> dict[Table, Columns]:
    return {
        table: [list(column) for column in zip(*rows, strict=True)]
        for table, rows in values.items()
        if rows
    }
