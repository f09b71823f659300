"""One signal on its way out: a queue, an encoder and an exporter.

State: the queue. Decides nothing about time: `flush` sends all there is and may be cancelled at any
await without losing or doubling what it holds. Must not know which signal it carries.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from logger_extension.policy.outcome import Delivered, Outcome, Refused, Undelivered
from logger_extension.policy.queue import Entry, Queue

Item = TypeVar("Item")

# Encoding and compressing one request cannot be cut off. At 128 MB of memory, a fourteenth of a
# CPU, this much takes some 60 ms: less than the margin before a deadline. (Many collectors refuse
# requests above 4 MiB, so there is no use in larger ones anyway.)
MAX_REQUEST_BYTES = 512 * 1024


# A collector that asks for more than this is mistaken about a clock, or about us.
LONGEST_PAUSE_MS = 15 * 60 * 1000


class Exporter(Protocol):
    """What a channel needs of an exporter."""

    async def export(self, body: bytes) -> Outcome:
        """Send one serialized request."""


class Channel(Generic[Item]):
    """A queue that can be flushed.

    Args:
        signal: `logs` or `traces`, for counts and complaints.
        queue: what waits.
        encode: items to one serialized request.
        exporter: where requests go.
        complain: called with a message and a reason about data that is not delivered.
        now_ms: the wall clock, for a pause that the collector has asked for.
    """

    def __init__(
        self,
        signal: str,
        queue: Queue[Item],
        encode: Callable[[Sequence[Item]], bytes],
        exporter: Exporter,
        complain: Callable[[str, str], None],
        now_ms: Callable[[], float],
    ) -> None:
        self._signal = signal
        self._queue = queue
        self._encode = encode
        self._exporter = exporter
        self._complain = complain
        self._now_ms = now_ms
        self._not_before_ms = 0.0

    def put(self, item: Item, size_bytes: int) -> None:
        """Queue one item."""
        self._queue.put(item, size_bytes)

    async def flush(self) -> None:
        """Send what waits, oldest first, until all is sent or the collector does not take it.

        Nothing is sent while a pause lasts that the collector has asked for (Retry-After): "the
        client MUST throttle" (https://opentelemetry.io/docs/specs/otlp/#otlphttp-throttling).
        """
        if self._now_ms() < self._not_before_ms:
            return
        while entries := self._queue.take(MAX_REQUEST_BYTES):
            # What an unforeseen error leaves behind is given up: it would come again each time.
            outcome: Outcome = Refused("internal error")
            try:
                outcome = await self._exporter.export(self._encode([e.item for e in entries]))
            except asyncio.CancelledError:
                outcome = Undelivered("no answer before the deadline")
                raise
            finally:
                self._settle(entries, outcome)
            if isinstance(outcome, Undelivered):
                return

    def count_lost(self) -> dict[str, int]:
        """Return dropped items by reason, and those still waiting as `undelivered`."""
        counts = {f"{self._signal}.{why}": n for why, n in self._queue.dropped.items()}
        return counts | {f"{self._signal}.undelivered": len(self._queue)}

    def _settle(self, entries: Sequence[Entry[Item]], outcome: Outcome) -> None:
        match outcome:
            case Delivered(rejected, message):
                self._queue.dropped["rejected"] += rejected
                if rejected or message:
                    self._complain(f"the collector took {self._signal} in part", message)
            case Undelivered(reason, retry_after_ms):
                self._queue.restore(entries)
                self._not_before_ms = self._now_ms() + min(retry_after_ms or 0, LONGEST_PAUSE_MS)
                self._complain(f"{self._signal} not delivered, kept for the next flush", reason)
            case Refused(reason):
                self._queue.dropped["refused"] += len(entries)
                self._complain(f"the collector refused {self._signal}, dropped", reason)
