"""The trace as a tree."""

from hypothesis import given
from hypothesis import strategies as st

from otlp_viewer.trace import SpanNode, Trace, build_trace
from tests.support.viewer_rows import TRACE_ID, make_span

_IDS = [f"{number:016x}" for number in range(1, 7)]


def _names(trace: Trace) -> list[tuple[int, str]]:
    return [(depth, node.span.name) for depth, node in trace.walk()]


def _node(trace: Trace, name: str) -> SpanNode:
    return next(node for _, node in trace.walk() if node.span.name == name)


def test_children_stand_under_their_parent_in_order_of_start() -> None:
    """The order of arrival does not matter."""
    spans = [
        make_span(name="second", span_id="bb" * 8, parent_span_id="aa" * 8, start_ms=5),
        make_span(name="leaf", span_id="cc" * 8, parent_span_id="dd" * 8, start_ms=3),
        make_span(name="first", span_id="dd" * 8, parent_span_id="aa" * 8, start_ms=2),
        make_span(name="root", span_id="aa" * 8),
    ]
    trace = build_trace(TRACE_ID, spans)
    assert _names(trace) == [(0, "root"), (1, "first"), (2, "leaf"), (1, "second")]
    assert not any(node.orphan or node.in_cycle for _, node in trace.walk())


def test_a_span_whose_parent_never_came_is_a_root_marked_as_orphan() -> None:
    """The caller's span lives in another collector, and its children are shown all the same."""
    trace = build_trace(TRACE_ID, [make_span(parent_span_id="ff" * 8)])
    assert [node.orphan for node in trace.roots] == [True]


def test_a_ring_of_parents_is_opened_at_its_earliest_span() -> None:
    """Two spans that name each other as parent, and one below them, are all still shown."""
    spans = [
        make_span(name="late", span_id="aa" * 8, parent_span_id="bb" * 8, start_ms=2),
        make_span(name="early", span_id="bb" * 8, parent_span_id="aa" * 8, start_ms=1),
        make_span(name="below", span_id="cc" * 8, parent_span_id="aa" * 8, start_ms=0),
    ]
    trace = build_trace(TRACE_ID, spans)
    assert _names(trace) == [(0, "early"), (1, "late"), (2, "below")]
    assert _node(trace, "early").in_cycle
    assert not _node(trace, "late").in_cycle


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    """The smallest ring."""
    trace = build_trace(TRACE_ID, [make_span(span_id="aa" * 8, parent_span_id="aa" * 8)])
    assert [(node.in_cycle, node.children) for node in trace.roots] == [(True, [])]


def test_a_span_that_came_twice_is_shown_twice() -> None:
    """A doubled delivery is a fault worth seeing, and its children are not doubled with it."""
    root = make_span(name="root")
    child = make_span(name="child", span_id="bb" * 8, parent_span_id="aa" * 8, start_ms=1)
    assert _names(build_trace(TRACE_ID, [root, root, child])) == [
        (0, "root"),
        (1, "child"),
        (0, "root"),
    ]


def test_spans_of_other_traces_stay_out() -> None:
    """The tree of an unknown trace has no roots."""
    assert build_trace("00" * 16, [make_span()]).roots == []


def test_a_very_deep_trace_needs_no_recursion() -> None:
    """Five thousand spans in one chain are walked to the end."""
    spans = [
        make_span(span_id=f"{depth:016x}", parent_span_id=f"{depth - 1:016x}" if depth else "")
        for depth in range(5_000)
    ]
    assert max(depth for depth, _ in build_trace(TRACE_ID, spans).walk()) == 4_999


@given(
    st.lists(
        st.tuples(st.sampled_from(_IDS), st.sampled_from(["", *_IDS, "ff" * 8]), st.integers(0, 9)),
        max_size=12,
    )
)
def test_every_span_is_in_the_tree_exactly_once(links: list[tuple[str, str, int]]) -> None:
    """Whatever parents spans name, none is lost and none is shown twice."""
    spans = [
        make_span(span_id=span_id, parent_span_id=parent_id, start_ms=start_ms)
        for span_id, parent_id, start_ms in links
    ]
    walked = [node.span for _, node in build_trace(TRACE_ID, spans).walk()]
    assert sorted(map(id, walked)) == sorted(map(id, spans))
