"""Telemetry bodies that were accepted and not read yet.

State: the bodies in order, and hashes of those that have come lately. Lambda repeats a POST whose
answer it did not get: what was seen is not taken again. Must not know what a body holds, nor when
it is read.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator

# Lambda repeats soon: these many bodies back.
REMEMBERED_BODIES = 64

# An event of the function's stands for a line of it.
LINE = b'"function"'


class Inbox:
    """A first-in, first-out store of bodies.

    Args:
        max_bytes: how much is to wait at most; the caller sees to it.

    Attributes:
        size_bytes: how much waits.
        lines: about how many lines of the function's are in it.
        duplicates: how many bodies came again; nothing is lost by dropping them.
    """

    def __init__(self, max_bytes: int) -> None:
        self._bodies: deque[tuple[int, int, bytes]] = deque()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._max_bytes = max_bytes
        self.size_bytes = 0
        self.lines = 0
        self.duplicates = 0

    def __len__(self) -> int:
        """Return how many bodies wait."""
        return len(self._bodies)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bodies, the oldest first."""
        return (body for _, _, body in self._bodies)

    @property
    def fill(self) -> float:
        """How full it is; above 1 it is too full."""
        return self.size_bytes / self._max_bytes

    def put(self, body: bytes, received_unix_nano: int) -> bool:
        """Take a body; return whether it is a new one."""
        # Python's own: 64 bits by a key of this process's, in a fifth of the time that others take.
        digest = hash(body)
        if digest in self._seen:
            self.duplicates += 1
            return False
        self._seen[digest] = None
        if len(self._seen) > REMEMBERED_BODIES:
            self._seen.popitem(last=False)
        lines = body.count(LINE)
        self._bodies.append((received_unix_nano, lines, body))
        self.size_bytes += len(body)
        self.lines += lines
        return True

    def take(self) -> tuple[int, bytes]:
        """Remove and return the oldest body, after the time when it came."""
        received_unix_nano, lines, body = self._bodies.popleft()
        self.size_bytes -= len(body)
        self.lines -= lines
        return received_unix_nano, body
