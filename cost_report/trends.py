"""Whether costs of equal stretches of time rise or fall. Pure.

The first half of the stretches is compared with the second by a bootstrap over stretches. Must not
know what the costs are of.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cost_report.bootstrap import draw_all, find_interval, make_sample
from cost_report.values import Interval, NotEnoughData

# Fewer data points, or stretches in a half, tell nothing.
LEAST_POINTS = 12
_LEAST_STRETCHES = 4

# Bootstrap intervals of so few values are too narrow, so more is asked for than the usual 95 %.
CONFIDENCE = 0.99


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


def find_trend(course: Sequence[float], points: int) -> Trend | NotEnoughData:
    """Return where costs go.

    Args:
        course: costs of each stretch of time, oldest first; of an odd number the middle one is left
            out.
        points: how many data points they were added up from.
    """
    half = len(course) // 2
    if points < LEAST_POINTS:
        return NotEnoughData(f"{points} data points; a trend needs {LEAST_POINTS}")
    if half < _LEAST_STRETCHES:
        least = 2 * _LEAST_STRETCHES
        return NotEnoughData(f"{len(course)} stretches of time; a trend needs {least}")
    first, second = make_sample(course[:half]), make_sample(course[-half:])
    if not first.mean:
        return NotEnoughData("no costs in the first half of the time to compare with")
    drawn = draw_all({"first": first, "second": second})
    # In terms of the first half as it was: a resample of it may well be 0.
    change = find_interval(
        (second.mean - first.mean) / first.mean,
        (drawn["second"] - drawn["first"]) / first.mean,
        CONFIDENCE,
    )
    # Costs are not below nothing.
    change = replace(change, low=max(change.low, -1.0))
    direction = Direction.NONE
    if change.low > 0:
        direction = Direction.RISING
    elif change.high < 0:
        direction = Direction.FALLING
    return Trend(direction=direction, change=change)
