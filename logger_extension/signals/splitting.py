"""A serialized request cut into smaller ones.

Owns where a request may be cut: between log records, spans or data points. Each part carries the
resource, scope and metric of its items, so it is a whole request; order is kept. Must not know why
a request is too large.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from logger_extension.signals.requests import SIGNALS, parse, points_of

# A message in another costs a tag and its length, 6 bytes at most; that of a metric's data, which
# holds the points, may grow by 4.
FRAME_BYTES = 10

# From a message to the messages in it, outermost first.
Level = Callable[[Any], Any]
Heads = tuple[Any, ...]


def split_request(signal: str, body: bytes, max_bytes: int) -> list[bytes]:
    """Return requests of at most `max_bytes` each with the same items; an item is never cut.

    A request that is small enough is returned as it is, and so is one with a single item. Of a
    larger one, what holds no item (a resource without scopes, a metric without points) is left out.

    Raises:
        ProtocolError: the bytes are no request of this signal.
    """
    if len(body) <= max_bytes:
        return [body]
    levels = _levels_of(signal)
    parts: list[bytes] = []
    part = _Part(signal, levels)
    for heads, item in _walk(parse(signal, body), levels, ()):
        if not part.add(heads, item, max_bytes):
            parts.append(part.serialize())
            part = _Part(signal, levels)
            part.add(heads, item, max_bytes)
    if part.has_items:
        parts.append(part.serialize())
    return parts


class _Part:
    """A request that is being filled. State: the message, its size and the path to its end."""

    def __init__(self, signal: str, levels: Sequence[Level]) -> None:
        self._request: Any = SIGNALS[signal].request()
        self._levels = levels
        self._heads: Heads = ()
        self._copies: list[Any] = []
        self._size_bytes = 0
        self.has_items = False

    def add(self, heads: Heads, item: Any, max_bytes: int) -> bool:
        """Append an item under copies of its heads; return False where there is no room for it."""
        shared = self._count_shared(heads)
        size_bytes = item.ByteSize() + FRAME_BYTES
        for head in heads[shared:]:
            size_bytes += head.ByteSize() + FRAME_BYTES
        if self.has_items and self._size_bytes + size_bytes > max_bytes:
            return False
        self._open(heads, shared)
        self._levels[-1](self._copies[-1]).append(item)
        self._size_bytes += size_bytes
        self.has_items = True
        return True

    def serialize(self) -> bytes:
        """Return the request."""
        body: bytes = self._request.SerializeToString()
        return body

    def _open(self, heads: Heads, shared: int) -> None:
        """Copy the heads that are not those of the item before."""
        del self._copies[shared:]
        for level, head in zip(self._levels[shared:], heads[shared:], strict=False):
            siblings = level(self._copies[-1] if self._copies else self._request)
            siblings.append(head)
            self._copies.append(siblings[-1])
        self._heads = heads

    def _count_shared(self, heads: Heads) -> int:
        """Return how many heads are those of the item before: mostly all."""
        if heads is self._heads:
            return len(heads)
        shared = 0
        for ours, theirs in zip(self._heads, heads, strict=False):
            if ours is not theirs:
                break
            shared += 1
        return shared


def _levels_of(signal: str) -> Sequence[Level]:
    names = SIGNALS[signal]
    levels: list[Level] = [attrgetter(n) for n in (names.entries, names.scopes, names.items)]
    return [*levels, points_of] if signal == "metrics" else levels


def _walk(message: Any, levels: Sequence[Level], heads: Heads) -> Iterator[tuple[Heads, Any]]:
    """Yield every item with the messages around it, each emptied of what it held.

    Emptied in place: a copy would take the memory of the whole request once more.
    """
    level, *deeper = levels
    children = list(level(message))
    if children:
        del level(message)[:]
    if not deeper:
        for item in children:
            yield heads, item
        return
    for child in children:
        yield from _walk(child, deeper, (*heads, child))
