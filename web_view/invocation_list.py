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
from web_view.parameters import InvocationsQuery, change, read_key
from web_view.rows import InvocationRow, LineCounts
from web_view.source import Source, place_list

PAGE_ROWS = 50
MAX_FUNCTIONS = 500

_TEXT = f"""contains(lower(concat_ws(chr(10), TraceId, SpanName, {REQUEST_ID}, {SPAN_FUNCTION},
  ResourceAttributes['faas.version'], ResourceAttributes['faas.instance'],
  SpanAttributes['aws.lambda.invoked_arn'], SpanAttributes['error.type'])), lower($q))"""
_ERROR_LINES = f"SELECT {LINE_REQUEST_ID} FROM otel_logs WHERE {IS_ERROR_LINE}"  # noqa: S608
_LINES_WITH_TEXT = (
    f"SELECT {LINE_REQUEST_ID} FROM otel_logs"  # noqa: S608
    f" WHERE {LINE_HAS_TEXT} AND {LINE_REQUEST_ID} IS NOT NULL"
)
_CONDITIONS = {
    ("status", "error"): IS_FAILED,
    ("status", "ok"): f"NOT ({IS_FAILED})",
    ("status", "logged"): f"NOT ({IS_FAILED}) AND {REQUEST_ID} IN ({_ERROR_LINES})",
    ("start", "cold"): IS_COLD,
    ("start", "warm"): f"NOT ({IS_COLD})",
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


@dataclass(frozen=True, slots=True)
class _Found:
    """Trace id, span id and start of a page's rows, whether more are behind, and the count."""

    keys: list[tuple[str, str, int]]
    has_more: bool
    matching: int


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
        total=source.value(f"SELECT count(*) FROM ({_servers_sql([])})"),  # noqa: S608 - ours
        matching=found.matching,
        functions=read_functions(source),
        older=rows[-1].key if rows and has_older else "",
        newer=rows[0].key if rows and not is_first else query.before,
        is_first=is_first,
    )


def read_functions(source: Source) -> list[str]:
    """Return the names of the functions that were invoked, in order."""
    sql = (
        f"SELECT DISTINCT {SPAN_FUNCTION} AS name FROM otel_traces"  # noqa: S608
        f" WHERE {IS_INVOCATION} ORDER BY name LIMIT {MAX_FUNCTIONS}"
    )
    return [row["name"] for row in source.query(sql)]


def _conditions(query: InvocationsQuery) -> list[str]:
    found = [
        condition
        for (name, value), condition in _CONDITIONS.items()
        if getattr(query, name) == value
    ]
    if query.function:
        found.append(f"{SPAN_FUNCTION} = $function")
    if query.q:
        found.append(f"({_TEXT} OR {REQUEST_ID} IN ({_LINES_WITH_TEXT}))")
    return found


def _servers_sql(conditions: Sequence[str]) -> str:
    """Return the query for the SERVER spans that match; one that came twice counts once."""
    where = " AND ".join([IS_INVOCATION, *conditions])
    return f"SELECT DISTINCT TraceId, SpanId, Timestamp FROM otel_traces WHERE {where}"  # noqa: S608


def _find_keys(source: Source, query: InvocationsQuery) -> _Found:
    parameters: dict[str, Any] = {"function": query.function, "q": query.q}
    direction, bound = "ASC" if query.after else "DESC", "true"
    if key := query.after or query.before:
        compare = ">" if query.after else "<"
        bound = f"(Timestamp, SpanId) {compare} (make_timestamp_ns($time), $span_id)"
        parameters["time"], parameters["span_id"] = read_key(key)
    # The left join gives the count even where the page has no row.
    sql = f"""WITH matching AS MATERIALIZED ({_servers_sql(_conditions(query))}),
      page AS (SELECT * FROM matching WHERE {bound}
        ORDER BY Timestamp {direction}, SpanId {direction} LIMIT {PAGE_ROWS + 1})
      SELECT matching, TraceId, SpanId, epoch_ns(Timestamp) AS start
      FROM (SELECT count(*) AS matching FROM matching) LEFT JOIN page ON true
      ORDER BY Timestamp {direction}, SpanId {direction}"""  # noqa: S608 - made of our own words
    found = source.query(sql, parameters)
    keys = [
        (row["TraceId"], row["SpanId"], row["start"]) for row in found if row["TraceId"] is not None
    ]
    return _Found(keys[:PAGE_ROWS], len(keys) > PAGE_ROWS, found[0]["matching"])


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
