"""What every report answers with: a figure with its range, or the sentence why there is none.

Plain frozen values, so that a test can compare them and any view can print them. Must not know how
they come about.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the range that holds it: `low` <= `estimate` <= `high`, in the same unit."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class NotEnoughData:
    """There is no figure; `reason` is a sentence that says what is missing."""

    reason: str
