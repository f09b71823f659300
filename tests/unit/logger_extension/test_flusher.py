"""When what waits is sent: between decisions that are real and a collector that is scripted.

Time is virtual, the delivery is the real one: what counts is the sum of all that is waited for.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.deadline import Deadline
from logger_extension.delivery import Delivery, Reporting, Window
from logger_extension.flusher import Flusher
from logger_extension.patience import GRACE_S
from logger_extension.policy.cpu import CpuShare
from logger_extension.policy.flush import Action, Decision, FlushRules, Policy, Reason
from logger_extension.policy.outcome import Delivered, Undelivered
from tests.support.laws import LAW
from tests.support.scripted_exporter import Answer, ScriptedExporter
from tests.support.virtual_time import START_MS, START_S, VirtualLoop, run_virtually

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
        self.gives_up_s = 0.0
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
        while self._items and (window.is_last or not self.is_away):
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
    """

    def __init__(
        self,
        loop: VirtualLoop,
        rules: FlushRules,
        answers: Sequence[Answer] = ((0.02, TAKEN),),
        *,
        has_spare_cpu: bool = False,
    ) -> None:
        self.loop = loop
        self.exporter = ScriptedExporter(loop, answers)
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
        assert self.exporter.in_flight == 0
        return self.now_s - before_s

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
    has_spare_cpu: bool = False,
) -> T:
    """Run a story in a scene."""
    return run_virtually(
        lambda loop: story(
            Scene(loop, rules, answers or ((0.02, TAKEN),), has_spare_cpu=has_spare_cpu)
        )
    )


def test_at_the_end_everything_is_sent() -> None:
    """And then nothing is in flight: the sandbox may freeze."""

    async def story(scene: Scene) -> None:
        assert scene.invoke() is Action.END
        scene.source.put(b"1", b"2", b"3")
        assert await scene.end() == pytest.approx(0.06)
        assert scene.exporter.bodies == [b"1", b"2", b"3"]
        assert scene.is_idle
        assert scene.decisions == [Decision(Action.END, Reason.ASKED)]
        assert scene.took_s == pytest.approx([0.06])

    play(story, END)


def test_a_silent_collector_costs_the_budget_and_then_nothing() -> None:
    """While it is away, invocations end with their handlers."""

    async def story(scene: Scene) -> None:
        assert scene.invoke() is Action.END
        scene.source.put(b"1")
        assert await scene.end() == pytest.approx(BUDGET_S)
        assert scene.invoke() is Action.LATER
        assert scene.decisions[-1].reason is Reason.COLLECTOR_AWAY
        assert scene.source.has_waiting

    play(story, END, None)


def test_a_backlog_is_cut_at_the_timeout_of_a_flush() -> None:
    """A collector that takes one request after the other is alive, but is not waited for long."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(*[b"x"] * 100)
        assert await scene.end() == pytest.approx(FLUSH_TIMEOUT_S)
        assert len(scene.exporter.bodies) == 29
        assert scene.invoke() is Action.END

    play(story, END, (0.07, TAKEN))


def test_no_flush_lasts_past_the_limit_of_its_invocation() -> None:
    """Where less is left than a flush may take; and none begins where nothing is left."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(*[b"x"] * 100)
        assert await scene.end(left_s=0.5) == pytest.approx(0.5)
        assert await scene.end(left_s=0.0) == 0.0
        assert await scene.end(left_s=-3.0) == 0.0

    play(story, END, (0.07, TAKEN))


def test_overlap_sends_what_waits_at_once() -> None:
    """While the handler runs: nobody waits for it, and nothing comes after."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1")
        assert scene.invoke() is Action.BESIDE
        assert scene.now_s == 0.0
        await asyncio.sleep(0.03)
        assert scene.is_idle
        assert scene.exporter.bodies == [b"1"]

    play(story, OVERLAP)


def test_overlap_begins_nothing_past_the_limit() -> None:
    """What comes late waits for the next invocation or for SHUTDOWN."""

    async def story(scene: Scene) -> None:
        assert scene.invoke(0.5) is Action.BESIDE
        scene.loop.call_later(0.6, scene.source.put, b"late")
        await scene.follow(5.0)
        assert scene.exporter.bodies == []
        assert scene.source.has_waiting
        assert scene.invoke() is Action.BESIDE
        await asyncio.sleep(0.03)
        assert scene.is_idle

    play(story, OVERLAP)


def test_where_nothing_waits_nothing_is_begun() -> None:
    """An empty flush would be a thread of work for nothing."""

    async def story(scene: Scene) -> None:
        assert scene.invoke() is Action.BESIDE
        await scene.follow(5.0)
        assert scene.source.began_s == []

    play(story, OVERLAP)


def test_the_end_waits_for_a_flush_that_makes_progress() -> None:
    """Each answer renews the patience: nothing is cut off, nothing is sent twice."""

    async def story(scene: Scene) -> None:
        scene.source.fill = 1.0
        scene.invoke()
        scene.source.put(*[bytes([number]) for number in range(20)])
        following = asyncio.create_task(scene.flusher.follow())
        await asyncio.sleep(0.1)
        assert scene.exporter.in_flight == 1
        took_s = await scene.end()
        following.cancel()
        assert took_s == pytest.approx(20 * 0.08 - 0.1)
        assert scene.exporter.bodies == [bytes([number]) for number in range(20)]
        assert scene.is_idle

    play(story, END, (0.08, TAKEN))


def test_the_end_cuts_off_a_flush_that_does_not() -> None:
    """Both together cost the budget: what was spent on the one is not spent on the other."""

    async def story(scene: Scene) -> None:
        scene.source.fill = 1.0
        scene.invoke()
        scene.source.put(b"1", b"2")
        following = asyncio.create_task(scene.flusher.follow())
        await asyncio.sleep(3.0)
        assert scene.exporter.bodies == [b"1", b"2"]
        assert await scene.end() == pytest.approx(BUDGET_S)
        following.cancel()
        assert scene.exporter.bodies == [b"1", b"2"]
        assert scene.delivery.is_away
        assert scene.invoke() is Action.LATER

    play(story, END, (0.09, TAKEN), None)


def test_the_end_does_not_wait_for_a_pause_between_tries() -> None:
    """A collector that does not take anything is no better than a silent one."""

    async def story(scene: Scene) -> None:
        scene.source.fill = 1.0
        scene.invoke()
        scene.source.put(b"1")
        following = asyncio.create_task(scene.flusher.follow())
        await asyncio.sleep(0.5)
        assert (scene.exporter.bodies, scene.exporter.in_flight) == ([b"1"], 0)
        assert await scene.end() <= 2 * BUDGET_S
        following.cancel()
        assert scene.source.has_waiting
        assert scene.delivery.is_away

    play(story, END, (0.0, Undelivered("HTTP 429", 60_000 // 4)))


ANSWERS = st.lists(
    st.none() | st.tuples(st.floats(0, 0.5), st.sampled_from([TAKEN, UNAVAILABLE])),
    min_size=1,
    max_size=8,
)


@LAW
@given(ANSWERS, st.integers(1, 10), st.floats(0, 2), st.floats(0, 3), st.booleans())
def test_after_the_end_nothing_is_in_flight(
    answers: Sequence[Answer],
    items: int,
    handler_s: float,
    left_s: float,
    has_spare_cpu: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    """Whatever the collector does; no more time was taken than there was, and nothing is lost."""

    async def story(scene: Scene) -> None:
        scene.source.fill = 1.0
        scene.invoke(handler_s + left_s)
        scene.source.put(*[bytes([number]) for number in range(items)])
        following = asyncio.create_task(scene.flusher.follow())
        await asyncio.sleep(handler_s)
        following.cancel()
        took_s = await scene.end(left_s)
        assert took_s <= min(left_s, FLUSH_TIMEOUT_S) + 1e-5
        sent = scene.exporter.bodies
        assert sent == sorted(sent)
        await scene.source.give_up()
        assert set(sent) | set(scene.source.given_up) == {bytes([n]) for n in range(items)}

    play(story, END, *answers, has_spare_cpu=has_spare_cpu)


@pytest.mark.parametrize("stops_clock", [False, True])
@pytest.mark.parametrize("frozen_s", [1.0, 900.0])
def test_a_flush_that_a_freeze_interrupts_goes_on_with_the_next_invocation(
    frozen_s: float,
    stops_clock: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    """Its window is the next invocation's then: nothing is sent twice, nothing is lost."""

    async def story(scene: Scene) -> None:
        following = asyncio.create_task(scene.flusher.follow())
        scene.source.put(b"1", b"2", b"3")
        scene.invoke(3.0)
        await asyncio.sleep(0.1)
        assert scene.exporter.in_flight == 1
        scene.loop.freeze(frozen_s, stops_clock=stops_clock)
        # The event that has thawed us is read some rounds after all timers have fired.
        for _ in range(3):
            await asyncio.sleep(0)
        assert scene.invoke(3.0) is Action.BESIDE
        await asyncio.sleep(2.0)
        following.cancel()
        assert scene.exporter.bodies == [b"1", b"2", b"3"]
        assert scene.is_idle
        assert not scene.delivery.is_away

    play(story, OVERLAP, (0.15, TAKEN))


def test_a_request_without_an_answer_has_the_next_invocation_for_it() -> None:
    """Frozen in mid-request: the answer comes 900 ms after the thaw."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1")
        scene.invoke(1.0)
        await asyncio.sleep(0.1)
        scene.loop.freeze(5.0)
        for _ in range(5):
            await asyncio.sleep(0)
        scene.invoke(3.0)
        await asyncio.sleep(1.0)
        assert scene.exporter.bodies == [b"1"]
        assert len(scene.source.began_s) == 1
        assert scene.is_idle

    play(story, OVERLAP, (6.0, TAKEN))


def test_what_is_under_way_is_not_begun_a_second_time() -> None:
    """One flush at a time; what has come meanwhile goes with it or after it."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1")
        scene.invoke()
        scene.source.put(b"2")
        scene.invoke()
        await scene.follow(3.0)
        assert scene.exporter.bodies == [b"1", b"2"]
        assert len(scene.source.began_s) == 1

    play(story, OVERLAP, (0.5, TAKEN))


def _put_regularly(scene: Scene, interval_s: float, times: int) -> None:
    for number in range(times):
        scene.loop.call_later(number * interval_s, scene.source.put, b"x")


def test_periodic_is_not_more_often_than_asked() -> None:
    """Though something comes all the time; and it is at all, in a long handler as well."""

    async def story(scene: Scene) -> None:
        scene.invoke(60.0)
        _put_regularly(scene, 0.05, 200)
        await scene.follow(10.0)
        began_s = scene.source.began_s
        pauses_s = [after - before for before, after in pairwise(began_s)]
        assert min(pauses_s) >= INTERVAL_MS / 1_000 - 1e-6
        assert len(began_s) in (9, 10, 11)

    play(story, PERIODIC)


def test_periodic_is_not_more_often_over_many_invocations() -> None:
    """An INVOKE is a chance, not a reason."""

    async def story(scene: Scene) -> None:
        following = asyncio.create_task(scene.flusher.follow())
        for _ in range(100):
            scene.source.put(b"x")
            scene.invoke(3.0)
            await asyncio.sleep(0.1)
        following.cancel()
        began_s = scene.source.began_s
        pauses_s = [after - before for before, after in pairwise(began_s)]
        assert min(pauses_s) >= INTERVAL_MS / 1_000 - 1e-6
        assert len(began_s) in (9, 10, 11)

    play(story, PERIODIC)


def test_periodic_sends_the_last_of_a_long_handler_as_well() -> None:
    """Nothing more comes that would wake us."""

    async def story(scene: Scene) -> None:
        scene.invoke(60.0)
        scene.source.put(b"1")
        scene.loop.call_later(0.5, scene.source.put, b"2")
        await scene.follow(3.0)
        assert scene.exporter.bodies == [b"1", b"2"]

    play(story, PERIODIC)


def test_without_any_invocation_an_interval_is_all_there_is() -> None:
    """Managed Instances: nobody tells of invocations, and nothing limits a flush."""

    async def story(scene: Scene) -> None:
        _put_regularly(scene, 0.3, 10)
        await scene.follow(6.0)
        assert scene.exporter.bodies == [b"x"] * 10
        assert scene.is_idle

    play(story, PERIODIC)


def test_without_any_invocation_a_dead_collector_is_asked_less_and_less() -> None:
    """And when it is back, everything goes."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"x")
        _put_regularly(scene, 1.0, 600)
        await scene.follow(300.0)
        assert len(scene.exporter.bodies) < 100
        await scene.follow(400.0)
        assert scene.is_idle

    play(story, PERIODIC, *[(0.0, UNAVAILABLE)] * 50, (0.0, TAKEN))


def test_what_there_is_no_room_for_is_written_down_meanwhile() -> None:
    """Whenever something has come."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        await scene.follow(1.0)
        assert scene.source.spills == 1
        assert scene.exporter.bodies == []

    play(story, END)


def test_a_fault_of_ours_does_not_end_the_following() -> None:
    """It is told, and the next flush is begun."""

    async def story(scene: Scene) -> None:
        scene.source.faults = 2
        scene.source.put(b"1")
        scene.invoke()
        await scene.follow(5.0)
        assert scene.faults == 2
        assert scene.exporter.bodies == [b"1"]

    play(story, OVERLAP)


def test_with_a_fast_collector_auto_finds_a_flush_cheap() -> None:
    """How long flushes take is measured: here 5 ms, in gaps of 4 s."""

    async def story(scene: Scene) -> None:
        for _ in range(6):
            assert scene.invoke() is Action.END
            scene.source.put(b"x")
            await scene.end()
            await asyncio.sleep(3.995)
        reasons = [decision.reason for decision in scene.decisions]
        assert reasons == [Reason.UNKNOWN_RHYTHM] * 3 + [Reason.CHEAP] * 3

    play(story, AUTO, (0.005, TAKEN))


def test_a_collector_that_is_slow_is_waited_for_beside_handlers() -> None:
    """It costs one invocation its budget; what it could not take then it gets for nothing."""

    async def story(scene: Scene) -> None:
        following = asyncio.create_task(scene.flusher.follow())
        added_s = []
        for number in range(4):
            action = scene.invoke()
            scene.source.put(bytes([number]))
            await asyncio.sleep(1.0)
            added_s.append(await scene.end() if action is Action.END else 0.0)
        following.cancel()
        assert added_s == pytest.approx([BUDGET_S, 0.0, 0.0, 0.0])
        reasons = [decision.reason for decision in scene.decisions[:3]]
        expected = [Reason.UNKNOWN_RHYTHM, Reason.COLLECTOR_AWAY, Reason.COLLECTOR_SLOW]
        assert reasons == expected
        assert scene.exporter.bodies == [b"\0", b"\0", b"\1", b"\2", b"\3"]
        assert not scene.delivery.is_slow

    play(story, AUTO, (0.6, TAKEN))


def test_a_shutdown_sends_everything() -> None:
    """And then there is nothing to give up."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1", b"2")
        assert await scene.shut_down(1.3, 1.8) == pytest.approx(0.04)
        assert scene.exporter.bodies == [b"1", b"2"]
        assert scene.source.given_up == []
        assert scene.is_idle

    play(story, AUTO)


def test_a_shutdown_asks_even_a_collector_that_was_away() -> None:
    """There is no later chance."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        await scene.end()
        assert scene.delivery.is_away
        await scene.shut_down(1.3, 1.8)
        assert scene.is_idle
        assert scene.source.given_up == []

    play(story, END, None, (0.3, TAKEN))


def test_what_a_shutdown_cannot_send_is_given_up_in_time() -> None:
    """First the collector has its time, then the fallback."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1", b"2")
        scene.source.gives_up_s = 0.2
        assert await scene.shut_down(1.3, 1.8) == pytest.approx(1.5, abs=1e-3)
        assert scene.source.given_up == [b"1", b"2"]

    play(story, AUTO, None)


def test_a_fallback_that_hangs_is_cut_off() -> None:
    """What is not over by then is killed."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1")
        scene.source.gives_up_s = 60.0
        assert await scene.shut_down(1.3, 1.8) == pytest.approx(1.8)
        assert scene.source.given_up == []

    play(story, AUTO, None)


@pytest.mark.parametrize("left_s", [0.0, -60.0])
def test_a_shutdown_without_time_is_over_at_once(left_s: float) -> None:
    """Nothing is begun that could not be ended."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1")
        assert await scene.shut_down(left_s, left_s) == 0.0
        assert scene.exporter.bodies == []

    play(story, AUTO)


@pytest.mark.parametrize(("silent_s", "waited_s"), [(0.1, 0.5), (1.0, GRACE_S)])
def test_a_shutdown_waits_for_half_of_its_time_for_what_is_under_way(
    silent_s: float, waited_s: float
) -> None:
    """What was silent for long gets a moment; then the same goes out once more."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1")
        scene.invoke()
        await asyncio.sleep(silent_s)
        assert scene.exporter.in_flight == 1
        assert await scene.shut_down(1.2, 1.8) == pytest.approx(waited_s + 0.1, abs=1e-3)
        assert scene.exporter.bodies == [b"1", b"1"]
        assert scene.is_idle

    play(story, OVERLAP, None, (0.1, TAKEN))


def test_a_shutdown_leaves_time_to_write_much_down() -> None:
    """The more is undelivered, the earlier the collector's time is over."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1", b"2", b"3")
        scene.source.records_per_item = 5_000
        scene.source.gives_up_s = 0.4
        assert await scene.shut_down(1.7, 1.8) == pytest.approx(1.3 + 0.4, abs=0.01)
        assert scene.source.given_up == [b"1", b"2", b"3"]

    play(story, AUTO, None)


def test_a_shutdown_does_not_cut_off_what_makes_progress() -> None:
    """What is under way ends, and nothing is sent twice."""

    async def story(scene: Scene) -> None:
        scene.source.put(b"1", b"2")
        scene.invoke()
        await asyncio.sleep(0.1)
        await scene.shut_down(1.2, 1.8)
        assert scene.exporter.bodies == [b"1", b"2"]
        assert scene.is_idle

    play(story, OVERLAP, (0.3, TAKEN))


@LAW
@given(ANSWERS, st.floats(0, 1), st.floats(0, 2), st.floats(0, 1), st.floats(0, 3))
def test_no_shutdown_lasts_longer_than_it_may(
    answers: Sequence[Answer], before_s: float, send_s: float, fallback_s: float, gives_up_s: float
) -> None:
    """Whatever is under way, and whatever the collector and the fallback do."""

    async def story(scene: Scene) -> None:
        scene.source.put(*[bytes([number]) for number in range(5)])
        scene.source.gives_up_s = gives_up_s
        scene.invoke(before_s)
        await asyncio.sleep(before_s)
        took_s = await scene.shut_down(send_s, send_s + fallback_s)
        assert took_s <= send_s + fallback_s + 1e-5
        if gives_up_s < fallback_s - 1e-5:
            assert not scene.source.has_waiting

    play(story, OVERLAP, *answers)


def test_the_wall_clock_may_be_set_meanwhile() -> None:
    """A flush that has begun lasts as long as it was given, whatever the date is."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(*[b"x"] * 100)
        scene.loop.call_later(0.2, lambda: scene.loop.freeze(86_400.0, stops_clock=True))
        assert await scene.end(left_s=1.0) == pytest.approx(1.0)
        assert scene.loop.now_ms() > START_MS + 86_400_000

    play(story, END, (0.07, TAKEN))
