"""A point in time by which something must be over.

Lambda's `deadlineMs` is an absolute time (epoch, milliseconds), not a duration; taking one for the
other makes an extension wait forever or not at all. A `Deadline` cannot be mistaken for a duration.
Must not read a clock: the caller says what time it is.
"""

from typing import NamedTuple


class Deadline(NamedTuple):
    """An absolute time in epoch milliseconds."""

    epoch_ms: float

    @classmethod
    def after(cls, now_ms: float, duration_ms: float) -> "Deadline":
        """Return the deadline that lies `duration_ms` after `now_ms`."""
        return cls(now_ms + duration_ms)

    def less(self, margin_ms: float) -> "Deadline":
        """Return a deadline that is earlier by a margin."""
        return Deadline(self.epoch_ms - margin_ms)

    def earlier(self, other: "Deadline") -> "Deadline":
        """Return whichever of the two comes first."""
        return self if self.epoch_ms <= other.epoch_ms else other

    def remaining_s(self, now_ms: float) -> float:
        """Return the seconds left at `now_ms`, never negative."""
        return max(0.0, (self.epoch_ms - now_ms) / 1000)
