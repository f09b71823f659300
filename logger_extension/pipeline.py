"""From telemetry bodies to delivered batches.

State: bodies that were not read yet, the table of invocations, and one channel a signal. Receivers
put bodies in (`accept`), the lifecycle tells of invocations and asks for flushes. Must not know
when a flush is due: that is the lifecycle's.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from hashlib import blake2b

from logger_extension.channel import Channel
from logger_extension.events import (
    FunctionLog,
    InitRuntimeDone,
    InitStart,
    InvocationStart,
    InvokeEvent,
    LogsDropped,
    Report,
    RuntimeDone,
    TelemetryEvent,
)
from logger_extension.policy.invocation import Invocation, Invocations
from logger_extension.signals.logs import LogLine, measure, request_id_of
from logger_extension.signals.traces import (
    SPAN_SIZE_BYTES,
    Span,
    make_init_span,
    make_invocation_span,
    make_overhead_span,
)
from logger_extension.telemetry import decode

# Lambda repeats a POST whose answer it did not get. It does so soon: these many bodies back.
REMEMBERED_BODIES = 64

# While there is no CPU to spare, bodies wait unread; but one with a runtimeDone or a report tells
# that the handler is done, and what waits may be read.
TELLING = b'"platform.r'


class Pipeline:
    """Everything between the receivers and the exporters.

    Args:
        invocations: the table of invocations.
        logs: where log lines go, None when logs are off.
        spans: where spans go, None when traces are off.
        function_name: names the spans.
        reads_at_once: whether a body is read when it comes, not when the handler is done.
        max_unread_bytes: how much may wait unread; more is read at once.
        contain: wraps a function so that its faults are told and survived: one event that we
            stumble over must cost nothing but itself.
        now_unix_nano: the wall clock.

    Attributes:
        lost: what could not be read or was not let in, by reason.
    """

    def __init__(  # noqa: PLR0913  (the composition root names each part)
        self,
        *,
        invocations: Invocations,
        logs: Channel[LogLine] | None,
        spans: Channel[Span] | None,
        function_name: str,
        reads_at_once: bool,
        max_unread_bytes: int,
        contain: Callable[[Callable[[TelemetryEvent, int], None]], Callable[..., None]],
        now_unix_nano: Callable[[], int],
    ) -> None:
        self._invocations = invocations
        self._logs = logs
        self._spans = spans
        self._function_name = function_name
        self._reads_at_once = reads_at_once
        self._max_unread_bytes = max_unread_bytes
        self._take = contain(self._take_event)
        self._now_unix_nano = now_unix_nano
        self._unread: list[tuple[int, bytes]] = []
        self._unread_bytes = 0
        self._seen_bodies: OrderedDict[bytes, None] = OrderedDict()
        self._init_start_unix_nano = 0
        self._init_span_of: Callable[[Invocation], Span] | None = None
        self._progress = asyncio.Event()
        self.lost: Counter[str] = Counter()

    def accept(self, body: bytes) -> None:
        """Take one Telemetry API body. Cheap: reading waits while the handler needs the CPU."""
        digest = blake2b(body, digest_size=16).digest()
        if digest in self._seen_bodies:
            self.lost["duplicate_batch"] += 1
            return
        self._seen_bodies[digest] = None
        if len(self._seen_bodies) > REMEMBERED_BODIES:
            self._seen_bodies.popitem(last=False)
        self._unread.append((self._now_unix_nano(), body))
        self._unread_bytes += len(body)
        if self._reads_at_once or TELLING in body or self._unread_bytes > self._max_unread_bytes:
            self.read()

    def refuse(self, reason: str) -> None:
        """Count a body that was not taken."""
        self.lost[reason] += 1

    def read(self) -> None:
        """Read what waits: the queues grow, invocations begin and finish."""
        unread, self._unread = self._unread, []
        self._unread_bytes = 0
        try:
            for received_unix_nano, body in unread:
                batch = decode(body)
                self.lost += batch.lost
                for event in batch.events:
                    self._take(event, received_unix_nano)
        finally:
            self._progress.set()

    def invoked(self, event: InvokeEvent) -> None:
        """Note an INVOKE."""
        self._invocations.invoked(event, self._now_unix_nano())

    def end_unobserved(self, request_id: str) -> None:
        """Finish an invocation of which no telemetry will come."""
        self._put_spans(self._invocations.end_unobserved(request_id, self._now_unix_nano()))

    def end_all(self, reason: str) -> None:
        """Finish what is still open at SHUTDOWN."""
        self.read()
        self._put_spans(self._invocations.end_all(reason, self._now_unix_nano()))

    async def wait_finished(self, request_id: str) -> None:
        """Wait until the runtime is done with an invocation."""
        await self._wait(lambda: self._invocations.is_finished(request_id))

    async def wait_reported(self) -> None:
        """Wait until every finished invocation has its report."""
        await self._wait(lambda: not self._invocations.awaits_report)

    async def flush(self) -> None:
        """Read what waits and send all queues, signals in parallel.

        May be cancelled at any time: what was not delivered stays queued.
        """
        self.read()
        async with asyncio.TaskGroup() as group:
            for channel in (self._logs, self._spans):
                if channel is not None:
                    group.create_task(channel.flush())

    def count_lost(self) -> dict[str, int]:
        """Return everything that was or is about to be lost, by signal and reason."""
        counts = {f"telemetry.{reason}": count for reason, count in self.lost.items()}
        counts["traces.invocations_forgotten"] = self._invocations.forgotten
        for channel in (self._logs, self._spans):
            if channel is not None:
                counts |= channel.count_lost()
        return {reason: count for reason, count in counts.items() if count}

    async def _wait(self, is_reached: Callable[[], bool]) -> None:
        while not is_reached():
            self._progress.clear()
            await self._progress.wait()

    def _take_event(self, event: TelemetryEvent, received_unix_nano: int) -> None:
        time_unix_nano = event.time_unix_nano or received_unix_nano
        match event.record:
            case FunctionLog() as log:
                self._put_log(log, event.time_unix_nano, received_unix_nano)
            case InvocationStart() as start:
                self._put_spans(self._invocations.started(start, time_unix_nano))
            case RuntimeDone() as done:
                self._put_spans(self._invocations.runtime_done(done, time_unix_nano))
            case Report() as report:
                self._take_report(report, time_unix_nano)
            case InitStart():
                self._init_start_unix_nano = time_unix_nano
            case InitRuntimeDone() as init:
                start_unix_nano = self._init_start_unix_nano or time_unix_nano
                self._init_span_of = make_init_span(
                    self._function_name, start_unix_nano, time_unix_nano, init
                )
            case LogsDropped() as dropped:
                self.lost["dropped_by_lambda"] += dropped.records
            case _:
                pass

    def _take_report(self, report: Report, time_unix_nano: int) -> None:
        invocation = self._invocations.take_reported(report.request_id)
        if invocation is None:
            self._put_spans(self._invocations.reported(report, time_unix_nano))
        elif (span := make_overhead_span(invocation, report)) is not None:
            self._put_span(span)

    def _put_log(self, log: FunctionLog, time_unix_nano: int, received_unix_nano: int) -> None:
        if self._logs is None:
            return
        invocation = self._invocations.find(request_id_of(log)) or self._invocations.current
        line = LogLine(log, time_unix_nano, received_unix_nano, invocation)
        self._logs.put(line, measure(log))

    def _put_spans(self, finished: Iterable[Invocation]) -> None:
        for invocation in finished:
            self._put_span(make_invocation_span(invocation, self._function_name))
            if invocation.is_cold_start and self._init_span_of is not None:
                self._put_span(self._init_span_of(invocation))

    def _put_span(self, span: Span) -> None:
        if self._spans is not None:
            self._spans.put(span, SPAN_SIZE_BYTES)
