"""How invocations follow each other in this sandbox.

A value that is replaced with each INVOKE: a smoothed gap, which says when the next chance to send
may come. The wall clock is passed in, because a frozen sandbox is a gap like any other.
"""

from typing import NamedTuple

# A new gap counts for this much: a burst is noticed within a few invocations, and so is its end.
WEIGHT = 0.3

# Before so many gaps were seen nothing is expected of the next one.
ENOUGH_GAPS = 3


class Rhythm(NamedTuple):
    """What is known of the gaps between INVOKE events.

    Attributes:
        last_ms: when the last one came, None before the first.
        smoothed_ms: the smoothed gap, 0 before the first gap.
        gaps: how many gaps were seen.
    """

    last_ms: float | None = None
    smoothed_ms: float = 0.0
    gaps: int = 0

    @property
    def gap_ms(self) -> float | None:
        """The gap to expect, None while too little is known."""
        return self.smoothed_ms if self.gaps >= ENOUGH_GAPS else None

    def invoked(self, now_ms: float) -> "Rhythm":
        """Return what is known after an INVOKE; a clock that was set back makes a gap of 0."""
        if self.last_ms is None:
            return self._replace(last_ms=now_ms)
        gap_ms = max(0.0, now_ms - self.last_ms)
        smoothed_ms = self.smoothed_ms + WEIGHT * (gap_ms - self.smoothed_ms)
        return Rhythm(now_ms, smoothed_ms if self.gaps else gap_ms, self.gaps + 1)
