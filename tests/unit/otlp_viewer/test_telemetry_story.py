"""The synthetic telemetry that other tests lean on: it must say what its facts say."""

from collections import defaultdict

import pytest

from otlp_viewer.invocations import find_invocations
from tests.support.telemetry_facts import PICO
from tests.support.telemetry_logs import CONTROLS, MARKUP
from tests.support.telemetry_metrics import divide_by_feature
from tests.support.telemetry_story import make_story


def test_the_same_story_is_told_each_time() -> None:
    """And another one with another seed."""
    assert make_story(1, invocations=60) == make_story(1, invocations=60)
    assert make_story(1, invocations=60) != make_story(2, invocations=60)


def test_its_invocations_are_those_of_the_facts() -> None:
    """Found by the viewer, which shares no code with it; all kinds of them."""
    story = make_story(functions=5, invocations=2_000)
    found = {each.request_id: each for each in find_invocations(story.spans)}
    assert len(found) == len(story.facts) == 2_000
    for facts in story.facts:
        invocation = found[facts.request_id]
        assert invocation.function == facts.profile.name
        assert invocation.error_type == facts.error_type
        assert invocation.cold_start == facts.is_cold_start
        assert invocation.handler_ms == pytest.approx(facts.runtime_ms)
        assert invocation.cost_usd == facts.cost_usd
    assert {facts.version.architecture for facts in story.facts} == {"x86_64", "arm64"}
    assert len({facts.error_type for facts in story.facts}) == 5
    assert {facts.missing_reason for facts in story.facts} == {"", "no_report", "unknown_price"}
    assert len({facts.start_unix_nano // (86_400 * 10**9) for facts in story.facts}) >= 3


def test_its_metrics_add_up_to_the_costs() -> None:
    """Of all invocations, and of those with features."""
    story = make_story(functions=2, invocations=300)
    sums: dict[str, float] = defaultdict(float)
    for row in story.metrics:
        if isinstance(row.value, int | float):
            sums[row.name] += row.value
    assert sums["aws.lambda.cost"] == pytest.approx(sum(f.cost_usd or 0 for f in story.facts))
    features = sum(sum(divide_by_feature(facts).values()) for facts in story.facts)
    assert sums["aws.lambda.feature.cost"] == pytest.approx(features / PICO)
    assert sums["faas.invocations"] + sums["faas.errors"] + sums["faas.timeouts"] == 300


def test_its_logs_hold_what_must_not_act() -> None:
    """All severities, markup and control characters, each tied to its invocation."""
    story = make_story(functions=3, invocations=1_000)
    bodies = [row.body for row in story.logs]
    assert MARKUP in bodies
    assert CONTROLS in bodies
    assert {row.severity_number for row in story.logs} == {0, 1, 5, 9, 13, 17, 21}
    traces = {facts.request_id: facts.trace_id for facts in story.facts}
    assert all(row.trace_id == traces[row.attributes["faas.invocation_id"]] for row in story.logs)
