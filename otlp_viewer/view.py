"""The terminal view: rich renderables of invocations, a trace and logs, readable at 80 columns.

Only turns values into renderables; printing, width and colours are the console's. All foreign text
goes through `text` and then into rich's Text, so that neither markup nor control codes act.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from otlp_viewer.invocations import Invocation
from otlp_viewer.rows import SPAN_KINDS, Distribution, LogRow, MetricRow, SpanRow
from otlp_viewer.store import Arrivals, Counts, Store
from otlp_viewer.text import (
    clean_line,
    format_cost,
    format_ms,
    format_severity,
    format_time,
    format_value,
    severity_range,
)
from otlp_viewer.trace import SpanNode, Trace

_SHORT_ID = 8
# Deeper levels of a trace are drawn at this one, or 80 columns would hold nothing but guides.
_MAX_INDENT = 12
_SEVERITY_STYLES = ("", "dim", "dim", "", "yellow", "red", "bold red")


def render_invocations(invocations: Sequence[Invocation], logs: Iterable[LogRow]) -> Table:
    """Return the table of invocations, one line each; durations in milliseconds."""
    logs_by_request = Counter(str(row.attributes.get("faas.invocation_id", "")) for row in logs)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("time (UTC)", no_wrap=True, min_width=12)
    table.add_column("request", no_wrap=True, min_width=_SHORT_ID)
    # Names may be long: rich narrows only columns that may wrap; their cells end in "…" instead.
    table.add_column("function")
    table.add_column("status")
    for name, width in (("init ms", 7), ("handler", 7), ("ext. ms", 7), ("cost", 4), ("logs", 4)):
        table.add_column(name, no_wrap=True, min_width=width, justify="right")
    for invocation in invocations:
        table.add_row(
            Text(format_time(invocation.start_unix_nano)),
            Text(clean_line(invocation.request_id)[:_SHORT_ID]),
            Text(clean_line(invocation.function), no_wrap=True, overflow="ellipsis"),
            _status(invocation),
            Text(format_ms(invocation.init_ms) or ("cold" if invocation.cold_start else "")),
            Text(format_ms(invocation.handler_ms)),
            Text(format_ms(invocation.extension_ms)),
            Text(format_cost(invocation.cost_usd)),
            Text(str(logs_by_request[invocation.request_id])),
        )
    return table


def render_trace(trace: Trace) -> Tree:
    """Return a trace as a tree: each span with its duration and its distance from the start."""
    nodes = list(trace.walk())
    start_unix_nano = min((node.span.start_unix_nano for _, node in nodes), default=0)
    tree = Tree(Text(f"trace {trace.trace_id}", style="bold"))
    path = [tree]
    for depth, node in nodes:
        level = min(depth, _MAX_INDENT)
        del path[level + 1 :]
        branch = path[level].add(_span_label(node, start_unix_nano))
        for event in node.span.events:
            offset_ms = (event.time_unix_nano - start_unix_nano) / 1e6
            label = f"event {clean_line(event.name)}  at {format_ms(offset_ms)} ms"
            branch.add(Text(label + _attributes(event.attributes), style="dim"))
        path.append(branch)
    return tree


def render_logs(rows: Iterable[LogRow]) -> Table:
    """Return the logs in the given order: time, severity, request, trace, text and attributes."""
    grid = _stream_grid()
    for row in rows:
        _add_log(grid, row)
    return grid


def render_arrivals(arrivals: Arrivals) -> Table:
    """Return everything that arrived as lines under the same columns as the logs."""
    grid = _stream_grid()
    for log in arrivals.logs:
        _add_log(grid, log)
    for span in arrivals.spans:
        text = Text.assemble(clean_line(span.name), f"  {format_ms(span.duration_ms)} ms")
        _append_error(text, span)
        _add_line(grid, span.end_unix_nano, Text("SPAN", style="cyan"), span, text)
    for metric in arrivals.metrics:
        text = Text(
            f"{clean_line(metric.name)} = {_metric_value(metric)} {clean_line(metric.unit)}"
        )
        text.append(_attributes(metric.attributes), style="dim")
        _add_line(grid, metric.time_unix_nano, Text("VALUE", style="cyan"), metric, text)
    return grid


def render_summary(
    store: Store, requests: Mapping[str, int], refused: Mapping[int, int]
) -> RenderableType:
    """Return what came in all, and what of it was refused or had to make room."""
    lines = Text(f"{store} in {sum(requests.values())} requests")
    for status, count in sorted(refused.items()):
        lines.append(f"\n{count} requests were refused with {status}", style="yellow")
    if store.evicted != Counts():
        lines.append(
            f"\nThe oldest made room for newer ones: {store.evicted.logs} logs, "
            f"{store.evicted.spans} spans, {store.evicted.metrics} metric points",
            style="yellow",
        )
    return lines


def _status(invocation: Invocation) -> Text:
    if invocation.status == "ok":
        return Text("ok", style="green")
    words = clean_line(invocation.error_type or "error")
    return Text(words, style="red", no_wrap=True, overflow="ellipsis")


def _span_label(node: SpanNode, start_unix_nano: int) -> Text:
    span = node.span
    kind = SPAN_KINDS[span.kind] if 0 <= span.kind < len(SPAN_KINDS) else str(span.kind)
    offset_ms = (span.start_unix_nano - start_unix_nano) / 1e6
    label = Text.assemble(
        (clean_line(span.name), "bold"),
        f"  {format_ms(span.duration_ms)} ms",
        (f"  +{format_ms(offset_ms)} ms  {kind}", "dim"),
    )
    _append_error(label, span)
    if node.orphan:
        label.append(f"  (parent {span.parent_span_id} not received)", style="dim")
    if node.in_cycle:
        label.append("  (its parents lead back to it)", style="yellow")
    return label


def _append_error(label: Text, span: SpanRow) -> None:
    if span.failed:
        parts = (format_value(span.attributes.get("error.type")), span.status_message)
        words = " ".join(clean_line(part) for part in ("error", *parts) if part)
        label.append(f"  {words}", style="red")


def _stream_grid() -> Table:
    """Columns of fixed widths, so that grids printed one after the other line up."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    for width in (12, 5, _SHORT_ID, _SHORT_ID):
        grid.add_column(width=width, no_wrap=True, overflow="crop")
    grid.add_column(overflow="fold")
    return grid


def _add_log(grid: Table, row: LogRow) -> None:
    style = _SEVERITY_STYLES[severity_range(row.severity_number)]
    severity = Text(format_severity(row.severity_number, row.severity_text), style=style)
    text = Text(format_value(row.body).rstrip("\n"))
    text.append(_attributes(row.attributes), style="dim")
    _add_line(grid, row.time_unix_nano or row.observed_time_unix_nano, severity, row, text)


def _add_line(
    grid: Table, unix_nano: int, label: Text, row: LogRow | SpanRow | MetricRow, text: Text
) -> None:
    """Add one line; ids are shortened, a trace's from the left, as X-Ray's begin with the time."""
    request_id = clean_line(str(row.attributes.get("faas.invocation_id", "-")))
    trace_id = "" if isinstance(row, MetricRow) else row.trace_id
    grid.add_row(
        Text(format_time(unix_nano)),
        label,
        Text(request_id[:_SHORT_ID], style="dim"),
        Text(f"…{trace_id[1 - _SHORT_ID :]}" if trace_id else "-", style="dim"),
        text,
    )


def _attributes(attributes: Mapping[str, Any]) -> str:
    """Return ` key=value` for each attribute that has no column of its own."""
    return "".join(
        f" {clean_line(key)}={clean_line(format_value(value))}"
        for key, value in attributes.items()
        if key != "faas.invocation_id"
    )


def _metric_value(metric: MetricRow) -> str:
    value = metric.value
    if isinstance(value, Distribution):
        total = "" if value.sum is None else f" sum {value.sum}"
        return f"count {value.count}{total}"
    return "none" if value is None else str(value)
