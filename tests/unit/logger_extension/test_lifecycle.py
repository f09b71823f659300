"""The loop over `next`: the order of things, and the time that each may take."""

import asyncio
from collections.abc import Awaitable, Sequence

import pytest

from logger_extension.deadline import Deadline
from logger_extension.events import InvokeEvent, LifecycleEvent, ShutdownEvent
from logger_extension.lifecycle import Lifecycle
from logger_extension.policy.flush import Action, Decision, Reason, plan_shutdown

NOW_MS = 1_795_427_494_000.0
MARGIN_MS = 200.0
# Far enough away never to come in a test, and a few milliseconds away.
FAR, SOON = Deadline(NOW_MS + 3_600_000), Deadline(NOW_MS + MARGIN_MS + 5)

END = Decision(Action.END, Reason.ASKED)
BESIDE = Decision(Action.BESIDE, Reason.SPARE_CPU)
LATER = Decision(Action.LATER, Reason.YOUNG)


class Api:
    """Gives the events in order; notes when it is asked."""

    def __init__(self, story: list[str], events: Sequence[LifecycleEvent]) -> None:
        self._story = story
        self._events = iter(events)

    async def next_event(self) -> LifecycleEvent:
        """Return the next event."""
        self._story.append("next")
        return next(self._events)


class Actor:
    """Notes what it is asked; some steps never end, some fail."""

    def __init__(
        self, story: list[str], *, hangs: Sequence[str] = (), fails: Sequence[str] = ()
    ) -> None:
        self._story = story
        self._hangs = hangs
        self._fails = fails

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


class Pipeline(Actor):
    """The follower's side.

    Attributes:
        end_ms: when the runtime was done, of every invocation; 0 while that is not known.
        measured: the invocations that were measured.
    """

    end_ms = 0.0

    def __init__(
        self, story: list[str], *, hangs: Sequence[str] = (), fails: Sequence[str] = ()
    ) -> None:
        super().__init__(story, hangs=hangs, fails=fails)
        self.measured: list[str] = []

    def invoked(self, event: InvokeEvent, *, is_measured: bool = True) -> None:
        """Note an INVOKE."""
        if is_measured:
            self.measured.append(event.request_id)
        self._note(f"invoked {event.request_id}")

    def end_unobserved(self, request_id: str) -> None:
        """Note the end without telemetry."""
        self._note(f"end_unobserved {request_id}")

    def end_all(self, reason: str) -> None:
        """Note the end of all."""
        self._note(f"end_all {reason}")

    def find_end_ms(self, request_id: str) -> float:
        """Return when the runtime was done."""
        del request_id
        return self.end_ms

    async def wait_finished(self, request_id: str) -> None:
        """Note the wait."""
        await self._take_time(f"wait_finished {request_id}")

    async def wait_reported(self) -> None:
        """Note the wait for reports."""
        await self._take_time("wait_reported")


class Flusher(Actor):
    """The sender's side.

    Attributes:
        decisions: what it says to each INVOKE; the last one to all further ones.
        limits: the limits that it was told, in order.
    """

    def __init__(
        self, story: list[str], *, hangs: Sequence[str] = (), fails: Sequence[str] = ()
    ) -> None:
        super().__init__(story, hangs=hangs, fails=fails)
        self.decisions: list[Decision] = [END]
        self.limits: list[Deadline] = []

    def invoked(self, limit: Deadline) -> Decision:
        """Decide."""
        self.limits.append(limit)
        self._note("decide")
        return self.decisions.pop(0) if len(self.decisions) > 1 else self.decisions[0]

    async def flush_at_end(self, limit: Deadline) -> None:
        """Note the flush."""
        self.limits.append(limit)
        await self._take_time("flush")

    async def shut_down(self, send: Deadline, fallback: Deadline) -> None:
        """Note the last flush."""
        self.limits += [send, fallback]
        await self._take_time("last_flush")


class Story:
    """A lifecycle between a given API, pipeline and flusher, and what happened.

    The clock stands still, except where something hangs: then it goes on.
    """

    def __init__(
        self,
        *events: LifecycleEvent,
        hangs: Sequence[str] = (),
        fails: Sequence[str] = (),
        has_telemetry: bool = True,
        has_fallback: bool = True,
    ) -> None:
        self.steps: list[str] = []
        self.faults: list[str] = []
        self.added_s: list[float] = []
        self.pipeline = Pipeline(self.steps, hangs=hangs, fails=fails)
        self.flusher = Flusher(self.steps, hangs=hangs, fails=fails)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        self.lifecycle = Lifecycle(
            api=Api(self.steps, events),
            pipeline=self.pipeline,
            flusher=self.flusher,
            survive=self._survive,
            has_telemetry=has_telemetry,
            has_fallback=has_fallback,
            margin_ms=MARGIN_MS,
            now_ms=lambda: NOW_MS + (loop.time() - began_s) * 1_000 if hangs else NOW_MS,
            note_added=self.added_s.append,
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


async def test_the_order_of_an_invocation_whose_end_is_waited_for() -> None:
    """Decided, invoked, finished, flushed, next: and so on until SHUTDOWN."""
    story = Story(_invoke("a"), _invoke("b"), _shutdown())
    assert await story.lifecycle.follow_invocations() == _shutdown()
    one = ["next", "decide", "invoked a", "wait_finished a", "flush"]
    two = ["next", "decide", "invoked b", "wait_finished b", "flush"]
    assert story.steps == [*one, *two, "next"]


@pytest.mark.parametrize("decision", [BESIDE, LATER])
async def test_otherwise_next_comes_at_once(decision: Decision) -> None:
    """Nothing of ours comes after the handler; the next invocation may go another way."""
    story = Story(_invoke("a"), _invoke("b"), _shutdown())
    story.flusher.decisions = [decision, END]
    await story.lifecycle.follow_invocations()
    one = ["next", "decide", "invoked a"]
    two = ["next", "decide", "invoked b", "wait_finished b", "flush"]
    assert story.steps == [*one, *two, "next"]


async def test_only_an_invocation_that_we_work_for_is_measured() -> None:
    """`later` is chosen where CPU is scarce."""
    story = Story(_invoke("a"), _invoke("b"), _invoke("c"), _shutdown())
    story.flusher.decisions = [LATER, BESIDE, END]
    await story.lifecycle.follow_invocations()
    assert story.pipeline.measured == ["b", "c"]


async def test_work_is_limited_by_the_deadline_less_the_margin() -> None:
    """Both the decision and the flush are told so."""
    story = Story(_invoke("a", FAR), _shutdown())
    await story.lifecycle.follow_invocations()
    assert story.flusher.limits == [FAR.less(MARGIN_MS)] * 2


@pytest.mark.parametrize("decision", [END, BESIDE])
async def test_without_telemetry_nobody_is_waited_for(decision: Decision) -> None:
    """INVOKE and next are then all there is."""
    story = Story(_invoke("a"), _shutdown(), has_telemetry=False)
    story.flusher.decisions = [decision]
    await story.lifecycle.follow_invocations()
    flush = ["flush"] if decision is END else []
    assert story.steps == ["next", "decide", "invoked a", "end_unobserved a", *flush, "next"]


async def test_a_handler_that_is_never_done_is_waited_for_until_the_margin() -> None:
    """Then comes the flush, which knows the same limit, and `next`."""
    story = Story(_invoke("a", SOON), _shutdown(), hangs=["wait_finished"])
    await story.lifecycle.follow_invocations()
    waited = ["wait_finished a", "wait_finished a cut"]
    assert story.steps == ["next", "decide", "invoked a", *waited, "flush", "next"]
    assert story.flusher.limits == [SOON.less(MARGIN_MS)] * 2


@pytest.mark.parametrize("late_ms", [0.0, 0.5, 10_000.0])
async def test_no_wait_is_begun_past_the_deadline_less_the_margin(late_ms: float) -> None:
    """Only a deadline that lies further ahead than the margin leaves time."""
    deadline = Deadline(NOW_MS + MARGIN_MS - late_ms)
    story = Story(_invoke("a", deadline), _shutdown())
    await story.lifecycle.follow_invocations()
    assert story.steps == ["next", "decide", "invoked a", "flush", "next"]
    assert story.flusher.limits == [deadline.less(MARGIN_MS)] * 2


@pytest.mark.parametrize("failing", ["decide", "invoked", "wait_finished", "flush"])
async def test_a_fault_does_not_end_the_loop(failing: str) -> None:
    """An exit of ours fails the function, so the next event is asked for whatever happens."""
    story = Story(_invoke("a"), _invoke("b"), _shutdown(), fails=[failing])
    assert await story.lifecycle.follow_invocations() == _shutdown()
    assert story.steps.count("next") == 3
    assert len(story.faults) == 2


async def test_what_we_add_to_an_invocation_is_told() -> None:
    """From the end of the handler, in seconds; a clock that was set back makes it nought."""
    story = Story(_invoke("a"), _shutdown())
    story.pipeline.end_ms = NOW_MS - 35.0
    await story.lifecycle.follow_invocations()
    ahead = Story(_invoke("a"), _shutdown())
    ahead.pipeline.end_ms = NOW_MS + 35.0
    await ahead.lifecycle.follow_invocations()
    assert (story.added_s, ahead.added_s) == ([0.035], [0.0])


async def test_nothing_is_told_to_be_added_where_it_is_not_known_or_nothing() -> None:
    """A handler whose end is not known, and an invocation that we did not stay for."""
    unknown = Story(_invoke("a"), _shutdown())
    await unknown.lifecycle.follow_invocations()
    left = Story(_invoke("a"), _shutdown())
    left.flusher.decisions = [LATER]
    left.pipeline.end_ms = NOW_MS - 35.0
    await left.lifecycle.follow_invocations()
    assert unknown.added_s == left.added_s == []


async def test_the_order_of_the_shutdown() -> None:
    """The last report, the end of what is open, the last flush."""
    story = Story()
    await story.lifecycle.shut_down(_shutdown())
    assert story.steps == ["wait_reported", "end_all spindown", "last_flush"]


async def test_without_telemetry_no_report_is_waited_for() -> None:
    """None will come."""
    story = Story(has_telemetry=False)
    await story.lifecycle.shut_down(_shutdown())
    assert story.steps == ["end_all spindown", "last_flush"]


@pytest.mark.parametrize("has_fallback", [False, True])
@pytest.mark.parametrize("left_ms", [2_000.0, 300.0, 20.0])
async def test_a_shutdown_goes_by_the_plan(left_ms: float, *, has_fallback: bool) -> None:
    """Sending has its end, and where there is a fallback some time is left for it."""
    deadline = Deadline(NOW_MS + left_ms)
    story = Story(has_fallback=has_fallback)
    await story.lifecycle.shut_down(_shutdown(deadline))
    plan = plan_shutdown(deadline, NOW_MS, margin_ms=MARGIN_MS, has_fallback=has_fallback)
    assert story.flusher.limits == [plan.send, plan.fallback]
    assert NOW_MS < plan.send.epoch_ms <= plan.fallback.epoch_ms < deadline.epoch_ms
    assert (plan.send == plan.fallback) is not has_fallback


async def test_a_report_that_does_not_come_is_not_waited_for_long() -> None:
    """Milliseconds, however far the deadline is."""
    story = Story(hangs=["wait_reported"])
    await story.lifecycle.shut_down(_shutdown())
    assert story.steps == ["wait_reported", "wait_reported cut", "end_all spindown", "last_flush"]


async def test_a_shutdown_without_time_waits_for_nothing() -> None:
    """What is open is closed all the same, for whoever writes it down."""
    story = Story(hangs=["wait_reported"])
    await story.lifecycle.shut_down(_shutdown(Deadline(NOW_MS - 10)))
    assert story.steps == ["end_all spindown", "last_flush"]


@pytest.mark.parametrize("failing", ["wait_reported", "end_all", "last_flush"])
async def test_a_fault_at_shutdown_is_survived(failing: str) -> None:
    """The process still ends as it should, and what is queued goes out."""
    story = Story(fails=[failing])
    await story.lifecycle.shut_down(_shutdown())
    assert len(story.faults) == 1
    assert story.steps == ["wait_reported", "end_all spindown", "last_flush"]
