"""Means of resamples and the intervals that they give."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_report.bootstrap import (
    RESAMPLES,
    compress,
    draw_all,
    draw_means,
    find_interval,
    make_sample,
)

PICO = 10**12
AMOUNTS = st.lists(st.integers(1, 10**8).map(lambda pico: pico / PICO), min_size=1, max_size=60)
COUNTS = st.lists(st.tuples(st.integers(1, 10**8), st.integers(1, 10**6)), min_size=1, max_size=40)


def test_the_spread_is_that_of_the_mean() -> None:
    """Of many values the resamples spread as theory says: by the deviation over the root of n."""
    values = np.random.default_rng(1).lognormal(0, 1, 20_000)
    sample = make_sample(values)
    means = draw_means(sample, np.random.default_rng(2))
    assert len(means) == RESAMPLES
    assert means.mean() == pytest.approx(sample.mean, rel=1e-3)
    assert means.std() == pytest.approx(values.std() / np.sqrt(len(values)), rel=0.05)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of 80 samples of 60, the 95 % intervals hold the mean of what they were drawn from."""
    draw = np.random.default_rng(3)
    held = 0
    for _ in range(80):
        sample = make_sample(draw.gamma(4.0, 1.0, 60))
        drawn = draw_means(sample, draw)
        interval = find_interval(sample.mean, drawn, 0.95)
        held += interval.low <= 4.0 <= interval.high
    assert 70 <= held <= 79


def test_a_million_rows_are_their_different_values() -> None:
    """What counts is how many values differ, not how often each came."""
    sample = make_sample([1e-6, 2e-6, 3e-6], [700_000, 200_000, 100_000])
    assert sample.size == 1_000_000
    assert sample.mean == pytest.approx(1.4e-6)
    assert len(compress(sample).values) == 3


def test_many_values_are_put_together_and_keep_mean_and_spread() -> None:
    """A long tail is not flattened, nor is the bulk beside one far value."""
    draw = np.random.default_rng(4)
    for values in (
        draw.lognormal(0, 1.5, 50_000),
        np.append(draw.normal(100, 1, 50_000), 1e5),
        draw.uniform(0, 1, 50_000),
    ):
        sample = make_sample(values)
        small = compress(sample)
        assert len(small.values) <= 1_000
        assert small.size == sample.size
        assert small.mean == pytest.approx(sample.mean, rel=1e-9)
        spread = np.sqrt(np.cov(small.values, fweights=small.counts))
        assert spread == pytest.approx(values.std(), rel=0.01)


@given(values=AMOUNTS, seed=st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(values: list[float], seed: int) -> None:
    """Nor whether equal values came together: an engine may return them in any order."""
    shuffled = list(values)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    counted = make_sample(sorted(set(values)), [values.count(v) for v in sorted(set(values))])
    drawn = [draw_all({"x": sample})["x"] for sample in (make_sample(shuffled), counted)]
    assert (drawn[0] == drawn[1]).all()


@given(pairs=COUNTS, confidence=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_holds_its_estimate(pairs: list[tuple[int, int]], confidence: float) -> None:
    """Also where all values are equal, or one alone stands for nearly everything."""
    values, counts = zip(*pairs, strict=True)
    sample = make_sample([value / PICO for value in values], counts)
    interval = find_interval(sample.mean, draw_all({"x": sample})["x"], confidence)
    assert interval.low <= interval.estimate == sample.mean <= interval.high


@given(first=AMOUNTS, second=AMOUNTS)
def test_the_order_of_samples_does_not_matter(first: list[float], second: list[float]) -> None:
    """What is drawn for a name is the same, whichever is named first."""
    a, b = make_sample(first), make_sample(second)
    one, other = draw_all({"a": a, "b": b}), draw_all({"b": b, "a": a})
    assert (one["a"] == other["a"]).all()
    assert (one["b"] == other["b"]).all()
