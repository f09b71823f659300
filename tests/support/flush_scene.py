"""A flusher between decisions that are real and a collector that is scripted. Time is virtual.

The delivery is the real one: what counts is the sum of all that is waited for.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from logger_extension.deadline import Deadline
from logger_extension.delivery import Delivery, Reporting, Window
from logger_extension.flusher import Flusher
from logger_extension.policy.cpu import CpuShare
from logger_extension.policy.flush import Action, Decision, FlushRules, Policy
from logger_extension.policy.outcome import Delivered, Undelivered
from tests.support.scripted_exporter import Answer, ScriptedExporter
from tests.support.virtual_time import START_S, VirtualLoop, run_virtually

T = TypeVar("T")

BUDGET_S, FLUSH_TIMEOUT_S = 0.1, 2.0
INTERVAL_MS = 1_000.0
END, OVERLAP = FlushRules(policy=Policy.END), FlushRules(policy=Policy.OVERLAP)
PERIODIC = FlushRules(policy=Policy.PERIODIC, interval_ms=INTERVAL_MS)
AUTO = FlushRules()
TAKEN, UNAVAILABLE = Delivered(), Undelivered("HTTP 503")


class Source:
    """A queue whose items are requests of their own.

    Attributes:
        began_s: when each flush began.
        given_up: what was written down at the end.
        spills: how often what there was no room for was written down.
        faults: how many flushes fail.
        reads_s: how long it takes to read what waits.
        gives_up_s: how long it takes to write down what is undelivered.
        records_per_item: how many records an item stands for.
    """

    def __init__(self, loop: VirtualLoop, delivery: Delivery) -> None:
        self._loop = loop
        self._delivery = delivery
        self._items: deque[tuple[float, bytes]] = deque()
        self._since_ms = 0.0
        self.has_come = asyncio.Event()
        self.fill = 0.0
        self.has_full_request = False
        self.began_s: list[float] = []
        self.given_up: list[bytes] = []
        self.spills = self.faults = 0
        self.reads_s = self.gives_up_s = 0.0
        self.records_per_item = 1

    def put(self, *items: bytes) -> None:
        """Let items come."""
        self._items.extend((self._loop.now_ms(), item) for item in items)
        self.has_come.set()

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits."""
        return bool(self._items)

    @property
    def is_away(self) -> bool:
        """Whether the collector is away."""
        return self._delivery.is_away

    @property
    def is_slow(self) -> bool:
        """Whether the collector is slow."""
        return self._delivery.is_slow

    def measure_patience_s(self, budget_s: float) -> float:
        """Return how much longer the collector may be silent."""
        return self._delivery.measure_patience_s(budget_s)

    def give_up_silent(self, budget_s: float) -> None:
        """Ask it no more for a while if it was silent for longer."""
        self._delivery.give_up_silent(budget_s)

    def count_held(self) -> int:
        """Return how many records are held."""
        return len(self._items) * self.records_per_item

    def measure_age_ms(self) -> float:
        """Return how long the oldest item has waited."""
        return self._loop.now_ms() - self._items[0][0] if self._items else 0.0

    async def flush(self, window: Window) -> None:
        """Send one item after the other, until one is not taken."""
        self.began_s.append(self._loop.time())
        if self.faults:
            self.faults -= 1
            raise ZeroDivisionError
        if self.reads_s:
            await asyncio.sleep(self.reads_s)
        while self._items and not window.is_left and (window.is_last or not self.is_away):
            entry = self._items.popleft()
            is_taken = False
            try:
                is_taken = await self._delivery.send(entry[1], window) == TAKEN
            finally:
                if not is_taken:
                    self._items.appendleft(entry)
            if not is_taken:
                break

    async def spill(self) -> None:
        """Note it."""
        self.spills += 1

    async def give_up(self) -> None:
        """Write down all that waits."""
        await asyncio.sleep(self.gives_up_s)
        self.given_up += [item for _, item in self._items]
        self._items.clear()


class Scene:
    """A flusher, a source and a scripted collector.

    Args:
        loop: the clock.
        rules: what is asked for.
        answers: the script; by default each request is taken in 20 ms.
        has_spare_cpu: whether work beside a handler does not slow it.
        connects_s: how long a connection takes.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        rules: FlushRules,
        answers: Sequence[Answer] = ((0.02, TAKEN),),
        *,
        has_spare_cpu: bool = False,
        connects_s: float = 0.0,
    ) -> None:
        self.loop = loop
        self.exporter = ScriptedExporter(loop, answers, connects_s)
        reporting = Reporting(lambda _seconds, _kind: None, lambda: None)
        self.delivery = Delivery(self.exporter, 10_000, loop.time, lambda: 1.0, reporting)
        self.source = Source(loop, self.delivery)
        self.faults = 0
        self.decisions: list[Decision] = []
        self.took_s: list[float] = []
        self.flusher = Flusher(
            source=self.source,
            rules=rules,
            cpu=CpuShare(2.0 if has_spare_cpu else 0.5),
            flush_timeout_ms=FLUSH_TIMEOUT_S * 1_000,
            budget_ms=BUDGET_S * 1_000,
            survive=self._survive,
            now_ms=loop.now_ms,
            clock_s=loop.time,
            note_decision=self.decisions.append,
            note_flush=self.took_s.append,
        )

    @property
    def now_s(self) -> float:
        """How much time has passed, to a microsecond."""
        return round(self.loop.time() - START_S, 6)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is in flight."""
        return not self.source.has_waiting and not self.exporter.in_flight

    def in_s(self, duration_s: float) -> Deadline:
        """Return a deadline."""
        return Deadline.after(self.loop.now_ms(), duration_s * 1_000)

    def invoke(self, duration_s: float = 60.0) -> Action:
        """Let an invocation begin that may last so long; return how it goes."""
        return self.flusher.invoked(self.in_s(duration_s)).action

    async def end(self, left_s: float = 30.0) -> float:
        """Let the handler end; return how long we take after it."""
        before_s = self.now_s
        await self.flusher.flush_at_end(self.in_s(left_s))
        return self.now_s - before_s

    async def freeze(self, duration_s: float = 60.0, *, stops_clock: bool = False) -> None:
        """Freeze, and thaw: timers fire some rounds before the event is read."""
        self.loop.freeze(duration_s, stops_clock=stops_clock)
        for _ in range(5):
            await asyncio.sleep(0)

    async def shut_down(self, send_s: float, fallback_s: float) -> float:
        """Shut down; return how long that takes."""
        before_s = self.now_s
        await self.flusher.shut_down(self.in_s(send_s), self.in_s(fallback_s))
        assert self.exporter.in_flight == 0
        return self.now_s - before_s

    async def follow(self, duration_s: float) -> None:
        """Let the flusher work beside handlers for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(duration_s):
                await self.flusher.follow()

    async def _survive(self, work: Awaitable[None]) -> None:
        try:
            await work
        except ZeroDivisionError:
            self.faults += 1


def play(
    story: Callable[[Scene], Coroutine[Any, Any, T]],
    rules: FlushRules,
    *answers: Answer,
    **settings: Any,
) -> T:
    """Run a story in a scene."""
    return run_virtually(
        lambda loop: story(Scene(loop, rules, answers or ((0.02, TAKEN),), **settings))
    )
