"""Sends what waits, when the policy says so: beside handlers, at the end of one, at SHUTDOWN.

One flush at a time. State: how invocations follow each other, how the present one goes, the flush
under way with its window and since when nobody waits for it, and how long flushes take. Acts on
the decisions of `policy.flush`. Must not know HTTP, OTLP, nor when Lambda is asked for the next
event.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from math import inf
from typing import Any

from logger_extension.deadline import Deadline
from logger_extension.delivery import MOST_PATIENCE_S, Window
from logger_extension.patience import GRACE_S, wait_within
from logger_extension.policy.cpu import CpuShare
from logger_extension.policy.flush import (
    Action,
    Decision,
    FlushRules,
    Situation,
    decide_beside,
    decide_invocation,
    find_reserve_ms,
)
from logger_extension.policy.rhythm import Rhythm
from logger_extension.source import Source

MS_PER_S = 1_000

# A flush that is much shorter than the one before counts for this much: the mean forgets slowly.
WEIGHT = 0.3

# So long after the event that has thawed us what lay in the sockets is read, also where the event
# loop is slow: the least that Lambda takes to tell of a handler's end.
THAW_S = 0.025


class Flusher:
    """Decides and sends.

    Args:
        source: the pipeline.
        rules: what the user has set.
        cpu: what the function has.
        flush_timeout_ms: the most that a flush may take of an invocation.
        budget_ms: the most that a collector which does not answer may cost one.
        survive: awaits work whose faults are told and survived.
        now_ms: the wall clock, epoch milliseconds.
        clock_s: a clock that does not jump; the event loop's own.
        note_decision: told of what was decided.
        note_flush: told of the seconds that a flush took.
    """

    def __init__(  # noqa: PLR0913  (the composition root names each part)
        self,
        *,
        source: Source,
        rules: FlushRules,
        cpu: CpuShare,
        flush_timeout_ms: float,
        budget_ms: float,
        survive: Callable[[Awaitable[None]], Awaitable[None]],
        now_ms: Callable[[], float],
        clock_s: Callable[[], float],
        note_decision: Callable[[Decision], None],
        note_flush: Callable[[float], None],
    ) -> None:
        self._source = source
        self._rules = rules
        self._has_spare_cpu = cpu.has_spare
        self._vcpus = cpu.vcpus
        self._flush_timeout_s = flush_timeout_ms / MS_PER_S
        self._budget_s = budget_ms / MS_PER_S
        self._survive = survive
        self._now_ms = now_ms
        self._clock_s = clock_s
        self._note_decision = note_decision
        self._note_flush = note_flush
        self._rhythm = Rhythm()
        # Without INVOKE (Managed Instances) work is always beside, and nothing limits it.
        self._mode = Action.BESIDE
        self._limit = Deadline(inf)
        self._flush_ms: float | None = None
        self._flushed_s = -inf
        self._under_way: asyncio.Task[None] | None = None
        self._window = Window(0.0)
        self._invoked_s = self._left_ms = 0.0

    def invoked(self, limit: Deadline) -> Decision:
        """Return how an invocation goes; `limit` is until when our work may last."""
        self._rhythm = self._rhythm.invoked(self._now_ms())
        self._limit = limit
        self._invoked_s = self._clock_s()
        # A flush that a freeze has interrupted goes on in this invocation's time.
        self._window.ends_s = self._end_s(limit)
        decision = decide_invocation(self._rules, self._describe())
        self._mode = decision.action
        self._note_decision(decision)
        if decision.action is Action.BESIDE and self._source.has_waiting:
            self._start(Window(self._end_s(self._limit), grace_s=GRACE_S))
        return decision

    async def follow(self) -> None:
        """Send beside handlers whenever that is due, for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._source.has_come.wait()
            self._source.has_come.clear()
            await self._survive(self._source.spill())
            if self._under_way is not None and not self._under_way.done():
                # It may have left something, or a wait of the policy be over by then.
                await asyncio.wait({self._under_way}, timeout=self._rules.interval_ms / MS_PER_S)
            decision = decide_beside(self._rules, self._mode, self._describe())
            if decision.action is Action.BESIDE:
                self._note_decision(decision)
                self._start(Window(self._end_s(self._limit), grace_s=GRACE_S))

    async def flush_at_end(self, limit: Deadline) -> None:
        """Send what waits, now that the handler is done.

        A request that was not answered in time stays in flight: cut off, it would be sent again,
        and a collector that is slow has it already.
        """
        limit_s = self._end_s(limit)
        end_s = min(limit_s, self._clock_s() + self._flush_timeout_s)
        await self._settle(self._budget_s, end_s, self._invoked_s + THAW_S)
        # Nobody waits beyond the limit, but an answer may still come.
        if self._clock_s() < end_s and self._start(Window(limit_s + GRACE_S, self._budget_s)):
            await self._settle(self._budget_s, end_s)

    async def shut_down(self, send: Deadline, fallback: Deadline) -> None:
        """Try everything once more, then write down what is undelivered."""
        end_s = self._end_s(send)
        # A flush that is under way goes on as the last one; what comes after it is what it left.
        self._window.ends_s, self._window.is_last = end_s, True
        self._window.reserve_s = self._find_reserve_s
        now_s = self._clock_s()
        budget_s = (end_s - now_s) / 2
        # Where a freeze came between, the answer may lie in the socket already.
        await self._settle(budget_s, end_s, now_s + min(budget_s, GRACE_S))
        last = Window(end_s, is_last=True, reserve_s=self._find_reserve_s)
        await self._survive(self._flush(last))
        await self._survive(self._within(self._source.give_up(), Window(self._end_s(fallback))))

    def _find_reserve_s(self) -> float:
        return find_reserve_ms(self._source.count_held(), self._vcpus) / MS_PER_S

    async def _settle(self, budget_s: float, end_s: float, least_s: float = 0.0) -> None:
        """Wait for the flush under way; when that is worth no more, leave it to itself or end it.

        Args:
            budget_s: how long a collector may be silent.
            end_s: when time is up.
            least_s: until when those are waited for, too, that have been silent for longer.
        """
        task = self._under_way
        while task is not None and not task.done():
            now_s = self._clock_s()
            patience_s = max(self._source.measure_patience_s(budget_s), least_s - now_s)
            wait_s = min(budget_s, patience_s, end_s - now_s)
            if wait_s > 0:
                await asyncio.wait({task}, timeout=wait_s)
                continue
            self._source.give_up_silent(budget_s)
            if self._may_stay():
                return
            task.cancel()
            await asyncio.wait({task})

    def _may_stay(self) -> bool:
        """Return whether what is under way may go on by itself: then an answer is owed.

        It is read whenever it comes, after a freeze as well. One that has not come by the end of a
        later invocation, and after the longest patience there is, would only be in the way.
        """
        window = self._window
        if window.is_last or self._source.measure_patience_s(0.0) == inf:
            return False
        if not window.is_left:
            window.is_left, window.grace_s = True, GRACE_S
            # The other clock may stand still in a freeze.
            self._left_ms = self._now_ms()
        return self._now_ms() < self._left_ms + MOST_PATIENCE_S * MS_PER_S

    def _start(self, window: Window) -> bool:
        """Begin a flush if none is under way; return whether that was so."""
        if self._under_way is not None and not self._under_way.done():
            return False
        self._window = window
        self._under_way = asyncio.get_running_loop().create_task(self._survive_flush(window))
        return True

    async def _survive_flush(self, window: Window) -> None:
        await self._survive(self._flush(window))

    async def _flush(self, window: Window) -> None:
        began_s = self._flushed_s = self._clock_s()
        await self._within(self._source.flush(window), window)
        if window.is_left:
            return
        took_s = self._clock_s() - began_s
        self._note_flush(took_s)
        if not self._source.is_away and not window.grace_s:
            # With a freeze in it, a flush beside a handler seems to take for ever.
            took_ms = took_s * MS_PER_S
            before_ms = took_ms if self._flush_ms is None else self._flush_ms
            self._flush_ms = before_ms + WEIGHT * (took_ms - before_ms)

    async def _within(self, work: Coroutine[Any, Any, None], window: Window) -> None:
        def remaining_s() -> float:
            return window.find_end_s() - self._clock_s()

        with suppress(TimeoutError):
            await wait_within(work, remaining_s, find_grace_s=lambda: window.grace_s)

    def _describe(self) -> Situation:
        source = self._source
        return Situation(
            now_ms=self._now_ms(),
            limit_ms=self._limit.epoch_ms,
            gap_ms=self._rhythm.gap_ms,
            flush_ms=self._flush_ms,
            since_flush_ms=(self._clock_s() - self._flushed_s) * MS_PER_S,
            has_waiting=source.has_waiting,
            age_ms=source.measure_age_ms(),
            fill=source.fill,
            has_full_request=source.has_full_request,
            has_spare_cpu=self._has_spare_cpu,
            is_away=source.is_away,
            is_slow=source.is_slow,
        )

    def _pause_s(self) -> float | None:
        """Return when to look again although nothing comes; None where that would not matter."""
        if self._mode is Action.END or not self._source.has_waiting:
            return None
        return self._rules.interval_ms / MS_PER_S

    def _end_s(self, limit: Deadline) -> float:
        """Return a point of the wall clock as one of the clock that does not jump."""
        return self._clock_s() + (limit.epoch_ms - self._now_ms()) / MS_PER_S
