"""Every page in a real browser: pictures, no complaint, no other host, no sideways scrolling."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from otlp_viewer.rows import SPAN_KIND_SERVER
from tests.browser.conftest import MARKUP, Site
from tests.support.browser import Browser
from tests.support.viewer_rows import REQUEST_ID

THEMES, WIDTHS_PX = ("light", "dark"), (1280, 400)
MAX_PAGE_BYTES = 1_000_000


def _paths(site: Site) -> dict[str, str]:
    """Return the addresses of all pages, by the names of their pictures."""
    servers = [
        span
        for span in site.story.spans
        if span.kind == SPAN_KIND_SERVER and "faas.invocation_id" in span.attributes
    ]
    cold = next(span for span in servers if span.attributes["faas.coldstart"])
    failed = next(span for span in servers if span.failed)
    invocation = "/invocation?request="
    cold_id = cold.attributes["faas.invocation_id"]
    return {
        "invocations": "/",
        "invocations-filtered": "/?status=error",
        "invocations-none": "/?q=nothing+like+this",
        "invocation-cold": f"{invocation}{cold_id}&span={cold.span_id}",
        "invocation-failed": f"{invocation}{failed.attributes['faas.invocation_id']}",
        "invocation-markup": f"{invocation}{REQUEST_ID}",
        "logs": "/logs",
        "logs-errors": "/logs?severity=error",
        "cost": "/cost",
        "cost-memory": "/cost?by=memory",
        "cost-features": "/cost?by=feature",
        "health": "/health",
    }


def _check(browser: Browser, endpoint: str) -> None:
    """Hold what is true of every page that is shown now."""
    assert browser.read_complaints() == []
    assert browser.read_hosts() == {urlsplit(endpoint).netloc}
    width = browser.evaluate("return document.documentElement.scrollWidth")
    assert width <= browser.evaluate("return window.innerWidth"), "scrolls sideways"


def _await_charts(browser: Browser) -> int:
    """Return how many charts the page has, once they are drawn."""
    count: int = browser.evaluate("return document.querySelectorAll('.chart').length")
    browser.wait_for("return document.querySelectorAll('.chart .main-svg').length", at_least=count)
    return count


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_page_in_both_themes_and_widths(
    browser: Browser, site: Site, screenshots: Path
) -> None:
    """Pictures of each are kept for those who want to look."""
    for name, path in _paths(site).items():
        for theme in THEMES:
            browser.set_theme(theme)
            for width_px in WIDTHS_PX:
                browser.set_size(width_px, 800)
                browser.show(site.endpoint + path)
                _await_charts(browser)
                picture = screenshots / f"{name}-{theme}-{width_px}.png"
                browser.take_screenshot(picture, whole=True)
                assert picture.stat().st_size > 5_000
                _check(browser, site.endpoint)


def test_pages_that_have_nothing_yet(browser: Browser, empty_site: Site, screenshots: Path) -> None:
    """And those that are not there."""
    for name, path in {
        "empty-invocations": "/",
        "empty-logs": "/logs",
        "empty-cost": "/cost",
        "empty-health": "/health",
    }.items():
        browser.show(empty_site.endpoint + path)
        browser.take_screenshot(screenshots / f"{name}.png")
        _check(browser, empty_site.endpoint)
    browser.show(empty_site.endpoint + "/?status=nope")
    browser.take_screenshot(screenshots / "problem.png")
    # That a page is not there is the one thing that a browser complains of by itself.
    assert all("400" in words for words in browser.read_complaints())


def test_pages_are_small_and_only_charts_load_their_script(browser: Browser, site: Site) -> None:
    """All that a page needs beside the chart script is less than a megabyte."""
    for path in _paths(site).values():
        browser.show(site.endpoint + path)
        loaded = browser.evaluate(
            "return [...performance.getEntriesByType('navigation'),"
            " ...performance.getEntriesByType('resource')].map(e => [e.name, e.decodedBodySize])"
        )
        own = sum(size for name, size in loaded if "plotly" not in name)
        assert own < MAX_PAGE_BYTES, path
        has_charts = path.startswith(("/cost", "/health"))
        assert any("plotly" in name for name, _ in loaded) == has_charts


def test_charts_are_drawn_in_the_colours_of_the_theme(browser: Browser, site: Site) -> None:
    """And again when the theme changes."""
    browser.show(site.endpoint + "/cost")
    assert _await_charts(browser) == 2
    script = "return document.querySelector('.chart .bars path').style.fill"
    light = browser.evaluate(script)
    browser.set_theme("dark")
    browser.wait_for(f"return {script.removeprefix('return ')} !== '{light}'")
    _check(browser, site.endpoint)


def test_markup_in_a_line_is_text(browser: Browser, site: Site) -> None:
    """In lists, in the waterfall, in attributes, and in what a search is repeated in."""
    browser.show(f"{site.endpoint}/invocation?request={REQUEST_ID}&span={'bb' * 8}")
    assert MARKUP in browser.evaluate("return document.querySelector('.lines').textContent")
    assert MARKUP in browser.evaluate("return document.querySelector('.waterfall').textContent")
    browser.show(f"{site.endpoint}/logs?q=%3Cscript%3E&invocation={REQUEST_ID}")
    assert browser.evaluate("return document.querySelectorAll('tbody tr').length") == 2
    assert "taken" not in browser.evaluate("return document.title")
    assert browser.evaluate("return document.querySelectorAll('main img, main script').length") == 0
    _check(browser, site.endpoint)
