"""One signal on its way out: a queue, an encoder, a collector, and a fallback.

State: the queue, what it had no room for, what was dropped by reason, and how large a request the
collector takes. Decides nothing about time: `flush` sends all there is within a window, and may be
cancelled at any await without losing what it holds. Must not know which signal it carries.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from logger_extension.delivery import Window
from logger_extension.policy.outcome import Delivered, Outcome, Refused, TooLarge, Undelivered
from logger_extension.policy.queue import Entry, Queue
from logger_extension.route import Fallback, Limits, Route

Item = TypeVar("Item")

# A collector that refuses even this much as too large refuses for another reason.
SMALLEST_REQUEST_BYTES = 16 * 1024


def _ignore() -> None:
    """Do nothing."""


class Channel(Generic[Item]):
    """A queue that can be flushed.

    Args:
        name: for counts and complaints.
        queue: what waits.
        route: where it goes.
        limits: how large requests are.
        complain: called with a message and a reason about data that is not delivered.
        count_exported: told how many records were delivered, None when nobody asks.

    Attributes:
        name: for counts and complaints.
        dropped: how many records were lost, by reason.
        written: how many records the fallback took.
        sender: what brings requests to the collector.
        capacity: how many records may wait.
        note_progress: called when a request has been settled.
    """

    def __init__(
        self,
        name: str,
        queue: Queue[Item],
        route: Route[Item],
        limits: Limits,
        complain: Callable[[str, str], None],
        count_exported: Callable[[int], None] | None,
    ) -> None:
        self.name = name
        self._queue = queue
        self._route = route
        self.sender = route.sender
        self._request_max_bytes = limits.request_max_bytes
        self._request_max_records = limits.request_max_records
        self._complain = complain
        self._count_exported = count_exported
        # What goes to the fallback at the next chance, with the reason. Bounded like the queue.
        self._rest: deque[tuple[str, Entry[Item]]] = deque()
        self._rest_bytes = 0
        self._sending = self._writing = 0
        self._spilling: asyncio.Task[None] | None = None
        self.dropped: Counter[str] = Counter()
        self.written = 0
        self.capacity = queue.max_records
        self.note_progress: Callable[[], None] = _ignore

    def __len__(self) -> int:
        """Return how many items wait, for the collector or the fallback."""
        return len(self._queue) + len(self._rest)

    @property
    def held(self) -> int:
        """How much would be lost if the process died now."""
        return len(self) + self._sending + self._writing

    @property
    def fill(self) -> float:
        """How full the queue is, 0 to 1."""
        return self._queue.fill

    @property
    def pressure(self) -> float:
        """How near a loss is, 0 to 1: what gives way in the queue goes to the fallback first."""
        if self._route.fallback is None:
            return 0.0 if self.sender.is_away else self.fill
        return self._rest_bytes / self._queue.max_bytes

    @property
    def has_full_request(self) -> bool:
        """Whether as much waits as goes into one request."""
        return (
            self._queue.size_bytes >= self._request_max_bytes
            or len(self._queue) >= self._request_max_records
        )

    def put(self, item: Item, size_bytes: int) -> None:
        """Queue one item."""
        if evicted := self._queue.put(item, size_bytes):
            self._give_up(evicted, "queue_full")

    async def flush(self, window: Window) -> bool:
        """Send what waits, oldest first; return whether all was sent that the collector takes."""
        if self.sender.is_away and not window.is_last:
            # Encoding would be in vain.
            return not self._queue
        while entries := self._queue.take(self._request_max_bytes, self._request_max_records):
            # What an unforeseen error leaves behind is given up: it would come again each time.
            outcome: Outcome = Refused("internal error")
            self._sending = len(entries)
            try:
                body = self._route.encode([entry.item for entry in entries])
                outcome = await self.sender.send(body, window)
            except asyncio.CancelledError:
                outcome = Undelivered("cut off")
                raise
            finally:
                self._sending = 0
                self._settle(entries, outcome)
                self.note_progress()
            if isinstance(outcome, Undelivered) or window.is_left:
                break
        await self.spill()
        return not self._queue

    async def spill(self, *, is_last: bool = False) -> None:
        """Write down what there was no room for, and what the collector refused for ever.

        Cancelled, it goes on by itself: what is being written would be lost. Only when there is no
        later is it cut off.
        """
        while (self._rest or self._writing) and self._route.fallback is not None:
            if self._spilling is None or self._spilling.done():
                work = self._write_down(self._route.fallback)
                self._spilling = asyncio.get_running_loop().create_task(work)
            await (self._spilling if is_last else asyncio.shield(self._spilling))

    async def _write_down(self, fallback: Fallback) -> None:
        while self._rest:
            reason = self._rest[0][0]
            taken: list[Entry[Item]] = []
            size_bytes = 0
            while (
                self._rest
                and self._rest[0][0] == reason
                and (not taken or size_bytes < self._request_max_bytes)
            ):
                taken.append(self._rest.popleft()[1])
                size_bytes += taken[-1].size_bytes
            self._rest_bytes -= size_bytes
            # Cut off, it is not known how much was written: rather told as lost than not.
            records = unwritten = self._writing = self._count(taken)
            try:
                body = self._route.encode([entry.item for entry in taken])
                unwritten = await fallback.write(self._route.signal, body)
            finally:
                self._writing = 0
                self.dropped[reason] += unwritten
                self.written += records - unwritten
                self.note_progress()

    async def give_up(self) -> None:
        """At the end: write down all that waits."""
        if self._route.fallback is not None:
            rest = self._queue.take(2**62, len(self._queue) or 1)
            self._rest.extend(("undelivered", entry) for entry in rest)
            self._rest_bytes += sum(entry.size_bytes for entry in rest)
            await self.spill(is_last=True)

    def count_lost(self) -> dict[str, int]:
        """Return dropped records by reason, and the items still waiting as `undelivered`."""
        counts = Counter({f"{self.name}.{why}": n for why, n in self.dropped.items()})
        counts[f"{self.name}.undelivered"] += len(self) + self._writing
        return dict(counts)

    def _count(self, entries: Sequence[Entry[Item]]) -> int:
        return sum(self._route.count(entry.item) for entry in entries)

    def _settle(self, entries: Sequence[Entry[Item]], outcome: Outcome) -> None:
        match outcome:
            case Delivered(rejected, message):
                self._note_delivered(entries, rejected)
                if rejected or message:
                    self._complain(f"the collector took {self.name} in part", message)
            case Undelivered(reason):
                self._restore(entries)
                self._complain(f"{self.name} not delivered, kept for the next flush", reason)
            case TooLarge(reason):
                self._shrink(entries, reason)
            case Refused(reason):
                self._refuse(entries, "refused", reason)

    def _note_delivered(self, entries: Sequence[Entry[Item]], rejected: int) -> None:
        if self._count_exported is None and not rejected:
            return
        records = self._count(entries)
        # No more can be rejected than was sent, whatever the collector says.
        rejected = min(rejected, records)
        self.dropped["rejected"] += rejected
        if self._count_exported is not None:
            self._count_exported(records - rejected)

    def _shrink(self, entries: Sequence[Entry[Item]], reason: str) -> None:
        """Send the same again in requests of half the size, unless that cannot help."""
        size_bytes = sum(entry.size_bytes for entry in entries)
        is_small = size_bytes <= SMALLEST_REQUEST_BYTES
        if len(entries) == 1 and not is_small:
            entries = self._route.divide(entries[0])
        if len(entries) == 1 or is_small:
            self._refuse(entries, "too_large", reason)
            return
        # An item above the size that was learned before says nothing against that.
        self._request_max_bytes = min(self._request_max_bytes, size_bytes // 2)
        self._restore(entries)

    def _refuse(self, entries: Sequence[Entry[Item]], reason: str, words: str) -> None:
        self._give_up(entries, reason)
        what = "dropped" if self._route.fallback is None else "written to the fallback"
        self._complain(f"the collector refused {self.name}, {what}", words)

    def _restore(self, entries: Sequence[Entry[Item]]) -> None:
        self._give_up(self._queue.restore(entries), "queue_full")

    def _give_up(self, entries: Sequence[Entry[Item]], reason: str) -> None:
        """Keep for the fallback what the queue cannot keep; without one it is lost."""
        if self._route.fallback is None:
            self.dropped[reason] += self._count(entries)
            return
        for entry in entries:
            self._rest.append((reason, entry))
            self._rest_bytes += entry.size_bytes
        while self._rest_bytes > self._queue.max_bytes:
            _, oldest = self._rest.popleft()
            self._rest_bytes -= oldest.size_bytes
            self.dropped["queue_full"] += self._count([oldest])
