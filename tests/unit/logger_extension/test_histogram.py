"""Explicit and exponential buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.histogram import (
    MAX_BUCKETS,
    MAX_SCALE,
    ExplicitHistogram,
    ExponentialHistogram,
    find_index,
)
from tests.support.laws import LAW

values = st.floats(0, 1e9)
positive_values = st.floats(1e-9, 1e9)


def test_a_value_on_a_bound_belongs_below_it() -> None:
    """Bounds are inclusive upwards, as the data model says."""
    histogram = ExplicitHistogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 2.5):
        histogram.record(value)
    assert histogram.counts == [2, 2, 1]
    assert (histogram.count, histogram.sum) == (5, 7.5)
    assert (histogram.min, histogram.max) == (0.5, 2.5)


@pytest.mark.parametrize(
    ("value", "scale", "index"),
    [
        (1.0, 0, -1),
        (1.5, 0, 0),
        (2.0, 0, 0),
        (4.0, 0, 1),
        (4.0, 1, 3),
        (3.0, 1, 3),
        (4.0, -1, 0),
        (5.0, -1, 1),
        (0.5, 0, -2),
        (0.5, -1, -1),
        (1.0, MAX_SCALE, -1),
        (2.0, MAX_SCALE, 2**MAX_SCALE - 1),
    ],
)
def test_exact_powers_belong_below(value: float, scale: int, index: int) -> None:
    """Bucket i ends with base^(i+1), inclusively."""
    assert find_index(value, scale) == index


@LAW
@given(value=positive_values, scale=st.integers(-4, 10))
def test_a_value_lies_within_its_bucket(value: float, scale: int) -> None:
    """Above the lower bound and up to the upper one, but for the rounding of both."""
    index = find_index(value, scale)
    base = 2.0 ** (2.0**-scale)
    assert base**index * (1 - 1e-9) <= value <= base ** (index + 1) * (1 + 1e-9)


@LAW
@given(recorded=st.lists(values, max_size=200))
def test_every_value_is_in_one_exponential_bucket(recorded: list[float]) -> None:
    """Counts add up, and there are never more buckets than allowed."""
    histogram = ExponentialHistogram()
    for value in recorded:
        histogram.record(value)
    assert histogram.zero_count == recorded.count(0)
    assert histogram.zero_count + sum(histogram.counts) == histogram.count == len(recorded)
    assert len(histogram.counts) <= MAX_BUCKETS


@LAW
@given(recorded=st.lists(positive_values, min_size=1, max_size=100))
def test_the_scale_is_as_fine_as_the_values_allow(recorded: list[float]) -> None:
    """One step finer, the smallest and the largest value would be too many buckets apart."""
    histogram = ExponentialHistogram()
    for value in recorded:
        histogram.record(value)
    if histogram.scale < MAX_SCALE:
        finer = histogram.scale + 1
        apart = find_index(max(recorded), finer) - find_index(min(recorded), finer)
        # A value next to a bound may have been counted in the neighbour.
        assert apart + 2 >= MAX_BUCKETS


def test_only_zeros() -> None:
    """No buckets at all."""
    histogram = ExponentialHistogram()
    histogram.record(0)
    assert (histogram.zero_count, histogram.counts, histogram.offset) == (1, [], 0)
