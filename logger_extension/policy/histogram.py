"""Distributions of values that are never negative: explicit and base-2 exponential buckets.

Owns the arithmetic of the data model
(https://opentelemetry.io/docs/specs/otel/metrics/data-model/#histogram and #exponentialhistogram).
Must not know what is measured, nor times.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import floor, frexp, inf, ldexp, log

# The specification's defaults: so many buckets, and the finest scale.
MAX_BUCKETS = 160
MAX_SCALE = 20

# frexp gives this mantissa for an exact power of two.
HALF = 0.5


class Histogram:
    """Count, sum, smallest and largest value; subclasses hold the buckets.

    State: all of it; `record` changes it.
    """

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.min = inf
        self.max = -inf

    def record(self, value: float) -> None:
        """Take one value, not negative."""
        self.count += 1
        self.sum += value
        self.min = min(self.min, value)
        self.max = max(self.max, value)


class ExplicitHistogram(Histogram):
    """A histogram with given bounds; a value equal to a bound belongs below it.

    Attributes:
        counts: one more than there are bounds.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        super().__init__()
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)

    def record(self, value: float) -> None:
        """Take one value, not negative."""
        super().record(value)
        self.counts[bisect_left(self.bounds, value)] += 1


class ExponentialHistogram(Histogram):
    """A histogram whose bucket i holds values above base^i up to base^(i+1), base = 2^(2^-scale).

    It starts at the finest scale and halves it whenever the buckets would become too many.

    Attributes:
        scale: the current scale; 0 while there are only zeros.
        zero_count: how many values were 0.
        buckets: counts by index, without the empty ones.
    """

    def __init__(self, max_buckets: int = MAX_BUCKETS) -> None:
        super().__init__()
        self.scale = 0
        self.zero_count = 0
        self.buckets: dict[int, int] = {}
        self._max_buckets = max_buckets

    def record(self, value: float) -> None:
        """Take one value, not negative."""
        super().record(value)
        if value == 0:
            self.zero_count += 1
            return
        if not self.buckets:
            self.scale = MAX_SCALE
        index = find_index(value, self.scale)
        low, high = min(self.buckets, default=index), max(self.buckets, default=index)
        low, high = min(low, index), max(high, index)
        if high - low >= self._max_buckets:
            self._widen(low, high)
            index = find_index(value, self.scale)
        self.buckets[index] = self.buckets.get(index, 0) + 1

    @property
    def offset(self) -> int:
        """The index of the first bucket."""
        return min(self.buckets, default=0)

    @property
    def counts(self) -> list[int]:
        """The counts of all buckets from the first to the last, empty ones included."""
        if not self.buckets:
            return []
        return [self.buckets.get(i, 0) for i in range(self.offset, max(self.buckets) + 1)]

    def _widen(self, low: int, high: int) -> None:
        """Halve the scale until buckets `low` to `high` fit; two neighbours become one."""
        change = 0
        while (high >> change) - (low >> change) >= self._max_buckets:
            change += 1
        self.scale -= change
        fine, self.buckets = self.buckets, {}
        for index, count in fine.items():
            self.buckets[index >> change] = self.buckets.get(index >> change, 0) + count


def find_index(value: float, scale: int) -> int:
    """Return the bucket of a value above 0 at a scale.

    Between powers of two it goes by the logarithm, whose rounding may choose the neighbour for a
    value next to a bound; the data model allows it.
    """
    mantissa, exponent = frexp(value)
    if scale > 0 and mantissa != HALF:
        return floor(log(value) * ldexp(1 / log(2), scale))
    if scale > 0:
        return ((exponent - 1) << scale) - 1
    # An upper bound belongs to its bucket, so an exact power of two is one lower.
    return (exponent - 1 - (mantissa == HALF)) >> -scale
