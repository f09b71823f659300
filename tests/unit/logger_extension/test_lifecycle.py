"""The loop over `next`: the order of things, and the time that each may take."""

import asyncio
from collections.abc import Awaitable, Sequence

import pytest

from logger_extension.deadline import Deadline
from logger_extension.events import InvokeEvent, LifecycleEvent, ShutdownEvent
from logger_extension.lifecycle import Lifecycle

NOW_MS = 1_795_427_494_000.0
MARGIN_MS = 200.0
# Far enough away never to come in a test, a few milliseconds away, and already over.
FAR, SOON = Deadline(NOW_MS + 3_600_000), Deadline(NOW_MS + MARGIN_MS + 5)
PAST = Deadline(NOW_MS + MARGIN_MS)


class Api:
    """Gives the events in order; notes when it is asked."""

    def __init__(self, story: list[str], events: Sequence[LifecycleEvent]) -> None:
        self._story = story
        self._events = iter(events)

    async def next_event(self) -> LifecycleEvent:
        """Return the next event."""
        self._story.append("next")
        return next(self._events)


class Pipeline:
    """Notes what it is asked; some steps never end, some fail."""

    def __init__(
        self, story: list[str], *, hangs: Sequence[str] = (), fails: Sequence[str] = ()
    ) -> None:
        self._story = story
        self._hangs = hangs
        self._fails = fails

    def invoked(self, event: InvokeEvent) -> None:
        """Note an INVOKE."""
        self._note(f"invoked {event.request_id}")

    def end_unobserved(self, request_id: str) -> None:
        """Note the end without telemetry."""
        self._note(f"end_unobserved {request_id}")

    def end_all(self, reason: str) -> None:
        """Note the end of all."""
        self._note(f"end_all {reason}")

    async def wait_finished(self, request_id: str) -> None:
        """Note the wait."""
        await self._take_time(f"wait_finished {request_id}")

    async def wait_reported(self) -> None:
        """Note the wait for reports."""
        await self._take_time("wait_reported")

    async def flush(self) -> None:
        """Note the flush."""
        await self._take_time("flush")

    def _note(self, what: str) -> None:
        self._story.append(what)
        if what.partition(" ")[0] in self._fails:
            raise ZeroDivisionError(what)

    async def _take_time(self, what: str) -> None:
        self._note(what)
        try:
            if what.partition(" ")[0] in self._hangs:
                await asyncio.Event().wait()
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._story.append(f"{what} cut")
            raise


class Steps(list[str]):
    """What happened, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = asyncio.Event()

    def append(self, step: str) -> None:
        """Note one step."""
        super().append(step)
        self._progress.set()

    async def wait_for(self, step: str, times: int = 1) -> None:
        """Wait until a step has happened so many times."""
        while self.count(step) < times:
            self._progress.clear()
            await self._progress.wait()


class Story:
    """A lifecycle between a given API and pipeline, and what happened."""

    def __init__(
        self,
        *events: LifecycleEvent,
        hangs: Sequence[str] = (),
        fails: Sequence[str] = (),
        has_telemetry: bool = True,
        flush_interval_ms: float = 1_000,
        flush_timeout_ms: float = 1_000,
    ) -> None:
        self.steps = Steps()
        self.faults: list[str] = []
        self.lifecycle = Lifecycle(
            api=Api(self.steps, events),
            pipeline=Pipeline(self.steps, hangs=hangs, fails=fails),
            survive=self._survive,
            has_telemetry=has_telemetry,
            margin_ms=MARGIN_MS,
            flush_timeout_ms=flush_timeout_ms,
            flush_interval_ms=flush_interval_ms,
            now_ms=lambda: NOW_MS,
        )

    async def _survive(self, work: Awaitable[None]) -> None:
        try:
            await work
        except ZeroDivisionError as error:
            self.faults.append(str(error))


def _invoke(request_id: str, deadline: Deadline = FAR) -> InvokeEvent:
    return InvokeEvent(request_id, deadline, "")


def _shutdown(deadline: Deadline = FAR) -> ShutdownEvent:
    return ShutdownEvent("spindown", deadline)


async def test_the_order_of_an_invocation() -> None:
    """Invoked, finished, flushed, next: and so on until SHUTDOWN."""
    story = Story(_invoke("a"), _invoke("b"), _shutdown())
    assert await story.lifecycle.follow_invocations() == _shutdown()
    one = ["next", "invoked a", "wait_finished a", "flush"]
    two = ["next", "invoked b", "wait_finished b", "flush"]
    assert story.steps == [*one, *two, "next"]


async def test_without_telemetry_nobody_is_waited_for() -> None:
    """INVOKE and next are then all there is."""
    story = Story(_invoke("a"), _shutdown(), has_telemetry=False)
    await story.lifecycle.follow_invocations()
    assert story.steps == ["next", "invoked a", "end_unobserved a", "flush", "next"]


async def test_a_handler_that_is_never_done_is_waited_for_until_the_margin() -> None:
    """Then comes `next`: a flush is begun at most for what is left."""
    story = Story(_invoke("a", SOON), _invoke("b"), _shutdown(), hangs=["wait_finished", "flush"])
    following = asyncio.create_task(story.lifecycle.follow_invocations())
    await story.steps.wait_for("wait_finished b")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    expected = ["next", "invoked a", "wait_finished a", "wait_finished a cut"]
    assert story.steps[: len(expected)] == expected
    assert story.steps.count("flush") == story.steps.count("flush cut")


async def test_a_flush_that_hangs_is_cut_at_the_margin() -> None:
    """A collector that does not answer cannot make the function time out."""
    story = Story(_invoke("a", SOON), _shutdown(), hangs=["flush"], has_telemetry=False)
    await story.lifecycle.follow_invocations()
    assert story.steps == ["next", "invoked a", "end_unobserved a", "flush", "flush cut", "next"]


@pytest.mark.parametrize("late_ms", [0.0, 0.5, 10_000.0])
async def test_nothing_is_begun_past_the_deadline_less_the_margin(late_ms: float) -> None:
    """Only a deadline that lies further ahead than the margin leaves time."""
    deadline = Deadline(NOW_MS + MARGIN_MS - late_ms)
    story = Story(_invoke("a", deadline), _shutdown())
    await story.lifecycle.follow_invocations()
    assert story.steps == ["next", "invoked a", "next"]


@pytest.mark.parametrize("failing", ["invoked", "wait_finished", "flush"])
async def test_a_fault_does_not_end_the_loop(failing: str) -> None:
    """An exit of ours fails the function, so the next event is asked for whatever happens."""
    story = Story(_invoke("a"), _invoke("b"), _shutdown(), fails=[failing])
    assert await story.lifecycle.follow_invocations() == _shutdown()
    assert story.steps.count("next") == 3
    assert len(story.faults) == 2


async def test_the_order_of_the_shutdown() -> None:
    """The last report, the end of what is open, the last flush."""
    story = Story()
    await story.lifecycle.shut_down(_shutdown())
    assert story.steps == ["wait_reported", "end_all spindown", "flush"]


async def test_without_telemetry_no_report_is_waited_for() -> None:
    """None will come."""
    story = Story(has_telemetry=False)
    await story.lifecycle.shut_down(_shutdown())
    assert story.steps == ["end_all spindown", "flush"]


async def test_a_report_that_does_not_come_is_not_waited_for_long() -> None:
    """Milliseconds, however far the deadline is."""
    story = Story(hangs=["wait_reported"])
    await story.lifecycle.shut_down(_shutdown())
    assert story.steps == ["wait_reported", "wait_reported cut", "end_all spindown", "flush"]


async def test_a_shutdown_without_time_ends_at_once() -> None:
    """Nothing is begun that could not be ended."""
    story = Story(hangs=["wait_reported", "flush"])
    await story.lifecycle.shut_down(_shutdown(PAST))
    assert story.steps == ["end_all spindown"]


async def test_a_fault_while_waiting_for_reports_does_not_keep_the_last_flush_from_happening() -> (
    None
):
    """What is queued still goes out."""
    story = Story(fails=["wait_reported"])
    await story.lifecycle.shut_down(_shutdown())
    assert story.steps[-1] == "flush"


@pytest.mark.parametrize("failing", ["end_all", "flush"])
async def test_a_fault_at_shutdown_is_survived(failing: str) -> None:
    """The process still ends as it should, and what is queued goes out."""
    story = Story(fails=[failing])
    await story.lifecycle.shut_down(_shutdown())
    assert len(story.faults) == 1
    assert story.steps[-1] == "flush"


async def test_managed_instances_flush_for_ever() -> None:
    """At intervals, also after a fault."""
    story = Story(fails=["flush"], flush_interval_ms=0)
    flushing = asyncio.create_task(story.lifecycle.flush_periodically())
    await story.steps.wait_for("flush", 5)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    assert len(story.faults) >= 4


async def test_cancelling_the_intervals_leaves_a_flush_under_way_alone() -> None:
    """What it is sending would otherwise be sent again by the last flush."""
    story = Story(hangs=["flush"], flush_interval_ms=0)
    flushing = asyncio.create_task(story.lifecycle.flush_periodically())
    await story.steps.wait_for("flush")
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    assert "flush cut" not in story.steps


async def test_a_flush_has_a_budget_of_its_own() -> None:
    """However far the deadline is, a collector that dallies costs no more."""
    story = Story(_invoke("a"), _shutdown(), hangs=["flush"], flush_timeout_ms=5)
    await story.lifecycle.follow_invocations()
    assert story.steps[-2:] == ["flush cut", "next"]
