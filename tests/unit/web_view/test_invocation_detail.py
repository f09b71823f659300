"""The page of one invocation, over a real database and server."""

import pytest

from otlp_viewer import SpanEvent, SpanRow
from otlp_viewer.database import Database
from tests.support.page_reader import PageReader
from tests.support.viewer_rows import (
    REQUEST_ID,
    START_UNIX_NANO,
    TRACE_ID,
    make_log,
    make_server_span,
    make_span,
)
from web_view.errors import MissingError
from web_view.invocation_detail import read_invocation
from web_view.parameters import InvocationQuery, write_query
from web_view.source import Source

_MS = 1_000_000
_QUERY = InvocationQuery(request=REQUEST_ID)
_HANDLER, _OWN, _LATE = "bb" * 8, "cc" * 8, "dd" * 8
_COST = {
    "faas.invocation_id": REQUEST_ID,
    "aws.lambda.billed_duration_ms": 105,
    "aws.lambda.memory_size_mb": 512,
    "aws.lambda.max_memory_used_mb": 90,
    "aws.lambda.cost_usd": 2e-6,
    "aws.lambda.cost.handler_usd": 1.5e-6,
    "aws.lambda.cost.init_usd": 0.0,
    "aws.lambda.cost.extension_usd": 0.5e-6,
}


def _child(span_id: str, name: str, **changes: object) -> SpanRow:
    return make_span(**({"span_id": span_id, "parent_span_id": "aa" * 8, "name": name} | changes))


@pytest.fixture
def whole(database: Database) -> Database:
    """An invocation with all of its spans, one of its own, and three lines."""
    error = SpanEvent(
        name="exception",
        time_unix_nano=START_UNIX_NANO + 20 * _MS,
        attributes={"exception.message": "no such order"},
    )
    database.add_spans(
        [
            make_server_span(),
            _child(_HANDLER, "handler", end_ms=90),
            _child(_OWN, "SELECT orders", parent_span_id=_HANDLER, start_ms=10, end_ms=30,
                   scope="sqlalchemy", status_code=2, status_message="failed", events=(error,),
                   attributes={"db.query.text": '{"find":"orders"}'}),
            _child(_LATE, "extensionOverhead", start_ms=100, end_ms=105, attributes=_COST),
            make_span(span_id="ee" * 8, name="another's"),
        ]
    )  # fmt: skip
    database.add_logs(
        [
            make_log(body="begin", time_unix_nano=START_UNIX_NANO + 1 * _MS),
            make_log(body="query", time_unix_nano=START_UNIX_NANO + 12 * _MS, span_id=_OWN),
            make_log(body="end", time_unix_nano=START_UNIX_NANO + 95 * _MS, severity_number=17),
            make_log(body="another's", attributes={"faas.invocation_id": "another"}),
        ]
    )
    return database


def test_spans_lines_and_cost_are_those_of_the_invocation(whole: Database) -> None:
    """Others of the same trace are counted, and not shown until they are asked for."""
    page = read_invocation(Source(whole), _QUERY)
    assert [bar.span.name for bar in page.waterfall.bars] == [
        "sandbox-function",
        "handler",
        "SELECT orders",
        "extensionOverhead",
    ]
    assert page.waterfall.elsewhere == 1
    assert [(each.row.body, each.offset_ms, each.span_name) for each in page.lines] == [
        ("begin", 1.0, ""),
        ("query", 12.0, "SELECT orders"),
        ("end", 95.0, ""),
    ]
    assert page.log_count == 3
    assert page.cost_parts == [("handler", 1.5e-6), ("init", 0.0), ("extension", 0.5e-6)]
    assert page.gb_seconds == 0.0525
    trace = read_invocation(Source(whole), InvocationQuery(request=REQUEST_ID, scope="trace"))
    assert len(trace.waterfall.bars) == 5


@pytest.mark.parametrize(
    ("span_id", "bodies"),
    [("aa" * 8, ["begin", "query", "end"]), (_OWN, ["query"]), (_LATE, []), ("ff" * 8, [])],
)
def test_selecting_a_span_marks_its_lines(whole: Database, span_id: str, bodies: list[str]) -> None:
    """One that is not here marks nothing."""
    page = read_invocation(Source(whole), InvocationQuery(request=REQUEST_ID, span=span_id))
    assert [each.row.body for each in page.lines if each.is_marked] == bodies


def test_an_invocation_that_is_not_here_says_why_it_may_be_so(whole: Database) -> None:
    """Neither by its id nor by its start."""
    for query in (
        InvocationQuery(request="other"),
        InvocationQuery(request=REQUEST_ID, started="5"),
    ):
        with pytest.raises(MissingError, match="may have made room"):
            read_invocation(Source(whole), query)


def test_attempts_are_told_apart(database: Database) -> None:
    """Each with its own spans and lines; the newest where none is named."""
    later = 60_000
    database.add_spans(
        [
            make_server_span(),
            _child(_HANDLER, "handler", end_ms=90),
            _child(_LATE, "extensionOverhead", start_ms=100, end_ms=105, attributes=_COST),
            make_server_span(start_ms=later, end_ms=later + 50, status_code=2),
            _child(_HANDLER, "handler", start_ms=later, end_ms=later + 40),
        ]
    )
    database.add_logs(
        [
            make_log(body="first", time_unix_nano=START_UNIX_NANO + 5 * _MS),
            make_log(body="second", time_unix_nano=START_UNIX_NANO + (later + 5) * _MS),
        ]
    )
    newest = read_invocation(Source(database), _QUERY)
    first = read_invocation(
        Source(database), InvocationQuery(request=REQUEST_ID, started=str(START_UNIX_NANO))
    )
    assert [each.status for each in newest.attempts] == ["ok", "error"]
    assert (newest.row.status, newest.row.cost_usd) == ("error", None)
    assert (first.row.status, first.row.cost_usd) == ("ok", 2e-6)
    assert [each.row.body for each in newest.lines] == ["second"]
    assert [each.row.body for each in first.lines] == ["first"]
    assert [bar.span.name for bar in first.waterfall.bars] == [
        "sandbox-function",
        "handler",
        "extensionOverhead",
    ]
    assert len(newest.waterfall.bars) == 2


def test_spans_that_came_twice_are_drawn_once(whole: Database) -> None:
    """OTLP promises delivery at least once."""
    whole.add_spans([_child(_HANDLER, "handler", end_ms=90)])
    assert len(read_invocation(Source(whole), _QUERY).waterfall.bars) == 4


@pytest.mark.usefixtures("whole")
async def test_the_page_shows_it_all(pages: PageReader) -> None:
    """Status, figures, the waterfall as a tree for those who cannot see it, lines, cost."""
    main = (await pages.get("/invocation" + write_query(_QUERY))).main
    fall = main.one("table", class_="waterfall")
    rows = [row for row in fall.one("tbody").all("tr") if "id" in row.attributes]
    assert [row.attributes["aria-level"] for row in rows] == ["1", "2", "3", "2"]
    assert "starts at 10.0 ms, takes 20.0 ms" in rows[2].text
    assert rows[2].has("class_", "failed")
    assert len(fall.all("a", tabindex="-1")) == 3
    cost = main.one("table", class_="parts").text
    assert "request and handler $0.000001500$1.5075.0%" in cost
    assert "512 MB (0.0525 GB-seconds)" in main.text
    assert main.one("ol").all("li")[2].has("class_", "is-error")
    assert "1 more span of this trace belongs to its caller or to others." in main.text


@pytest.mark.usefixtures("whole")
async def test_a_selected_span_shows_all_that_it_says(pages: PageReader) -> None:
    """Attributes, message, events, with JSON indented."""
    query = InvocationQuery(request=REQUEST_ID, span=_OWN)
    main = (await pages.get("/invocation" + write_query(query))).main
    details = main.one("section", class_="details")
    assert '{\n  "find": "orders"\n}' in details.raw_text
    assert "no such order" in details.text
    assert details.one("p", class_="failure").text == "failed"
    assert [row.attributes["id"] for row in main.all("tr", aria_selected="true")] == [f"s-{_OWN}"]
    assert "Marked: one line of this span" in main.text


async def test_what_is_not_known_yet_is_said(pages: PageReader, database: Database) -> None:
    """Lambda tells what it bills one invocation late."""
    database.add_spans([make_server_span()])
    text = (await pages.get("/invocation" + write_query(_QUERY))).main.text
    assert "Not known yet: Lambda tells what it bills" in text
    assert "No line of this invocation is here." in text


async def test_a_missing_price_says_what_to_set(pages: PageReader, database: Database) -> None:
    """As the extension does."""
    reason = {"aws.lambda.cost.missing_reason": "unknown_price"}
    database.add_spans([make_server_span(attributes=reason)])
    text = (await pages.get("/invocation" + write_query(_QUERY))).main.text
    assert "unknown_price" in text
    assert "LOGGER_EXTENSION_PRICE_GB_SECOND" in text


async def test_another_trace_does_not_come_in(pages: PageReader, whole: Database) -> None:
    """Lines of no invocation belong to their trace."""
    whole.add_logs(
        [
            make_log(body="of the trace", attributes={}, trace_id=TRACE_ID),
            make_log(body="of another", attributes={}, trace_id="ff" * 16),
        ]
    )
    text = (await pages.get("/invocation" + write_query(_QUERY))).main.text
    assert "of the trace" in text
    assert "of another" not in text
