"""The page of log lines, over a real database."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otlp_viewer.database import Database
from tests.support.page_reader import PageReader
from tests.support.viewer_rows import START_UNIX_NANO, make_log
from web_view.errors import MissingError
from web_view.log_list import PAGE_ROWS, read_line, read_logs
from web_view.parameters import LogQuery, LogsQuery, change
from web_view.source import Source

_FEW = [
    make_log(body="one", severity_number=5, time_unix_nano=START_UNIX_NANO + 1),
    make_log(body="TWO", severity_number=9, time_unix_nano=START_UNIX_NANO + 2,
             attributes={"faas.invocation_id": "other", "order": "A-17"}),
    make_log(body="three 100%", severity_number=17, time_unix_nano=START_UNIX_NANO + 3,
             resource={"faas.name": "shop"}),
    make_log(body={"event": "four", "items": [1, 2]}, time_unix_nano=START_UNIX_NANO + 4,
             severity_number=0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "bodies"),
    [
        (LogsQuery(), ['{"event":"four","items":[1,2]}', "three 100%", "TWO", "one"]),
        (LogsQuery(severity="error"), ["three 100%"]),
        (LogsQuery(severity="info"), ["three 100%", "TWO"]),
        (LogsQuery(q="two"), ["TWO"]),
        (LogsQuery(q="0%"), ["three 100%"]),
        (LogsQuery(q="a-17"), ["TWO"]),
        (LogsQuery(function="shop"), ["three 100%"]),
        (LogsQuery(invocation="other"), ["TWO"]),
        (LogsQuery(invocation="other", q="one"), []),
    ],
)
def test_a_filter_leaves_what_matches(
    database: Database, query: LogsQuery, bodies: list[str]
) -> None:
    """Newest first, with the count of what matches and of all."""
    database.add_logs(_FEW)
    page = read_logs(Source(database), query)
    assert [row.body for row in page.rows] == bodies
    assert (page.matching, page.total) == (len(bodies), 4)


@settings(max_examples=15, deadline=None)
@given(times=st.lists(st.integers(0, 2), max_size=2 * PAGE_ROWS + 3))
def test_pages_hold_every_line_once_and_newest_first(times: list[int]) -> None:
    """Also many lines of the same time, and lines that say the same."""
    with Database() as database:
        database.add_logs([make_log(time_unix_nano=START_UNIX_NANO + time) for time in times])
        source, query, found = Source(database), LogsQuery(), []
        while True:
            page = read_logs(source, query)
            found += [row.time_unix_nano - START_UNIX_NANO for row in page.rows]
            if not page.older:
                break
            query = change(query, before=page.older)
        assert found == sorted(times, reverse=True)


def test_one_can_go_back(database: Database) -> None:
    """To the same lines, and at last to the newest page."""
    database.add_logs([make_log(body=str(number)) for number in range(2 * PAGE_ROWS)])
    source = Source(database)
    first = read_logs(source, LogsQuery())
    second = read_logs(source, LogsQuery(before=first.older))
    assert not second.older
    back = read_logs(source, LogsQuery(after=second.newer))
    assert back.rows == first.rows
    assert read_logs(source, LogsQuery(after=back.newer)).is_first


def test_a_line_has_an_address_of_its_own(database: Database) -> None:
    """Made of what it says, so it is the same in another store."""
    database.add_logs(_FEW)
    rows = read_logs(Source(database), LogsQuery()).rows
    with Database() as other:
        other.add_logs([_FEW[2], _FEW[1]])
        line = read_line(Source(other), LogQuery(key=rows[1].key))
    assert (line.body, line.scope, line.resource) == (
        "three 100%",
        "logger_extension",
        {"faas.name": "shop"},
    )
    with pytest.raises(MissingError, match="may have made room"):
        read_line(Source(database), LogQuery(key="1-ab"))


def test_a_stack_trace_is_seen_in_the_list(database: Database) -> None:
    """Or else the type and message of an exception; once, where the body has it already."""
    database.add_logs(
        [
            make_log(attributes={"exception.type": "ValueError", "exception.message": "no"}),
            make_log(attributes={"exception.type": "E", "exception.stacktrace": "Traceback …"}),
        ]
    )
    database.add_logs(
        [
            make_log(body="[ERROR] E\rTraceback\r  here",
                     attributes={"exception.stacktrace": "Traceback\n  here"})
        ]
    )  # fmt: skip
    rows = read_logs(Source(database), LogsQuery()).rows
    assert [row.exception for row in rows] == ["", "Traceback …", "ValueError: no"]


async def test_a_long_body_is_cut_and_all_of_it_a_link_away(
    pages: PageReader, database: Database
) -> None:
    """And a short one is not."""
    database.add_logs([make_log(body="x" * 5_000), make_log(body="short")])
    short, long = (await pages.get("/logs")).main.one("tbody").all("tr")
    assert "all 5,000 characters" in long.text
    assert "characters" not in short.text


async def test_a_json_body_is_indented_on_its_page(pages: PageReader, database: Database) -> None:
    """In the list it is one line."""
    database.add_logs([_FEW[3]])
    row = (await pages.get("/logs")).main.one("tbody").one("tr")
    assert '{"event":"four","items":[1,2]}' in row.text
    page = await pages.get(row.one("a", class_="open").attributes["href"])
    assert page.main.one("pre", class_="whole").raw_text == (
        '{\n  "event": "four",\n  "items": [\n    1,\n    2\n  ]\n}'
    )
