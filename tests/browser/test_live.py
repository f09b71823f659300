"""What arrives while a page is open."""

from collections.abc import Callable

import pytest

from otlp_viewer import SpanRow
from tests.browser.conftest import Site
from tests.support.browser import Browser
from tests.support.viewer_rows import REQUEST_ID, make_log, make_server_span, make_span

_LATER_MS = 100_000_000_000
_FIRST = "return document.querySelector('tbody tr code').title"
_NEWS = "const news = document.getElementById('news'); return news.hidden ? '' : news.textContent"
_IS_LIVE = "return document.getElementById('live').textContent === 'live'"


def _new(number: int, **changes: object) -> SpanRow:
    return make_server_span(
        f"new-{number:03}",
        **(
            {
                "trace_id": f"{number:032x}",
                "span_id": f"{number:016x}",
                "start_ms": _LATER_MS + number,
                "end_ms": _LATER_MS + number + 5,
            }
            | changes
        ),
    )


@pytest.fixture
def show(browser: Browser, site: Site) -> Callable[[str], None]:
    """Open an address and wait until it is live."""

    def show(path: str) -> None:
        browser.show(site.endpoint + path)
        browser.wait_for(_IS_LIVE)

    return show


def test_at_the_top_new_rows_come_by_themselves(
    browser: Browser, site: Site, show: Callable[[str], None]
) -> None:
    """And the counts with them; the page keeps its length."""
    show("/")
    rows = browser.evaluate("return document.querySelectorAll('tbody tr').length")
    site.database.add_spans([_new(1)])
    browser.wait_for("return document.querySelector('tbody tr code').title === 'new-001'")
    assert browser.evaluate("return document.querySelectorAll('tbody tr').length") == rows
    assert browser.evaluate("return document.querySelector('#count strong').textContent") == "202"
    assert browser.evaluate(_NEWS) == ""


def test_nothing_moves_under_a_reader(
    browser: Browser, site: Site, show: Callable[[str], None]
) -> None:
    """Who has walked into the rows is told what is new, and sees it when asked."""
    show("/")
    browser.press("j", "j")
    before = browser.evaluate(_FIRST)
    site.database.add_spans([_new(number) for number in range(3)])
    browser.wait_for("return document.getElementById('news').textContent === '3 new, show'")
    assert browser.evaluate(_FIRST) == before
    site.database.add_spans([_new(number) for number in range(3, 100)])
    browser.wait_for(
        "return document.getElementById('news').textContent === 'More than 50 new, show'"
    )
    browser.press("n")
    browser.wait_for("return document.querySelector('tbody tr code').title === 'new-099'")


def test_rows_are_brought_up_to_date_in_place(
    browser: Browser, site: Site, show: Callable[[str], None]
) -> None:
    """What Lambda bills comes one invocation late."""
    site.database.add_spans([_new(1)])
    show("/")
    cell = "return document.querySelector('tbody tr td:last-child').textContent"
    assert browser.evaluate(cell) == ""
    late = make_span(
        trace_id=f"{1:032x}",
        span_id="99" * 8,
        parent_span_id=f"{1:016x}",
        name="extensionOverhead",
        start_ms=_LATER_MS + 6,
        end_ms=_LATER_MS + 8,
        attributes={"faas.invocation_id": "new-001", "aws.lambda.cost_usd": 2e-6},
    )
    site.database.add_spans([late])
    browser.wait_for(
        "return document.querySelector('tbody tr td:last-child').textContent === '$2.00'"
    )


def test_a_filter_holds_for_what_is_new(
    browser: Browser, site: Site, show: Callable[[str], None]
) -> None:
    """What does not match changes the count of all, and nothing else."""
    show("/?function=sandbox-function")
    site.database.add_spans([_new(1, resource={"faas.name": "other"})])
    browser.wait_for("return document.querySelector('#count').textContent.includes('202')")
    assert browser.evaluate(_NEWS) == ""
    site.database.add_spans([_new(2)])
    browser.wait_for("return document.querySelector('tbody tr code')?.title === 'new-002'")


def test_an_older_page_stays_as_it_is(
    browser: Browser, site: Site, show: Callable[[str], None]
) -> None:
    """One reads there."""
    show("/")
    browser.evaluate("document.querySelector('[rel=next]').click()")
    browser.wait_for("return location.search.startsWith('?before=')")
    browser.wait_for(_IS_LIVE)
    before = browser.evaluate(_FIRST)
    version = browser.evaluate("return heard")
    site.database.add_spans([_new(1)])
    browser.wait_for(f"return heard !== '{version}' && seen === heard")
    assert (browser.evaluate(_FIRST), browser.evaluate(_NEWS)) == (before, "")


def test_an_invocation_says_that_more_has_come(
    browser: Browser, site: Site, show: Callable[[str], None]
) -> None:
    """And shows it when asked."""
    show(f"/invocation?request={REQUEST_ID}")
    lines = "return document.querySelectorAll('.line').length"
    before = browser.evaluate(lines)
    site.database.add_logs([make_log(body="late")])
    browser.wait_for("return document.getElementById('news').textContent === 'Something new, show'")
    assert browser.evaluate(lines) == before
    browser.press("n")
    browser.wait_for(lines, at_least=before + 1)


def test_an_empty_page_fills_by_itself(browser: Browser, empty_site: Site) -> None:
    """As it promises."""
    browser.show(empty_site.endpoint)
    browser.wait_for(_IS_LIVE)
    empty_site.database.add_spans([_new(1)])
    browser.wait_for("return document.querySelector('tbody tr code')?.title === 'new-001'")


def test_what_is_typed_is_not_taken_away(browser: Browser, empty_site: Site) -> None:
    """A page that fills would replace the field."""
    browser.show(empty_site.endpoint)
    browser.wait_for(_IS_LIVE)
    browser.press("/", "a", "b")
    empty_site.database.add_spans([_new(1)])
    browser.wait_for("return document.getElementById('news').textContent === 'Something new, show'")
    assert browser.evaluate("return document.activeElement.value") == "ab"


def test_charts_are_drawn_again_when_something_new_is_shown(
    browser: Browser, site: Site, show: Callable[[str], None]
) -> None:
    """The page takes the new figures in place."""
    show("/cost")
    browser.wait_for("return document.querySelectorAll('.chart .main-svg').length")
    site.database.add_spans([_new(1)])
    browser.wait_for("return !document.getElementById('news').hidden")
    browser.press("n")
    browser.wait_for("return document.getElementById('news').hidden")
    browser.wait_for("return document.querySelectorAll('.chart .main-svg').length")
    assert browser.read_complaints() == []


def test_more_tabs_than_a_browser_has_connections(browser: Browser, empty_site: Site) -> None:
    """Those that nobody sees give theirs back, and take it again when they are looked at."""
    driver = browser.driver
    first = driver.current_window_handle
    handles = []
    try:
        for _ in range(8):
            driver.switch_to.new_window("tab")
            handles.append(driver.current_window_handle)
            browser.show(empty_site.endpoint)
            browser.wait_for(_IS_LIVE)
        driver.switch_to.window(handles[0])
        empty_site.database.add_spans([_new(1)])
        browser.wait_for("return document.querySelector('tbody tr code')?.title === 'new-001'")
    finally:
        for handle in handles:
            driver.switch_to.window(handle)
            driver.close()
        driver.switch_to.window(first)
