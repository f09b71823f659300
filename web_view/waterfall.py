"""Where each span, event and log line of an invocation stands on a common time axis. Pure.

Places are percent of the axis, so that a page of any width can draw them. The axis is that of the
spans: a line with a wrong clock stands at its edge and does not squeeze everything else. Must not
know how a bar looks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from otlp_viewer import SpanNode, SpanRow
from otlp_viewer.rows import SPAN_KIND_SERVER
from otlp_viewer.trace import build_trace
from web_view.rows import LineRow

# So many rows stay below the size of a page and are more than anybody reads.
MAX_BARS = 300
# Deeper spans are drawn at this level.
MAX_INDENT = 12

_MAX_TICKS = 6
_NS_PER_MS = 1e6
_ERROR_NUMBER = 17  # SEVERITY_NUMBER_ERROR
_UNITS_NS = (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0))
# A label needs about so much of the axis; where it has it decides on which side it stands.
_LABEL_PERCENT = 24.0

# What the extension's spans are about, by name; the colour of cost is that of time.
_SCOPE = "logger_extension"
_PHASES = {
    "handler": "handler",
    "responseLatency": "handler",
    "responseDuration": "handler",
    "runtimeOverhead": "runtime",
    "extensionOverhead": "extension",
    "init extensions": "extension",
    "restore extensions": "extension",
}


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the axis with its label, in the unit that all of them share."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment: an event of a span, or a log line; `index` is its place among its siblings."""

    at: float
    index: int
    name: str
    is_error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span in the waterfall.

    Attributes:
        node: the span, and whether its parent is known.
        level: 1 for a root, one more for each parent, never more than MAX_INDENT.
        phase: "invocation", "handler", "init", "extension", "runtime", or "own" for the spans of
            the function's own instrumentation.
        left: where it starts, in percent of the axis.
        width: how much of the axis it takes, in percent.
        offset_ms: from the start of the axis.
        label_side: "after" the bar, "before" it, or "inside" where it takes all the room.
        events: of the span.
    """

    node: SpanNode
    level: int
    phase: str
    left: float
    width: float
    offset_ms: float
    label_side: str
    events: tuple[Mark, ...]

    @property
    def span(self) -> SpanRow:
        """The span."""
        return self.node.span


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """All that is drawn; `hidden` spans found no room, `elsewhere` are in other parts of the trace.

    `start_unix_nano` is where the axis starts and `length_ms` how long it is.
    """

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    log_marks: Sequence[Mark]
    start_unix_nano: int
    length_ms: float
    hidden: int
    elsewhere: int

    def find(self, span_id: str) -> Bar | None:
        """Return the bar of a span, None where there is none."""
        return next((bar for bar in self.bars if bar.span.span_id == span_id), None)

    def below(self, span_id: str) -> set[str]:
        """Return the ids of a span and of all spans that it is a parent of."""
        bar = self.find(span_id)
        if bar is None:
            return set()
        return {node.span.span_id for _, node in _walk([bar.node])}


def lay_out(
    spans: Sequence[SpanRow], lines: Sequence[LineRow], *, root_span_id: str = ""
) -> Waterfall:
    """Return the waterfall of the spans of one trace.

    Args:
        spans: in any order.
        lines: the log lines to mark on the axis, in the order of the page.
        root_span_id: only this span and those below it; "" for the whole trace.
    """
    trace = build_trace(spans[0].trace_id if spans else "", spans)
    roots = trace.roots
    if root_span_id:
        roots = [node for _, node in trace.walk() if node.span.span_id == root_span_id][:1]
    nodes = list(_walk(roots))
    axis = _find_axis(node.span for _, node in nodes)
    return Waterfall(
        bars=[_make_bar(depth, node, axis) for depth, node in islice(nodes, MAX_BARS)],
        ticks=make_ticks(axis.length_ns),
        log_marks=[_mark_line(index, line, axis) for index, line in enumerate(lines)],
        start_unix_nano=axis.start_unix_nano,
        length_ms=axis.length_ns / _NS_PER_MS,
        hidden=max(0, len(nodes) - MAX_BARS),
        elsewhere=len(spans) - len(nodes),
    )


def make_ticks(length_ns: int) -> list[Tick]:
    """Return up to six round places on an axis that starts at 0, the first of them 0."""
    step = _round_up(length_ns / _MAX_TICKS)
    unit, size_ns = next((u for u in _UNITS_NS if step >= u[1]), _UNITS_NS[-1])
    ticks: list[Tick] = []
    while (at_ns := len(ticks) * step) <= length_ns:
        label = f"{at_ns / size_ns:,.10g} {unit}" if at_ns else "0"
        ticks.append(Tick(100 * at_ns / length_ns, label))
    return ticks


@dataclass(frozen=True, slots=True)
class _Axis:
    start_unix_nano: int
    length_ns: int

    def place(self, unix_nano: int) -> float:
        """Return percent of the axis, at an edge for what lies beyond it."""
        percent = 100 * (unix_nano - self.start_unix_nano) / self.length_ns
        return round(min(100.0, max(0.0, percent)), 3)


def _walk(roots: Sequence[SpanNode]) -> Iterable[tuple[int, SpanNode]]:
    """Yield every node once with its depth, a parent before its children."""
    stack = [(0, node) for node in reversed(roots)]
    while stack:
        depth, node = stack.pop()
        yield depth, node
        stack.extend((depth + 1, child) for child in reversed(node.children))


def _find_axis(spans: Iterable[SpanRow]) -> _Axis:
    times = [(s.start_unix_nano, max(s.start_unix_nano, s.end_unix_nano)) for s in spans]
    start = min((time for time, _ in times), default=0)
    end = max((time for _, time in times), default=0)
    return _Axis(start, max(1, end - start))


def _make_bar(depth: int, node: SpanNode, axis: _Axis) -> Bar:
    span = node.span
    left = axis.place(span.start_unix_nano)
    right = axis.place(max(span.start_unix_nano, span.end_unix_nano))
    if right <= 100 - _LABEL_PERCENT:
        label_side = "after"
    elif left >= _LABEL_PERCENT:
        label_side = "before"
    else:
        label_side = "inside"
    return Bar(
        node=node,
        level=min(depth, MAX_INDENT) + 1,
        phase=_find_phase(span),
        left=left,
        width=round(right - left, 3),
        offset_ms=(span.start_unix_nano - axis.start_unix_nano) / _NS_PER_MS,
        label_side=label_side,
        events=tuple(
            Mark(
                at=axis.place(event.time_unix_nano),
                index=index,
                name=event.name,
                is_error=event.name == "exception",
            )
            for index, event in enumerate(span.events)
        ),
    )


def _find_phase(span: SpanRow) -> str:
    if span.kind == SPAN_KIND_SERVER and "faas.invocation_id" in span.attributes:
        return "invocation"
    if span.scope != _SCOPE:
        return "own"
    if span.name in _PHASES:
        return _PHASES[span.name]
    return "init" if span.name.startswith(("init ", "restore ")) else "own"


def _mark_line(index: int, line: LineRow, axis: _Axis) -> Mark:
    return Mark(
        at=axis.place(line.time_unix_nano),
        index=index,
        name=line.severity_text,
        is_error=line.severity_number >= _ERROR_NUMBER,
    )


def _round_up(step: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50, …."""
    size = 1.0
    while size < step:
        for factor in (2, 5, 10):
            if size * factor >= step:
                return size * factor
        size *= 10
    return size
