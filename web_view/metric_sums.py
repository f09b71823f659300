"""What metrics add up to, from the tables of data points.

Points come as deltas (each counts) or cumulative (the newest of each series counts); one that came
twice counts once. Must not know what the metrics mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web_view.columns import FUNCTION
from web_view.source import Source

_SERIES = "MetricName, function, ResourceAttributes, Attributes, StartTimeUnix, Temporality"
_POINT = f"""MetricName, {FUNCTION} AS function, ResourceAttributes, Attributes, StartTimeUnix,
  TimeUnix, AggregationTemporality AS Temporality"""
_NAMED = "MetricName IN (SELECT unnest($names))"
_SUMS = f"""WITH points AS (SELECT DISTINCT {_POINT}, Value FROM otel_metrics_sum WHERE {_NAMED}),
  series AS (SELECT {_SERIES},
    CASE Temporality WHEN 2 THEN arg_max(Value, TimeUnix) ELSE sum(Value) END AS total
    FROM points GROUP BY {_SERIES})
  SELECT MetricName AS metric, function, Attributes AS attributes, sum(total) AS value
  FROM series GROUP BY ALL ORDER BY metric, function"""  # noqa: S608 - made of our own words
_LEVELS = f"""WITH points AS (
    SELECT MetricName, {FUNCTION} AS function, Attributes, Value FROM otel_metrics_sum
    WHERE {_NAMED}
    UNION ALL SELECT MetricName, {FUNCTION}, Attributes, Value FROM otel_metrics_gauge
    WHERE {_NAMED})
  SELECT MetricName AS metric, function, Attributes AS attributes, max(Value) AS value
  FROM points GROUP BY ALL ORDER BY metric, function"""  # noqa: S608
_DISTRIBUTIONS = f"""WITH points AS (
    SELECT DISTINCT {_POINT}, Count, Sum, Max FROM otel_metrics_histogram WHERE {_NAMED}),
  series AS (SELECT {_SERIES},
    CASE Temporality WHEN 2 THEN arg_max(Count, TimeUnix) ELSE sum(Count) END AS number,
    CASE Temporality WHEN 2 THEN arg_max(Sum, TimeUnix) ELSE sum(Sum) END AS total,
    max(Max) AS most FROM points GROUP BY {_SERIES})
  SELECT MetricName AS metric, function, Attributes AS attributes, sum(number) AS count,
    sum(total) AS sum, max(most) AS most
  FROM series GROUP BY ALL HAVING sum(number) > 0 ORDER BY metric, function"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a metric of a function adds up to, or how high a level was at most."""

    metric: str
    function: str
    attributes: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How often something was measured, the sum of what it was, and the most."""

    metric: str
    function: str
    attributes: Mapping[str, str]
    count: int
    sum: float
    most: float

    @property
    def mean(self) -> float:
        """The mean."""
        return self.sum / self.count


def read_sums(source: Source, names: Sequence[str]) -> list[Total]:
    """Return the totals of counters, by function and attributes."""
    return [Total(**row) for row in source.query(_SUMS, {"names": list(names)})]


def read_levels(source: Source, names: Sequence[str]) -> list[Total]:
    """Return the highest values of levels, by function and attributes."""
    return [Total(**row) for row in source.query(_LEVELS, {"names": list(names)})]


def read_spreads(source: Source, names: Sequence[str]) -> list[Spread]:
    """Return what histograms hold, by function and attributes."""
    rows: list[dict[str, Any]] = source.query(_DISTRIBUTIONS, {"names": list(names)})
    return [Spread(**{**row, "count": int(row["count"])}) for row in rows]
