"""Places on the time axis."""

from hypothesis import given
from hypothesis import strategies as st

from otlp_viewer import SpanEvent, SpanRow
from tests.support.viewer_rows import START_UNIX_NANO, make_server_span, make_span
from tests.support.web_rows import make_line
from web_view.waterfall import MAX_BARS, MAX_INDENT, lay_out, make_ticks

_ROOT = "aa" * 8


def _child(span_id: str, **changes: object) -> SpanRow:
    return make_span(**({"span_id": span_id, "parent_span_id": _ROOT} | changes))


def test_spans_stand_below_their_parents_at_their_times() -> None:
    """In percent of the axis, with the distance from its start in milliseconds."""
    fall = lay_out(
        [
            make_server_span(start_ms=100, end_ms=200),
            _child("bb" * 8, name="init sandbox-function", start_ms=0, end_ms=100),
            _child("cc" * 8, name="handler", start_ms=100, end_ms=150),
            _child("dd" * 8, parent_span_id="cc" * 8, name="SELECT", start_ms=110, end_ms=120,
                   scope="sqlalchemy"),
        ],
        [],
    )  # fmt: skip
    assert [(bar.span.name, bar.level, bar.phase) for bar in fall.bars] == [
        ("sandbox-function", 1, "invocation"),
        ("init sandbox-function", 2, "init"),
        ("handler", 2, "handler"),
        ("SELECT", 3, "own"),
    ]
    assert [(bar.left, bar.width, bar.offset_ms) for bar in fall.bars] == [
        (50.0, 50.0, 100.0),
        (0.0, 50.0, 0.0),
        (50.0, 25.0, 100.0),
        (55.0, 5.0, 110.0),
    ]
    assert (fall.start_unix_nano, fall.length_ms) == (START_UNIX_NANO, 200.0)


def test_only_the_extensions_own_names_are_phases() -> None:
    """A span of the function's own that is called `handler` is its own."""
    assert [bar.phase for bar in lay_out([make_span(name="handler", scope="app")], []).bars] == [
        "own"
    ]


def test_labels_stand_where_there_is_room() -> None:
    """After a bar, before it, or within one that takes it all."""
    sides = [
        bar.label_side
        for bar in lay_out(
            [
                _child("01" * 8, start_ms=0, end_ms=100),
                _child("02" * 8, start_ms=0, end_ms=50),
                _child("03" * 8, start_ms=90, end_ms=100),
            ],
            [],
        ).bars
    ]
    assert sorted(sides) == ["after", "before", "inside"]


def test_lines_beyond_the_axis_stand_at_its_edge() -> None:
    """A wrong clock must not squeeze the spans."""
    lines = [
        make_line(time_unix_nano=START_UNIX_NANO - 10**15),
        make_line(time_unix_nano=START_UNIX_NANO + 50_000_000, severity_number=17),
        make_line(time_unix_nano=START_UNIX_NANO + 10**15),
    ]
    marks = lay_out([make_span()], lines).log_marks
    assert [(mark.at, mark.is_error) for mark in marks] == [
        (0.0, False),
        (50.0, True),
        (100.0, False),
    ]


def test_events_stand_on_their_bar() -> None:
    """An exception is an error, whatever the status says."""
    event = SpanEvent(name="exception", time_unix_nano=START_UNIX_NANO + 25_000_000, attributes={})
    [bar] = lay_out([make_span(events=(event,))], []).bars
    assert [(mark.at, mark.name, mark.is_error) for mark in bar.events] == [
        (25.0, "exception", True)
    ]


def test_only_what_is_below_the_root_is_drawn_where_one_is_named() -> None:
    """And how much is elsewhere in the trace is told."""
    caller = make_span(span_id="ee" * 8, name="caller", start_ms=-500, end_ms=500)
    spans = [caller, make_server_span(parent_span_id="ee" * 8), _child("bb" * 8)]
    own = lay_out(spans, [], root_span_id=_ROOT)
    assert [bar.level for bar in own.bars] == [1, 2]
    assert (own.elsewhere, own.hidden, own.length_ms) == (1, 0, 100.0)
    whole = lay_out(spans, [])
    assert [bar.level for bar in whole.bars] == [1, 2, 3]
    assert (whole.elsewhere, whole.length_ms) == (0, 1000.0)


def test_more_spans_than_fit_are_counted() -> None:
    """Those that are not drawn are told."""
    fall = lay_out([_child(f"{number:016x}") for number in range(MAX_BARS + 7)], [])
    assert (len(fall.bars), fall.hidden) == (MAX_BARS, 7)


def test_a_span_knows_all_below_it() -> None:
    """So that it can be selected with them."""
    fall = lay_out([make_server_span(), _child("bb" * 8), _child("cc" * 8, parent_span_id="bb" * 8)], [])  # fmt: skip  # noqa: E501
    assert fall.below("bb" * 8) == {"bb" * 8, "cc" * 8}
    assert fall.below("ff" * 8) == set()
    assert fall.find("ff" * 8) is None


def test_nothing_gives_an_empty_picture() -> None:
    """An axis of no length, and no bar."""
    fall = lay_out([], [])
    assert (list(fall.bars), fall.elsewhere) == ([], 0)


_spans = st.builds(
    lambda number, parent, start, length: make_span(
        span_id=f"{number:016x}",
        parent_span_id=f"{parent:016x}" if parent else "",
        start_ms=start,
        end_ms=start + length,
    ),
    number=st.integers(1, 6),
    parent=st.integers(0, 8),
    start=st.integers(-(10**6), 10**6),
    length=st.integers(-100, 10**6),
)


@given(spans=st.lists(_spans, max_size=12))
def test_every_span_is_drawn_once_within_the_axis(spans: list[SpanRow]) -> None:
    """Rings of parents, missing parents, ids that come twice and clocks that go back too."""
    fall = lay_out(spans, [])
    assert len(fall.bars) == len(spans)
    for bar in fall.bars:
        assert 0 <= bar.left <= 100
        assert 0 <= bar.width <= 100.001 - bar.left
        assert 1 <= bar.level <= MAX_INDENT + 1


@given(length_ns=st.integers(1, 10**19))
def test_ticks_are_few_round_and_within(length_ns: int) -> None:
    """From 0 on, in equal steps, with labels that differ."""
    ticks = make_ticks(length_ns)
    assert 1 <= len(ticks) <= 7
    assert ticks[0].at == 0
    assert all(0 <= tick.at <= 100 for tick in ticks)
    assert len({tick.label for tick in ticks}) == len(ticks)


def test_ticks_have_one_unit() -> None:
    """That of the step."""
    labels = [tick.label for tick in make_ticks(130_000_000)]
    assert labels == ["0", "50 ms", "100 ms"]
    assert [tick.label for tick in make_ticks(9_000_000_000)][1] == "2 s"
