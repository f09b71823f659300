"""What each feature of a function costs: an invocation's cost divided by time.

Features are named by the function's own spans or by markers in its log lines. The law: the shares
of an invocation add up to its cost, to the picodollar, whatever the spans and markers look like;
what no feature covers is `(unattributed)`. Must not know prices, nor how shares are exported.

State (`FeatureCosts` only): the spans and markers of invocations whose cost is awaited, and the
names that have been told apart, both bounded.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from logger_extension.events import NANOS_PER_MS, FunctionLog
from logger_extension.policy.cost import PICO, Cost
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.self_time import TimedSpan, find_parents, measure_self_times

UNATTRIBUTED = "(unattributed)"
INIT = "(init)"
EXTENSION = "(extension)"
OTHER = "other"
OUR_NAMES = frozenset({UNATTRIBUTED, INIT, EXTENSION, OTHER})

MAX_NAME = 256

# How many invocations may await their cost, and what is kept of each; an entry takes 300 bytes.
MAX_AWAITING = 256
MAX_ENTRIES = 2_000


class Marker(NamedTuple):
    """From this time on, nanoseconds since the epoch, the function works for a feature.

    None ends it without another taking over.
    """

    time_unix_nano: int
    feature: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """A feature's part of an invocation: picodollars (10^-12 USD) and milliseconds."""

    pico_usd: int = 0
    time_ms: float = 0.0

    @property
    def usd(self) -> float:
        """The part in USD."""
        return self.pico_usd / PICO

    def __add__(self, other: "Share") -> "Share":
        """Return both together."""
        return Share(self.pico_usd + other.pico_usd, self.time_ms + other.time_ms)


Work = Sequence[TimedSpan] | Sequence[Marker]


def apportion(
    cost: Cost, facts: InvocationFacts, work: Work, *, splits_overhead: bool = False
) -> Mapping[str, Share]:
    """Divide an invocation's cost among features by the time that each took.

    The handler's part of the cost is divided: a feature has of it what its time is of the handler's
    time. That is what was billed beside init and extensions, or what the runtime took if that is
    more (clocks are not exact). The parts of init and extensions are in `(unattributed)`, or on
    request apart.
    """
    init_ms = (facts.init_duration_ms or 0.0) if cost.init_pico_usd else 0.0
    init = Share(cost.init_pico_usd, init_ms)
    extension = Share(cost.extension_pico_usd, facts.extension_overhead_ms or 0.0)
    billed_ms = (facts.billed_duration_ms or 0) - init.time_ms - extension.time_ms
    runtime_ms = (facts.end_unix_nano - facts.start_unix_nano) / NANOS_PER_MS
    times = _time_features(facts, work)
    handler_ms = max(billed_ms, runtime_ms, sum(times.values()))
    times[UNATTRIBUTED] += handler_ms - sum(times.values())
    shares = defaultdict(Share, _divide(cost.handler_pico_usd, times))
    shares[INIT if splits_overhead else UNATTRIBUTED] += init
    shares[EXTENSION if splits_overhead else UNATTRIBUTED] += extension
    return {name: share for name, share in shares.items() if share != Share()}


def find_marker(log: FunctionLog, time_unix_nano: int, log_field: str) -> Marker | None:
    """Return the marker that a line is, None if it is none: its field must stand at the top."""
    fields = log.record
    if isinstance(fields, str):
        if log_field not in fields:  # spares reading lines that say nothing
            return None
        try:
            fields = orjson.loads(fields)
        except orjson.JSONDecodeError:
            return None
    if not isinstance(fields, dict) or log_field not in fields:
        return None
    value = fields[log_field]
    return Marker(time_unix_nano, None if value in (None, "") else str(value)[:MAX_NAME])


def _divide(pico_usd: int, times: Mapping[str, float]) -> dict[str, Share]:
    """Divide an amount by times without a remainder; without any time it is unattributed."""
    whole_ms = sum(times.values())
    if whole_ms <= 0:
        return {UNATTRIBUTED: Share(pico_usd)}
    shares: dict[str, Share] = {}
    passed_ms, given = 0.0, 0
    for name, time_ms in times.items():
        # What is due up to here, less what was given: the roundings cannot add up.
        passed_ms += time_ms
        due = round(pico_usd * min(passed_ms / whole_ms, 1.0))
        shares[name] = Share(due - given, time_ms)
        given = due
    return shares


def _time_features(facts: InvocationFacts, work: Work) -> defaultdict[str, float]:
    """Return the milliseconds of each feature within the runtime's part."""
    spans = [each for each in work if isinstance(each, TimedSpan)]
    markers = [each for each in work if isinstance(each, Marker)]
    times: defaultdict[str, float] = defaultdict(float)
    for name, nanos in (*_time_spans(facts, spans), *_time_markers(facts, markers)):
        times[UNATTRIBUTED if name is None else name] += nanos / NANOS_PER_MS
    return times


def _time_spans(
    facts: InvocationFacts, spans: Sequence[TimedSpan]
) -> Iterable[tuple[str | None, float]]:
    times = measure_self_times(spans, facts.start_unix_nano, facts.end_unix_nano)
    return zip(_inherit_features(spans), times, strict=True)


def _inherit_features(spans: Sequence[TimedSpan]) -> list[str | None]:
    """Return each span's feature: its own, else that of the nearest span above it."""
    parents = find_parents(spans)
    features = [span.feature for span in spans]
    known = [feature is not None for feature in features]
    for position in range(len(spans)):
        path: list[int] = []
        here: int | None = position
        while here is not None and not known[here]:
            known[here] = True  # also ends circles
            path.append(here)
            here = parents[here]
        for below in path:
            features[below] = None if here is None else features[here]
    return features


def _time_markers(
    facts: InvocationFacts, markers: Sequence[Marker]
) -> Iterable[tuple[str | None, float]]:
    ordered = sorted(markers, key=lambda marker: marker.time_unix_nano)
    starts = [max(marker.time_unix_nano, facts.start_unix_nano) for marker in ordered]
    ends = [*starts, facts.end_unix_nano][1:]
    for marker, start, end in zip(ordered, starts, ends, strict=True):
        yield marker.feature, max(min(end, facts.end_unix_nano) - start, 0)


@dataclass(slots=True)
class _Work:
    spans: list[TimedSpan] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)


class FeatureCosts:
    """Keeps what invocations did until their cost is known.

    Args:
        log_field: the field of a JSON line that names the feature, empty when nobody asks.
        max_features: how many names are told apart; what comes after is `other`.
        splits_overhead: whether init and extensions get shares of their own.

    Attributes:
        dropped: spans and markers that were not let in, by reason.
    """

    def __init__(self, *, log_field: str, max_features: int, splits_overhead: bool) -> None:
        self._log_field = log_field
        self._max_features = max_features
        self._splits_overhead = splits_overhead
        self._awaiting: OrderedDict[str, _Work] = OrderedDict()
        self._names: set[str] = set()
        self.dropped: Counter[str] = Counter()

    def note_span(self, request_id: str, span: TimedSpan) -> None:
        """Keep a span of the function's own."""
        spans = self._work_of(request_id).spans
        if self._has_room(spans):
            spans.append(span)

    def note_log(self, request_id: str, log: FunctionLog, time_unix_nano: int) -> None:
        """Keep a line's marker, if it is one."""
        if not self._log_field:
            return
        if marker := find_marker(log, time_unix_nano, self._log_field):
            markers = self._work_of(request_id).markers
            if self._has_room(markers):
                markers.append(marker)

    def settle(self, facts: InvocationFacts, cost: Cost) -> Mapping[str, Share]:
        """Return the shares of an invocation and forget it; spans go before markers."""
        work = self._awaiting.pop(facts.request_id, None) or _Work()
        shares: defaultdict[str, Share] = defaultdict(Share)
        for name, share in apportion(
            cost, facts, work.spans or work.markers, splits_overhead=self._splits_overhead
        ).items():
            shares[self._tell_apart(name)] += share
        return shares

    def _work_of(self, request_id: str) -> _Work:
        work = self._awaiting.setdefault(request_id, _Work())
        if len(self._awaiting) > MAX_AWAITING:
            _, forgotten = self._awaiting.popitem(last=False)
            self.dropped["no_report"] += len(forgotten.spans) + len(forgotten.markers)
        return work

    def _has_room(self, entries: Sized) -> bool:
        if len(entries) < MAX_ENTRIES:
            return True
        self.dropped["too_many"] += 1
        return False

    def _tell_apart(self, name: str) -> str:
        if name in OUR_NAMES or name in self._names:
            return name
        if len(self._names) >= self._max_features:
            return OTHER
        self._names.add(name)
        return name
