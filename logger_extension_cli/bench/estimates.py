"""From values to figures with an interval: pure arithmetic, the same for the same values.

Owns the bootstrap: the median of values drawn again and again from those measured, with replacement
(Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13: percentile intervals).
Must not know cases or files.
"""

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from logger_extension_cli.bench.measurements import Measurement

RESAMPLES = 1_000
CONFIDENCE = 0.95
SEED = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median, and the ends of the interval that holds it with a given confidence."""

    median: float
    low: float
    high: float


def find_effects(measured: Measurement, baseline: Measurement) -> list[float]:
    """Return how a subject compares with its baseline in each round, as ratio or difference.

    Rounds that only one of them has are left out. Pairs, because what moved both of a round, such
    as another process on the machine, does not count then.
    """
    pairs = zip(measured.values, baseline.values, strict=False)
    if measured.relation == "difference":
        return [value - base for value, base in pairs]
    return [value / base for value, base in pairs if base]


def estimate_median(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Return the median with its interval.

    Args:
        values: one or more.
        confidence: such as 0.95.
    """
    low, high = _find_interval(_draw_medians(values, _make_random()), confidence)
    return Estimate(statistics.median(values), low, high)


def estimate_change(
    old: Sequence[float], new: Sequence[float], confidence: float = CONFIDENCE
) -> Estimate:
    """Return the median of `new` less that of `old`, with its interval."""
    drawn = _make_random()
    changes = [
        after - before
        for before, after in zip(_draw_medians(old, drawn), _draw_medians(new, drawn), strict=True)
    ]
    low, high = _find_interval(changes, confidence)
    return Estimate(statistics.median(new) - statistics.median(old), low, high)


def fit_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return `k` of cost = a * size**k, by least squares of the logarithms.

    Raises:
        ValueError: there are fewer than two sizes.
    """
    try:
        slope, _ = statistics.linear_regression(
            [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
        )
    except statistics.StatisticsError as error:
        raise ValueError(f"no exponent of {len(sizes)} sizes: {error}") from error
    return slope


def _make_random() -> random.Random:
    """Return the same numbers each time, so that the same values have the same interval."""
    return random.Random(SEED)  # noqa: S311  (nothing is secret here)  # nosec B311


def _draw_medians(values: Sequence[float], drawn: random.Random) -> list[float]:
    return [statistics.median(drawn.choices(values, k=len(values))) for _ in range(RESAMPLES)]


def _find_interval(values: Sequence[float], confidence: float) -> tuple[float, float]:
    ordered = sorted(values)
    cut = round(len(ordered) * (1 - confidence) / 2)
    return ordered[cut], ordered[-1 - cut]
