"""What is sent of the requests that were found, how often, and what becomes of each.

Owns the counts and the rules: small requests go together, what a collector refuses is tried in
smaller parts, what it may take later is tried again, and what was delivered is never sent again.
Must not know where requests come from, nor the connection: `send` may be anything.

State: requests that wait for company, and those that are being tried.
"""

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from logger_extension.policy.outcome import Delivered, Outcome, Refused, TooLarge, Undelivered
from logger_extension.signals.requests import count_items, parse
from logger_extension.signals.splitting import split_request

# The extension's own requests are as large; many collectors refuse more than 1 to 4 MiB.
BATCH_BYTES = 512 * 1024

# Pauses grow from a second, drawn by chance; what the collector asks for is the least, up to a
# minute.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
LONGEST_ASKED_S = 60.0
MS_PER_S = 1_000

# A collector that takes nothing of so many requests, each sent alone, refuses us and not them.
MOST_REFUSED = 3


@dataclass(slots=True)
class Counts:
    """Log records, spans and data points by signal.

    Attributes:
        found: all of them.
        delivered: the collector has them.
        rejected: the collector has taken the others of their requests; sent again, those would be
            there twice.
        undelivered: to be sent another time.
    """

    found: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    undelivered: Counter[str] = field(default_factory=Counter)

    @property
    def is_complete(self) -> bool:
        """Whether all that was found is delivered."""
        return self.found == self.delivered


@dataclass(frozen=True, slots=True)
class Means:
    """What resending works with.

    Attributes:
        send: brings a serialized request to the collector.
        keep: takes a request that is not delivered.
        complain: told why, each reason once.
        pause: waits so many seconds.
        max_tries: how often one request is sent.
    """

    send: Callable[[str, bytes], Outcome]
    keep: Callable[[str, bytes], None]
    complain: Callable[[str], None]
    pause: Callable[[float], None]
    max_tries: int


class Resending:
    """Sends requests in batches. Give it all of them, then `finish` or `abandon`.

    Attributes:
        counts: what became of what it was given.
        is_stopped: whether the collector is not asked any more.
    """

    def __init__(self, means: Means) -> None:
        self._means = means
        self._waiting: dict[str, list[bytes]] = {}
        self._sizes: Counter[str] = Counter()
        self._trying: deque[tuple[str, list[bytes]]] = deque()
        self._refused = 0
        self._told: set[str] = set()
        self.counts = Counts()
        self.is_stopped = False

    def add(self, signal: str, body: bytes) -> None:
        """Take one serialized request; send those that waited if it is too much beside them."""
        self.counts.found[signal] += _count(signal, [body])
        if self._sizes[signal] + len(body) > BATCH_BYTES:
            self._send_waiting(signal)
        self._waiting.setdefault(signal, []).append(body)
        self._sizes[signal] += len(body)

    def keep(self, signal: str, body: bytes) -> None:
        """Take a request that nobody wants."""
        self.counts.found[signal] += _count(signal, [body])
        self._keep(signal, [body])

    def finish(self) -> None:
        """Send what waits."""
        for signal in list(self._waiting):
            self._send_waiting(signal)

    def abandon(self) -> None:
        """Keep what was taken and is not known to be delivered."""
        self.is_stopped = True
        self.finish()

    def _send_waiting(self, signal: str) -> None:
        # What is being tried stays in place until it is settled: an interrupt may come at any time.
        if bodies := self._waiting.get(signal):
            self._trying.append((signal, bodies))
            self._waiting[signal] = []
            self._sizes[signal] = 0
        while self._trying:
            signal, bodies = self._trying[0]
            if self.is_stopped:
                self._keep(signal, bodies)
                smaller = []
            else:
                smaller = self._settle(signal, bodies, self._try(signal, b"".join(bodies)))
            self._trying.popleft()
            self._trying.extendleft((signal, part) for part in reversed(smaller))

    def _try(self, signal: str, body: bytes) -> Outcome:
        """Send until the collector has decided, or as often as allowed."""
        tries = 1
        while True:
            outcome = self._means.send(signal, body)
            if not isinstance(outcome, Undelivered) or tries >= self._means.max_tries:
                return outcome
            longest_s = min(FIRST_PAUSE_S * 2.0 ** (tries - 1), LONGEST_PAUSE_S)
            asked_s = min((outcome.retry_after_ms or 0) / MS_PER_S, LONGEST_ASKED_S)
            self._complain(f"{signal}: {outcome.reason}; trying again")
            self._means.pause(asked_s + random.uniform(0, longest_s))  # noqa: S311  (no secret)  # nosec B311
            tries += 1

    def _settle(self, signal: str, bodies: list[bytes], outcome: Outcome) -> list[list[bytes]]:
        """Count what became of a batch; return what is to be tried in its place."""
        match outcome:
            case Delivered(rejected, message):
                items = _count(signal, bodies)
                self.counts.delivered[signal] += items - min(rejected, items)
                self.counts.rejected[signal] += min(rejected, items)
                if rejected or message:
                    self._complain(f"{signal}: taken in part: {message}")
            case Undelivered(reason):
                self._stop(f"{signal}: {reason}; nothing more is sent")
                self._keep(signal, bodies)
            case Refused(reason) | TooLarge(reason):
                if smaller := _halve(signal, bodies, is_too_large=isinstance(outcome, TooLarge)):
                    return smaller
                self._complain(f"{signal}: refused: {reason}")
                self._keep(signal, bodies)
                self._refused += 1
                if self._refused == MOST_REFUSED and not self.counts.delivered:
                    self._stop("the collector takes nothing: nothing more is sent")
        return []

    def _keep(self, signal: str, bodies: list[bytes]) -> None:
        self.counts.undelivered[signal] += _count(signal, bodies)
        for body in bodies:
            self._means.keep(signal, body)

    def _stop(self, reason: str) -> None:
        self.is_stopped = True
        self._complain(reason)

    def _complain(self, reason: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            self._means.complain(reason)


def _count(signal: str, bodies: list[bytes]) -> int:
    return sum(count_items(signal, parse(signal, body)) for body in bodies)


def _halve(signal: str, bodies: list[bytes], *, is_too_large: bool) -> list[list[bytes]]:
    """Return a batch in two or more parts, none where it cannot be divided."""
    if len(bodies) > 1:
        middle = len(bodies) // 2
        return [bodies[:middle], bodies[middle:]]
    parts = split_request(signal, bodies[0], len(bodies[0]) // 2) if is_too_large else bodies
    return [[part] for part in parts] if len(parts) > 1 else []
