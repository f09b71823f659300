"""Whether costs rise or fall."""

import numpy as np
import pytest

from cost_report.trends import LEAST_POINTS, Direction, Trend, find_trend
from cost_report.values import NotEnoughData

MANY = 1_000


def find(course: list[float]) -> Trend:
    """Return the trend of a course with data enough."""
    trend = find_trend(course, MANY)
    assert isinstance(trend, Trend)
    return trend


def test_more_in_the_second_half_is_rising() -> None:
    """With the change as a share of the first half."""
    trend = find([1.0, 1.1, 0.9, 1.0, 1.0, 1.0, 1.2, 1.3, 1.2, 1.1, 1.2, 1.2])
    assert trend.direction is Direction.RISING
    assert trend.change.estimate == pytest.approx(0.2)
    assert 0 < trend.change.low < 0.2 < trend.change.high


def test_less_in_the_second_half_is_falling() -> None:
    """Never by more than everything."""
    trend = find([1.0, 3.0, 0.1, 2.0, 0.0, 0.0, 0.0, 0.0])
    assert trend.direction is Direction.FALLING
    assert (trend.change.estimate, trend.change.low) == (-1.0, -1.0)


def test_noise_is_no_trend() -> None:
    """Of 40 courses without any, hardly one may be told as one."""
    draw = np.random.default_rng(5)
    told = [find(list(draw.gamma(2.0, 1.0, 24))).direction for _ in range(40)]
    assert told.count(Direction.NONE) >= 36


def test_what_is_constant_does_not_change() -> None:
    """Not even in the last digit."""
    trend = find([1e-7] * 24)
    assert trend.direction is Direction.NONE
    assert trend.change.estimate == pytest.approx(0.0, abs=1e-12)


def test_the_middle_of_an_odd_number_is_in_neither_half() -> None:
    """Nine stretches are four before and four after."""
    course = [1.0] * 4 + [1e9] + [1.0] * 4
    assert find(course).change.estimate == 0


@pytest.mark.parametrize(
    ("course", "points", "reason"),
    [
        ([1.0] * 24, LEAST_POINTS - 1, "11 data points; a trend needs 12"),
        ([1.0] * 7, MANY, "7 stretches of time; a trend needs 8"),
        ([0.0] * 12 + [1.0] * 12, MANY, "no costs in the first half"),
    ],
)
def test_what_is_not_enough_is_said(course: list[float], points: int, reason: str) -> None:
    """In place of a figure."""
    trend = find_trend(course, points)
    assert isinstance(trend, NotEnoughData)
    assert reason in trend.reason
