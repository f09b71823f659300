"""A run of `auto` from invocation to invocation: how old data gets before it is sent.

The run is simulated: time, the freeze between invocations, a flush beside the handler that a freeze
interrupts. Only the decisions and the rhythm are the real ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.flush import (
    Action,
    FlushRules,
    Reason,
    Situation,
    decide_beside,
    decide_invocation,
)
from logger_extension.policy.rhythm import Rhythm
from tests.support.laws import LAW

NOW_MS = 1_795_427_494_000.0
TIMEOUT_MS = 900_000.0

# How often something comes that lets us look again.
LOOK_MS = 250.0


@dataclass(frozen=True)
class Step:
    """One invocation: the pause before it, its handler, and how long a flush takes in it."""

    pause_ms: float
    handler_ms: float
    flush_ms: float


class Run:
    """What a sandbox goes through; data comes at the beginning and at the end of each handler.

    Args:
        rules: the settings.
        has_spare_cpu: whether work goes on beside handlers.

    Attributes:
        oldest_ms: the greatest age that any data had when it was delivered, or has.
        reasons: of all decisions, in order.
    """

    def __init__(self, rules: FlushRules, *, has_spare_cpu: bool) -> None:
        self._rules = rules
        self._has_spare_cpu = has_spare_cpu
        self._now_ms = NOW_MS
        self._rhythm = Rhythm()
        self._waiting_since_ms: float | None = None
        self._flush_ms: float | None = None
        self._flush_began_ms = float("-inf")
        # What is under way beside the handler: what is left to do, and the age of what it sends.
        self._left_ms = 0.0
        self._sending_since_ms: float | None = None
        self.oldest_ms = 0.0
        self.reasons: list[Reason] = []

    def go(self, step: Step) -> None:
        """Go through one invocation."""
        self._now_ms += step.pause_ms
        self._measure()
        self._rhythm = self._rhythm.invoked(self._now_ms)
        decision = decide_invocation(self._rules, self._describe())
        self.reasons.append(decision.reason)
        if decision.action is Action.BESIDE:
            self._begin(step.flush_ms)
        self._note_data()
        self._run_for(step.handler_ms, decision.action, step.flush_ms)
        self._note_data()
        if decision.action is Action.END:
            self._run_for(self._left_ms, Action.END, step.flush_ms)
            self._begin(step.flush_ms)
            self._run_for(step.flush_ms, Action.END, step.flush_ms)

    def _note_data(self) -> None:
        if self._waiting_since_ms is None:
            self._waiting_since_ms = self._now_ms

    def _run_for(self, duration_ms: float, mode: Action, flush_ms: float) -> None:
        """Let time pass in which we run; now and then it is asked whether to send."""
        while duration_ms > 0:
            decision = decide_beside(self._rules, mode, self._describe())
            if decision.action is Action.BESIDE:
                self._begin(flush_ms)
            passed_ms = min(duration_ms, self._left_ms or LOOK_MS)
            duration_ms -= passed_ms
            self._now_ms += passed_ms
            self._measure()
            if self._left_ms > 0:
                self._left_ms -= passed_ms
                if self._left_ms <= 0:
                    self._sending_since_ms = None

    def _begin(self, flush_ms: float) -> None:
        if self._left_ms > 0 or self._waiting_since_ms is None:
            return
        self._flush_began_ms = self._now_ms
        self._sending_since_ms, self._waiting_since_ms = self._waiting_since_ms, None
        self._left_ms = self._flush_ms = flush_ms

    def _measure(self) -> None:
        self.oldest_ms = max(self.oldest_ms, self._age_ms)

    @property
    def _age_ms(self) -> float:
        since = (self._sending_since_ms, self._waiting_since_ms)
        return max((self._now_ms - each for each in since if each is not None), default=0.0)

    def _describe(self) -> Situation:
        return Situation(
            now_ms=self._now_ms,
            limit_ms=self._now_ms + TIMEOUT_MS,
            gap_ms=self._rhythm.gap_ms,
            flush_ms=self._flush_ms,
            since_flush_ms=self._now_ms - self._flush_began_ms,
            has_waiting=self._waiting_since_ms is not None,
            age_ms=self._age_ms,
            has_spare_cpu=self._has_spare_cpu,
        )


LIMIT_MS = 10_000.0
HALF_MS = LIMIT_MS / 2

# Shares of the longest pause, handler and flush of a run.
SHARES = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 1))
SIZES = st.sampled_from((0.01, 0.1, 1.0))
LONGEST = st.tuples(SIZES, SIZES, SIZES)
INTERVALS = st.floats(100, 900_000)

# Not so cheap that each invocation would be worth one.
FLUSH_MS = 60.0


def _scale(longest: Sequence[float], shares: Sequence[Sequence[float]]) -> list[Step]:
    """Return steps of which no pause with the handlers and flushes around it exceeds a half."""
    pause, handler, flush = longest
    scale_ms = HALF_MS / (pause + 2 * handler + 4 * flush)
    return [
        Step(p * pause * scale_ms, h * handler * scale_ms, f * flush * scale_ms)
        for p, h, f in shares
    ]


@pytest.mark.parametrize("has_spare_cpu", [False, True])
@LAW
@given(LONGEST, st.lists(SHARES, min_size=10, max_size=40), INTERVALS)
def test_data_never_gets_older_than_the_limit(
    has_spare_cpu: bool,  # noqa: FBT001  (a parameter of the test)
    longest: Sequence[float],
    shares: Sequence[Sequence[float]],
    interval_ms: float,
) -> None:
    """As long as each invocation is over, its flush included, half a limit after the last began."""
    rules = FlushRules(staleness_limit_ms=LIMIT_MS, interval_ms=interval_ms)
    run = Run(rules, has_spare_cpu=has_spare_cpu)
    for step in _scale(longest, shares):
        run.go(step)
        assert run.oldest_ms <= LIMIT_MS + 1e-3


@pytest.mark.parametrize("has_spare_cpu", [False, True])
@LAW
@given(st.floats(1, HALF_MS), st.floats(0.01, 1), INTERVALS)
def test_in_a_steady_rhythm_even_long_handlers_make_no_older_data(
    has_spare_cpu: bool,  # noqa: FBT001  (a parameter of the test)
    gap_ms: float,
    busy: float,
    interval_ms: float,
) -> None:
    """The next chance is known: its distance counts, up to a handler without any pause."""
    rules = FlushRules(staleness_limit_ms=LIMIT_MS, interval_ms=interval_ms)
    run = Run(rules, has_spare_cpu=has_spare_cpu)
    for _ in range(40):
        run.go(Step(gap_ms * (1 - busy), gap_ms * busy, FLUSH_MS))
        # Flushes make gaps a little uneven.
        assert run.oldest_ms <= LIMIT_MS + 5 * FLUSH_MS
