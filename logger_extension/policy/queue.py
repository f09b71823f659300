"""What waits for export: one bounded queue a signal.

State: the items in order and their size. Bounded in bytes and in records; when full, the oldest
items give way (the newest tell what is wrong now) and are handed back to the caller, who decides
what becomes of them. Must not know what an item is, nor where it goes.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Entry(Generic[Item]):
    """An item with the bytes that it counts for. Frozen, each would take twice the time to make."""

    item: Item
    size_bytes: int


class Queue(Generic[Item]):
    """A bounded first-in, first-out queue.

    Args:
        max_bytes: what the items may count for together.
        max_records: how many there may be.

    Attributes:
        size_bytes: what the waiting items count for; `max_bytes` and
            `max_records` are the most that there may be.
    """

    def __init__(self, max_bytes: int, max_records: int) -> None:
        self._entries: deque[Entry[Item]] = deque()
        self.max_bytes = max_bytes
        self.max_records = max_records
        self.size_bytes = 0

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self._entries)

    @property
    def fill(self) -> float:
        """How full it is, 0 to 1."""
        return max(self.size_bytes / self.max_bytes, len(self._entries) / self.max_records)

    def put(self, item: Item, size_bytes: int) -> Sequence[Entry[Item]]:
        """Append one item; return the oldest ones that no longer fit."""
        self._entries.append(Entry(item, size_bytes))
        self.size_bytes += size_bytes
        if self.size_bytes <= self.max_bytes and len(self._entries) <= self.max_records:
            return ()
        evicted = []
        while self.size_bytes > self.max_bytes or len(self._entries) > self.max_records:
            evicted.append(self._entries.popleft())
            self.size_bytes -= evicted[-1].size_bytes
        return evicted

    def take(self, max_bytes: int, max_records: int) -> list[Entry[Item]]:
        """Remove and return the oldest items: within both bounds, but at least one."""
        taken: list[Entry[Item]] = []
        size_bytes = 0
        while self._entries and len(taken) < max_records:
            entry = self._entries[0]
            if taken and size_bytes + entry.size_bytes > max_bytes:
                break
            taken.append(self._entries.popleft())
            size_bytes += entry.size_bytes
        self.size_bytes -= size_bytes
        return taken

    def restore(self, entries: Sequence[Entry[Item]]) -> Sequence[Entry[Item]]:
        """Put taken items back in front, in order; return the oldest, which no longer fit."""
        for position in range(len(entries) - 1, -1, -1):
            entry = entries[position]
            is_too_much = self.size_bytes + entry.size_bytes > self.max_bytes
            if is_too_much or len(self._entries) >= self.max_records:
                return entries[: position + 1]
            self._entries.appendleft(entry)
            self.size_bytes += entry.size_bytes
        return ()
