"""Which rows came when, and which must make room: decisions over entries, without I/O.

An entry is a part of a request: how many rows went to which table, and their share of its size.
Rows of a table lie in order of arrival, so an entry need not say which they are. Must not know SQL
or connections.

State: a ledger holds the entries of one signal, their sums, and how many rows made room.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeVar

from otlp_viewer.store import Limits

# Room is made for this part of the limits at once: each deletion costs, however small.
_PARTS = 20
# Entries that are less than this part together become one: a million requests may be held.
_SMALL_PARTS = 100

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

    def join(self, later: "Entry") -> "Entry":
        """Return both as one, under the later number."""
        rows = Counter(self.rows) + Counter(later.rows)
        return Entry(later.number, rows, self.size_bytes + later.size_bytes)


class Ledger:
    """What is held of one signal, oldest first; `evicted` rows had to make room."""

    def __init__(self, limits: Limits, entries: Iterable[Entry] = (), evicted: int = 0) -> None:
        """Begin with what a file tells of earlier times."""
        self.evicted = evicted
        self.count = 0
        self._limits = limits
        self._entries: deque[Entry] = deque()
        self._size_bytes = 0.0
        self.take(entries)

    @property
    def received(self) -> int:
        """How many rows ever came."""
        return self.count + self.evicted

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

    def take(self, entries: Iterable[Entry], surplus: Sequence[Entry] = ()) -> None:
        """Take note that `entries` are stored, and that the oldest, `surplus`, are gone."""
        self.evicted += sum(entry.count for entry in surplus)
        held = min(len(surplus), len(self._entries))
        for _ in range(held):
            gone = self._entries.popleft()
            self.count -= gone.count
            self._size_bytes -= gone.size_bytes
        for entry in islice(entries, len(surplus) - held, None):
            self.count += entry.count
            self._size_bytes += entry.size_bytes
            self._append(entry)

    def _append(self, entry: Entry) -> None:
        if self._entries:
            joined = self._entries[-1].join(entry)
            if (
                joined.count <= self._limits.max_rows // _SMALL_PARTS
                and joined.size_bytes <= self._limits.max_bytes / _SMALL_PARTS
            ):
                self._entries[-1] = joined
                return
        self._entries.append(entry)


def split(rows: Sequence[_RowT], limits: Limits) -> Iterator[Sequence[_RowT]]:
    """Yield the rows of a request in parts, each small enough to make room as a whole."""
    part = max(1, limits.max_rows // _PARTS)
    return (rows[start : start + part] for start in range(0, len(rows), part))
