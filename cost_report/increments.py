"""What metrics grew by, from points of either temporality.

A delta point says how much there was since the one before it; a cumulative one how much there has
been since its start, so it is worth its difference to the one before. Owns that, and what makes two
points one series. Must not know what the metrics mean.

Newer collectors keep whole seconds. Points of one series that begin and end in the same second
cannot be told from a row that came twice; they count, each of them.
"""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from cost_report.columns import (
    ALWAYS,
    Period,
    finite,
    keep_period,
    number,
    text,
    unix_seconds,
)
from cost_report.invocations import BYTES_PER_MB, name_architecture

CUMULATIVE = 2

# A cumulative point needs the one before it, which is no older than this: far beyond any interval
# of export, and a sandbox that rests so long is gone.
_LONGEST_PAUSE_S = 24 * 3600

_SERIES = ("function", "version", "region", "architecture", "memory_size_mb", "instance", "label")


def find_increments(
    points: ir.Table,
    metrics: Sequence[str],
    values: Mapping[str, str],
    *,
    label: str = "",
    period: Period = ALWAYS,
) -> ir.Table:
    """Return how much metrics grew, one row a point that ended in a period.

    Args:
        points: `otel_metrics_sum` or `otel_metrics_histogram`.
        metrics: names of metrics.
        values: names of columns to be, and the columns of `points` that they are read from.
        label: the attribute that tells series of a metric apart.
        period: when.

    Returns:
        A table with the columns metric, function, version, region, architecture, memory_size_mb,
        instance, label ('' where a point has none), seconds (the point's end, since the epoch), and
        those of `values`.
    """
    flat = _read_points(points, metrics, values, label, period)
    key = ("metric", *_SERIES, "temporality", "start")
    once = flat.group_by(*key, "time").agg(
        **{name: flat[name].max() for name in values},
        **{_total(name): flat[name].sum() for name in values},
    )
    is_delta = once.temporality != CUMULATIVE
    cannot_tell = is_delta & (once.start == once.time)
    once = once.mutate(
        **{name: ibis.ifelse(cannot_tell, once[_total(name)], once[name]) for name in values}
    )
    own = ibis.window(group_by=list(key), order_by=once.time)
    before = {name: once[name].lag().over(own).fill_null(0.0) for name in values}
    grown = once.select(
        "metric",
        *_SERIES,
        seconds=unix_seconds(once.time),
        **{
            # What has become less was counted from new.
            name: ibis.ifelse(
                (once.temporality == CUMULATIVE) & (once[name] >= before[name]),
                once[name] - before[name],
                once[name],
            )
            for name in values
        },
    )
    return keep_period(grown, grown.seconds, period)


def _read_points(
    points: ir.Table, metrics: Sequence[str], values: Mapping[str, str], label: str, period: Period
) -> ir.Table:
    points = points.filter(points.MetricName.isin(list(metrics)))
    points = keep_period(points, unix_seconds(points.TimeUnix), period, margin_s=_LONGEST_PAUSE_S)
    resource = points.ResourceAttributes
    memory_mb = number(resource, "faas.max_memory") / BYTES_PER_MB
    return points.select(
        metric=points.MetricName,
        function=ibis.coalesce(text(resource, "faas.name"), points.ServiceName),
        version=text(resource, "faas.version").fill_null(""),
        region=text(resource, "cloud.region").fill_null(""),
        architecture=name_architecture(text(resource, "host.arch")),
        memory_size_mb=memory_mb.round().cast("int64"),
        instance=text(resource, "faas.instance").fill_null(""),
        label=points.Attributes.get(label, "") if label else ibis.literal(""),
        temporality=points.AggregationTemporality,
        start=points.StartTimeUnix,
        time=points.TimeUnix,
        **{
            name: finite(points[column].cast("float64")).fill_null(0.0)
            for name, column in values.items()
        },
    )


def _total(name: str) -> str:
    return f"{name}_total"
