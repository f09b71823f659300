"""Lines and spans that belong together."""

from tests.support.viewer_rows import START_UNIX_NANO, make_server_span, make_span
from tests.support.web_rows import make_line, make_row
from web_view.correlation import find_window, mark_lines
from web_view.waterfall import lay_out

_MS = 1_000_000
_FALL = lay_out(
    [
        make_server_span(),
        make_span(span_id="bb" * 8, parent_span_id="aa" * 8, name="handler", end_ms=50),
        make_span(span_id="cc" * 8, parent_span_id="bb" * 8, name="SELECT", end_ms=20),
        make_span(span_id="dd" * 8, parent_span_id="aa" * 8, name="late", start_ms=90, end_ms=95),
    ],
    [],
)
_EARLY = make_line(place="1", time_unix_nano=START_UNIX_NANO + 10 * _MS)
_OF_CHILD = make_line(place="2", span_id="cc" * 8, time_unix_nano=START_UNIX_NANO + 70 * _MS)


def test_a_span_has_the_lines_that_name_it_or_a_span_below() -> None:
    """Whatever their time."""
    marked, words = mark_lines([_EARLY, _OF_CHILD], _FALL, _FALL.find("bb" * 8))
    assert marked == {"2"}
    assert words == "Marked: one line of this span and those below it."


def test_without_any_it_has_those_within_its_time() -> None:
    """What a function prints names its invocation alone; times are cut to milliseconds."""
    at_start = make_line(place="3", time_unix_nano=START_UNIX_NANO // _MS * _MS)
    marked, words = mark_lines([_EARLY, at_start], _FALL, _FALL.find("bb" * 8))
    assert marked == {"1", "3"}
    assert words == "No line names this span. Marked: 2 lines within its time."


def test_a_span_may_have_none() -> None:
    """And says so."""
    marked, words = mark_lines([_EARLY, _OF_CHILD], _FALL, _FALL.find("dd" * 8))
    assert not marked
    assert words == "No line names this span, and none lies within its time."
    assert mark_lines([_EARLY], _FALL, None) == (frozenset(), "")


def test_one_attempt_has_all_the_time() -> None:
    """Its init before it included."""
    row = make_row()
    since, until = find_window([row], row)
    assert since == 0
    assert until > 2**62


def test_attempts_divide_the_time() -> None:
    """What the first took after its handler is its own, an init before the second the second's."""
    first = make_row(extension_ms=10.0)
    second = make_row(start_unix_nano=START_UNIX_NANO + 60_000 * _MS, init_ms=300.0)
    assert find_window([first, second], first) == (0, START_UNIX_NANO + 59_700 * _MS)
    assert find_window([first, second], second)[0] == START_UNIX_NANO + 110 * _MS


def test_an_attempt_has_at_least_its_own_start() -> None:
    """Also where the one before seems to last longer."""
    first = make_row(duration_ms=900_000.0)
    second = make_row(start_unix_nano=START_UNIX_NANO + 1_000 * _MS)
    assert find_window([first, second], second)[0] == second.start_unix_nano
