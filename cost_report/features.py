"""What each feature costs, from the sum `aws.lambda.feature.cost`, and where it is going.

Owns increments of sums (delta and cumulative alike), the ranking and the trend. Must not know how
costs were divided among features.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import ibis.expr.types as ir

from cost_report.columns import ALWAYS, Period
from cost_report.values import Interval, NotEnoughData


class Direction(StrEnum):
    """Where costs go; NONE where the interval does not tell."""

    RISING = "rising"
    FALLING = "falling"
    NONE = "no clear trend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How costs of equal stretches of time follow each other.

    Attributes:
        direction: only rising or falling where the interval leaves out 0.
        change: from the first half to the second, as a share of the first (0.1 is 10 % more).
    """

    direction: Direction
    change: Interval


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
    stretches: int = 12,
) -> FeatureReport | NotEnoughData:
    """Return what features cost in a period.

    Args:
        sums: `otel_metrics_sum`; None where there is no such table.
        period: when.
        functions: only these; all where none is named.
        by_version: whether versions are told apart.
        stretches: into how many equal parts the time is divided for the trend.
    """
    raise NotImplementedError
