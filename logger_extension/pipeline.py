"""From telemetry bodies to delivered batches.

State: that of the backlog, and what was lost on the way in. Receivers put bodies in (`accept`), the
lifecycle tells of invocations, the flusher asks for flushes. Must not know what an event means
(that is the assembler's) nor when a flush is due.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ParamSpec, Protocol

from logger_extension.assembler import Assembler
from logger_extension.backlog import Backlog
from logger_extension.channel import Channel
from logger_extension.delivery import Window
from logger_extension.events import NANOS_PER_MS, InvokeEvent, LogsDropped, RuntimeDone
from logger_extension.inbox import Inbox
from logger_extension.observer import Observer
from logger_extension.policy.aggregation import Metric
from logger_extension.relay import Relay
from logger_extension.telemetry import MakeLine, decode, tells_end

# Without CPU to spare bodies wait unread; at SHUTDOWN those with these words are read, as they may
# tell of the last report.
REPORTED = b'"platform.r'

P = ParamSpec("P")


def _is_never(_body: bytes) -> bool:
    return False


class Contain(Protocol):
    """Wraps a function so that its faults are told and survived."""

    def __call__(self, function: Callable[P, None], /) -> Callable[P, None]:
        """Return the wrapped function."""


class Pipeline(Backlog):
    """Everything between the receivers and the exporters.

    Args:
        assembler: takes the events.
        observer: measures invocations; its metrics are collected at each flush.
        channels: what is flushed, each signal's.
        forwarded: those of serialized requests, by signal.
        put_metric: queues a collected metric.
        make_line: makes a log line of a platform event, None when nobody asks.
        reads_at_once: whether a body is read when it comes, not when the handler is done.
        max_unread_bytes: how much may wait unread; more is read at once.
        request_max_bytes: so much unread is a request's worth.
        contain: one event that we stumble over must cost nothing but itself, and metrics must not
            keep logs from being sent.
        tell_held: told how many records are held, whenever that has changed much.
        now_unix_nano: the wall clock.

    Attributes:
        lost: what could not be read or was not let in, by reason.
    """

    def __init__(  # noqa: PLR0913  (the composition root names each part)
        self,
        *,
        assembler: Assembler,
        observer: Observer,
        channels: Sequence[Channel[Any]],
        forwarded: Mapping[str, Channel[bytes]],
        put_metric: Callable[[Metric], None],
        relay: Relay,
        make_line: MakeLine | None,
        reads_at_once: bool,
        max_unread_bytes: int,
        request_max_bytes: int,
        contain: Contain,
        tell_held: Callable[[int], None],
        now_unix_nano: Callable[[], int],
    ) -> None:
        super().__init__(
            inbox=Inbox(max_unread_bytes),
            relay=relay,
            channels=(*channels, *forwarded.values()),
            request_max_bytes=request_max_bytes,
            reads_at_once=reads_at_once,
            tell_held=tell_held,
            now_unix_nano=now_unix_nano,
        )
        self._assembler = assembler
        self._observer = observer
        self._forwarded = forwarded
        self._put_metric = put_metric
        self._make_line = make_line
        self._take = contain(assembler.take)
        self._begin = contain(observer.begin)
        self._end = contain(observer.end)
        self._collect = contain(self._collect_metrics)
        self._forward = contain(relay.forward)
        self._is_news: Callable[[bytes], bool] = _is_never
        self._has_news = False
        self._has_gap = False
        self._is_last = False
        # One flush at a time: a second one would overtake what the first is sending.
        self._flushing = asyncio.Lock()
        self._progress = asyncio.Event()
        self.lost: Counter[str] = Counter()

    def accept(self, body: bytes) -> None:
        """Take one Telemetry API body. Cheap: reading waits while the handler needs the CPU."""
        now_unix_nano = self._now_unix_nano()
        if not self._inbox.put(body, now_unix_nano):
            return
        self._note_waiting(now_unix_nano)
        if self._is_news(body):
            self._has_news = True
            self._progress.set()
        elif self._reads_at_once or self._inbox.fill > 1:
            self._read_one()
            self._progress.set()
        self._note_progress()

    def accept_request(self, signal: str, body: bytes) -> bool:
        """Take a request of the function's own SDK; return whether there was room for it."""
        self._note_waiting(self._now_unix_nano())
        return self._relay.accept(signal, body)

    def take_back(self, signal: str, body: bytes) -> None:
        """Take a request that an earlier process did not deliver."""
        if (channel := self._forwarded.get(signal)) is None:
            self.lost["signal_is_off"] += 1
            return
        channel.put(body, len(body))
        self._note_waiting(self._now_unix_nano())

    def refuse(self, reason: str, count: int = 1) -> None:
        """Count what was not taken."""
        self.lost[reason] += count
        self._has_gap = True
        self._progress.set()

    async def read(self) -> None:
        """Read what waits: the queues grow, invocations begin and finish.

        Body by body: reading cannot be cut off, and a backlog may take longer than the margin. And
        what one has pushed out of a queue is written down before the next one.
        """
        while self._inbox:
            self._read_one()
            await asyncio.sleep(0)
            await self.spill()

    def invoked(self, event: InvokeEvent, *, is_measured: bool = True) -> None:
        """Note an INVOKE; to measure what an invocation uses costs it some CPU."""
        if is_measured:
            self._begin(event.request_id)
        self._assembler.invocations.invoked(event, self._now_unix_nano())

    def end_unobserved(self, request_id: str) -> None:
        """Finish an invocation of which no telemetry will come."""
        self._assembler.end_unobserved(request_id, self._now_unix_nano())

    def end_all(self, reason: str) -> None:
        """Finish what is still open at SHUTDOWN."""
        while self._inbox:
            self._read_one()
        self._is_last = True
        self._assembler.end_all(reason, self._now_unix_nano())

    def find_end_ms(self, request_id: str) -> float:
        """Return when the runtime was done with an invocation, 0 if that is not known."""
        invocation = self._assembler.invocations.find(request_id)
        return invocation.end_unix_nano / NANOS_PER_MS if invocation else 0.0

    async def wait_finished(self, request_id: str) -> None:
        """Wait until the runtime is done with an invocation.

        Where Lambda or we have lost telemetry meanwhile, that may be among it: then nothing is
        waited for.
        """
        self._has_gap = False
        self._is_news = partial(tells_end, request_id=request_id)
        self._has_news = any(map(self._is_news, self._inbox))
        finished = self._assembler.invocations.is_finished
        await self._wait(lambda: finished(request_id) or self._has_gap)
        self._is_news = _is_never

    async def wait_reported(self) -> None:
        """Wait until every invocation has its end and its report, and all that came is read."""
        self._is_news, self._has_news = REPORTED.__contains__, True
        await self._wait(lambda: not self._assembler.invocations.awaits_news)

    async def flush(self, window: Window) -> None:
        """Read what waits and send all queues in parallel; cancelled, what is left stays queued.

        Left to itself, it ends with the answers that are owed.
        """
        async with self._flushing:
            began_unix_nano = self._now_unix_nano()
            try:
                is_sent = True
                while is_sent and await self._read_some():
                    is_sent = await self._send(window)
                    if window.is_left:
                        return
                await self.read()
                self._forward(self._assembler.invocations.recent)
                self._collect()
                if await self._send(window) and is_sent:
                    # What came meanwhile is as old as this flush at most.
                    self._waiting_unix_nano = began_unix_nano if self.has_waiting else 0
            finally:
                self._note_progress()

    async def _read_some(self) -> bool:
        """Read until a request is full, to send while reading; return whether one is."""
        while self._inbox:
            self._read_one()
            await asyncio.sleep(0)
            if any(channel.has_full_request for channel in self._channels):
                return True
        return False

    def count_lost(self) -> dict[str, int]:
        """Return everything that was or is about to be lost, by signal and reason."""
        counts = {f"telemetry.{reason}": count for reason, count in self.lost.items()}
        counts["traces.invocations_forgotten"] = self._assembler.invocations.forgotten
        for channel in self._channels:
            counts |= channel.count_lost()
        return {reason: count for reason, count in counts.items() if count}

    def _collect_metrics(self) -> None:
        lost, now_unix_nano = self.count_lost(), self._now_unix_nano()
        for metric in self._observer.collect(lost, now_unix_nano, is_last=self._is_last):
            self._put_metric(metric)

    async def _wait(self, is_reached: Callable[[], bool]) -> None:
        while self._has_news or not is_reached():
            if self._has_news:
                self._has_news = False
                await self.read()
            else:
                self._progress.clear()
                await self._progress.wait()

    def _read_one(self) -> None:
        received_unix_nano, body = self._inbox.take()
        batch = decode(body, self._make_line)
        self.lost += batch.lost
        for event in batch.events:
            if isinstance(event.record, LogsDropped):
                self.lost["dropped_by_lambda"] += event.record.records
                self._has_gap = True
            elif isinstance(event.record, RuntimeDone):
                self._end(event.record.request_id)
            self._take(event, received_unix_nano)
