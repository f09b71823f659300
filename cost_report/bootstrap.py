"""How sure a difference is: bootstrap of means from a sample, drawn with a fixed seed. Pure.

A sample is its different values and how often each came, so that a million invocations are drawn
as fast as a thousand: a resample of n rows with replacement is one multinomial draw of n over the
values. Must not know what the values are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cost_report.values import Interval

RESAMPLES = 4_000
_SEED = 20_140_113
# More values than this are put together with their neighbours.
_MOST_VALUES = 1_000

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Different values, ascending, and how often each came; at least one."""

    values: Floats
    counts: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many values there are, the equal ones too."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(self.values @ self.counts / self.size)


def make_sample(values: ArrayLike, counts: ArrayLike | None = None) -> Sample:
    """Return a sample, whatever the order of the values; equal ones need not be together.

    Args:
        values: one dimension, finite, at least one.
        counts: how often each came, whole and above 0; once each where it is None.
    """
    different, place = np.unique(np.asarray(values, np.float64), return_inverse=True)
    weights = None if counts is None else np.asarray(counts, np.float64)
    return Sample(different, np.bincount(place, weights).astype(np.int64))


def compress(sample: Sample, most: int = _MOST_VALUES) -> Sample:
    """Return a sample of at most `most` values: neighbours are put together at their mean.

    The mean stays, and of the spread only what lies within such a group is lost: edges are drawn by
    equal count and by equal distance, so that neither the bulk nor a long tail is flattened.
    """
    if len(sample.values) <= most:
        return sample
    edges = most // 2
    low, high = sample.values[0], sample.values[-1]
    by_distance = np.minimum((sample.values - low) / (high - low) * edges, edges - 1)
    by_count = (np.cumsum(sample.counts) - sample.counts) / sample.size * edges
    steps = np.diff(by_distance.astype(np.int64)) | np.diff(by_count.astype(np.int64))
    starts = np.flatnonzero(np.concatenate(([1], steps)))
    counts = np.add.reduceat(sample.counts, starts)
    return Sample(np.add.reduceat(sample.values * sample.counts, starts) / counts, counts)


def draw_means(sample: Sample, draw: np.random.Generator) -> Floats:
    """Return the means of RESAMPLES resamples."""
    drawn = compress(sample)
    shares = drawn.counts / drawn.size
    counts = draw.multinomial(drawn.size, shares, RESAMPLES)
    means: Floats = counts @ drawn.values / drawn.size
    return means


def draw_all(samples: Mapping[str, Sample]) -> dict[str, Floats]:
    """Return the means of resamples of each, independent of each other.

    What is drawn for a name does not depend on the order of the samples, so that comparing two the
    other way round gives the same figures with the other sign.
    """
    draw = np.random.default_rng(_SEED)
    return {name: draw_means(samples[name], draw) for name in sorted(samples)}


def find_interval(estimate: float, drawn: Floats, confidence: float) -> Interval:
    """Return the percentile interval of what was drawn, and the estimate.

    Where all rows are equal, so are all resamples, but for the last digit: the estimate is always
    in the interval.
    """
    tail = (1 - confidence) / 2 * 100
    low, high = (float(each) for each in np.percentile(drawn, (tail, 100 - tail)))
    return Interval(estimate, min(low, estimate), max(high, estimate))
