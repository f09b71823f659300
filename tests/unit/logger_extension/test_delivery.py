"""One collector as the channels see it: tries, pauses, patience, the breaker. Time is virtual."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.delivery import MOST_TRIES, MOST_USUAL_S, Delivery, Reporting, Window
from logger_extension.patience import GRACE_S
from logger_extension.policy.outcome import Delivered, Outcome, Refused, TooLarge, Undelivered
from tests.support.laws import LAW
from tests.support.scripted_exporter import Answer, ScriptedExporter
from tests.support.virtual_time import START_S, VirtualLoop, run_virtually

T = TypeVar("T")

UNAVAILABLE = Undelivered("HTTP 503")
PATIENCE_S = 0.1
FAR_S = START_S + 3_600.0


class Scene:
    """A delivery to a scripted collector.

    Args:
        loop: the clock.
        answers: the script.
        timeout_ms: the most that a try may take.
        connects_s: how long a connection takes.
        chances: drawn in order; the last is for all more.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        *answers: Answer,
        timeout_ms: int = 10_000,
        connects_s: float = 0.0,
        chances: Sequence[float] = (1.0,),
    ) -> None:
        self._loop = loop
        self._chances = list(chances)
        self.exporter = ScriptedExporter(loop, answers, connects_s)
        self.took: list[tuple[float, str]] = []
        self.retries = 0
        reporting = Reporting(
            lambda seconds, kind: self.took.append((round(seconds, 6), kind)), self._note_retry
        )
        self.delivery = Delivery(self.exporter, timeout_ms, loop.time, self._draw, reporting)

    @property
    def tries(self) -> int:
        """How many requests were made."""
        return len(self.exporter.began_s)

    @property
    def now_s(self) -> float:
        """How much time has passed, to a microsecond."""
        return round(self._loop.time() - START_S, 6)

    async def send(self, ends_s: float = FAR_S, **window: Any) -> Outcome:
        """Send within a window that ends at a point of the loop's time."""
        outcome = await self.delivery.send(b"request", Window(ends_s, **window))
        assert self.exporter.in_flight == 0
        return outcome

    async def send_after_handler(self) -> Outcome | None:
        """Send as after a handler; None where patience ended: then the request stays in flight."""
        window = Window(FAR_S, PATIENCE_S)
        sending = asyncio.create_task(self.delivery.send(b"request", window))
        while not sending.done():
            patience_s = self.delivery.measure_patience_s(PATIENCE_S)
            if patience_s <= 0:
                self.delivery.give_up_silent(PATIENCE_S)
                window.is_left = True
                window.grace_s = GRACE_S
                return None
            await asyncio.wait({sending}, timeout=min(patience_s, PATIENCE_S))
        return sending.result()

    async def measure_wait_s(self) -> float:
        """Send as after a handler, to a collector that is silent; return how long that took."""
        before_s = self.now_s
        assert await self.send_after_handler() is None
        return self.now_s - before_s

    async def wait_closed(self) -> None:
        """Wait until the collector may be asked again."""
        closed_s = self.delivery._breaker.closed_at_ms / 1_000
        await asyncio.sleep(closed_s - self._loop.time() + 1e-6)
        assert not self.delivery.is_away

    def _draw(self) -> float:
        return self._chances.pop(0) if len(self._chances) > 1 else self._chances[0]

    def _note_retry(self) -> None:
        self.retries += 1


def play(
    story: Callable[[Scene], Coroutine[Any, Any, T]],
    *answers: Answer,
    **settings: Any,
) -> T:
    """Run a story in a scene."""
    return run_virtually(lambda loop: story(Scene(loop, *answers, **settings)))


@pytest.mark.parametrize(
    "outcome", [Delivered(), Delivered(3, "partly"), Refused("no"), TooLarge("")]
)
def test_an_answer_that_is_final_is_not_asked_for_again(outcome: Outcome) -> None:
    """Only what may be tried again is tried again."""

    async def story(scene: Scene) -> None:
        assert await scene.send() == outcome
        assert (scene.tries, scene.retries) == (1, 0)
        assert scene.took == [(0.02, "" if isinstance(outcome, Delivered) else _name(outcome))]
        assert not scene.delivery.is_away

    play(story, (0.02, outcome))


def _name(outcome: Outcome) -> str:
    return type(outcome).__name__


def test_what_may_be_taken_later_is_tried_again() -> None:
    """After pauses that grow, told each."""

    async def story(scene: Scene) -> None:
        assert await scene.send() == Delivered()
        assert (scene.tries, scene.retries) == (3, 2)
        assert scene.took == [(0.0, "Undelivered"), (0.0, "Undelivered"), (0.01, "")]
        assert scene.now_s == pytest.approx(0.02 + 0.04 + 0.01)

    play(story, (0.0, UNAVAILABLE), (0.0, UNAVAILABLE), (0.01, Delivered()))


def test_what_the_collector_asks_for_is_the_least_pause() -> None:
    """Here without any jitter."""

    async def story(scene: Scene) -> float:
        assert await scene.send() == Delivered()
        return scene.now_s

    asked = Undelivered("HTTP 429", 7_000)
    assert play(story, (0.0, asked), (0.0, Delivered()), chances=[0.0]) == pytest.approx(7.0)


def test_a_pause_beyond_the_window_is_not_begun() -> None:
    """What cannot come in time is not waited for: the rest of the window is somebody else's."""

    async def story(scene: Scene) -> None:
        asked = Undelivered("HTTP 429", 7_000)
        assert await scene.send(START_S + 2.0) == asked
        assert scene.now_s == 0.0
        assert scene.tries == 1
        # As long as was asked for nothing is asked any more.
        await asyncio.sleep(6.9)
        assert scene.delivery.is_away
        await asyncio.sleep(0.2)
        assert not scene.delivery.is_away

    play(story, (0.0, Undelivered("HTTP 429", 7_000)))


def test_beside_a_handler_a_few_tries_are_enough() -> None:
    """Then the breaker opens: a window may last for hours."""

    async def story(scene: Scene) -> None:
        assert await scene.send(float("inf"), grace_s=GRACE_S) == UNAVAILABLE
        assert scene.tries == MOST_TRIES
        assert scene.delivery.is_away

    play(story, (0.0, UNAVAILABLE))


def test_an_open_breaker_lets_nothing_through() -> None:
    """Nor does it cost any time; when it has closed, one request decides."""

    async def story(scene: Scene) -> None:
        assert await scene.send(START_S + 0.01) == UNAVAILABLE
        before = scene.tries
        outcome = await scene.send()
        assert isinstance(outcome, Undelivered)
        assert (scene.tries, scene.now_s) == (before, 0.0)
        await asyncio.sleep(1.0)
        assert await scene.send() == Delivered()
        assert not scene.delivery.is_away

    play(story, (0.0, UNAVAILABLE), (0.0, Delivered()))


def test_at_the_last_chance_an_open_breaker_does_not_count() -> None:
    """At SHUTDOWN everything is tried, until the end of its window."""

    async def story(scene: Scene) -> None:
        assert await scene.send(START_S + 0.01) == UNAVAILABLE
        assert scene.delivery.is_away
        outcome = await scene.send(START_S + 2.0, is_last=True)
        assert outcome == UNAVAILABLE
        assert scene.tries > MOST_TRIES
        assert scene.now_s < 2.0

    play(story, (0.0, UNAVAILABLE))


def test_the_last_chance_is_not_given_up_early() -> None:
    """A collector that comes back within the shutdown gets the data."""

    async def story(scene: Scene) -> None:
        assert await scene.send(START_S + 2.0, is_last=True) == Delivered()
        assert scene.tries == MOST_TRIES + 2

    failures = [(0.0, UNAVAILABLE)] * (MOST_TRIES + 1)
    play(story, *failures, (0.0, Delivered()), chances=[0.1])


def test_failures_open_it_for_longer_each_time() -> None:
    """And an answer makes it forget them."""

    async def story(scene: Scene) -> list[float]:
        opened = []
        for _ in range(5):
            before_s = scene.now_s
            await scene.send(START_S + scene.now_s + 0.001)
            await scene.wait_closed()
            opened.append(scene.now_s - before_s)
        return opened

    answers: list[Answer] = [*[(0.0, UNAVAILABLE)] * 3, (0.0, Delivered()), (0.0, UNAVAILABLE)]
    assert play(story, *answers) == pytest.approx([1.0, 2.0, 4.0, 0.0, 1.0], abs=1e-5)


def test_requests_that_fail_together_are_one_failure() -> None:
    """Our own logs and the function's go to the same collector at the same time."""

    async def story(scene: Scene) -> float:
        ends_s = START_S + 0.501
        both = (scene.delivery.send(b"request", Window(ends_s)) for _ in range(2))
        await asyncio.gather(*both)
        assert scene.tries == 2
        since_s = scene.now_s
        await scene.wait_closed()
        return scene.now_s - since_s

    assert play(story, (0.5, UNAVAILABLE)) == pytest.approx(1.0)


def test_patience_ends_before_the_window() -> None:
    """A collector that does not answer costs an invocation its budget, once."""

    async def story(scene: Scene) -> None:
        assert await scene.measure_wait_s() == pytest.approx(PATIENCE_S)
        assert scene.exporter.in_flight == 1
        assert scene.delivery.is_away
        assert scene.delivery.is_slow
        outcome = await scene.delivery.send(b"request", Window(FAR_S, PATIENCE_S))
        assert isinstance(outcome, Undelivered)
        assert scene.now_s == pytest.approx(PATIENCE_S)

    play(story, None)


def test_failures_are_tried_again_only_within_the_patience() -> None:
    """A collector that refuses costs no more than one that is silent."""

    async def story(scene: Scene) -> None:
        assert await scene.send(patience_s=PATIENCE_S) == UNAVAILABLE
        assert scene.tries > 1
        assert scene.now_s < PATIENCE_S

    play(story, (0.0, UNAVAILABLE))


def test_patience_begins_with_the_request() -> None:
    """Not with the window: what we take for reading and encoding is not the collector's."""

    async def story(scene: Scene) -> None:
        window = Window(FAR_S, PATIENCE_S)
        await asyncio.sleep(5.0)
        assert await scene.delivery.send(b"request", window) == Delivered()

    play(story, (0.09, Delivered()))


def test_each_answer_renews_the_patience() -> None:
    """A long backlog is no silence: neither one after the other, nor side by side."""

    async def story(scene: Scene) -> None:
        window = Window(FAR_S, PATIENCE_S)
        for _ in range(3):
            assert await scene.delivery.send(b"request", window) == Delivered()
        assert scene.now_s == pytest.approx(0.24)
        slow = asyncio.create_task(scene.delivery.send(b"request", window))
        await asyncio.sleep(0.05)
        assert await scene.delivery.send(b"request", window) == Delivered()
        assert await slow == Delivered()

    # The fourth takes 0.19 s, but 0.08 s after it began another one has its answer.
    play(story, *[(0.08, Delivered())] * 3, (0.19, Delivered()), (0.03, Delivered()))


def test_whoever_waits_for_a_flush_beside_the_handler_is_told_how_long_that_is_worth() -> None:
    """From the request on that is out for longest; nothing is owed where none is."""

    async def story(scene: Scene) -> None:
        measure = scene.delivery.measure_patience_s
        assert measure(PATIENCE_S) == float("inf")
        window = Window(FAR_S, grace_s=GRACE_S)
        first = asyncio.create_task(scene.delivery.send(b"request", window))
        await asyncio.sleep(0.07)
        assert measure(PATIENCE_S) == pytest.approx(0.03)
        second = asyncio.create_task(scene.delivery.send(b"request", window))
        await asyncio.sleep(0.02)
        assert measure(PATIENCE_S) == pytest.approx(0.01)
        assert await second == Delivered()
        assert scene.exporter.in_flight == 1
        # An answer to the second one is a sign of life for the first one.
        assert measure(PATIENCE_S) == pytest.approx(PATIENCE_S)
        await asyncio.sleep(0.15)
        assert measure(PATIENCE_S) == pytest.approx(-0.05)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert measure(PATIENCE_S) == float("inf")

    play(story, None, (0.03, Delivered()))


def test_what_was_silent_for_too_long_is_given_up() -> None:
    """Then it is away, and slow; what is not silent yet is neither."""

    async def story(scene: Scene) -> None:
        sending = asyncio.create_task(scene.send(grace_s=GRACE_S))
        await asyncio.sleep(0.09)
        scene.delivery.give_up_silent(PATIENCE_S)
        away = [scene.delivery.is_away]
        await asyncio.sleep(0.02)
        scene.delivery.give_up_silent(PATIENCE_S)
        away.append(scene.delivery.is_away)
        assert away == [False, True]
        assert scene.delivery.is_slow
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    play(story, None)


@pytest.mark.parametrize("patience_s", [None, PATIENCE_S])
def test_what_we_had_no_time_for_is_not_the_collectors_fault(patience_s: float | None) -> None:
    """Encoding may take longer than the window: nothing was asked, nothing has failed."""

    async def story(scene: Scene) -> None:
        assert isinstance(await scene.send(START_S, patience_s=patience_s), Undelivered)
        assert (scene.tries, scene.took) == (0, [])
        assert not scene.delivery.is_away
        assert not scene.delivery.is_slow

    play(story, (0.0, Delivered()))


def test_where_answers_take_long_twice_as_long_is_waited_for() -> None:
    """What is usual is learned where it is no matter, and forgotten slowly."""

    async def story(scene: Scene) -> None:
        assert await scene.send() == Delivered()
        assert await scene.send_after_handler() == Delivered()
        assert await scene.measure_wait_s() == pytest.approx(2 * 0.45)

    play(story, (0.3, Delivered()), (0.45, Delivered()), None)


@pytest.mark.parametrize("late_s", [0.15, 3_000.0])
def test_an_answer_after_patience_was_up_makes_twice_as_patient(late_s: float) -> None:
    """By how long it was waited for, not by how long it took: a freeze may be in that."""

    async def story(scene: Scene) -> None:
        assert await scene.measure_wait_s() == pytest.approx(PATIENCE_S)
        await asyncio.sleep(late_s)
        assert scene.exporter.in_flight == 0
        assert not scene.delivery.is_away
        assert not scene.delivery.is_slow
        assert await scene.measure_wait_s() == pytest.approx(2 * PATIENCE_S)

    play(story, (late_s, Delivered()), None, timeout_ms=0)


def test_patience_is_learned_up_to_an_end() -> None:
    """Where the longest is not enough, it is of no use: then it begins anew."""

    async def story(scene: Scene) -> list[float]:
        waited_s = []
        for _ in range(8):
            waited_s.append(await scene.measure_wait_s())
            await asyncio.sleep(9.0)
        return waited_s

    waited_s = play(story, (9.0, Delivered()))
    assert waited_s == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2 * MOST_USUAL_S, 0.1, 0.2])


@pytest.mark.parametrize("late", [None, (0.2, UNAVAILABLE), (0.2, Undelivered("", 5_000))])
def test_what_never_took_it_makes_nobody_patient(late: Answer) -> None:
    """No answer, or one that takes nothing; and nothing is tried again meanwhile."""

    async def story(scene: Scene) -> None:
        assert await scene.measure_wait_s() == pytest.approx(PATIENCE_S)
        await asyncio.sleep(30.0)
        assert (scene.tries, scene.exporter.in_flight) == (1, 0)
        assert not scene.delivery.is_away
        assert await scene.measure_wait_s() == pytest.approx(PATIENCE_S)

    play(story, late, None)


def test_nothing_is_tried_again_where_nobody_waits() -> None:
    """What was asked is answered, nothing is begun; but at SHUTDOWN."""

    async def story(scene: Scene) -> list[int]:
        tries = []
        for is_last in (False, True):
            await scene.send(scene.now_s + START_S + 5.0, is_left=True, is_last=is_last)
            tries.append(scene.tries)
        return tries

    first, second = play(story, (0.1, UNAVAILABLE))
    assert first == 0
    assert second > 1


def test_how_long_a_connection_takes_is_learned_as_well() -> None:
    """The first answer may take as long; what is usual has an end."""

    async def story(scene: Scene) -> None:
        await scene.delivery.connect()
        assert await scene.send_after_handler() == Delivered()

    play(story, (0.35, Delivered()), connects_s=0.2)

    async def wait(scene: Scene) -> float:
        await scene.delivery.connect()
        return await scene.measure_wait_s()

    assert play(wait, None, connects_s=60.0) == pytest.approx(2 * MOST_USUAL_S)
    assert play(wait, None, connects_s=-60.0) == pytest.approx(PATIENCE_S)


def test_an_answer_that_was_frozen_does_not_make_patient() -> None:
    """How long it took says nothing but that it took no longer."""

    async def story(scene: Scene) -> float:
        await scene.send()
        await scene.send(grace_s=GRACE_S)
        return await scene.measure_wait_s()

    assert play(story, (0.02, Delivered()), (60.0, Delivered()), None, timeout_ms=0) == (
        pytest.approx(PATIENCE_S)
    )


def test_a_try_has_a_limit_of_its_own() -> None:
    """Then it is tried again, where there is time."""

    async def story(scene: Scene) -> None:
        assert await scene.send() == Delivered()
        assert scene.took == [(0.5, "timeout"), (0.01, "")]
        assert not scene.delivery.is_slow

    play(story, None, (0.01, Delivered()), timeout_ms=500)


def test_an_answer_ends_the_slowness() -> None:
    """A collector that is back is waited for again."""

    async def story(scene: Scene) -> None:
        slow = []
        await scene.send_after_handler()
        slow.append(scene.delivery.is_slow)
        await asyncio.sleep(1.0)
        await scene.wait_closed()
        slow.append(scene.delivery.is_slow)
        assert await scene.send(grace_s=GRACE_S) == Delivered()
        slow.append(scene.delivery.is_slow)
        assert slow == [True, True, False]

    play(story, None, (0.3, Delivered()), timeout_ms=500)


def test_where_nobody_waits_nobody_runs_out_of_patience() -> None:
    """Beside a handler a silent collector is away for a while, but has kept no invocation."""

    async def story(scene: Scene) -> None:
        assert isinstance(await scene.send(START_S + 2.0, grace_s=GRACE_S), Undelivered)
        assert scene.delivery.is_away
        assert not scene.delivery.is_slow

    play(story, None)


def test_a_freeze_while_waiting_loses_no_answer() -> None:
    """The window of a flush beside a handler is over when the sandbox goes on."""

    async def story(loop: VirtualLoop) -> None:
        scene = Scene(loop, (1.5, Delivered()))
        loop.call_later(0.5, loop.freeze, 600.0)
        assert await scene.send(START_S + 1.0, grace_s=GRACE_S) == Delivered()
        assert scene.tries == 1

    run_virtually(story)


def test_whoever_cuts_a_request_off_leaves_nothing_in_flight() -> None:
    """And the collector is not blamed."""

    async def story(scene: Scene) -> None:
        sending = asyncio.create_task(scene.send())
        await asyncio.sleep(1.0)
        assert scene.exporter.in_flight == 1
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert scene.exporter.in_flight == 0
        assert not scene.delivery.is_away

    play(story, None)


# Not at once: chance may draw no pause at all, and nothing else would let time pass.
ANSWERS = st.lists(
    st.none()
    | st.tuples(
        st.floats(0.02, 3),
        st.sampled_from([Delivered(), Refused("no"), TooLarge("much"), UNAVAILABLE])
        | st.builds(Undelivered, st.just("HTTP 429"), st.integers(0, 10_000)),
    ),
    min_size=1,
    max_size=12,
)


@LAW
@given(
    answers=ANSWERS,
    window_s=st.floats(0.001, 5),
    patience_s=st.none() | st.floats(0.001, 1),
    is_last=st.booleans(),
    timeout_ms=st.sampled_from((0, 10, 700)),
    chances=st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_nothing_begins_and_nothing_lasts_past_the_window(
    answers: Sequence[Answer],
    window_s: float,
    patience_s: float | None,
    is_last: bool,  # noqa: FBT001  (a parameter of the test)
    timeout_ms: int,
    chances: Sequence[float],
) -> None:
    """Whatever a collector answers: no request, no pause, no wait; past the patience no try."""

    async def story(scene: Scene) -> None:
        ends_s = START_S + window_s
        await scene.send(ends_s, patience_s=patience_s, is_last=is_last)
        assert scene.now_s <= window_s + 1e-5
        assert all(began_s < ends_s for began_s in scene.exporter.began_s)
        if patience_s is not None:
            assert all(began_s <= START_S + patience_s for began_s in scene.exporter.began_s)

    play(story, *answers, timeout_ms=timeout_ms, chances=chances)
