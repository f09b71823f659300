"""What each feature costs, from the sum `aws.lambda.feature.cost`, and where it is going.

Owns the ranking and the stretches of time. Must not know how costs were divided among features, nor
what makes a trend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import ibis
import ibis.expr.types as ir

from cost_report.columns import ALWAYS, Period
from cost_report.increments import find_increments
from cost_report.invocations import select_functions
from cost_report.reading import read_rows
from cost_report.trends import Trend, find_trend
from cost_report.values import NotEnoughData

METRIC = "aws.lambda.feature.cost"
# What the extension calls all that is beyond the number of features that it tells apart.
OTHER = "other"
STRETCHES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureCost:
    """A feature of a function.

    Attributes:
        function: its name.
        version: None where versions are not told apart.
        feature: as the function named it; what begins with a parenthesis is ours.
        usd: in all.
        share: of all costs of the function's features (of that version).
        course_usd: the costs of each stretch of time, oldest first.
        trend: of those.
    """

    function: str
    version: str | None
    feature: str
    usd: float
    share: float
    course_usd: tuple[float, ...]
    trend: Trend | NotEnoughData


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureReport:
    """The features, dearest first, and the time that `course_usd` covers (UTC)."""

    features: tuple[FeatureCost, ...]
    start: datetime
    end: datetime


def report_features(
    sums: ir.Table | None,
    period: Period = ALWAYS,
    *,
    functions: Sequence[str] = (),
    by_version: bool = False,
    stretches: int = STRETCHES,
) -> FeatureReport | NotEnoughData:
    """Return what features cost in a period.

    Args:
        sums: `otel_metrics_sum`; None where there is no such table.
        period: when.
        functions: only these; all where none is named.
        by_version: whether versions are told apart.
        stretches: into how many equal parts the time is divided for the trend.

    Raises:
        DatabaseError: the engine refuses, or cannot be reached.
    """
    if sums is None:
        return NotEnoughData("there is no table of sums, so nothing is known of features")
    grown = find_increments(sums, (METRIC,), {"usd": "Value"}, label="feature", period=period)
    grown = select_functions(grown, functions)
    [span] = read_rows(grown.agg(first=grown.seconds.min(), last=grown.seconds.max()))
    if span["first"] is None:
        return NotEnoughData(
            f"no costs of features ({METRIC}) in that time: they are off unless"
            " LOGGER_EXTENSION_FEATURE_ATTRIBUTE or LOGGER_EXTENSION_FEATURE_LOG_FIELD is set"
        )
    first, last = span["first"], span["last"] + 1
    length_s = (last - first) / stretches
    rows = _read_stretches(grown, first, length_s, by_version=by_version)
    return FeatureReport(
        features=_rank(rows, stretches, by_version=by_version),
        start=datetime.fromtimestamp(first, UTC),
        end=datetime.fromtimestamp(last, UTC),
    )


def _read_stretches(
    grown: ir.Table, first: int, length_s: float, *, by_version: bool
) -> list[dict[str, Any]]:
    """Return the costs of each feature in each stretch that it has any in, sorted by feature."""
    stretched = grown.select(
        function=grown.function,
        version=grown.version if by_version else ibis.literal(""),
        feature=grown.label.nullif("").fill_null(OTHER),
        stretch=((grown.seconds - first) / length_s).floor().cast("int64"),
        usd=grown.usd,
    )
    key = ("function", "version", "feature")
    rows = read_rows(
        stretched.group_by(*key, "stretch").agg(usd=stretched.usd.sum(), points=stretched.count())
    )
    return sorted(rows, key=lambda row: tuple(row[name] for name in key))


def _rank(
    rows: list[dict[str, Any]], stretches: int, *, by_version: bool
) -> tuple[FeatureCost, ...]:
    ranked: list[FeatureCost] = []
    for _, of_function in groupby(rows, itemgetter("function", "version")):
        features = [list(own) for _, own in groupby(of_function, itemgetter("feature"))]
        whole_usd = sum(row["usd"] for own in features for row in own)
        ranked += [
            _make_feature(own, whole_usd, stretches, by_version=by_version) for own in features
        ]
    return tuple(sorted(ranked, key=_place))


def _place(each: FeatureCost) -> tuple[float, str, str, str]:
    return -each.usd, each.function, each.version or "", each.feature


def _make_feature(
    own: list[dict[str, Any]], whole_usd: float, stretches: int, *, by_version: bool
) -> FeatureCost:
    course = [0.0] * stretches
    for row in own:
        course[min(row["stretch"], stretches - 1)] += row["usd"]
    usd = sum(course)
    return FeatureCost(
        function=own[0]["function"],
        version=own[0]["version"] if by_version else None,
        feature=own[0]["feature"],
        usd=usd,
        share=usd / whole_usd if whole_usd else 0.0,
        course_usd=tuple(course),
        trend=find_trend(course, sum(row["points"] for row in own)),
    )
