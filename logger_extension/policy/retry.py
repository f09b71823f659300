"""When a collector that did not take a request is asked again.

Two things follow from a failure: a pause before the next try within the same flush, and a breaker,
which keeps further flushes from trying at all for a while. Pauses grow exponentially and are drawn
by chance ("the interval between retries must have a random jitter",
https://opentelemetry.io/docs/specs/otlp/#otlphttp-connection); what the collector asks for with
Retry-After or RetryInfo is the least. Pure: time and chance are passed in.
"""

from typing import NamedTuple

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 20.0, 5_000.0

# The breaker stays open from a second up to a minute: a collector that is back is found soon, one
# that is gone costs one try a minute.
FIRST_OPEN_MS, LONGEST_OPEN_MS = 1_000.0, 60_000.0

# A collector that asks for more than this is mistaken about a clock, or about us.
LONGEST_ASKED_MS = 15 * 60 * 1000.0

# The exponent has an end, so that 2.0**n never overflows.
MOST_DOUBLINGS = 16


def draw_pause_ms(tries: int, asked_ms: float | None, chance: float) -> float:
    """Return the pause before the next try: exponential, with full jitter.

    Args:
        tries: how many have failed, 1 or more.
        asked_ms: the pause that the collector asks for, None when it does not.
        chance: 0 to 1.
    """
    doublings = min(tries - 1, MOST_DOUBLINGS)
    pause_ms = chance * min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2.0**doublings)
    # What is asked for is waited for, and the herd that was told the same is still scattered.
    return pause_ms + min(asked_ms or 0.0, LONGEST_ASKED_MS)


class Breaker(NamedTuple):
    """Whether a collector may be asked. A value: each outcome gives the next one.

    Attributes:
        failures: flushes in a row that ended in a failure.
        closed_at_ms: when it may be asked again, by a clock that does not jump.
    """

    failures: int = 0
    closed_at_ms: float = 0.0

    def is_open(self, now_ms: float) -> bool:
        """Return whether nothing is to be tried now."""
        return now_ms < self.closed_at_ms

    def fail(self, now_ms: float, asked_ms: float | None, chance: float) -> "Breaker":
        """Return the breaker after a flush that ended in a failure: it opens."""
        doublings = min(self.failures, MOST_DOUBLINGS)
        longest_ms = min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2.0**doublings)
        # At least half of it: a breaker that closes at once would be none.
        open_ms = longest_ms * (0.5 + chance / 2)
        asked_ms = min(asked_ms or 0.0, LONGEST_ASKED_MS)
        return Breaker(self.failures + 1, now_ms + max(open_ms, asked_ms))
