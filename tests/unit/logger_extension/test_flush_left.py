"""What a collector has not answered after a handler: left in flight over the freeze, then read."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.delivery import MOST_PATIENCE_S, MOST_USUAL_S
from logger_extension.policy.flush import Action, FlushRules, Policy
from logger_extension.policy.outcome import Undelivered
from tests.support.flush_scene import (
    AUTO,
    BUDGET_S,
    END,
    FLUSH_TIMEOUT_S,
    TAKEN,
    UNAVAILABLE,
    Scene,
    play,
)
from tests.support.laws import LAW
from tests.support.scripted_exporter import Answer

# A handler, and Lambda's telemetry buffer.
HANDLER_S = 0.03


async def live(scene: Scene, invocations: int, frozen_s: float = 60.0) -> list[float]:
    """Invoke so often, a line each, frozen in between; return what came after each handler."""
    following = asyncio.create_task(scene.flusher.follow())
    added_s = []
    for number in range(invocations):
        action = scene.invoke()
        scene.source.put(bytes([number]))
        await asyncio.sleep(HANDLER_S)
        added_s.append(await scene.end() if action is Action.END else 0.0)
        await scene.freeze(frozen_s)
    following.cancel()
    return added_s


@pytest.mark.parametrize("rules", [END, AUTO], ids=["end", "auto"])
@pytest.mark.parametrize("frozen_s", [0.0, 0.3, 60.0, 900.0])
@pytest.mark.parametrize("answer_s", [0.11, 0.15, 0.5, 1.5])
def test_a_slow_collector_gets_everything_once(
    rules: FlushRules, frozen_s: float, answer_s: float
) -> None:
    """However soon the next invocation comes, and whether a freeze is between or not."""

    async def story(scene: Scene) -> None:
        await live(scene, 30, frozen_s)
        await scene.shut_down(100.0, 101.0)
        assert scene.exporter.bodies == [bytes([number]) for number in range(30)]
        assert scene.source.given_up == []

    play(story, rules, (answer_s, TAKEN))


@pytest.mark.parametrize(
    ("answer_s", "waited_s"),
    [(0.15, [0.1, 0.15, 0.15, 0.15, 0.15]), (0.5, [0.1, 0.2, 0.4, 0.5, 0.5])],
)
def test_it_is_waited_for_twice_as_long_each_time(
    answer_s: float, waited_s: Sequence[float]
) -> None:
    """Until that is enough: a freeze tells only that an answer took longer."""

    async def story(scene: Scene) -> None:
        assert await live(scene, 5) == pytest.approx(waited_s)

    play(story, END, (answer_s, TAKEN))


def test_no_collector_is_waited_for_longer_than_that() -> None:
    """One that takes ten seconds has no use of it, and does not cost two each time."""

    async def story(scene: Scene) -> None:
        added_s = await live(scene, 20)
        assert max(added_s) <= MOST_PATIENCE_S + 1e-3
        assert sum(added_s) < len(added_s) * MOST_USUAL_S

    play(story, END, (10.0, TAKEN))


def test_what_is_not_answered_in_time_is_not_sent_again() -> None:
    """The invocation goes on after the budget, the answer is read with the next one."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        assert await scene.end() == pytest.approx(BUDGET_S)
        assert scene.exporter.in_flight == 1
        states = [(scene.delivery.is_away, scene.delivery.is_slow)]
        await scene.freeze()
        assert scene.invoke() is Action.END
        assert scene.is_idle
        states.append((scene.delivery.is_away, scene.delivery.is_slow))
        assert states == [(True, True), (False, False)]
        scene.source.put(b"2")
        # Twice as long as was not enough: it is enough.
        assert await scene.end() == pytest.approx(0.15)
        assert scene.exporter.bodies == [b"1", b"2"]

    play(story, END, (0.15, TAKEN))


def test_while_it_is_in_flight_nothing_else_is_begun() -> None:
    """Whoever is asked and has not answered is not asked for more, nor waited for again."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        await scene.end()
        # Another collector, which answers, would have it asked for the sake of its own.
        scene.source.put(b"2")
        assert await scene.end() == pytest.approx(0.0)
        assert scene.exporter.bodies == [b"1"]
        await asyncio.sleep(0.3)
        assert await scene.end() == pytest.approx(0.02)
        assert scene.exporter.bodies == [b"1", b"2"]

    play(story, END, (0.35, TAKEN), (0.02, TAKEN))


def test_what_is_left_takes_nothing_more_with_it() -> None:
    """With its answer it is over: what came meanwhile would be work beside a handler."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1", b"2")
        await scene.end()
        await scene.freeze()
        scene.invoke()
        await asyncio.sleep(5.0)
        assert scene.exporter.bodies == [b"1"]
        assert scene.source.has_waiting

    play(story, END, (0.15, TAKEN))


@pytest.mark.parametrize("stops_clock", [False, True])
@pytest.mark.parametrize("rules", [END, AUTO], ids=["end", "auto"])
def test_a_silent_collector_costs_its_budget_each_time_it_is_tried(
    rules: FlushRules,
    stops_clock: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    """What is in flight from before costs nothing more, and is not in the way for ever."""

    async def story(scene: Scene) -> None:
        for number in range(200):
            action = scene.invoke()
            scene.source.put(bytes([number]))
            await asyncio.sleep(HANDLER_S)
            if action is Action.END:
                assert await scene.end() <= BUDGET_S + 1e-3
            await scene.freeze(3.0, stops_clock=stops_clock)
        tries = len(scene.exporter.bodies)
        assert tries < 40
        await scene.shut_down(1.0, 2.0)
        assert sorted(scene.source.given_up) == [bytes([number]) for number in range(200)]

    play(story, rules, None)


def test_an_answer_that_does_not_come_in_all_that_time_is_not_waited_for_longer() -> None:
    """It is cut off at the end of a later invocation, and the same goes out again."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        await scene.end()
        await scene.freeze(MOST_PATIENCE_S)
        assert scene.invoke() is Action.END
        await asyncio.sleep(HANDLER_S)
        assert await scene.end() == pytest.approx(0.02)
        assert scene.exporter.bodies == [b"1", b"1"]
        assert scene.is_idle
        # What was cut off teaches nothing.
        scene.source.put(b"2")
        assert await scene.end() == pytest.approx(BUDGET_S)

    play(story, END, None, (0.02, TAKEN), None)


def test_right_after_the_thaw_an_answer_has_a_moment() -> None:
    """Where nobody tells of a handler's end, the end comes with the event."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        await scene.end()
        scene.loop.freeze(60.0)
        scene.invoke()
        scene.source.put(b"2")
        await scene.end()
        assert scene.exporter.bodies == [b"1", b"2"]

    play(story, END, (0.15, TAKEN))


def test_a_backlog_that_takes_too_long_is_left_with_the_last_request() -> None:
    """A collector that answers is not blamed, and nothing is sent twice."""

    async def story(scene: Scene) -> None:
        items = [bytes([number]) for number in range(100)]
        scene.invoke()
        scene.source.put(*items)
        assert await scene.end() == pytest.approx(FLUSH_TIMEOUT_S)
        assert scene.exporter.in_flight == 1
        await scene.freeze()
        for _ in range(3):
            assert scene.invoke() is Action.END
            await scene.end()
            await scene.freeze()
        assert scene.exporter.bodies == items

    play(story, END, (0.07, TAKEN))


def test_one_that_dies_while_it_is_waited_for_long_is_found_out() -> None:
    """Patience may be as long as a flush: then silence is told at the end of the next one."""

    async def story(scene: Scene) -> None:
        await scene.delivery.connect()
        scene.source.put(b"1")
        scene.invoke()
        scene.source.reads_s = 0.01
        assert await scene.end() == pytest.approx(FLUSH_TIMEOUT_S)
        scene.source.reads_s = 0.0
        assert not scene.delivery.is_away
        await scene.freeze()
        assert scene.invoke() is Action.END
        await asyncio.sleep(HANDLER_S)
        assert await scene.end() == 0.0
        assert scene.invoke() is Action.LATER

    play(story, END, None, connects_s=MOST_USUAL_S)


def test_what_has_asked_nobody_is_ended() -> None:
    """Reading goes on with the next flush: beside a handler it would be the handler's loss."""

    async def story(scene: Scene) -> None:
        scene.source.reads_s = 60.0
        scene.invoke()
        scene.source.put(b"1")
        assert await scene.end() == pytest.approx(FLUSH_TIMEOUT_S)
        scene.source.reads_s = 0.0
        assert scene.invoke() is Action.END
        assert await scene.end() == pytest.approx(0.02)
        assert scene.exporter.bodies == [b"1"]

    play(story, END)


def test_a_request_at_the_deadline_is_left_as_well() -> None:
    """The limit ends our waiting, not the request."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        assert await scene.end(left_s=0.05) == pytest.approx(0.05)
        await scene.freeze()
        scene.invoke()
        assert scene.is_idle
        assert scene.exporter.bodies == [b"1"]

    play(story, END, (0.08, TAKEN))


@pytest.mark.parametrize("frozen_s", [0.0, 60.0])
def test_a_shutdown_reads_the_answer_of_what_was_left(frozen_s: float) -> None:
    """It goes on as the last flush; nothing is sent twice."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1", b"2")
        await scene.end()
        await scene.freeze(frozen_s)
        await scene.shut_down(1.3, 1.8)
        assert scene.exporter.bodies == [b"1", b"2"]
        assert scene.source.given_up == []

    play(story, END, (0.3, TAKEN))


def test_a_shutdown_cuts_off_what_is_silent_still() -> None:
    """There is no later chance: it is sent once more, then written down."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        await scene.end()
        await scene.freeze()
        assert await scene.shut_down(1.3, 1.8) <= 1.8
        assert scene.exporter.bodies == [b"1", b"1"]
        assert scene.source.given_up == [b"1"]

    play(story, END, None)


def test_whoever_asks_not_to_be_asked_is_not_waited_for() -> None:
    """A pause beyond the patience is none of the invocation's, nor of the next one's."""

    async def story(scene: Scene) -> None:
        scene.invoke()
        scene.source.put(b"1")
        assert await scene.end() == pytest.approx(0.0)
        assert not scene.delivery.is_slow
        await asyncio.sleep(6.9)
        assert scene.invoke() is Action.LATER

    play(story, END, (0.0, Undelivered("HTTP 429", 7_000)))


ANSWERS = st.lists(
    st.none() | st.tuples(st.floats(0, 3), st.sampled_from([TAKEN, UNAVAILABLE])),
    min_size=1,
    max_size=12,
)


@LAW
@given(
    answers=ANSWERS,
    policy=st.sampled_from([Policy.END, Policy.AUTO]),
    frozen_s=st.lists(st.floats(0, 30), min_size=1, max_size=8),
    left_s=st.floats(0, 3),
    has_spare_cpu=st.booleans(),
)
def test_whatever_collectors_do_nothing_is_lost_and_no_wait_is_too_long(
    answers: Sequence[Answer],
    policy: Policy,
    frozen_s: Sequence[float],
    left_s: float,
    has_spare_cpu: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    """Nothing but an answer ends a request, or SHUTDOWN, or a very long silence."""

    async def story(scene: Scene) -> None:
        following = asyncio.create_task(scene.flusher.follow())
        for number, seconds in enumerate(frozen_s):
            action = scene.invoke(HANDLER_S + left_s)
            scene.source.put(bytes([number]))
            await asyncio.sleep(HANDLER_S)
            if action is Action.END:
                assert await scene.end(left_s) <= min(left_s, FLUSH_TIMEOUT_S) + 1e-5
            await scene.freeze(seconds)
        following.cancel()
        await scene.shut_down(0.5, 1.0)
        assert not scene.exporter.in_flight
        items = {bytes([number]) for number in range(len(frozen_s))}
        assert set(scene.exporter.bodies) | set(scene.source.given_up) == items

    play(story, FlushRules(policy=policy), *answers, has_spare_cpu=has_spare_cpu)
