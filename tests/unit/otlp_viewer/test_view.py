"""The terminal view, rendered to a recording console and read as text."""

import io
import re

import pytest
from rich.console import Console, RenderableType

from otlp_viewer import Counts, Distribution, Limits, SpanEvent, Store
from otlp_viewer.trace import build_trace
from otlp_viewer.view import (
    render_arrivals,
    render_invocations,
    render_logs,
    render_summary,
    render_trace,
)
from tests.support.viewer_rows import (
    START_UNIX_NANO,
    TRACE_ID,
    make_log,
    make_metric,
    make_server_span,
    make_span,
)


def _show(renderable: RenderableType, *, width: int = 80) -> str:
    """Return what a file of `width` columns would get."""
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(renderable)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    return text


def _invocation_store() -> Store:
    store = Store()
    store.add_spans(
        [
            make_server_span(attributes={"faas.coldstart": True}),
            make_span(
                name="init sandbox-function",
                span_id="bb" * 8,
                parent_span_id="aa" * 8,
                start_ms=-250,
                end_ms=-50,
            ),
            make_server_span(
                "other-request-id",
                trace_id="01" * 16,
                start_ms=1_000,
                end_ms=2_500,
                status_code=2,
                attributes={"error.type": "ValueError", "aws.lambda.cost_usd": 1.25e-6},
            ),
            make_span(
                name="extensionOverhead",
                trace_id="01" * 16,
                span_id="cc" * 8,
                parent_span_id="aa" * 8,
                end_ms=7,
            ),
        ]
    )
    store.add_logs([make_log(), make_log()])
    return store


def test_the_table_of_invocations_is_whole_at_80_columns() -> None:
    """Every column of the contract is there, with the unknown ones left empty."""
    store = _invocation_store()
    lines = _show(render_invocations(store.invocations(), store.logs)).splitlines()
    assert lines[0].split() == [
        *("time", "(UTC)", "request", "function", "status"),
        *("init", "ms", "handler", "ext.", "ms", "cost", "logs"),
    ]
    assert re.fullmatch(r"22:13:20.123 8476a536 \S+ +ok +200.0 +100.0 +2", lines[2])
    failed = r"22:13:21.123 other-re \S+ +Value\S+ +1,500.0 +7.0 +\$0.000001250 +0"
    assert re.fullmatch(failed, lines[3])


def test_a_wide_terminal_shows_names_in_full() -> None:
    """Only the function and the status give way on a narrow one."""
    store = _invocation_store()
    text = _show(render_invocations(store.invocations(), store.logs), width=120)
    assert "sandbox-function" in text
    assert "ValueError" in text
    assert "…" not in text


def test_a_cold_start_of_unknown_length_is_still_named() -> None:
    """The init span may have been lost or be refused elsewhere."""
    store = Store()
    store.add_spans([make_server_span(attributes={"faas.coldstart": True})])
    assert " cold " in _show(render_invocations(store.invocations(), store.logs))


def test_a_trace_is_drawn_as_a_tree_with_durations_and_errors() -> None:
    """Children stand below their parent, with their distance from the trace's start."""
    spans = [
        make_server_span(
            parent_span_id="53995c3f42cd8ad8",
            status_code=2,
            status_message="boom",
            attributes={"error.type": "ValueError"},
            events=(
                SpanEvent(
                    name="exception",
                    time_unix_nano=START_UNIX_NANO + 90_000_000,
                    attributes={"exception.message": "boom"},
                ),
            ),
        ),
        make_span(
            name="init f", span_id="bb" * 8, parent_span_id="aa" * 8, start_ms=-250, end_ms=-50
        ),
    ]
    lines = _show(render_trace(build_trace(TRACE_ID, spans)), width=120).splitlines()
    server = "sandbox-function  100.0 ms  +250.0 ms  SERVER  error ValueError boom"
    assert [line.rstrip() for line in lines] == [
        f"trace {TRACE_ID}",
        f"└── {server}  (parent 53995c3f42cd8ad8 not received)",
        "    ├── event exception  at 340.0 ms exception.message=boom",
        "    └── init f  200.0 ms  +0.0 ms  INTERNAL",
    ]


def test_a_ring_of_parents_is_named() -> None:
    """A sender's fault is shown, not hidden."""
    trace = build_trace(TRACE_ID, [make_span(parent_span_id="aa" * 8)])
    assert "its parents lead back to it" in _show(render_trace(trace))


def test_a_very_deep_trace_stays_within_the_columns() -> None:
    """The guides stop at a level that leaves room for names."""
    spans = [
        make_span(
            name=f"span-{depth}",
            span_id=f"{depth:016x}",
            parent_span_id=f"{depth - 1:016x}" if depth else "",
        )
        for depth in range(300)
    ]
    assert "span-299  100.0 ms" in _show(render_trace(build_trace(TRACE_ID, spans)))


def test_logs_are_lines_with_severity_and_correlation() -> None:
    """In the given order; what belongs to no invocation says so."""
    rows = [
        make_log(attributes={"faas.invocation_id": "8476a536-x", "user": 7}),
        make_log(body={"a": 1}, severity_number=17, severity_text="", attributes={}, trace_id=""),
    ]
    assert [line.rstrip() for line in _show(render_logs(rows)).splitlines()] == [
        "22:13:20.123 INFO  8476a536 …4272793 hello user=7",
        '22:13:20.123 ERROR -        -        {"a": 1}',
    ]


def test_the_lines_of_a_log_stay_below_each_other() -> None:
    """A stack trace keeps its shape, and long lines fold inside their column."""
    rows = [make_log(body="Traceback:\n  File x\nValueError\n"), make_log(body="y" * 100)]
    lines = [line.rstrip() for line in _show(render_logs(rows)).splitlines()]
    assert [line[37:] for line in lines[:3]] == ["Traceback:", "  File x", "ValueError"]
    assert [len(line) - 37 for line in lines[3:]] == [43, 43, 14]


def test_foreign_text_is_neither_markup_nor_control_code() -> None:
    """In every place where text of a sender is shown."""
    evil = "[red]x[/red] [link=http://e]y[/link] :boom: \x1b[2J\x9b1m"
    store = Store()
    attributes = {"faas.invocation_id": evil, "error.type": evil, evil: evil}
    store.add_logs([make_log(body=evil, severity_text=evil, attributes=attributes)])
    span = make_server_span(
        name=evil,
        attributes=attributes,
        status_code=2,
        status_message=evil,
        resource={"faas.name": evil},
        events=(SpanEvent(name=evil, time_unix_nano=0, attributes=attributes),),
    )
    store.add_spans([span])
    store.add_metrics([make_metric(name=evil, unit=evil, attributes={evil: evil})])
    renderables: list[RenderableType] = [
        render_invocations(store.invocations(), store.logs),
        render_trace(store.trace(TRACE_ID)),
        render_logs(store.logs),
        render_arrivals(store.since(Counts())),
    ]
    for renderable in renderables:
        shown = _show(renderable, width=1_000)
        assert not {"\x1b", "\x9b"} & set(shown)
        assert "[red]x[/" in shown


def test_whatever_arrives_has_a_line() -> None:
    """Spans and metric points stand under the same columns as the logs."""
    store = Store()
    store.add_logs([make_log()])
    store.add_spans([make_server_span(status_code=2, status_message="boom")])
    store.add_metrics(
        [
            make_metric(),
            make_metric(kind="gauge", value=None, unit=""),
            make_metric(
                kind="histogram", unit="s", value=Distribution(count=4, sum=2.5, min=None, max=None)
            ),
        ]
    )
    lines = _show(render_arrivals(store.since(Counts()))).splitlines()
    assert [line.rstrip()[13:] for line in lines] == [
        "INFO  8476a536 …4272793 hello",
        "SPAN  8476a536 …4272793 sandbox-function  100.0 ms  error boom",
        "VALUE -        -        requests = 3 {request}",
        "VALUE -        -        requests = none",
        "VALUE -        -        requests = count 4 sum 2.5 s",
    ]


def test_the_summary_tells_what_was_refused_and_what_made_room() -> None:
    """Nothing is lost without a word."""
    store = Store(Limits(max_rows=1))
    store.add_logs([make_log(), make_log()])
    text = _show(render_summary(store, {"/v1/logs": 3}, {400: 2}))
    assert text.splitlines() == [
        "1 logs, 0 spans and 0 metric points in 3 requests",
        "2 requests were refused with 400",
        "The oldest made room for newer ones: 1 logs, 0 spans, 0 metric points",
    ]


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_told_otherwise(
    environ: dict[str, str], *, coloured: bool
) -> None:
    """NO_COLOR is honoured."""
    file = io.StringIO()
    console = Console(
        file=file, width=80, force_terminal=True, color_system="standard", _environ=environ
    )
    console.print(render_logs([make_log(severity_number=17)]))
    assert ("\x1b[31m" in file.getvalue()) is coloured


def test_a_file_gets_plain_text() -> None:
    """No escape sequence reaches what is not a terminal."""
    file = io.StringIO()
    Console(file=file, width=80).print(render_logs([make_log(severity_number=17)]))
    assert "\x1b" not in file.getvalue()
