"""The loop over `event/next`: invoked, finished, flushed, next; and the shutdown.

State: a periodic flush under way, beside where it stands. Owns the order and the time limits: no
wait and no flush runs past Lambda's deadline less a margin, because what runs longer makes the
function time out. Must not know HTTP nor OTLP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from logger_extension.deadline import Deadline
from logger_extension.events import InvokeEvent, LifecycleEvent, ShutdownEvent

# At SHUTDOWN the last report may be on its way; Lambda delivers it within a few milliseconds or not
# at all.
LAST_REPORT_WAIT_MS = 50


class NextCaller(Protocol):
    """What tells the lifecycle of events."""

    async def next_event(self) -> LifecycleEvent:
        """Say that we are done, and wait for the next event."""


class Flushable(Protocol):
    """What the lifecycle asks of the pipeline."""

    def invoked(self, event: InvokeEvent) -> None:
        """Note an INVOKE."""

    def end_unobserved(self, request_id: str) -> None:
        """Finish an invocation of which no telemetry will come."""

    def end_all(self, reason: str) -> None:
        """Finish what is still open at SHUTDOWN."""

    def wait_finished(self, request_id: str) -> Coroutine[Any, Any, None]:
        """Wait until the runtime is done with an invocation."""

    def wait_reported(self) -> Coroutine[Any, Any, None]:
        """Wait until every finished invocation has its report."""

    def flush(self) -> Coroutine[Any, Any, None]:
        """Send everything; cancelled when time is up."""


class Lifecycle:
    """Runs from the first `next` to SHUTDOWN.

    Args:
        api: asks `next`.
        pipeline: is told of events and asked to flush.
        survive: awaits work and keeps its faults from ending us.
        has_telemetry: whether the Telemetry API will tell when a handler is done.
        margin_ms: how long before a deadline our work must be over.
        flush_timeout_ms: the most that a flush may take of an invocation.
        flush_interval_ms: pause between flushes where no INVOKE comes (Managed Instances).
        now_ms: the wall clock, epoch milliseconds.
    """

    def __init__(  # noqa: PLR0913  (the composition root names each part)
        self,
        *,
        api: NextCaller,
        pipeline: Flushable,
        survive: Callable[[Awaitable[None]], Awaitable[None]],
        has_telemetry: bool,
        margin_ms: float,
        flush_timeout_ms: float,
        flush_interval_ms: float,
        now_ms: Callable[[], float],
    ) -> None:
        self._api = api
        self._pipeline = pipeline
        self._survive = survive
        self._has_telemetry = has_telemetry
        self._margin_ms = margin_ms
        self._flush_timeout_ms = flush_timeout_ms
        self._flush_interval_s = flush_interval_ms / 1000
        self._now_ms = now_ms
        self._flushing: asyncio.Future[None] | None = None

    async def follow_invocations(self) -> ShutdownEvent:
        """Go from INVOKE to INVOKE; return the SHUTDOWN that ends it."""
        while True:
            event = await self._api.next_event()
            if isinstance(event, ShutdownEvent):
                return event
            await self._survive(self._follow(event))

    async def flush_periodically(self) -> None:
        """Flush at intervals, for ever: the way on Managed Instances, where nothing freezes.

        Cancelling ends the intervals, not a flush under way: what it sends would be sent twice.
        """
        while True:
            await asyncio.sleep(self._flush_interval_s)
            self._flushing = asyncio.ensure_future(self._survive(self._pipeline.flush()))
            await asyncio.shield(self._flushing)

    async def shut_down(self, event: ShutdownEvent) -> None:
        """Take what still comes, close what is open, send it all, within the deadline."""
        limit = event.deadline.less(self._margin_ms)
        if self._has_telemetry:
            last_report = Deadline.after(self._now_ms(), LAST_REPORT_WAIT_MS)
            waiting = self._pipeline.wait_reported()
            await self._survive(self._within(limit.earlier(last_report), waiting))
        await self._survive(self._close(event.reason))
        await self._survive(self._within(limit, self._pipeline.flush()))

    async def _close(self, reason: str) -> None:
        self._pipeline.end_all(reason)

    async def _follow(self, event: InvokeEvent) -> None:
        limit = event.deadline.less(self._margin_ms)
        self._pipeline.invoked(event)
        if self._has_telemetry:
            await self._within(limit, self._pipeline.wait_finished(event.request_id))
        else:
            self._pipeline.end_unobserved(event.request_id)
        # A collector that dallies costs this much of an invocation, not all of its timeout.
        budget = Deadline.after(self._now_ms(), self._flush_timeout_ms)
        await self._within(limit.earlier(budget), self._pipeline.flush())

    async def _within(self, limit: Deadline, work: Coroutine[Any, Any, None]) -> None:
        """Await work until it is done or time is up, whichever comes first."""
        remaining_s = limit.remaining_s(self._now_ms())
        if not remaining_s:
            # Nothing is begun that could not be ended.
            work.close()
            return
        try:
            async with asyncio.timeout(remaining_s):
                await work
        except TimeoutError:
            return
