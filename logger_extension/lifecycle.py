"""The loop over `event/next`: invoked, finished, flushed, next; and the shutdown.

Owns the order and the time limits: no wait and no flush runs past Lambda's deadline less a margin,
because what runs longer makes the function time out. What an invocation does with its telemetry
is the flusher's to decide. Must not know HTTP nor OTLP.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from logger_extension.deadline import Deadline
from logger_extension.events import InvokeEvent, LifecycleEvent, ShutdownEvent
from logger_extension.patience import wait_within
from logger_extension.policy.flush import Action, Decision, plan_shutdown

MS_PER_S = 1_000


class NextCaller(Protocol):
    """What tells the lifecycle of events."""

    async def next_event(self) -> LifecycleEvent:
        """Say that we are done, and wait for the next event."""


class Follower(Protocol):
    """What the lifecycle asks of the pipeline."""

    def invoked(self, event: InvokeEvent, *, is_measured: bool = True) -> None:
        """Note an INVOKE, and measure the invocation if that is wished."""

    def end_unobserved(self, request_id: str) -> None:
        """Finish an invocation of which no telemetry will come."""

    def end_all(self, reason: str) -> None:
        """Finish what is still open at SHUTDOWN."""

    def find_end_ms(self, request_id: str) -> float:
        """Return when the runtime was done, 0 if that is not known."""

    def wait_finished(self, request_id: str) -> Coroutine[Any, Any, None]:
        """Wait until the runtime is done with an invocation."""

    def wait_reported(self) -> Coroutine[Any, Any, None]:
        """Wait until every finished invocation has its report."""


class Sending(Protocol):
    """What the lifecycle asks of the flusher."""

    def invoked(self, limit: Deadline) -> Decision:
        """Return how an invocation goes."""

    def flush_at_end(self, limit: Deadline) -> Coroutine[Any, Any, None]:
        """Send what waits after a handler."""

    def shut_down(self, send: Deadline, fallback: Deadline) -> Coroutine[Any, Any, None]:
        """Send everything, then write down the rest."""


class Lifecycle:
    """Runs from the first `next` to SHUTDOWN.

    Args:
        api: asks `next`.
        pipeline: is told of events.
        flusher: decides how an invocation goes, and sends.
        survive: awaits work and keeps its faults from ending us.
        has_telemetry: whether the Telemetry API will tell when a handler is done.
        has_fallback: whether a shutdown needs time to write down what is undelivered.
        margin_ms: how long before a deadline our work must be over.
        now_ms: the wall clock, epoch milliseconds.
        note_added: told of the seconds from the end of a handler to our `next`.
    """

    def __init__(  # noqa: PLR0913  (the composition root names each part)
        self,
        *,
        api: NextCaller,
        pipeline: Follower,
        flusher: Sending,
        survive: Callable[[Awaitable[None]], Awaitable[None]],
        has_telemetry: bool,
        has_fallback: bool,
        margin_ms: float,
        now_ms: Callable[[], float],
        note_added: Callable[[float], None],
    ) -> None:
        self._api = api
        self._pipeline = pipeline
        self._flusher = flusher
        self._survive = survive
        self._has_telemetry = has_telemetry
        self._has_fallback = has_fallback
        self._margin_ms = margin_ms
        self._now_ms = now_ms
        self._note_added = note_added

    async def follow_invocations(self) -> ShutdownEvent:
        """Go from INVOKE to INVOKE; return the SHUTDOWN that ends it."""
        while True:
            event = await self._api.next_event()
            if isinstance(event, ShutdownEvent):
                return event
            await self._survive(self._follow(event))

    async def shut_down(self, event: ShutdownEvent) -> None:
        """Send what is left within the shutdown's own deadline."""
        plan = plan_shutdown(
            event.deadline,
            self._now_ms(),
            margin_ms=self._margin_ms,
            has_fallback=self._has_fallback,
        )
        if self._has_telemetry:
            waiting = self._pipeline.wait_reported()
            await self._survive(self._within(plan.report, waiting))
        await self._survive(self._close(event.reason))
        await self._survive(self._flusher.shut_down(plan.send, plan.fallback))

    async def _close(self, reason: str) -> None:
        self._pipeline.end_all(reason)

    async def _follow(self, event: InvokeEvent) -> None:
        limit = event.deadline.less(self._margin_ms)
        decision = self._flusher.invoked(limit)
        self._pipeline.invoked(event, is_measured=decision.action is not Action.LATER)
        if not self._has_telemetry:
            self._pipeline.end_unobserved(event.request_id)
        if decision.action is not Action.END:
            # `next` at once: nothing of ours comes after the handler.
            return
        if self._has_telemetry:
            await self._within(limit, self._pipeline.wait_finished(event.request_id))
        await self._flusher.flush_at_end(limit)
        if ended_ms := self._pipeline.find_end_ms(event.request_id):
            self._note_added(max(0.0, self._now_ms() - ended_ms) / MS_PER_S)

    async def _within(self, limit: Deadline, work: Coroutine[Any, Any, None]) -> None:
        """Await work until it is done or time is up, whichever comes first."""
        with suppress(TimeoutError):
            await wait_within(work, lambda: limit.remaining_s(self._now_ms()))
