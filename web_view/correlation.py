"""Which spans and log lines belong together where ids alone do not tell. Pure.

Lambda tries an asynchronous event again under the same request id, and the extension gives both
attempts the same ids: time tells them apart. A line that the function printed names its invocation,
not the part of it that was running: time tells that as well.
"""

from collections.abc import Sequence

from web_view.rows import InvocationRow, LineRow
from web_view.waterfall import Bar, Waterfall

_NS_PER_MS = 1_000_000
_LAST_UNIX_NANO = 2**63 - 2


def find_window(attempts: Sequence[InvocationRow], row: InvocationRow) -> tuple[int, int]:
    """Return from when until when (exclusive) spans and lines are of this attempt.

    An init lies before its attempt and after all that the one before took.
    """
    ends = [
        each.start_unix_nano + int((each.duration_ms + (each.extension_ms or 0)) * _NS_PER_MS)
        for each in attempts
        if each.start_unix_nano < row.start_unix_nano
    ]
    later = [
        each.start_unix_nano - int((each.init_ms or 0) * _NS_PER_MS)
        for each in attempts
        if each.start_unix_nano > row.start_unix_nano
    ]
    return min(max(ends, default=0), row.start_unix_nano), min(later, default=_LAST_UNIX_NANO)


def mark_lines(
    lines: Sequence[LineRow], waterfall: Waterfall, selected: Bar | None
) -> tuple[frozenset[str], str]:
    """Return the `place` of the lines of a selected span, and a sentence that says why.

    Those that name it or a span below it; where none does, those within its time.
    """
    if selected is None:
        return frozenset(), ""
    ids = waterfall.below(selected.span.span_id)
    if named := [line for line in lines if line.span_id in ids]:
        return _places(named), f"Marked: {_count(named)} of this span and those below it."
    # Lambda cuts the times of lines to milliseconds.
    start_ms = selected.span.start_unix_nano // _NS_PER_MS
    end = selected.span.end_unix_nano
    within = [
        line
        for line in lines
        if line.time_unix_nano // _NS_PER_MS >= start_ms and line.time_unix_nano <= end
    ]
    if within:
        return _places(
            within
        ), f"No line names this span. Marked: {_count(within)} within its time."
    return frozenset(), "No line names this span, and none lies within its time."


def _count(lines: Sequence[LineRow]) -> str:
    return "one line" if len(lines) == 1 else f"{len(lines)} lines"


def _places(lines: Sequence[LineRow]) -> frozenset[str]:
    return frozenset(line.place for line in lines)
