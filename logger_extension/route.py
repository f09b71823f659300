"""Where the items of a channel go: what encodes, sends and keeps them.

Owns the seam between a channel and what it is given; values and protocols only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from logger_extension.delivery import Window
from logger_extension.policy.outcome import Outcome
from logger_extension.policy.queue import Entry

Item = TypeVar("Item")


class Sender(Protocol):
    """What a channel needs of a delivery."""

    is_slow: bool

    @property
    def is_away(self) -> bool:
        """Whether the collector is not to be asked now."""

    def measure_patience_s(self, budget_s: float) -> float:
        """Return how much longer a request that is out may go unanswered."""

    def give_up_silent(self, budget_s: float) -> None:
        """Ask no more for a while, if one has been out for too long."""

    async def send(self, body: bytes, window: Window) -> Outcome:
        """Send one serialized request within a window."""


class Fallback(Protocol):
    """Where goes what a collector does not take."""

    async def write(self, signal: str, body: bytes) -> int:
        """Write a request down; return how many of its records could not be written."""


class Limits(NamedTuple):
    """How large requests are, before compression."""

    request_max_bytes: int
    request_max_records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[Item]):
    """Where the items of a channel go, and how.

    Attributes:
        signal: `logs`, `traces` or `metrics`, as the fallback names it.
        encode: items to one serialized request.
        sender: brings requests to the collector.
        fallback: takes what the collector does not; None for nowhere.
        divide: makes smaller items of one that is too large; returns it alone when it cannot.
        count: how many records an item holds.
    """

    signal: str
    encode: Callable[[Sequence[Item]], bytes]
    sender: Sender
    fallback: Fallback | None
    divide: Callable[[Entry[Item]], Sequence[Entry[Item]]] = lambda entry: (entry,)
    count: Callable[[Item], int] = lambda _item: 1
