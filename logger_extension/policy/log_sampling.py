"""Which invocations' lines are kept, decided when an invocation is over.

Whatever failed, was slow, cold or expensive is kept as a whole, and of the rest a share, by the
request id, so that every process comes to the same decision. Must not know what a line is.

State: the lines of invocations that are not decided yet, bounded in bytes, and the last decisions,
for lines that come late.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Generic, TypeVar

from logger_extension.policy.facts import InvocationFacts

Line = TypeVar("Line")

# A line of this severity (ERROR, https://opentelemetry.io/docs/specs/otel/logs/data-model/) says
# that the handler failed; Lambda calls such an invocation a success.
FAILURE_SEVERITY = 17
MAX_DECISIONS = 256
DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingRules:
    """What is kept.

    Attributes:
        ratio: the share of the rest that is kept, 0 to 1; 1 keeps everything.
        slow_ms: from which duration of the handler an invocation is slow; None for never.
        expensive_usd: from which price an invocation is expensive; None for never.
    """

    ratio: float = 1.0
    slow_ms: float | None = None
    expensive_usd: float | None = None


def is_kept(
    rules: SamplingRules,
    facts: InvocationFacts,
    *,
    has_failure: bool = False,
    cost_usd: float | None = None,
) -> bool:
    """Return whether the lines of an invocation are kept.

    Args:
        rules: what is kept.
        facts: of the invocation; what is not known of it is no reason to keep it.
        has_failure: whether a line of it says that it failed.
        cost_usd: its price, None when it is not known.
    """
    duration_ms = facts.runtime_duration_ms
    if duration_ms is None:
        duration_ms = facts.duration_ms
    return (
        has_failure
        or facts.status != "success"
        or facts.is_cold_start
        or _reaches(duration_ms, rules.slow_ms)
        or _reaches(cost_usd, rules.expensive_usd)
        or _place(facts.request_id) < rules.ratio
    )


def _reaches(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value >= limit


def _place(request_id: str) -> float:
    """Return a number from 0 to below 1 that is the same for a request id everywhere."""
    digest = blake2b(request_id.encode("utf-8", "replace"), digest_size=DIGEST_BYTES).digest()
    return int.from_bytes(digest, "big") / float(256**DIGEST_BYTES)


@dataclass(slots=True)
class _Held(Generic[Line]):
    lines: list[Line] = field(default_factory=list)
    size_bytes: int = 0
    has_failure: bool = False


class LogSampling(Generic[Line]):
    """Holds the lines of an invocation back until it is decided.

    Attributes:
        held_bytes: what waits for a decision.
        dropped: how many lines were not kept.
    """

    def __init__(self, rules: SamplingRules, max_bytes: int) -> None:
        self._rules = rules
        self._max_bytes = max_bytes
        self._held: OrderedDict[str, _Held[Line]] = OrderedDict()
        self._decisions: OrderedDict[str, bool] = OrderedDict()
        self.held_bytes = 0
        self.dropped = 0

    def put(
        self, request_id: str, line: Line, size_bytes: int, severity_number: int = 0
    ) -> list[Line]:
        """Take a line; return the lines that may go on now.

        Lines that belong to no invocation go on, and so do those of the oldest invocations when
        too much is held back: nothing is dropped undecided.
        """
        if not request_id:
            return [line]
        is_failure = severity_number >= FAILURE_SEVERITY
        decision = self._decisions.get(request_id)
        if decision is not None:
            self.dropped += not (decision or is_failure)
            return [line] if decision or is_failure else []
        held = self._held.setdefault(request_id, _Held())
        held.lines.append(line)
        held.size_bytes += size_bytes
        held.has_failure = held.has_failure or is_failure
        self.held_bytes += size_bytes
        released: list[Line] = []
        while self.held_bytes > self._max_bytes:
            released += self._take(next(iter(self._held))).lines
        return released

    def decide(self, facts: InvocationFacts, cost_usd: float | None = None) -> list[Line]:
        """Decide on an invocation that is over; return its lines if they are kept."""
        request_id = facts.request_id
        held = self._take(request_id)
        decision = is_kept(self._rules, facts, has_failure=held.has_failure, cost_usd=cost_usd)
        self._decisions[request_id] = decision
        if len(self._decisions) > MAX_DECISIONS:
            self._decisions.popitem(last=False)
        if decision:
            return held.lines
        self.dropped += len(held.lines)
        return []

    def release_all(self) -> list[Line]:
        """Return every line that is still held back: at the end nothing is decided any more."""
        return [line for request_id in list(self._held) for line in self._take(request_id).lines]

    def _take(self, request_id: str) -> _Held[Line]:
        held = self._held.pop(request_id, None) or _Held()
        self.held_bytes -= held.size_bytes
        return held
