"""The pages by keyboard, and without script."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Site
from tests.support.browser import Browser
from tests.support.viewer_rows import REQUEST_ID

_FOCUSED_ROW = "return document.activeElement.closest('tr')?.rowIndex ?? 0"


def test_rows_are_walked_and_opened(browser: Browser, site: Site) -> None:
    """By j, k and Enter; the row that has the focus is seen."""
    browser.show(site.endpoint + "/")
    browser.press("j", "j", "j", "k")
    assert browser.evaluate(_FOCUSED_ROW) == 2
    browser.press("k", "k", "k")
    assert browser.evaluate(_FOCUSED_ROW) == 1
    assert browser.evaluate("return document.activeElement.matches(':focus-visible')")
    browser.press(Keys.ENTER)
    browser.wait_for("return location.pathname === '/invocation'")


def test_the_last_row_is_brought_into_view(browser: Browser, site: Site) -> None:
    """And stays the last."""
    browser.show(site.endpoint + "/logs")
    browser.press("k")
    count = browser.evaluate("return document.querySelectorAll('tbody tr').length")
    assert browser.evaluate(_FOCUSED_ROW) == count
    browser.press("j")
    assert browser.evaluate(_FOCUSED_ROW) == count
    assert browser.evaluate(
        "const box = document.activeElement.getBoundingClientRect();"
        "return box.top >= 0 && box.bottom <= innerHeight"
    )


def test_the_search_field_is_a_key_away(browser: Browser, site: Site) -> None:
    """What is typed there is text, Enter searches, Escape leaves."""
    browser.show(site.endpoint + "/logs")
    browser.press("/", "j", "k", "/")
    assert browser.evaluate("return document.activeElement.value") == "jk/"
    browser.press(Keys.ESCAPE)
    assert browser.evaluate("return document.activeElement === document.body")
    browser.press("/", "j", "k", "/", Keys.ENTER)
    browser.wait_for("return new URLSearchParams(location.search).get('q') === 'jk/'")


def test_the_keys_tell_of_themselves(browser: Browser, site: Site) -> None:
    """In a dialog that Escape closes, and that keeps the other keys for itself."""
    browser.show(site.endpoint + "/")
    browser.press("?")
    assert browser.evaluate("return document.getElementById('keys').open")
    browser.press("j")
    assert browser.evaluate(_FOCUSED_ROW) == 0
    browser.press(Keys.ESCAPE)
    assert not browser.evaluate("return document.getElementById('keys').open")
    browser.evaluate("document.getElementById('show-keys').click()")
    assert browser.evaluate("return document.getElementById('keys').open")


def test_the_first_stop_skips_to_the_content(browser: Browser, site: Site) -> None:
    """It is seen when it has the focus."""
    browser.show(site.endpoint + "/")
    browser.press(Keys.TAB)
    assert browser.evaluate("return document.activeElement.textContent") == "Skip to the content"
    assert browser.evaluate("return document.activeElement.getBoundingClientRect().height") > 10
    browser.press(Keys.ENTER)
    assert browser.evaluate("return document.activeElement.id") == "main"


def test_a_span_is_selected_in_place(browser: Browser, site: Site) -> None:
    """Its lines are marked, the address says so, and the focus stays on it."""
    browser.show(f"{site.endpoint}/invocation?request={REQUEST_ID}")
    browser.press("j", Keys.DOWN, Keys.ENTER)
    browser.wait_for("return document.querySelectorAll('.line.marked').length")
    marked = "return [...document.querySelectorAll('.line.marked .text')].map(e => e.textContent)"
    assert browser.evaluate(marked) == ["of the span"]
    assert f"span={'bb' * 8}" in browser.evaluate("return location.search")
    assert browser.evaluate("return document.activeElement.dataset.select") == "bb" * 8
    assert browser.evaluate("return document.querySelector('tr[aria-selected=true]').id")
    browser.press(Keys.ENTER)
    browser.wait_for("return !document.querySelector('.line.marked')")
    assert "span=" not in browser.evaluate("return location.search")


def test_a_line_leads_to_its_span(browser: Browser, site: Site) -> None:
    """By the name that stands beside it."""
    browser.show(f"{site.endpoint}/invocation?request={REQUEST_ID}")
    browser.evaluate("document.querySelector('.of-span').click()")
    browser.wait_for("return document.querySelector('tr[aria-selected=true]')")
    assert browser.evaluate("return document.querySelector('tr[aria-selected=true]').id") == (
        f"s-{'bb' * 8}"
    )


@pytest.mark.parametrize("path", ["/?status=error", f"/invocation?request={REQUEST_ID}"])
def test_everything_is_there_without_script(browser: Browser, site: Site, path: str) -> None:
    """Rows, links and marks come from the server."""
    driver = browser.driver
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.show(site.endpoint + path)
        driver.find_element("css selector", "main a.open").click()
        assert "request=" in driver.current_url
        assert driver.find_elements("css selector", ".waterfall tbody tr")
        assert not driver.find_element("id", "live").is_displayed()
        assert not driver.find_element("id", "show-keys").is_displayed()
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
