"""From telemetry bodies to delivered batches.

State: bodies that were not read yet, and digests of those that were seen. Receivers put bodies in
(`accept`), the lifecycle tells of invocations and asks for flushes. Must not know what an event
means (that is the assembler's) nor when a flush is due (that is the lifecycle's).
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, ParamSpec, Protocol

from logger_extension.assembler import Assembler
from logger_extension.channel import Channel
from logger_extension.events import InvokeEvent, LogsDropped
from logger_extension.observer import Observer
from logger_extension.policy.aggregation import Metric
from logger_extension.relay import Relay
from logger_extension.telemetry import MakeLine, decode

# Lambda repeats a POST whose answer it did not get. It does so soon: these many bodies back.
REMEMBERED_BODIES = 64

# While there is no CPU to spare, bodies wait unread; but one with a runtimeDone or a report tells
# that the handler is done, and what waits may be read.
TELLING = b'"platform.r'


P = ParamSpec("P")


class Contain(Protocol):
    """Wraps a function so that its faults are told and survived."""

    def __call__(self, function: Callable[P, None], /) -> Callable[P, None]:
        """Return the wrapped function."""


class Pipeline:
    """Everything between the receivers and the exporters.

    Args:
        assembler: takes the events.
        observer: measures invocations; its metrics are collected at each flush.
        channels: what is flushed, each signal's.
        put_metric: queues a collected metric.
        make_line: makes a log line of a platform event, None when nobody asks.
        reads_at_once: whether a body is read when it comes, not when the handler is done.
        max_unread_bytes: how much may wait unread; more is read at once.
        contain: one event that we stumble over must cost nothing but itself, and metrics must not
            keep logs from being sent.
        now_unix_nano: the wall clock.

    Attributes:
        duplicates: how many bodies came again; nothing is lost by dropping them.
        lost: what could not be read or was not let in, by reason.
    """

    def __init__(  # noqa: PLR0913  (the composition root names each part)
        self,
        *,
        assembler: Assembler,
        observer: Observer,
        channels: Sequence[Channel[Any]],
        put_metric: Callable[[Metric], None],
        relay: Relay,
        make_line: MakeLine | None,
        reads_at_once: bool,
        max_unread_bytes: int,
        contain: Contain,
        now_unix_nano: Callable[[], int],
    ) -> None:
        self._assembler = assembler
        self._observer = observer
        self._channels = channels
        self._put_metric = put_metric
        self._make_line = make_line
        self._reads_at_once = reads_at_once
        self._max_unread_bytes = max_unread_bytes
        self._take = contain(assembler.take)
        self._begin = contain(observer.begin)
        self._end = contain(observer.end)
        self._collect = contain(self._collect_metrics)
        self._forward = contain(relay.forward)
        self._now_unix_nano = now_unix_nano
        self._unread: deque[tuple[int, bytes]] = deque()
        self._unread_bytes = 0
        self._has_news = False
        self._seen_bodies: OrderedDict[bytes, None] = OrderedDict()
        self._is_last = False
        # One flush at a time: a second one would overtake what the first is sending.
        self._flushing = asyncio.Lock()
        self._progress = asyncio.Event()
        self.duplicates = 0
        self.lost: Counter[str] = Counter()

    def accept(self, body: bytes) -> None:
        """Take one Telemetry API body. Cheap: reading waits while the handler needs the CPU."""
        digest = blake2b(body, digest_size=16).digest()
        if digest in self._seen_bodies:
            self.duplicates += 1
            return
        self._seen_bodies[digest] = None
        if len(self._seen_bodies) > REMEMBERED_BODIES:
            self._seen_bodies.popitem(last=False)
        self._unread.append((self._now_unix_nano(), body))
        self._unread_bytes += len(body)
        if self._reads_at_once or self._unread_bytes > self._max_unread_bytes:
            self._read_one()
            self._progress.set()
        elif TELLING in body:
            self._has_news = True
            self._progress.set()

    def refuse(self, reason: str, count: int = 1) -> None:
        """Count what was not taken."""
        self.lost[reason] += count

    async def read(self) -> None:
        """Read what waits: the queues grow, invocations begin and finish.

        Body by body: reading cannot be cut off, and a backlog may take longer than the margin.
        """
        while self._unread:
            self._read_one()
            await asyncio.sleep(0)

    def invoked(self, event: InvokeEvent) -> None:
        """Note an INVOKE."""
        self._begin(event.request_id)
        self._assembler.invocations.invoked(event, self._now_unix_nano())

    def end_unobserved(self, request_id: str) -> None:
        """Finish an invocation of which no telemetry will come."""
        self._assembler.end_unobserved(request_id, self._now_unix_nano())

    def end_all(self, reason: str) -> None:
        """Finish what is still open at SHUTDOWN."""
        while self._unread:
            self._read_one()
        self._is_last = True
        self._assembler.end_all(reason, self._now_unix_nano())

    async def wait_finished(self, request_id: str) -> None:
        """Wait until the runtime is done with an invocation."""
        await self._wait(lambda: self._assembler.invocations.is_finished(request_id))
        self._end(request_id)

    async def wait_reported(self) -> None:
        """Wait until every invocation has its end and its report, and all that came is read."""
        self._has_news = True
        await self._wait(lambda: not self._assembler.invocations.awaits_news)

    async def flush(self) -> None:
        """Read what waits and send all queues, signals in parallel.

        May be cancelled at any time: what was not delivered stays queued.
        """
        async with self._flushing:
            await self.read()
            self._forward(self._assembler.invocations.recent)
            self._collect()
            async with asyncio.TaskGroup() as group:
                for channel in self._channels:
                    group.create_task(channel.flush())

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
        received_unix_nano, body = self._unread.popleft()
        self._unread_bytes -= len(body)
        batch = decode(body, self._make_line)
        self.lost += batch.lost
        for event in batch.events:
            if isinstance(event.record, LogsDropped):
                self.lost["dropped_by_lambda"] += event.record.records
            self._take(event, received_unix_nano)
