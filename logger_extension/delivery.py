"""One collector as the channels see it: tries, pauses, and a breaker.

State: the breaker, how long answers took, and when the last one came. A send lasts no longer than
its `Window`; whoever waits for it asks how long that is worth, and may leave it over a freeze. Must
not know queues, invocations, nor what a body holds.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from logger_extension.patience import wait_within
from logger_extension.policy.outcome import Delivered, Outcome, Undelivered
from logger_extension.policy.retry import Breaker, draw_pause_ms

# Where answers usually take long, twice as long is waited for before a collector counts as silent.
PATIENCE_FACTOR = 2.0

# How much of the longest answer so far is kept with each shorter one.
MEMORY = 0.9

# Then the breaker opens, however long the window is: tries that fail are no use to anybody.
MOST_TRIES = 5

# Where a freeze came between, an answer seems to take for ever.
MOST_USUAL_S = 1.0
MOST_PATIENCE_S = PATIENCE_FACTOR * MOST_USUAL_S

MS_PER_S = 1_000


class Exporter(Protocol):
    """What a delivery needs of an exporter."""

    async def connect(self) -> bool:
        """Make a connection ahead of the first request; return whether that succeeded."""

    async def export(self, body: bytes) -> Outcome:
        """Send one serialized request."""


@dataclass(slots=True)
class Window:
    """The time in which a flush may send. Seconds of a clock that does not jump.

    Attributes:
        ends_s: when it is over; may be moved while it lasts.
        patience_s: how long after it was asked a collector is asked again that does not take it;
            None as long as the window lasts. Its answer is awaited for longer.
        grace_s: what is waited beyond when a freeze came between, see `patience`; 0 where none can.
        is_last: whether there is no later chance: then an open breaker does not count.
        reserve_s: how much of it is to be left; asked again as data goes out. None for nothing.
        is_left: whether nobody waits for the flush any more: then nothing more is begun, but what
            has been asked may be answered, even after a freeze.
    """

    ends_s: float
    patience_s: float | None = None
    grace_s: float = 0.0
    is_last: bool = False
    reserve_s: Callable[[], float] | None = None
    is_left: bool = False

    def find_end_s(self) -> float:
        """Return when it is over, as things stand."""
        return self.ends_s if self.reserve_s is None else self.ends_s - self.reserve_s()


class Reporting(NamedTuple):
    """Where a delivery tells what it did; numbers only.

    Attributes:
        took: told of each try: seconds, and `error.type`, empty for success.
        retried: told of each further try.
    """

    took: Callable[[float, str], None]
    retried: Callable[[], None]


class Delivery:
    """Sends through an exporter, again where that may help.

    Args:
        exporter: sends a request once.
        timeout_ms: the most that one try may take; 0 is no limit of its own.
        clock_s: a clock that does not jump.
        draw: a number from 0 to 1 by chance.
        reporting: is told of tries.

    Attributes:
        is_slow: whether it has not answered since an invocation ran out of patience with it.
    """

    def __init__(
        self,
        exporter: Exporter,
        timeout_ms: int,
        clock_s: Callable[[], float],
        draw: Callable[[], float],
        reporting: Reporting,
    ) -> None:
        self._exporter = exporter
        self._timeout_s = timeout_ms / MS_PER_S or float("inf")
        self._clock_s = clock_s
        self._draw = draw
        self._reporting = reporting
        self._breaker = Breaker()
        self._usual_s = 0.0
        # How long a collector was waited for that has not answered since; 0 where none is owed.
        self._waited_s = 0.0
        # When each request that is out was sent: two channels may send at a time.
        self._out_s: list[float] = []
        self._answered_s = float("-inf")
        self.is_slow = False

    @property
    def is_away(self) -> bool:
        """Whether the collector is not to be asked now."""
        return self._breaker.is_open(self._clock_s() * MS_PER_S)

    async def connect(self) -> None:
        """Connect while nobody waits, and learn how long that takes: an answer may take as long."""
        began_s = self._clock_s()
        if await self._exporter.connect() and not self._usual_s:
            self._usual_s = min(self._clock_s() - began_s, MOST_USUAL_S)

    async def send(self, body: bytes, window: Window) -> Outcome:
        """Send one request; while the window lasts, again if the collector may take it later."""
        asked_s = self._clock_s()
        # Pauses between tries count as well: whoever waits for us waits for them, too.
        self._out_s.append(asked_s)
        try:
            return await self._send_again(body, window, asked_s)
        finally:
            self._out_s.remove(asked_s)
            if not self._out_s:
                self._waited_s = 0.0

    async def _send_again(self, body: bytes, window: Window, asked_s: float) -> Outcome:
        tries = 0
        while True:
            if self.is_away and not window.is_last:
                return Undelivered("the collector did not answer lately and is not asked now")
            is_left = window.is_left and not window.is_last
            if is_left or self._clock_s() >= window.find_end_s():
                # Nobody was asked, so nobody has failed: encoding took all there was.
                return Undelivered("there was no time left to send it")
            outcome = await self._try_once(body, window)
            if not isinstance(outcome, Undelivered):
                self._breaker = Breaker()
                return outcome
            tries += 1
            pause_s = draw_pause_ms(tries, outcome.retry_after_ms, self._draw()) / MS_PER_S
            is_enough = tries >= MOST_TRIES and not window.is_last
            if is_enough or self._clock_s() + pause_s >= self._limit_s(window, asked_s):
                self._open_breaker(outcome.retry_after_ms)
                return outcome
            await asyncio.sleep(pause_s)
            self._reporting.retried()

    def measure_patience_s(self, budget_s: float) -> float:
        """Return how much longer a request that is out may go unanswered; infinite without one."""
        now_s = self._clock_s()
        return min(
            (asked_s + self._patience_s(asked_s, budget_s) - now_s for asked_s in self._out_s),
            default=float("inf"),
        )

    def give_up_silent(self, budget_s: float) -> None:
        """Ask no more for a while, if a request has been out for longer; once for each."""
        if self.measure_patience_s(budget_s) <= 0 and not self._waited_s:
            self.is_slow = True
            self._waited_s = self._find_budget_s(budget_s)
            self._open_breaker(None)

    def _open_breaker(self, asked_ms: float | None) -> None:
        if not self.is_away:
            now_ms = self._clock_s() * MS_PER_S
            self._breaker = self._breaker.fail(now_ms, asked_ms, self._draw())

    async def _try_once(self, body: bytes, window: Window) -> Outcome:
        began_s = self._clock_s()

        def remaining_s() -> float:
            return min(window.find_end_s(), began_s + self._timeout_s) - self._clock_s()

        try:
            outcome = await wait_within(
                self._exporter.export(body), remaining_s, find_grace_s=lambda: window.grace_s
            )
        except TimeoutError:
            self.is_slow = self.is_slow or window.patience_s is not None
            self._reporting.took(self._clock_s() - began_s, "timeout")
            return Undelivered("no answer in time")
        took_s = self._clock_s() - began_s
        self._reporting.took(
            took_s, "" if isinstance(outcome, Delivered) else type(outcome).__name__
        )
        if not isinstance(outcome, Undelivered):
            self._answered_s = self._clock_s()
            self._learn(took_s, may_freeze=window.grace_s > 0)
            self.is_slow = False
        return outcome

    def _learn(self, took_s: float, *, may_freeze: bool) -> None:
        """Note how long an answer took; with a freeze in it, it took at most that long."""
        if self._waited_s:
            # It took longer than it was waited for: how much longer, only a longer wait can tell.
            # Where the longest was in vain, it begins anew: each would be as dear.
            usual_s = min(max(self._waited_s, self._usual_s), MOST_USUAL_S)
            self._usual_s = usual_s if self._waited_s < MOST_PATIENCE_S else 0.0
        elif not self._usual_s or (may_freeze and took_s < self._usual_s):
            self._usual_s = min(took_s, MOST_USUAL_S)
        elif not may_freeze:
            self._usual_s = min(max(took_s, self._usual_s * MEMORY), MOST_USUAL_S)

    def _limit_s(self, window: Window, asked_s: float) -> float:
        """Return until when a send that began at `asked_s` tries again."""
        if window.patience_s is None:
            return window.find_end_s()
        return min(window.find_end_s(), asked_s + self._patience_s(asked_s, window.patience_s))

    def _patience_s(self, asked_s: float, budget_s: float) -> float:
        """Return how long after it was asked the collector may be silent.

        An answer to somebody else meanwhile is a sign of life as well.
        """
        return max(0.0, self._answered_s - asked_s) + self._find_budget_s(budget_s)

    def _find_budget_s(self, budget_s: float) -> float:
        return max(budget_s, PATIENCE_FACTOR * self._usual_s)
