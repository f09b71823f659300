"""What waits for one subscriber, and when the next batch is due.

Owns the queue of one subscriber (mutable), bounded in bytes. No clock and no I/O: `now` is passed
in (seconds). The rule is that of the Telemetry API: a batch goes out when it has maxItems or
maxBytes, or timeoutMs after its first event (contract section 8).
"""

from __future__ import annotations

from collections import deque


class Batcher:
    """Encoded events in order, cut into batches."""

    def __init__(self, *, queue_bytes: int) -> None:
        self._queue: deque[tuple[float, bytes]] = deque()
        self._queue_limit_bytes = queue_bytes
        self._bytes = 0
        self.dropped_bytes = 0
        self.dropped_records = 0
        self.set_limits(max_items=10_000, max_bytes=262_144, timeout_ms=1_000)

    def set_limits(self, *, max_items: int, max_bytes: int, timeout_ms: int) -> None:
        """Take over the limits that the subscriber asked for."""
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._timeout_s = timeout_ms / 1_000

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._queue)

    def add(self, event: bytes, now: float) -> None:
        """Queue an event, or count it as dropped if the queue is full."""
        if self._bytes + len(event) > self._queue_limit_bytes:
            self.dropped_bytes += len(event)
            self.dropped_records += 1
            return
        self._queue.append((now, event))
        self._bytes += len(event)

    def due_in(self, now: float) -> float | None:
        """Seconds until the next batch is due: 0 if it is, None if nothing waits."""
        if not self._queue:
            return 0.0 if self.dropped_records else None
        if len(self._queue) >= self._max_items or self._bytes >= self._max_bytes:
            return 0.0
        return max(0.0, self._queue[0][0] + self._timeout_s - now)

    def take(self) -> list[bytes]:
        """Take the next batch: at most maxItems, ending with the event that reaches maxBytes."""
        batch: list[bytes] = []
        size = 0
        while self._queue and len(batch) < self._max_items and size < self._max_bytes:
            _, event = self._queue.popleft()
            batch.append(event)
            size += len(event)
        self._bytes -= size
        return batch

    def take_dropped(self) -> tuple[int, int]:
        """Bytes and records that were dropped since the last time."""
        dropped = self.dropped_bytes, self.dropped_records
        self.dropped_bytes = self.dropped_records = 0
        return dropped
