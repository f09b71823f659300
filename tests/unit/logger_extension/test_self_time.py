"""Self times: each span's own part of an interval, against a count instant by instant."""

from collections.abc import Sequence
from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.self_time import TimedSpan, find_parents, measure_self_times
from tests.support.laws import LAW

START, END = 100, 160


def _span(name: str, parent: str, start: int, end: int) -> TimedSpan:
    return TimedSpan(name.encode(), parent.encode(), start, end)


def _count_instants(spans: Sequence[TimedSpan]) -> list[float]:
    """Return the same by looking at every nanosecond of the interval."""
    times = [0.0] * len(spans)
    parents = find_parents(spans)
    for instant in range(START, END):
        active = {
            i
            for i, span in enumerate(spans)
            if span.start_unix_nano <= instant < span.end_unix_nano
        }
        calling = {parents[i] for i in active}
        working = active - calling
        for i in working:
            times[i] += 1 / len(working)
    return times


@st.composite
def any_spans(draw: st.DrawFn) -> list[TimedSpan]:
    """Draw spans with any parents: trees, orphans, circles, the same id twice; any times."""
    ids = st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f", b"", b"unknown"])
    times = st.integers(START - 20, END + 20)
    return [
        TimedSpan(draw(ids), draw(ids), draw(times), draw(times))
        for _ in range(draw(st.integers(0, 8)))
    ]


@LAW
@given(any_spans())
def test_every_instant_goes_to_those_that_work_at_it(spans: list[TimedSpan]) -> None:
    """The sweep comes to what counting each nanosecond comes to, for spans of any shape."""
    swept = measure_self_times(spans, START, END)
    for one, other in zip(swept, _count_instants(spans), strict=True):
        assert isclose(one, other, abs_tol=1e-9)
    assert sum(swept) <= END - START + 1e-9


def test_a_caller_has_what_its_children_leave() -> None:
    """The parent's own time is before, between and after its children."""
    spans = [
        _span("handler", "", 100, 160),
        _span("db", "handler", 110, 120),
        _span("http", "handler", 130, 150),
    ]
    assert measure_self_times(spans, START, END) == [30, 10, 20]


def test_siblings_at_the_same_time_share_it() -> None:
    """Two calls in parallel take half of their common time each."""
    spans = [
        _span("handler", "", 100, 160),
        _span("one", "handler", 110, 130),
        _span("two", "handler", 120, 140),
    ]
    assert measure_self_times(spans, START, END) == [30, 15, 15]


def test_what_lies_outside_of_the_interval_does_not_count() -> None:
    """Work before the invocation or after it is not this invocation's."""
    spans = [_span("early", "", 0, 110), _span("late", "", 150, 9_000), _span("never", "", 0, 50)]
    assert measure_self_times(spans, START, END) == [10, 10, 0]


def test_a_child_that_outlives_its_parent_keeps_its_time() -> None:
    """Work that goes on when the caller is done is the child's."""
    spans = [_span("caller", "", 100, 120), _span("callee", "caller", 110, 150)]
    assert measure_self_times(spans, START, END) == [10, 40]


def test_a_span_that_ends_before_it_starts_has_no_time() -> None:
    """Clocks step back; that gives nothing and takes nothing."""
    spans = [_span("backwards", "", 150, 120), _span("good", "", 100, 160)]
    assert measure_self_times(spans, START, END) == [0, 60]
