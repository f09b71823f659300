"""Waiting that has an end, and that a freeze does not break. Time is virtual."""

import asyncio

import pytest

from logger_extension.patience import GRACE_S, LATE_S, wait_within
from tests.support.virtual_time import START_S, VirtualLoop, run_virtually


class Work:
    """Answers after a while; notes what becomes of it.

    Args:
        takes_s: how long it takes, None for ever.
        ends_after_s: how long it takes to end when it is cancelled.
    """

    def __init__(self, takes_s: float | None, ends_after_s: float = 0.0) -> None:
        self._takes_s = takes_s
        self._ends_after_s = ends_after_s
        self.began = self.was_cancelled = self.has_ended = False

    async def run(self) -> str:
        """Take that long."""
        self.began = True
        try:
            if self._takes_s is None:
                await asyncio.Event().wait()
            else:
                await asyncio.sleep(self._takes_s)
        except asyncio.CancelledError:
            self.was_cancelled = True
            await asyncio.sleep(self._ends_after_s)
            raise
        finally:
            self.has_ended = True
        return "answer"


class Clock:
    """What remains until a point in time, which may be moved."""

    def __init__(self, loop: VirtualLoop, duration_s: float) -> None:
        self._loop = loop
        self.ends_s = loop.time() + duration_s

    def remaining_s(self) -> float:
        """Return the seconds that remain."""
        return self.ends_s - self._loop.time()


class Answer:
    """An answer that needs a few rounds of the loop, as one from a socket does, from a time on."""

    def __init__(self, loop: VirtualLoop, due_s: float, rounds: int = 5) -> None:
        self._loop = loop
        self._due_s = loop.time() + due_s
        self._rounds = rounds

    async def run(self) -> str:
        """Answer when it has been read."""
        await asyncio.sleep(self._due_s - self._loop.time())
        for _ in range(self._rounds):
            await asyncio.sleep(0)
        return "answer"


def test_an_answer_in_time_is_returned_at_once() -> None:
    """Nothing is waited for beyond it."""

    async def story(loop: VirtualLoop) -> float:
        assert await wait_within(Work(2.0).run(), Clock(loop, 3.0).remaining_s) == "answer"
        return loop.time() - START_S

    assert run_virtually(story) == pytest.approx(2.0)


def test_time_without_an_end_is_enough_for_everything() -> None:
    """On Managed Instances nothing limits a flush."""

    async def story(_loop: VirtualLoop) -> str:
        return await wait_within(Work(3_600.0).run(), lambda: float("inf"))

    assert run_virtually(story) == "answer"


def test_when_time_is_up_the_work_is_ended() -> None:
    """And its end is awaited: nothing of it goes on behind our back."""

    async def story(loop: VirtualLoop) -> float:
        work = Work(None, ends_after_s=0.5)
        with pytest.raises(TimeoutError):
            await wait_within(work.run(), Clock(loop, 3.0).remaining_s)
        assert (work.was_cancelled, work.has_ended) == (True, True)
        return loop.time() - START_S

    assert run_virtually(story) == pytest.approx(3.5)


@pytest.mark.parametrize("left_s", [0.0, -1.0])
def test_without_time_nothing_is_begun(left_s: float) -> None:
    """A coroutine that nobody awaits would be a warning, and warnings are errors here."""

    async def story(loop: VirtualLoop) -> bool:
        work = Work(0.0)
        with pytest.raises(TimeoutError):
            await wait_within(
                work.run(), Clock(loop, left_s).remaining_s, find_grace_s=lambda: GRACE_S
            )
        return work.began

    assert not run_virtually(story)


def test_a_limit_that_is_moved_meanwhile_counts() -> None:
    """The next INVOKE gives a flush beside the handler its time."""

    async def story(loop: VirtualLoop) -> str:
        clock = Clock(loop, 1.0)
        loop.call_later(0.5, lambda: setattr(clock, "ends_s", START_S + 10.0))
        return await wait_within(Work(9.0).run(), clock.remaining_s)

    assert run_virtually(story) == "answer"


def test_a_limit_that_is_moved_nearer_ends_the_wait_at_its_next_look() -> None:
    """Not before: a limit is never moved nearer but by the clock's being set."""

    async def story(loop: VirtualLoop) -> float:
        clock = Clock(loop, 5.0)
        loop.call_later(0.5, lambda: setattr(clock, "ends_s", START_S + 1.0))
        with pytest.raises(TimeoutError):
            await wait_within(Work(9.0).run(), clock.remaining_s)
        return loop.time() - START_S

    assert run_virtually(story) == pytest.approx(5.0)


@pytest.mark.parametrize("frozen_s", [1.0, 15 * 60.0])
def test_an_answer_that_comes_with_a_late_timer_is_not_lost(frozen_s: float) -> None:
    """Both are due after a thaw, and the timer is served first."""

    async def story(loop: VirtualLoop) -> str:
        answer = Answer(loop, due_s=1.5)
        loop.call_later(0.5, loop.freeze, frozen_s)
        return await wait_within(
            answer.run(), Clock(loop, 1.0).remaining_s, find_grace_s=lambda: GRACE_S
        )

    assert run_virtually(story) == "answer"


def test_a_freeze_gives_a_moment_more_and_not_longer() -> None:
    """A collector that does not answer then either is not waited for."""

    async def story(loop: VirtualLoop) -> float:
        loop.call_later(0.5, loop.freeze, 60.0)
        with pytest.raises(TimeoutError):
            await wait_within(
                Work(None).run(), Clock(loop, 1.0).remaining_s, find_grace_s=lambda: GRACE_S
            )
        return loop.time() - START_S

    assert run_virtually(story) == pytest.approx(60.5 + GRACE_S)


def test_a_moment_more_is_given_once() -> None:
    """Otherwise a process that is stopped again and again would wait for ever."""

    async def story(loop: VirtualLoop) -> float:
        loop.call_later(0.5, loop.freeze, 60.0)
        loop.call_later(60.6, loop.freeze, 60.0)
        with pytest.raises(TimeoutError):
            await wait_within(
                Work(None).run(), Clock(loop, 1.0).remaining_s, find_grace_s=lambda: GRACE_S
            )
        return loop.time() - START_S

    assert run_virtually(story) == pytest.approx(120.6)


def test_a_moment_more_is_enough_for_a_limit_to_be_moved() -> None:
    """The INVOKE that has thawed us is read after the timers."""

    async def story(loop: VirtualLoop) -> str:
        clock = Clock(loop, 1.0)
        loop.call_later(0.5, loop.freeze, 60.0)
        loop.call_later(60.6, lambda: setattr(clock, "ends_s", START_S + 70.0))
        return await wait_within(Work(65.0).run(), clock.remaining_s, find_grace_s=lambda: GRACE_S)

    assert run_virtually(story) == "answer"


@pytest.mark.parametrize(("late_s", "grace_s"), [(60.0, 0.0), (LATE_S / 2, GRACE_S)])
def test_where_nothing_is_frozen_a_timer_says_what_it_says(late_s: float, grace_s: float) -> None:
    """A timer that is a little late, or late where nothing freezes, tells of a busy CPU."""

    async def story(loop: VirtualLoop) -> float:
        loop.call_later(0.99, loop.freeze, 0.01 + late_s)
        with pytest.raises(TimeoutError):
            await wait_within(
                Work(None).run(), Clock(loop, 1.0).remaining_s, find_grace_s=lambda: grace_s
            )
        return loop.time() - START_S

    assert run_virtually(story) == pytest.approx(1.0 + late_s)


def test_whoever_is_cancelled_awaits_the_end_of_the_work() -> None:
    """What is cut off puts its data back before anybody else looks at the queue."""

    async def story(loop: VirtualLoop) -> float:
        work = Work(None, ends_after_s=0.5)
        waiting = loop.create_task(wait_within(work.run(), Clock(loop, 9.0).remaining_s))
        loop.call_later(1.0, waiting.cancel)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (work.was_cancelled, work.has_ended) == (True, True)
        return loop.time() - START_S

    assert run_virtually(story) == pytest.approx(1.5)


def test_an_error_of_the_work_is_the_callers() -> None:
    """It is neither swallowed nor told by the loop."""

    async def fail() -> None:
        await asyncio.sleep(0.1)
        raise ZeroDivisionError

    async def story(loop: VirtualLoop) -> None:
        with pytest.raises(ZeroDivisionError):
            await wait_within(fail(), Clock(loop, 1.0).remaining_s)

    run_virtually(story)


def test_work_that_ends_well_although_it_was_cut_off_has_its_result() -> None:
    """What was done counts, when it came."""

    async def finish() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"
        return "never"

    async def story(loop: VirtualLoop) -> str:
        return await wait_within(finish(), Clock(loop, 1.0).remaining_s)

    assert run_virtually(story) == "done"
