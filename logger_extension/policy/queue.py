"""What waits for export: one bounded queue a signal.

State: the items in order, their size, and what was dropped by reason. Bounded in bytes; when full,
the oldest items give way (the newest tell what is wrong now) and are counted. Must not know what
an item is, nor where it goes.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Item]):
    """An item with the bytes that it counts for."""

    item: Item
    size_bytes: int


class Queue(Generic[Item]):
    """A bounded first-in, first-out queue.

    Attributes:
        size_bytes: what the waiting items count for.
        dropped: how many items were dropped, by reason.
    """

    def __init__(self, max_bytes: int) -> None:
        self._entries: deque[Entry[Item]] = deque()
        self._max_bytes = max_bytes
        self.size_bytes = 0
        self.dropped: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self._entries)

    def put(self, item: Item, size_bytes: int) -> None:
        """Append one item; drop the oldest ones that no longer fit."""
        self._entries.append(Entry(item, size_bytes))
        self.size_bytes += size_bytes
        while self.size_bytes > self._max_bytes:
            self.size_bytes -= self._entries.popleft().size_bytes
            self.dropped["queue_full"] += 1

    def take(self, max_bytes: int) -> list[Entry[Item]]:
        """Remove and return the oldest items: at most `max_bytes` of them, but at least one."""
        taken: list[Entry[Item]] = []
        size_bytes = 0
        while self._entries:
            entry = self._entries[0]
            if taken and size_bytes + entry.size_bytes > max_bytes:
                break
            taken.append(self._entries.popleft())
            size_bytes += entry.size_bytes
        self.size_bytes -= size_bytes
        return taken

    def restore(self, entries: Sequence[Entry[Item]]) -> None:
        """Put taken items back in front, in order; the oldest that no longer fit are dropped."""
        for position in range(len(entries) - 1, -1, -1):
            entry = entries[position]
            if self.size_bytes + entry.size_bytes > self._max_bytes:
                self.dropped["queue_full"] += position + 1
                return
            self._entries.appendleft(entry)
            self.size_bytes += entry.size_bytes
