"""The page of invocations: which ones, how many, and a page of them, newest first.

A page is found in two steps, because an invocation's figures stand on several spans: first the
SERVER spans that match, which needs one look at each; then the figures of those on the page alone.
Pages are bounded by the key of a row, so that what arrives meanwhile moves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web_view.columns import (
    IS_COLD,
    IS_ERROR_LINE,
    IS_FAILED,
    IS_INVOCATION,
    LINE_HAS_TEXT,
    LINE_REQUEST_ID,
    REQUEST_ID,
    SPAN_FUNCTION,
)
from web_view.parameters import MAX_TEXT_CHARS, InvocationsQuery, change, read_key
from web_view.rows import InvocationRow, LineCounts
from web_view.source import Source, place_list

PAGE_ROWS = 50
# Of functions to choose from; longer names than an address takes are none of Lambda.
MAX_FUNCTIONS = 200

# What the text of a search is looked for in, beside the log lines.
_WORDS = f"""concat_ws(chr(10), TraceId, SpanName, {REQUEST_ID}, {SPAN_FUNCTION},
  ResourceAttributes['faas.version'], ResourceAttributes['faas.instance'],
  SpanAttributes['aws.lambda.invoked_arn'], SpanAttributes['error.type'])"""
_ERROR_LINES = f"SELECT {LINE_REQUEST_ID} FROM otel_logs WHERE {IS_ERROR_LINE}"  # noqa: S608
_LINES_WITH_TEXT = (
    f"SELECT {LINE_REQUEST_ID} FROM otel_logs"  # noqa: S608
    f" WHERE {LINE_HAS_TEXT} AND {LINE_REQUEST_ID} IS NOT NULL"
)
_CONDITIONS = {
    ("status", "error"): "is_failed",
    ("status", "ok"): "NOT is_failed",
    ("status", "logged"): f"NOT is_failed AND request_id IN ({_ERROR_LINES})",
    ("start", "cold"): "is_cold",
    ("start", "warm"): "NOT is_cold",
}
# An invocation's other spans lie within the longest that Lambda allows.
_CHOSEN = """SELECT * FROM otel_traces WHERE TraceId IN (SELECT unnest($trace_ids))
  AND Timestamp BETWEEN make_timestamp_ns($first) - INTERVAL 900 SECOND
  AND make_timestamp_ns($last) + INTERVAL 1800 SECOND"""
_LINES = f"""SELECT TraceId AS trace_id, {LINE_REQUEST_ID} AS request_id, count(*) AS lines,
  count_if({IS_ERROR_LINE}) AS errors FROM otel_logs
  WHERE TraceId IN (SELECT unnest($trace_ids)) GROUP BY ALL"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationsPage:
    """What the page shows.

    Attributes:
        rows: newest first.
        lines: counts of log lines by trace and request id.
        total: how many invocations there are.
        matching: how many of them match.
        functions: names to choose from.
        older: the key to continue with, "" at the end.
        newer: the key to go back with, "" at the beginning.
        is_first: whether nothing newer matched when it was read.
    """

    rows: Sequence[InvocationRow]
    lines: Mapping[tuple[str, str], LineCounts]
    total: int
    matching: int
    functions: Sequence[str]
    older: str
    newer: str
    is_first: bool

    @property
    def longest_ms(self) -> float:
        """What the bars of the page are drawn against."""
        return max((row.total_ms for row in self.rows), default=0.0)

    def logs_of(self, row: InvocationRow) -> LineCounts:
        """Return the counts of an invocation's log lines."""
        return self.lines.get((row.trace_id, row.request_id), LineCounts())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Trace id, span id and start of a page's rows, whether more are behind, and the counts."""

    keys: list[tuple[str, str, int]]
    has_more: bool
    total: int
    matching: int
    functions: list[str]


def read_invocations(source: Source, query: InvocationsQuery) -> InvocationsPage:
    """Return the page that `query` asks for; what is newer than the newest page is that page."""
    found = _find_keys(source, query)
    if query.after and not found.has_more:
        query = change(query, after="")
        found = _find_keys(source, query)
    rows = _read_rows(source, found.keys)
    is_first = not (query.before or query.after)
    has_older = found.has_more or bool(query.after)
    return InvocationsPage(
        rows=rows,
        lines=_count_lines(source, rows),
        total=found.total,
        matching=found.matching,
        functions=found.functions,
        older=rows[-1].key if rows and has_older else "",
        newer=rows[0].key if rows and not is_first else query.before,
        is_first=is_first,
    )


def read_functions(source: Source) -> list[str]:
    """Return the names of the functions that were invoked, in order."""
    sql = (
        f"SELECT DISTINCT {SPAN_FUNCTION} AS name FROM otel_traces"  # noqa: S608
        f" WHERE {IS_INVOCATION} AND length(name) <= {MAX_TEXT_CHARS}"
        f" ORDER BY name LIMIT {MAX_FUNCTIONS}"
    )
    return [row["name"] for row in source.query(sql)]


def _conditions(query: InvocationsQuery) -> str:
    found = ["true"]
    found += [
        condition
        for (name, value), condition in _CONDITIONS.items()
        if getattr(query, name) == value
    ]
    if query.function:
        found.append("function = $function")
    if query.q:
        found.append(f"(contains(lower(words), lower($q)) OR request_id IN ({_LINES_WITH_TEXT}))")
    return " AND ".join(found)


def _find_keys(source: Source, query: InvocationsQuery) -> _Found:
    parameters: dict[str, Any] = {"function": query.function, "q": query.q}
    direction, bound = "ASC" if query.after else "DESC", "true"
    if key := query.after or query.before:
        compare = ">" if query.after else "<"
        bound = f"(Timestamp, SpanId) {compare} (make_timestamp_ns($time), $span_id)"
        parameters["time"], parameters["span_id"] = read_key(key)
    # One look at the spans gives all. The join gives the counts even where the page has no row.
    sql = f"""WITH servers AS MATERIALIZED (
        SELECT DISTINCT TraceId, SpanId, Timestamp, {REQUEST_ID} AS request_id,
          {SPAN_FUNCTION} AS function, {IS_FAILED} AS is_failed, {IS_COLD} AS is_cold,
          {_WORDS if query.q else "''"} AS words
        FROM otel_traces WHERE {IS_INVOCATION}),
      matching AS MATERIALIZED (
        SELECT TraceId, SpanId, Timestamp FROM servers WHERE {_conditions(query)}),
      page AS (SELECT * FROM matching WHERE {bound}
        ORDER BY Timestamp {direction}, SpanId {direction} LIMIT {PAGE_ROWS + 1}),
      counts AS (SELECT (SELECT count(*) FROM servers) AS total,
        (SELECT count(*) FROM matching) AS matching,
        (SELECT list_sort(list(DISTINCT function)) FROM servers
          WHERE length(function) <= {MAX_TEXT_CHARS}) AS functions)
      SELECT total, matching, functions, TraceId, SpanId, epoch_ns(Timestamp) AS start
      FROM counts LEFT JOIN page ON true
      ORDER BY Timestamp {direction}, SpanId {direction}"""  # noqa: S608 - made of our own words
    found = source.query(sql, parameters)
    keys = [
        (row["TraceId"], row["SpanId"], row["start"]) for row in found if row["TraceId"] is not None
    ]
    return _Found(
        keys=keys[:PAGE_ROWS],
        has_more=len(keys) > PAGE_ROWS,
        total=found[0]["total"],
        matching=found[0]["matching"],
        functions=(found[0]["functions"] or [])[:MAX_FUNCTIONS],
    )


def _read_rows(source: Source, keys: Sequence[tuple[str, str, int]]) -> list[InvocationRow]:
    if not keys:
        return []
    wanted = set(keys)
    starts = [start for _, _, start in keys]
    parameters = {
        "trace_ids": place_list(sorted({trace_id for trace_id, _, _ in keys})),
        "first": min(starts),
        "last": max(starts),
    }
    rows = source.invocations(_CHOSEN, parameters)
    return [row for row in rows if (row.trace_id, row.span_id, row.start_unix_nano) in wanted]


def _count_lines(
    source: Source, rows: Sequence[InvocationRow]
) -> dict[tuple[str, str], LineCounts]:
    parameters = {"trace_ids": place_list(sorted({row.trace_id for row in rows}))}
    return {
        (row["trace_id"], row["request_id"] or ""): LineCounts(
            lines=row["lines"], errors=row["errors"]
        )
        for row in source.query(_LINES, parameters)
    }
