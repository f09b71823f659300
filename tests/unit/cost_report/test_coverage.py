"""How much of what happened the spans show."""

import pytest

from cost_report.columns import ALWAYS
from cost_report.coverage import Coverage, measure_coverage, say_coverage
from cost_report.invocations import find_invocations, select_functions
from tests.support.cost_rows import make_row, make_table
from tests.support.cost_tables import ENGINES, open_tables, spans_of, sums_of
from tests.support.telemetry_story import make_story

STORY = make_story(2, functions=5, invocations=200)


@pytest.mark.parametrize("engine", ENGINES)
def test_metrics_count_what_was_sampled_away(engine: str) -> None:
    """Of each second trace no span came."""
    kept = {facts.trace_id for facts in STORY.facts[::2]}
    spans = [span for span in STORY.spans if span.trace_id in kept]
    with open_tables(engine, spans=spans, metrics=STORY.metrics) as source:
        invocations = find_invocations(spans_of(source))
        whole = measure_coverage(invocations, sums_of(source))
        some = select_functions(invocations, ["shop-checkout"])
        shop = measure_coverage(some, sums_of(source), ALWAYS, ["shop-checkout"])
    assert (whole.spans, whole.counted) == (100, 200)
    costs = [facts.cost_usd or 0.0 for facts in STORY.facts]
    assert whole.spans_usd == pytest.approx(sum(costs[::2]))
    assert whole.counted_usd == pytest.approx(sum(costs))
    unpriced = [facts for facts in STORY.facts[::2] if facts.cost_usd is None]
    assert sum(whole.unpriced.values()) == len(unpriced)
    assert whole.unpriced["unknown_price"] == sum(
        facts.missing_reason == "unknown_price" for facts in unpriced
    )
    assert shop.counted == sum(facts.profile.name == "shop-checkout" for facts in STORY.facts)
    assert say_coverage(whole).startswith("100 of 200 invocations have a span; ")


def test_without_metrics_nothing_is_counted() -> None:
    """None is not 0: nobody knows what is missing."""
    found = measure_coverage(make_table([make_row()]), None)
    assert (found.counted, found.counted_usd, found.spans) == (None, None, 1)
    assert say_coverage(found) == ""


def test_no_invocations_are_no_error() -> None:
    """Spans may all have been sampled away."""
    found = measure_coverage(make_table([]), None)
    assert (found.spans, found.spans_usd, found.unpriced) == (0, 0.0, {})


def test_what_is_missing_is_said_with_its_reason() -> None:
    """In words, also of a reason that we do not know."""
    coverage = Coverage(
        spans=1200,
        spans_usd=1.0,
        unpriced={"": 3, "unknown_price": 1000, "odd": 1},
        counted=12000,
        counted_usd=2.0,
    )
    assert say_coverage(coverage) == (
        "1,200 of 12,000 invocations have a span; 3 of 1,200 have no cost: their report has not"
        " come (yet); 1 of 1,200 have no cost: odd; 1,000 of 1,200 have no cost: the price in their"
        " region was not known"
    )


def test_spans_that_are_ahead_of_metrics_are_no_gap() -> None:
    """Metrics go once a minute."""
    coverage = Coverage(spans=10, spans_usd=1.0, unpriced={}, counted=8, counted_usd=0.8)
    assert say_coverage(coverage) == ""
