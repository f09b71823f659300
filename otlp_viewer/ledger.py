"""Which rows came when, and which must make room: decisions over entries, without I/O.

An entry is a part of a request: how many rows went to which table, and their share of its size.
Rows of a table lie in order of arrival, so an entry need not say which they are. Must not know SQL
or connections.

State: a ledger holds the entries of one signal, their sums, and how many rows made room.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from otlp_viewer.store import Limits

# Room is made for this part of the limits at once: each deletion costs, however small.
_PARTS = 20

_RowT = TypeVar("_RowT")


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of a request; `rows` is a count by the name of the table."""

    number: int
    rows: Mapping[str, int]
    size_bytes: float

    @property
    def count(self) -> int:
        """The rows of all tables."""
        return sum(self.rows.values())


class Ledger:
    """What is held of one signal, oldest first; `evicted` rows had to make room."""

    def __init__(self, limits: Limits, entries: Iterable[Entry] = (), evicted: int = 0) -> None:
        """Begin with what a file tells of earlier times."""
        self.evicted = evicted
        self.count = 0
        self._limits = limits
        self._entries: deque[Entry] = deque()
        self._size_bytes = 0.0
        self.extend(entries)

    @property
    def received(self) -> int:
        """How many rows ever came."""
        return self.count + self.evicted

    def extend(self, entries: Iterable[Entry]) -> None:
        """Take note of what is stored now."""
        for entry in entries:
            self._entries.append(entry)
            self.count += entry.count
            self._size_bytes += entry.size_bytes

    def find_surplus(self, further: Sequence[Entry] = ()) -> list[Entry]:
        """Return what must make room for `further` entries, oldest first; it may be among them."""
        count = self.count + sum(entry.count for entry in further)
        size_bytes = self._size_bytes + sum(entry.size_bytes for entry in further)
        if count <= self._limits.max_rows and size_bytes <= self._limits.max_bytes:
            return []
        max_rows = self._limits.max_rows - self._limits.max_rows // _PARTS
        max_bytes = self._limits.max_bytes - self._limits.max_bytes // _PARTS
        surplus = []
        for entry in chain(self._entries, further):
            if count <= max_rows and size_bytes <= max_bytes:
                break
            surplus.append(entry)
            count -= entry.count
            size_bytes -= entry.size_bytes
        return surplus

    def evict(self, surplus: Sequence[Entry]) -> None:
        """Take note that the oldest entries, which are these, are gone."""
        for entry in surplus:
            self._entries.popleft()
            self.count -= entry.count
            self._size_bytes -= entry.size_bytes
            self.evicted += entry.count


def split(rows: Sequence[_RowT], limits: Limits) -> Iterator[Sequence[_RowT]]:
    """Yield the rows of a request in parts, each small enough to make room as a whole."""
    part = max(1, limits.max_rows // _PARTS)
    return (rows[start : start + part] for start in range(0, len(rows), part))
