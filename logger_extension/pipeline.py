"""From telemetry bodies to delivered batches.

State: bodies that were not read yet, digests of those that were seen, and since when anything
waits. Receivers put bodies in (`accept`), the lifecycle tells of invocations, the flusher asks for
flushes. Must not know what an event means (that is the assembler's) nor when a flush is due.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, ParamSpec, Protocol

from logger_extension.assembler import Assembler
from logger_extension.channel import Channel
from logger_extension.delivery import Window
from logger_extension.events import NANOS_PER_MS, InvokeEvent, LogsDropped, RuntimeDone
from logger_extension.observer import Observer
from logger_extension.policy.aggregation import Metric
from logger_extension.relay import Relay
from logger_extension.telemetry import MakeLine, decode

# Lambda repeats a POST whose answer it did not get. It does so soon: these many bodies back.
REMEMBERED_BODIES = 64

# While there is no CPU to spare, bodies wait unread; but one with a runtimeDone or a report tells
# that the handler is done, and what waits may be read.
TELLING = b'"platform.r'

# An event of the function's stands for a line of it.
LINE = b'"function"'

# From here on Lambda is made to wait with more.
NEARLY_FULL = 0.75

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
        request_max_bytes: so much unread is a request's worth.
        contain: one event that we stumble over must cost nothing but itself, and metrics must not
            keep logs from being sent.
        tell_held: told how many records are held, whenever that has changed much.
        now_unix_nano: the wall clock.

    Attributes:
        has_come: set when anything has come; cleared by whoever waits for it.
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
        request_max_bytes: int,
        contain: Contain,
        tell_held: Callable[[int], None],
        now_unix_nano: Callable[[], int],
    ) -> None:
        self._assembler = assembler
        self._observer = observer
        self._channels = channels
        self._put_metric = put_metric
        self._make_line = make_line
        self._reads_at_once = reads_at_once
        self._max_unread_bytes = max_unread_bytes
        self._request_max_bytes = request_max_bytes
        self._take = contain(assembler.take)
        self._begin = contain(observer.begin)
        self._end = contain(observer.end)
        self._collect = contain(self._collect_metrics)
        self._relay = relay
        self._forward = contain(relay.forward)
        self._tell_held = tell_held
        self._now_unix_nano = now_unix_nano
        self._unread_lines = 0
        self._unread: deque[tuple[int, bytes]] = deque()
        self._unread_bytes = 0
        self._has_news = False
        self._seen_bodies: OrderedDict[bytes, None] = OrderedDict()
        self._is_last = False
        self._waiting_unix_nano = 0
        # One flush at a time: a second one would overtake what the first is sending.
        self._flushing = asyncio.Lock()
        self._progress = asyncio.Event()
        self._room = asyncio.Event()
        self.has_come = asyncio.Event()
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
        now_unix_nano = self._now_unix_nano()
        self._unread.append((now_unix_nano, body))
        self._unread_bytes += len(body)
        self._unread_lines += body.count(LINE)
        self._note_waiting(now_unix_nano)
        if self._reads_at_once or self._unread_bytes > self._max_unread_bytes:
            self._read_one()
            self._progress.set()
        elif TELLING in body:
            self._has_news = True
            self._progress.set()
        self._tell_held(self.count_held())

    def accept_request(self, signal: str, body: bytes) -> bool:
        """Take a request of the function's own SDK; return whether there was room for it."""
        self._note_waiting(self._now_unix_nano())
        return self._relay.accept(signal, body)

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

    def find_end_ms(self, request_id: str) -> float:
        """Return when the runtime was done with an invocation, 0 if that is not known."""
        invocation = self._assembler.invocations.find(request_id)
        return invocation.end_unix_nano / NANOS_PER_MS if invocation is not None else 0.0

    async def wait_finished(self, request_id: str) -> None:
        """Wait until the runtime is done with an invocation."""
        await self._wait(lambda: self._assembler.invocations.is_finished(request_id))

    async def wait_reported(self) -> None:
        """Wait until every invocation has its end and its report, and all that came is read."""
        self._has_news = True
        await self._wait(lambda: not self._assembler.invocations.awaits_news)

    async def wait_for_room(self) -> None:
        """Wait while the buffers are nearly full and being emptied: Lambda keeps the rest so long.

        Where nothing is being sent there is nothing to wait for: what is too much gives way.
        """
        if self.fill >= NEARLY_FULL:
            self.has_come.set()
            await asyncio.sleep(0)
        while self.fill >= NEARLY_FULL and self._flushing.locked():
            self._room.clear()
            await self._room.wait()

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._unread or self._relay.waiting_bytes or any(map(len, self._channels)))

    @property
    def fill(self) -> float:
        """How full the fullest buffer is, 0 to 1."""
        unread = self._unread_bytes / self._max_unread_bytes
        return max(unread, self._relay.fill, *(channel.fill for channel in self._channels))

    @property
    def has_full_request(self) -> bool:
        """Whether as much waits as goes into one request."""
        unread_bytes = self._unread_bytes + self._relay.waiting_bytes
        return unread_bytes >= self._request_max_bytes or any(
            channel.has_full_request for channel in self._channels
        )

    @property
    def is_away(self) -> bool:
        """Whether no collector is to be asked now."""
        return all(channel.sender.is_away for channel in self._channels)

    @property
    def is_slow(self) -> bool:
        """Whether a collector has not answered within an invocation's budget."""
        return any(channel.sender.is_slow for channel in self._channels)

    @property
    def answered_s(self) -> float:
        """When a collector last answered, by the event loop's clock."""
        return max(channel.sender.answered_s for channel in self._channels)

    def measure_age_ms(self) -> float:
        """Return how long the oldest data has waited, 0 without any."""
        if not self._waiting_unix_nano or not self.has_waiting:
            return 0.0
        # A clock that was set back must not make data young for an hour: then it is as old as new.
        return max(0, self._now_unix_nano() - self._waiting_unix_nano) / NANOS_PER_MS

    async def flush(self, window: Window) -> None:
        """Read what waits and send all queues, signals in parallel.

        May be cancelled at any time: what was not delivered stays queued.
        """
        async with self._flushing:
            began_unix_nano = self._now_unix_nano()
            try:
                await self.read()
                self._forward(self._assembler.invocations.recent)
                self._collect()
                async with asyncio.TaskGroup() as group:
                    for channel in self._channels:
                        group.create_task(channel.flush(window))
                # What came meanwhile is as old as this flush at most.
                self._waiting_unix_nano = began_unix_nano if self.has_waiting else 0
            finally:
                self._room.set()
                self._tell_held(self.count_held())

    async def spill(self) -> None:
        """Write down what there was no room for."""
        for channel in self._channels:
            await channel.spill()

    async def give_up(self) -> None:
        """At the end: write down all that waits."""
        for channel in self._channels:
            await channel.give_up()

    def count_lost(self) -> dict[str, int]:
        """Return everything that was or is about to be lost, by signal and reason."""
        counts = {f"telemetry.{reason}": count for reason, count in self.lost.items()}
        counts["traces.invocations_forgotten"] = self._assembler.invocations.forgotten
        for channel in self._channels:
            counts |= channel.count_lost()
        return {reason: count for reason, count in counts.items() if count}

    def count_held(self) -> int:
        """Return how many records are held, about: lines that are not read yet count too."""
        return self._unread_lines + sum(map(len, self._channels))

    def count_written(self) -> dict[str, int]:
        """Return how many items the fallback took, by signal."""
        return {channel.name: channel.written for channel in self._channels if channel.written}

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
        self._unread_lines -= body.count(LINE)
        batch = decode(body, self._make_line)
        self.lost += batch.lost
        for event in batch.events:
            if isinstance(event.record, LogsDropped):
                self.lost["dropped_by_lambda"] += event.record.records
            elif isinstance(event.record, RuntimeDone):
                self._end(event.record.request_id)
            self._take(event, received_unix_nano)

    def _note_waiting(self, now_unix_nano: int) -> None:
        self._waiting_unix_nano = self._waiting_unix_nano or now_unix_nano
        self.has_come.set()
