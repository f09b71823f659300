"""The page of costs, against the truth of a story."""

import pytest

from otlp_viewer.database import Database
from tests.support.page_reader import PageReader
from tests.support.telemetry_story import make_story
from tests.support.viewer_rows import make_server_span
from web_view.cost_page import FIELDS, read_costs
from web_view.parameters import CostQuery
from web_view.source import Source

_STORY = make_story(5, invocations=150)


@pytest.fixture
def told(database: Database) -> Database:
    """A story in the tables."""
    database.add_spans(_STORY.spans)
    database.add_logs(_STORY.logs)
    database.add_metrics(_STORY.metrics)
    return database


def test_the_whole_is_the_sum_of_its_groups(told: Database) -> None:
    """By whatever they are grouped."""
    source = Source(told)
    for by in FIELDS:
        page = read_costs(source, CostQuery(by=by))
        assert page.whole is not None
        whole = page.whole.group
        assert whole.invocations == len(_STORY.facts)
        assert sum(row.group.invocations for row in page.rows) == whole.invocations
        assert sum(row.group.cost_usd for row in page.rows) == pytest.approx(whole.cost_usd)
        assert page.groups_chart is not None


def test_time_holds_the_same_costs(told: Database) -> None:
    """Part by part."""
    page = read_costs(Source(told), CostQuery())
    stretches = page.course.stretches
    assert page.whole is not None
    whole = page.whole.group
    assert sum(each.usd for each in stretches) == pytest.approx(whole.cost_usd)
    assert sum(each.invocations for each in stretches) == whole.priced
    assert sum(each.extension_usd for each in stretches) == pytest.approx(
        whole.cost_usd * (whole.extension_share or 0)
    )
    starts = [each.start_unix_nano for each in stretches]
    assert starts == sorted(starts)


def test_a_function_can_be_looked_at_alone(told: Database) -> None:
    """Its groups only."""
    page = read_costs(Source(told), CostQuery(by="version", function="shop-search"))
    assert {row.name for row in page.rows} == {"shop-search"}
    assert page.functions == sorted({facts.profile.name for facts in _STORY.facts})


def test_features_are_ranked(told: Database) -> None:
    """From the metrics, which sampling does not touch."""
    page = read_costs(Source(told), CostQuery(by="feature"))
    assert page.features
    costs = [each.usd for each in page.features]
    assert costs == sorted(costs, reverse=True)
    assert not page.rows


@pytest.mark.usefixtures("told")
async def test_the_page_shows_charts_with_the_same_in_a_table(pages: PageReader) -> None:
    """The figures are data that no policy has to let run."""
    main = (await pages.get("/cost?by=memory")).main
    scripts = main.all("script")
    assert [script.attributes["type"] for script in scripts] == ["application/json"] * 2
    charts = {script.attributes["data-chart"] for script in scripts}
    assert charts == {each.attributes["id"] for each in main.all("div", class_="chart")}
    assert len(main.all("table", class_="figures")) == 2
    assert "Instrumentation" in main.text


async def test_without_a_cost_the_page_says_what_would_help(
    pages: PageReader, database: Database
) -> None:
    """A price that is not known is never guessed."""
    database.add_spans([make_server_span()])
    text = (await pages.get("/cost")).main.text
    assert "1 invocations are here, none with a cost." in text
    assert "LOGGER_EXTENSION_PRICE_GB_SECOND" in text
    text = (await pages.get("/cost?function=other")).main.text
    assert "No invocation of this function yet" in text


async def test_features_that_nobody_named_say_how_to_name_them(
    pages: PageReader, database: Database
) -> None:
    """With the settings."""
    database.add_spans(_STORY.spans)
    assert "LOGGER_EXTENSION_FEATURE" in (await pages.get("/cost?by=feature")).main.text
