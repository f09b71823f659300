"""When what waits is sent: between decisions that are real and a collector that is scripted.

Time is virtual, the delivery is the real one: what counts is the sum of all that is waited for.
"""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.patience import GRACE_S
from logger_extension.policy.flush import Action, Decision, Reason
from logger_extension.policy.outcome import Undelivered
from tests.support.flush_scene import (
    AUTO,
    BUDGET_S,
    END,
    FLUSH_TIMEOUT_S,
    INTERVAL_MS,
    OVERLAP,
    PERIODIC,
    TAKEN,
    UNAVAILABLE,
    Scene,
    play,
)
from tests.support.laws import LAW
from tests.support.scripted_exporter import Answer
from tests.support.virtual_time import START_MS


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
        assert scene.exporter.in_flight == 1

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


def test_the_end_does_not_wait_for_a_flush_that_does_not() -> None:
    """Beside the handler it had its time; it is left in flight, and nobody is asked for more."""

    async def story(scene: Scene) -> None:
        scene.source.fill = 1.0
        scene.invoke()
        scene.source.put(b"1", b"2")
        following = asyncio.create_task(scene.flusher.follow())
        await asyncio.sleep(3.0)
        assert scene.exporter.bodies == [b"1", b"2"]
        assert await scene.end() == 0.0
        following.cancel()
        assert scene.exporter.in_flight == 1
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
        assert scene.delivery.is_away
        # Nor is it tried again when the pause is over: nobody waits for it.
        await asyncio.sleep(20.0)
        assert scene.exporter.bodies == [b"1"]
        assert scene.source.has_waiting

    play(story, END, (0.0, Undelivered("HTTP 429", 60_000 // 4)))


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


async def _live_with_auto(scene: Scene, invocations: int) -> list[float]:
    following = asyncio.create_task(scene.flusher.follow())
    added_s = []
    for number in range(invocations):
        action = scene.invoke()
        scene.source.put(bytes([number]))
        await asyncio.sleep(1.0)
        added_s.append(await scene.end() if action is Action.END else 0.0)
    following.cancel()
    return added_s


def test_a_collector_that_is_slow_is_waited_for_beside_handlers() -> None:
    """It costs one invocation its budget, and its answer comes for nothing."""

    async def story(scene: Scene) -> None:
        assert await _live_with_auto(scene, 4) == pytest.approx([BUDGET_S, 0.0, 0.0, 0.0])
        reasons = [decision.reason for decision in scene.decisions[:4]]
        expected = [Reason.UNKNOWN_RHYTHM, Reason.COLLECTOR_AWAY, *[Reason.COLLECTOR_SLOW] * 2]
        assert reasons == expected
        assert scene.exporter.bodies == [b"\0"]
        assert not scene.delivery.is_slow

    play(story, AUTO, (2.5, TAKEN))


def test_a_collector_that_was_given_up_is_tried_beside_handlers() -> None:
    """What it did not take it gets for nothing as well."""

    async def story(scene: Scene) -> None:
        assert await _live_with_auto(scene, 14) == pytest.approx([BUDGET_S, *[0.0] * 13])
        # The first one has had the most that a request may take.
        assert scene.exporter.bodies[:3] == [b"\0", b"\0", b"\1"]
        assert not scene.delivery.is_slow

    play(story, AUTO, None, (0.6, TAKEN))


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


ANSWERS = st.lists(
    st.none() | st.tuples(st.floats(0, 0.5), st.sampled_from([TAKEN, UNAVAILABLE])),
    min_size=1,
    max_size=8,
)


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
