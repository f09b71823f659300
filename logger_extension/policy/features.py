"""What each feature of a function costs: an invocation's bill divided by time.

Features are named by the function's own spans or by markers in its log lines
(`settings.features`). The law: the shares of an invocation add up to its cost, whatever the spans
and markers look like; what no feature covers is `(unattributed)`. Must not know prices, nor how
shares are exported.

State (`FeatureCosts` only): the spans and markers of invocations whose bill is awaited, and the
names that have been told apart, both bounded.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field

import orjson

from logger_extension.events import FunctionLog
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.self_time import TimedSpan, find_parents, measure_self_times
from logger_extension.settings.features import FeatureSettings

UNATTRIBUTED = "(unattributed)"
INIT = "(init)"
EXTENSION = "(extension)"
OTHER = "other"

NANOS_PER_MS = 1_000_000
ROUNDING = 1e-9
MAX_NAME = 256

# How many invocations may await their bill, and what is kept of each; an entry takes 300 bytes.
MAX_AWAITING = 256
MAX_ENTRIES = 2_000


@dataclass(frozen=True, slots=True)
class Marker:
    """From this time on, nanoseconds since the epoch, the function works for a feature.

    None ends it without another taking over.
    """

    time_unix_nano: int
    feature: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """A feature's part of an invocation: USD and milliseconds."""

    usd: float
    time_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What an invocation cost, and for which time.

    Attributes:
        cost_usd: the whole, request price included.
        start_unix_nano: the runtime's part begins; `end_unix_nano`: and ends.
        billed_duration_ms: what the cost was reckoned from.
        init_duration_ms: the part of it that is init, 0 where init is not billed.
        extension_duration_ms: the part of it that is extensions, after the runtime's part.
    """

    cost_usd: float
    start_unix_nano: int
    end_unix_nano: int
    billed_duration_ms: float
    init_duration_ms: float = 0.0
    extension_duration_ms: float = 0.0


def make_bill(facts: InvocationFacts, cost_usd: float) -> Bill | None:
    """Return the bill of an invocation, None without the figures of its report."""
    if facts.billed_duration_ms is None or facts.duration_ms is None:
        return None
    runtime_ms = (facts.end_unix_nano - facts.start_unix_nano) / NANOS_PER_MS
    init_ms = facts.init_duration_ms or 0.0
    # Where init is billed, the billed duration holds it (https://aws.amazon.com/blogs/compute/
    # aws-lambda-standardizes-billing-for-init-phase/); elsewhere it is the duration rounded up.
    is_init_billed = facts.billed_duration_ms + 1 >= facts.duration_ms + init_ms
    return Bill(
        cost_usd=cost_usd,
        start_unix_nano=facts.start_unix_nano,
        end_unix_nano=facts.end_unix_nano,
        billed_duration_ms=facts.billed_duration_ms,
        init_duration_ms=init_ms if is_init_billed else 0.0,
        extension_duration_ms=max(facts.duration_ms - runtime_ms, 0.0),
    )


def apportion(
    bill: Bill, work: Sequence[TimedSpan] | Sequence[Marker], settings: FeatureSettings
) -> Mapping[str, Share]:
    """Divide a bill among features by the time that each took.

    A share is `cost * time / whole`, where the whole is the billed duration, or the measured parts
    if they are longer (clocks are not exact). Costs add up to the bill's and times to the whole,
    but for the rounding of floats (`ROUNDING`, relative).
    """
    interval_ms = max(bill.end_unix_nano - bill.start_unix_nano, 0) / NANOS_PER_MS
    overhead_ms = bill.init_duration_ms + bill.extension_duration_ms
    whole_ms = max(bill.billed_duration_ms, interval_ms + overhead_ms)
    times = _time_features(bill, work)
    if settings.splits_overhead:
        times[INIT] += bill.init_duration_ms
        times[EXTENSION] += bill.extension_duration_ms
    if whole_ms <= 0:
        return {UNATTRIBUTED: Share(bill.cost_usd, 0.0)}
    rest_ms = whole_ms - sum(times.values())
    if rest_ms > whole_ms * ROUNDING:
        times[UNATTRIBUTED] += rest_ms
    return {
        name: Share(bill.cost_usd * time_ms / whole_ms, time_ms)
        for name, time_ms in times.items()
        if time_ms
    }


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


def _time_features(
    bill: Bill, work: Sequence[TimedSpan] | Sequence[Marker]
) -> defaultdict[str, float]:
    """Return the milliseconds of each feature within the runtime's part."""
    spans = [each for each in work if isinstance(each, TimedSpan)]
    markers = [each for each in work if isinstance(each, Marker)]
    times: defaultdict[str, float] = defaultdict(float)
    for name, nanos in (*_time_spans(bill, spans), *_time_markers(bill, markers)):
        times[UNATTRIBUTED if name is None else name] += nanos / NANOS_PER_MS
    return times


def _time_spans(bill: Bill, spans: Sequence[TimedSpan]) -> Iterable[tuple[str | None, float]]:
    times = measure_self_times(spans, bill.start_unix_nano, bill.end_unix_nano)
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


def _time_markers(bill: Bill, markers: Sequence[Marker]) -> Iterable[tuple[str | None, float]]:
    ordered = sorted(markers, key=lambda marker: marker.time_unix_nano)
    starts = [max(marker.time_unix_nano, bill.start_unix_nano) for marker in ordered]
    ends = [*starts, bill.end_unix_nano][1:]
    for marker, start, end in zip(ordered, starts, ends, strict=True):
        yield marker.feature, max(min(end, bill.end_unix_nano) - start, 0)


@dataclass(slots=True)
class _Work:
    spans: list[TimedSpan] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)


class FeatureCosts:
    """Keeps what invocations did until their bill comes.

    Attributes:
        dropped: spans and markers that were not let in, by reason.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        self._settings = settings
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
        log_field = self._settings.log_field
        if log_field and (marker := find_marker(log, time_unix_nano, log_field)):
            markers = self._work_of(request_id).markers
            if self._has_room(markers):
                markers.append(marker)

    def settle(self, request_id: str, bill: Bill) -> Mapping[str, Share]:
        """Return the shares of an invocation and forget it; spans go before markers."""
        work = self._awaiting.pop(request_id, None) or _Work()
        shares: dict[str, Share] = {}
        for name, share in apportion(bill, work.spans or work.markers, self._settings).items():
            told = self._tell_apart(name)
            before = shares.get(told, Share(0.0, 0.0))
            shares[told] = Share(before.usd + share.usd, before.time_ms + share.time_ms)
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
        if name in (UNATTRIBUTED, INIT, EXTENSION, OTHER) or name in self._names:
            return name
        if len(self._names) >= self._settings.max_features:
            return OTHER
        self._names.add(name)
        return name
