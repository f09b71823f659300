"""The page of one invocation: its spans, its log lines, and its cost.

An attempt is named by its start, because all attempts of a request have the same ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from otlp_viewer.rows import SpanEvent, SpanRow
from web_view.columns import IS_INVOCATION, LINE, LINE_REQUEST_ID, REQUEST_ID
from web_view.correlation import find_window, mark_lines
from web_view.errors import MissingError
from web_view.parameters import (
    MAX_TEXT_CHARS,
    InvocationQuery,
    InvocationsQuery,
    LogsQuery,
    write_query,
)
from web_view.rows import InvocationRow, LineRow
from web_view.source import Source
from web_view.waterfall import Bar, Waterfall, lay_out

MAX_SPANS = 5_000
MAX_LINES = 120

_NS_PER_MS = 1e6
_KINDS = {"Internal": 1, "Server": 2, "Client": 3, "Producer": 4, "Consumer": 5}
_STATUS_CODES = {"Unset": 0, "Ok": 1, "Error": 2}
_TRACES = (
    f"SELECT DISTINCT TraceId FROM otel_traces WHERE {IS_INVOCATION} AND {REQUEST_ID} = $request"  # noqa: S608
)
_CHOSEN = f"SELECT * FROM otel_traces WHERE TraceId IN ({_TRACES})"  # noqa: S608
_SPANS = f"""SELECT DISTINCT epoch_ns(Timestamp) AS start, Duration AS duration,
  left(SpanId, 64) AS span_id, left(ParentSpanId, 64) AS parent_span_id,
  SpanName AS name, SpanKind AS kind, StatusCode AS status_code, StatusMessage AS status_message,
  SpanAttributes AS attributes, ResourceAttributes AS resource,
  ScopeName AS scope, "Events.Name" AS event_names, "Events.Attributes" AS event_attributes,
  list_transform("Events.Timestamp", lambda time: epoch_ns(time)) AS event_times
  FROM otel_traces WHERE TraceId = $trace_id ORDER BY start LIMIT {MAX_SPANS}"""  # noqa: S608
_IS_OF_REQUEST = f"""(({LINE_REQUEST_ID} = $request)
  OR (TraceId = $trace_id AND coalesce({LINE_REQUEST_ID}, '') = ''))"""
_IS_OF_ATTEMPT = f"""{_IS_OF_REQUEST} AND Timestamp < make_timestamp_ns($until)
  AND Timestamp >= make_timestamp_ns($since)"""
_LINES = f"""SELECT {LINE} FROM otel_logs WHERE {_IS_OF_ATTEMPT}
  ORDER BY Timestamp DESC, rowid DESC LIMIT {MAX_LINES}"""  # noqa: S608
_LINE_COUNT = f"SELECT count(*) FROM otel_logs WHERE {_IS_OF_ATTEMPT}"  # noqa: S608

COST_ADVICE = {
    "unknown_price": "No list price is known for this region and architecture. Set "
    "LOGGER_EXTENSION_PRICE_GB_SECOND and LOGGER_EXTENSION_PRICE_REQUEST.",
    "managed_instances": "Managed Instances are billed by the instance, not by the invocation.",
    "no_report": "Lambda's report with the billed duration did not come.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBeside:
    """A log line beside the spans; `span_name` is "" where it is the invocation's own."""

    row: LineRow
    offset_ms: float
    span_name: str
    is_marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationPage:
    """What the page shows.

    Attributes:
        row: the attempt.
        attempts: all of them, oldest first.
        waterfall: its spans, or those of the whole trace.
        selected: the span that is looked at, None without one.
        lines: its last log lines, oldest first.
        log_count: how many there are.
        marked_words: which lines are marked, and why.
    """

    row: InvocationRow
    attempts: Sequence[InvocationRow]
    waterfall: Waterfall
    selected: Bar | None
    lines: Sequence[LineBeside]
    log_count: int
    marked_words: str

    @property
    def state(self) -> str:
        """Another text whenever there is something new to show."""
        bars = len(self.waterfall.bars) + self.waterfall.hidden + self.waterfall.elsewhere
        return f"{bars} {self.log_count} {self.row.cost_usd} {len(self.attempts)}"

    @property
    def function_query(self) -> InvocationsQuery:
        """The address of this function's invocations."""
        return InvocationsQuery(function=self.row.function[:MAX_TEXT_CHARS])

    @property
    def logs_query(self) -> LogsQuery:
        """The address of this invocation's log lines."""
        return LogsQuery(invocation=self.row.request_id[:MAX_TEXT_CHARS])

    @property
    def cost_parts(self) -> list[tuple[str, float | None]]:
        """The parts of the cost, by name."""
        row = self.row
        return [
            ("handler", row.handler_usd),
            ("init", row.init_usd),
            ("extension", row.extension_usd),
        ]

    @property
    def cost_advice(self) -> str:
        """What would give a figure, "" where we do not know."""
        return COST_ADVICE.get(self.row.missing_reason, "")

    @property
    def gb_seconds(self) -> float | None:
        """What is billed beside the request."""
        if self.row.billed_ms is None or self.row.memory_size_mb is None:
            return None
        return self.row.billed_ms / 1000 * self.row.memory_size_mb / 1024


def read_invocation(source: Source, query: InvocationQuery) -> InvocationPage:
    """Return the page that `query` asks for; the newest attempt where it names none.

    Raises:
        MissingError: there is no such invocation.
    """
    found = source.invocations(_CHOSEN, {"request": query.request})
    attempts = [row for row in found[::-1] if row.request_id == query.request]
    row = _choose(attempts, query)
    since, until = find_window(attempts, row)
    parameters = {
        "request": query.request,
        "trace_id": row.trace_id,
        "since": since,
        "until": until,
    }
    spans = [_span(row.trace_id, each) for each in source.query(_SPANS, parameters)]
    own = [each for each in spans if since <= each.start_unix_nano < until]
    lines = [LineRow(**each) for each in source.query(_LINES, parameters)][::-1]
    is_whole = query.scope == "trace"
    waterfall = lay_out(
        spans if is_whole else own,
        lines,
        root_span_id="" if is_whole else row.span_id,
    )
    selected = waterfall.find(query.span) if query.span else None
    marked, words = mark_lines(lines, waterfall, selected)
    return InvocationPage(
        row=row,
        attempts=attempts,
        waterfall=waterfall,
        selected=selected,
        lines=[_beside(line, row, waterfall, is_marked=line.place in marked) for line in lines],
        log_count=source.value(_LINE_COUNT, parameters),
        marked_words=words,
    )


def _choose(attempts: Sequence[InvocationRow], query: InvocationQuery) -> InvocationRow:
    started = int(query.started) if query.started else None
    for row in reversed(attempts):
        if started in (None, row.start_unix_nano):
            return row
    raise MissingError(
        "This invocation is not here. It may have made room for newer ones, its spans may not have "
        "come (sampling leaves some out), or the store is another one than when the link was made.",
        way_on=("/logs" + write_query(LogsQuery(invocation=query.request)), "To its log lines"),
    )


def _beside(
    line: LineRow, row: InvocationRow, waterfall: Waterfall, *, is_marked: bool
) -> LineBeside:
    bar = waterfall.find(line.span_id) if line.span_id != row.span_id else None
    return LineBeside(
        row=line,
        offset_ms=(line.time_unix_nano - row.start_unix_nano) / _NS_PER_MS,
        span_name=(bar.span.name or line.span_id) if bar else "",
        is_marked=is_marked,
    )


def _span(trace_id: str, row: dict[str, Any]) -> SpanRow:
    return SpanRow(
        trace_id=trace_id,
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        name=row["name"],
        kind=_KINDS.get(row["kind"], 0),
        start_unix_nano=row["start"],
        end_unix_nano=row["start"] + row["duration"],
        attributes=row["attributes"],
        status_code=_STATUS_CODES.get(row["status_code"], 0),
        status_message=row["status_message"],
        events=tuple(
            SpanEvent(name=name, time_unix_nano=time, attributes=attributes)
            for name, time, attributes in zip(
                row["event_names"], row["event_times"], row["event_attributes"], strict=False
            )
        ),
        resource=row["resource"],
        scope=row["scope"],
    )
