"""Figures as words."""

import pytest

from cost_report.values import Interval
from cost_report.wording import say_bounds, say_change, say_percent, say_range


@pytest.mark.parametrize(
    ("share", "spread", "words"),
    [
        (0.1234, 0.03, "12 %"),
        (0.1234, 0.003, "12.3 %"),
        (0.1234, 0.0003, "12.34 %"),
        (0.2, 0.0, "20.0 %"),
        (0.95, 1.0, "95 %"),
    ],
)
def test_a_share_has_the_digits_that_make_sense(share: float, spread: float, words: str) -> None:
    """No more than what it is sure of."""
    assert say_percent(share, spread) == words


def test_a_change_has_a_direction() -> None:
    """No minus sign in a sentence."""
    assert say_change(-0.12) == "12 % less"
    assert say_change(0.03) == "3 % more"


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(-0.12, -0.15, -0.09), "12 % ± 3 % less"),
        (Interval(0.02, 0.016, 0.023), "2.0 % ± 0.4 % more"),
        (Interval(-0.12, -0.20, -0.09), "12 % less (9 % to 20 % less)"),
        (Interval(-0.02, -0.04, 0.01), "2 % less (4 % less to 1 % more)"),
        (Interval(-0.25, -0.25, -0.25), "25.0 % less"),
        (Interval(0.0, 0.0, 0.0), "0.0 % more"),
        (Interval(-0.5, -0.5, 0.0), "50 % less (0 % to 50 % less)"),
    ],
)
def test_a_range_is_said_as_short_as_it_is_true(interval: Interval, words: str) -> None:
    """± where it is about as wide on both sides, else both ends."""
    assert say_range(interval) == words


def test_bounds_name_the_smaller_change_first() -> None:
    """Of the same direction; of two directions the lower end."""
    assert say_bounds(Interval(0.3, 0.1, 0.4)) == "10 % to 40 % more"
    assert say_bounds(Interval(-0.3, -0.4, -0.1)) == "10 % to 40 % less"
    assert say_bounds(Interval(0.0, -0.1, 0.4)) == "10 % less to 40 % more"
