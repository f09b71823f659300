"""A browser for each module, and pages of telemetry that has everything in it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from otlp_viewer import LogRow, SpanRow
from otlp_viewer.database import Database
from tests.support.browser import MISSING, Browser, open_browser
from tests.support.telemetry_story import Story, make_story
from tests.support.viewer_rows import REQUEST_ID, make_log, make_server_span, make_span
from tests.support.web_pages import serve_pages_aside

_REPOSITORY = Path(__file__).resolve().parents[2]
# What a page must show as it is: markup that would run, and one that would load from elsewhere.
MARKUP = "<script>document.title='taken'</script><img src='http://192.0.2.1/x' onerror=alert(1)>"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and MISSING:
            item.add_marker(pytest.mark.skip(reason=f"not installed: {MISSING}"))


@dataclass(frozen=True, slots=True)
class Site:
    """Pages and the database behind them."""

    endpoint: str
    database: Database
    story: Story


@pytest.fixture(scope="module")
def shared_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a new profile."""
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(shared_browser: Browser) -> Browser:
    """A browser that shows nothing, in the light theme, and has no complaint left."""
    shared_browser.show("about:blank")
    shared_browser.set_theme("light")
    shared_browser.set_size(1280, 800)
    shared_browser.read_complaints()
    shared_browser.read_hosts()
    return shared_browser


@pytest.fixture
def site() -> Iterator[Site]:
    """Two hundred invocations of three functions, and one whose texts are markup."""
    story = make_story(7, invocations=200, days=0.1)
    with Database() as database:
        database.add_spans([*story.spans, *_hostile_spans()])
        database.add_logs([*story.logs, *_hostile_lines()])
        database.add_metrics(story.metrics)
        with serve_pages_aside(database) as endpoint:
            yield Site(endpoint, database, story)


@pytest.fixture
def empty_site() -> Iterator[Site]:
    """Nothing yet."""
    with Database() as database, serve_pages_aside(database) as endpoint:
        yield Site(endpoint, database, Story())


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder for pictures of pages, outside git."""
    return Path(os.environ.get("LOGGER_EXTENSION_SCREENSHOTS", _REPOSITORY / "build/screenshots"))


def _hostile_spans() -> list[SpanRow]:
    return [
        make_server_span(name=MARKUP, resource={"faas.name": MARKUP}),
        make_span(span_id="bb" * 8, parent_span_id="aa" * 8, name=MARKUP, end_ms=50),
    ]


def _hostile_lines() -> list[LogRow]:
    return [
        make_log(body=MARKUP),
        make_log(body="of the span", span_id="bb" * 8),
        make_log(body="x", attributes={"faas.invocation_id": REQUEST_ID, MARKUP: MARKUP}),
    ]
