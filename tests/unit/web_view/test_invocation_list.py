"""The page of invocations: filters, order, paging, counts, over a real server."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otlp_viewer import SpanRow
from otlp_viewer.database import Database
from tests.support.page_reader import PageReader
from tests.support.telemetry_story import make_story
from tests.support.viewer_rows import START_UNIX_NANO, make_log, make_server_span, make_span
from web_view.invocation_list import PAGE_ROWS, read_invocations
from web_view.parameters import InvocationsQuery, change
from web_view.rows import InvocationRow
from web_view.source import Source


def _server(number: int, **changes: object) -> SpanRow:
    return make_server_span(
        f"request-{number:04}",
        **(
            {
                "trace_id": f"{number:032x}",
                "span_id": f"{number:016x}",
                "start_ms": number,
                "end_ms": number + 10,
            }
            | changes
        ),
    )


def _requests(rows: list[InvocationRow]) -> list[str]:
    return [row.request_id for row in rows]


@pytest.fixture
def few(database: Database) -> Source:
    """Four invocations of two functions, one failed, one cold, one with an error in its logs."""
    database.add_spans(
        [
            _server(1, attributes={"faas.coldstart": True}, resource={"faas.name": "shop"}),
            _server(2, status_code=2, attributes={"error.type": "Runtime.ExitError"}),
            _server(3, resource={"faas.name": "shop", "faas.instance": "sandbox-9"}),
            _server(4),
            make_span(span_id="bb" * 8, name="no invocation", kind=2),
        ]
    )
    database.add_logs(
        [
            make_log(attributes={"faas.invocation_id": "request-0003"}, severity_number=17,
                     body="Payment refused", trace_id=f"{3:032x}"),
            make_log(attributes={"faas.invocation_id": "request-0004", "order": "A-17"},
                     trace_id=f"{4:032x}"),
        ]
    )  # fmt: skip
    return Source(database)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (InvocationsQuery(), [4, 3, 2, 1]),
        (InvocationsQuery(function="shop"), [3, 1]),
        (InvocationsQuery(status="error"), [2]),
        (InvocationsQuery(status="ok"), [4, 3, 1]),
        (InvocationsQuery(status="logged"), [3]),
        (InvocationsQuery(start="cold"), [1]),
        (InvocationsQuery(start="warm"), [4, 3, 2]),
        (InvocationsQuery(q="REQUEST-0002"), [2]),
        (InvocationsQuery(q=f"{4:032x}"), [4]),
        (InvocationsQuery(q="exiterror"), [2]),
        (InvocationsQuery(q="sandbox-9"), [3]),
        (InvocationsQuery(q="payment refused"), [3]),
        (InvocationsQuery(q="a-17"), [4]),
        (InvocationsQuery(q="%"), []),
        (InvocationsQuery(q="shop", start="warm", status="logged"), [3]),
    ],
)
def test_a_filter_leaves_what_matches(
    few: Source, query: InvocationsQuery, numbers: list[int]
) -> None:
    """Newest first, with the count of what matches and of all."""
    page = read_invocations(few, query)
    assert _requests(list(page.rows)) == [f"request-{number:04}" for number in numbers]
    assert (page.matching, page.total) == (len(numbers), 4)
    assert page.functions == ["sandbox-function", "shop"]


def test_log_lines_are_counted_by_invocation(few: Source) -> None:
    """An invocation that is ok to Lambda may have an error in its logs."""
    page = read_invocations(few, InvocationsQuery())
    counts = [page.logs_of(row) for row in page.rows]
    assert [(each.lines, each.errors) for each in counts] == [(1, 0), (1, 1), (0, 0), (0, 0)]


def test_what_came_twice_is_there_once(database: Database) -> None:
    """OTLP promises delivery at least once."""
    database.add_spans([_server(1), _server(1)])
    page = read_invocations(Source(database), InvocationsQuery())
    assert (len(page.rows), page.matching, page.total) == (1, 1, 1)


def test_attempts_of_a_request_are_rows_of_their_own(database: Database) -> None:
    """They have the same ids and differ in time."""
    again = _server(1, start_ms=60_000, end_ms=60_010, status_code=2)
    database.add_spans([_server(1), again])
    page = read_invocations(Source(database), InvocationsQuery())
    assert [row.status for row in page.rows] == ["error", "ok"]
    assert len({row.key for row in page.rows}) == 2


def _walk(source: Source, query: InvocationsQuery) -> list[list[str]]:
    """Return the pages from the newest to the oldest."""
    pages = []
    while True:
        page = read_invocations(source, query)
        pages.append(_requests(list(page.rows)))
        if not page.older:
            return pages
        query = change(query, before=page.older)


@pytest.mark.parametrize("count", [PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, 2 * PAGE_ROWS])
def test_pages_hold_every_row_once(database: Database, count: int) -> None:
    """Also where rows fill the last page exactly."""
    database.add_spans([_server(number) for number in range(count)])
    pages = _walk(Source(database), InvocationsQuery())
    assert [each for page in pages for each in page] == [
        f"request-{number:04}" for number in reversed(range(count))
    ]
    assert all(pages)


def test_what_arrives_moves_no_page(database: Database) -> None:
    """Older pages are bounded by a row, not by a number of rows."""
    database.add_spans([_server(number) for number in range(2 * PAGE_ROWS)])
    source = Source(database)
    first = read_invocations(source, InvocationsQuery())
    second = read_invocations(source, InvocationsQuery(before=first.older))
    database.add_spans([_server(number) for number in range(1_000, 1_010)])
    assert read_invocations(source, InvocationsQuery(before=first.older)).rows == second.rows
    back = read_invocations(source, InvocationsQuery(after=second.newer))
    assert back.rows == first.rows
    newest = read_invocations(source, InvocationsQuery(after=back.newer))
    assert newest.is_first
    assert _requests(list(newest.rows))[0] == "request-1009"


@settings(max_examples=15, deadline=None)
@given(times=st.lists(st.integers(0, 3), min_size=1, max_size=2 * PAGE_ROWS + 5))
def test_rows_of_the_same_time_are_not_lost_between_pages(times: list[int]) -> None:
    """Whatever the times."""
    with Database() as database:
        database.add_spans(
            [_server(number, start_ms=time, end_ms=time + 1) for number, time in enumerate(times)]
        )
        pages = _walk(Source(database), InvocationsQuery())
        found = [each for page in pages for each in page]
        assert sorted(found) == [f"request-{number:04}" for number in range(len(times))]


@pytest.mark.parametrize(
    "query",
    [
        InvocationsQuery(),
        InvocationsQuery(status="error"),
        InvocationsQuery(status="ok", start="warm"),
        InvocationsQuery(start="cold"),
        InvocationsQuery(function="shop-search"),
    ],
)
def test_the_list_says_what_the_cost_report_says(
    database: Database, query: InvocationsQuery
) -> None:
    """The filter reads SERVER spans alone, and must find what the whole expression finds."""
    story = make_story(3, invocations=120)
    database.add_spans(story.spans)
    source = Source(database)
    expected = [
        row
        for row in source.invocations("FROM otel_traces", {})
        if query.function in ("", row.function)
        and query.status in ("", row.status)
        and query.start in ("", "cold" if row.is_cold_start else "warm")
    ]
    page = read_invocations(source, query)
    assert expected
    assert list(page.rows) == expected[:PAGE_ROWS]
    assert (page.matching, page.total) == (len(expected), len(story.facts))


async def test_the_page_shows_the_rows(pages: PageReader, database: Database) -> None:
    """With links to each, and the state of the form as it is in the address."""
    database.add_spans([_server(1), _server(2, status_code=2)])
    answer = await pages.get("/?status=error")
    [row] = answer.main.one("tbody").all("tr")
    assert "2023-11-14 22:13:20.125" in row.text
    assert row.one("a", class_="open").attributes["href"] == (
        f"/invocation?request=request-0002&started={START_UNIX_NANO + 2_000_000}"
    )
    assert "1 of 2 invocations match" in answer.main.text
    chosen = [option.attributes["value"] for option in answer.main.all("option", selected="")]
    assert chosen == ["", "error", ""]


async def test_nothing_matches_is_said(pages: PageReader, database: Database) -> None:
    """And how to get back; and that spans came which are no invocations."""
    database.add_spans([make_span()])
    assert "1 spans came, but none is a Lambda invocation" in (await pages.get("/")).main.text
    database.add_spans([_server(1)])
    answer = await pages.get("/?q=nothing")
    assert "Nothing matches" in answer.main.text
    assert "Show all" in answer.main.text
