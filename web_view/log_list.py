"""The page of log lines, and that of one line.

A line has no id of its own: its time and a digest of what it says name it. Where two came with the
same time, they stand in the order in which they arrived.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web_view.columns import FUNCTION, LINE, LINE_HAS_TEXT, LINE_IDENTITY, LINE_REQUEST_ID
from web_view.errors import MissingError
from web_view.invocation_list import read_functions
from web_view.parameters import (
    SEVERITIES,
    LogQuery,
    LogsQuery,
    change,
    read_key,
    write_key,
)
from web_view.rows import FullLine, LineRow
from web_view.source import Source

PAGE_ROWS = 100
_MAX_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsPage:
    """What the page shows: `older` and `newer` are keys to go on with, "" at the ends."""

    rows: Sequence[LineRow]
    total: int
    matching: int
    functions: Sequence[str]
    older: str
    newer: str
    is_first: bool


def read_logs(source: Source, query: LogsQuery) -> LogsPage:
    """Return the page that `query` asks for; what is newer than the newest page is that page."""
    rows, has_more = _read_rows(source, query)
    if query.after and not has_more:
        query = change(query, after="")
        rows, has_more = _read_rows(source, query)
    is_first = not (query.before or query.after)
    has_older = has_more or bool(query.after)
    return LogsPage(
        rows=rows,
        total=source.held.logs,
        matching=_count(source, query),
        functions=read_functions(source),
        older=_place(rows[-1]) if rows and has_older else "",
        newer=_place(rows[0]) if rows and not is_first else query.before,
        is_first=is_first,
    )


def read_line(source: Source, query: LogQuery) -> FullLine:
    """Return one line.

    Raises:
        MissingError: it is not here.
    """
    time, identity = read_key(query.key) if query.key else (0, "")
    sql = (
        f"SELECT {LINE}, Body AS whole, ScopeName AS scope, LogAttributes AS attributes,"  # noqa: S608
        " ResourceAttributes AS resource FROM otel_logs"
        f" WHERE Timestamp = make_timestamp_ns($time) AND {LINE_IDENTITY} = $identity LIMIT 1"
    )
    found = source.query(sql, {"time": time, "identity": identity})
    if not found:
        raise MissingError(
            "This log line is not here. It may have made room for newer ones, or the store is "
            "another one than when the link was made."
        )
    [row] = found
    rest = {name: row.pop(name) for name in ("whole", "scope", "attributes", "resource")}
    return FullLine(
        row=LineRow(**row),
        body=rest["whole"],
        scope=rest["scope"],
        attributes=rest["attributes"],
        resource=rest["resource"],
    )


def _place(row: LineRow) -> str:
    return write_key(row.time_unix_nano, row.place)


def _conditions(query: LogsQuery) -> str:
    found = ["true"]
    if query.severity:
        found.append(f"SeverityNumber >= {SEVERITIES[query.severity]}")
    if query.function:
        found.append(f"{FUNCTION} = $function")
    if query.invocation:
        found.append(f"{LINE_REQUEST_ID} = $invocation")
    if query.q:
        found.append(LINE_HAS_TEXT)
    return " AND ".join(found)


def _parameters(query: LogsQuery) -> dict[str, Any]:
    return {"function": query.function, "invocation": query.invocation, "q": query.q}


def _count(source: Source, query: LogsQuery) -> int:
    sql = f"SELECT count(*) FROM otel_logs WHERE {_conditions(query)}"  # noqa: S608 - our words
    return int(source.value(sql, _parameters(query)))


def _read_rows(source: Source, query: LogsQuery) -> tuple[list[LineRow], bool]:
    """Return a page's rows, newest first, and whether there are more in its direction."""
    where, parameters = _conditions(query), _parameters(query)
    direction = "ASC" if query.after else "DESC"
    if key := query.after or query.before:
        where += (
            f" AND (Timestamp, rowid) {'>' if query.after else '<'}"
            " (make_timestamp_ns($time), $place)"
        )
        parameters["time"], place = read_key(key)
        parameters["place"] = min(int(place or "0", 16), _MAX_INT64)
    # The keys first: what a line says is read for the lines of the page alone.
    sql = f"""SELECT {LINE} FROM otel_logs WHERE rowid IN (
        SELECT rowid FROM otel_logs WHERE {where}
        ORDER BY Timestamp {direction}, rowid {direction} LIMIT {PAGE_ROWS + 1})
      ORDER BY Timestamp {direction}, rowid {direction}"""  # noqa: S608 - made of our own words
    rows = [LineRow(**row) for row in source.query(sql, parameters)]
    page = rows[:PAGE_ROWS]
    return (page[::-1] if query.after else page), len(rows) > PAGE_ROWS
