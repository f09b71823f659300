"""The page of health: what of the telemetry was lost, tried again or held back, and why.

Made of what the extension tells of itself (docs/self-telemetry.md) and of the store's own counts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from otlp_viewer.store import Counts
from web_view.charts import Chart, draw_bars
from web_view.metric_sums import Spread, Total, read_levels, read_spreads, read_sums
from web_view.source import Source

_EXPORTED = {
    "otel.sdk.exporter.log.exported": "logs",
    "otel.sdk.exporter.span.exported": "traces",
    "otel.sdk.exporter.metric_data_point.exported": "metrics",
}
_RETRIES, _FALLBACK = "logger_extension.retries", "logger_extension.fallback"
_DROPPED, _DROPPED_BY_LAMBDA = "logger_extension.dropped", "aws.lambda.logs.dropped"
_DECISIONS = "logger_extension.flush.decisions"
_SPREADS = {
    "otel.sdk.exporter.operation.duration": "one request to the collector",
    "logger_extension.flush.duration": "a flush of all signals",
    "logger_extension.added_time": "what it added to an invocation",
    "aws.lambda.extension.overhead": "all extensions after the handler",
}
_LEVELS = {
    "logger_extension.memory.usage": "memory of the extension",
    "logger_extension.startup.duration": "start of the extension",
    "otel.sdk.processor.log.queue.size": "log records that waited",
    "otel.sdk.processor.span.queue.size": "spans that waited",
}
SIGNALS = {"logs": "log lines", "traces": "spans", "metrics": "metric points"}
MAX_ROWS = 200

REASONS = {
    "queue_full": "The queue was full. A collector that answers sooner, or a fallback, keeps them.",
    "undelivered": "No collector took them in time and there was no fallback: set "
    "LOGGER_EXTENSION_FALLBACK.",
    "refused": "The collector refused them; its log says why.",
    "too_large": "One item alone was larger than the collector takes.",
    "rejected": "The collector took the request but not these items.",
    "process_killed": "The extension's process was killed; the launcher told what it held.",
    "dropped_by_lambda": "Lambda dropped them before they reached the extension: the function "
    "prints more than the buffer holds.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one signal, in items; `retries` are tries."""

    name: str
    exported: int
    retries: int
    fallback: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Items of a function that were lost for a reason; `meaning` says what helps."""

    function: str
    signal: str
    reason: str
    count: int
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCount:
    """How often the extension decided so, and for this reason."""

    decision: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What this store did with one signal."""

    name: str
    received: int
    held: int
    evicted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthPage:
    """What the page shows; `has_told` is False where no extension told anything of itself."""

    has_told: bool
    deliveries: Sequence[Delivery]
    losses: Sequence[Loss]
    decisions: Sequence[DecisionCount]
    decisions_chart: Chart | None
    spreads: Sequence[tuple[str, Spread]]
    levels: Sequence[tuple[str, Total]]
    stored: Sequence[Stored]
    state: str

    @property
    def has_labels(self) -> bool:
        """Whether attributes tell any of the times apart."""
        return any(each.attributes for _, each in self.spreads)

    @property
    def lost(self) -> int:
        """How many items were lost in all."""
        return sum(loss.count for loss in self.losses)


def read_health(source: Source) -> HealthPage:
    """Return the page."""
    version = source.version
    sums = read_sums(
        source,
        [*_EXPORTED, _RETRIES, _FALLBACK, _DROPPED, _DROPPED_BY_LAMBDA, _DECISIONS],
    )
    spreads = read_spreads(source, list(_SPREADS))
    levels = read_levels(source, list(_LEVELS))
    losses = find_losses(sums)
    decisions = count_decisions(sums)
    return HealthPage(
        has_told=bool(sums or spreads or levels),
        deliveries=find_deliveries(sums, losses),
        losses=losses[:MAX_ROWS],
        decisions=decisions,
        decisions_chart=_draw(decisions),
        spreads=[(_SPREADS[each.metric], each) for each in spreads[:MAX_ROWS]],
        levels=[(_LEVELS[each.metric], each) for each in levels[:MAX_ROWS]],
        stored=_describe_store(source.held, source.evicted),
        state=str(version),
    )


def find_deliveries(sums: Sequence[Total], losses: Sequence[Loss]) -> list[Delivery]:
    """Return what became of each signal."""
    exported: Counter[str] = Counter()
    others: dict[str, Counter[str]] = {_RETRIES: Counter(), _FALLBACK: Counter()}
    for each in sums:
        if each.metric in _EXPORTED:
            exported[_EXPORTED[each.metric]] += round(each.value)
        elif each.metric in others:
            others[each.metric][each.attributes.get("signal", "")] += round(each.value)
    lost: Counter[str] = Counter()
    for loss in losses:
        lost[loss.signal] += loss.count
    return [
        Delivery(
            name=name,
            exported=exported[signal],
            retries=others[_RETRIES][signal],
            fallback=others[_FALLBACK][signal],
            lost=lost[signal],
        )
        for signal, name in SIGNALS.items()
    ]


def find_losses(sums: Sequence[Total]) -> list[Loss]:
    """Return what was lost, most first."""
    losses = []
    for each in sums:
        if each.metric not in (_DROPPED, _DROPPED_BY_LAMBDA) or not round(each.value):
            continue
        by_lambda = each.metric == _DROPPED_BY_LAMBDA
        reason = "dropped_by_lambda" if by_lambda else each.attributes.get("reason", "")
        losses.append(
            Loss(
                function=each.function,
                signal="logs" if by_lambda else each.attributes.get("signal", ""),
                reason=reason,
                count=round(each.value),
                meaning=REASONS.get(reason, ""),
            )
        )
    return sorted(losses, key=lambda loss: -loss.count)


def count_decisions(sums: Sequence[Total]) -> list[DecisionCount]:
    """Return the decisions of all functions, most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in sums:
        if each.metric == _DECISIONS:
            attributes = each.attributes
            key = (attributes.get("decision", ""), attributes.get("reason", ""))
            counts[key] += round(each.value)
    return [
        DecisionCount(decision=decision, reason=reason, count=count)
        for (decision, reason), count in counts.most_common(MAX_ROWS)
    ]


def _draw(decisions: Sequence[DecisionCount]) -> Chart | None:
    if not decisions:
        return None
    shown = decisions[:12]
    names = [f"{each.decision}: {each.reason}".replace("_", " ") for each in shown]
    return draw_bars(names, [each.count for each in shown], unit="decisions")


def _describe_store(held: Counts, evicted: Counts) -> list[Stored]:
    return [
        Stored(
            name=name,
            received=getattr(held, field) + getattr(evicted, field),
            held=getattr(held, field),
            evicted=getattr(evicted, field),
        )
        for field, name in (("logs", "log lines"), ("spans", "spans"), ("metrics", "metric points"))
    ]
