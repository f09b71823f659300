"""What each feature costs and where it is going."""

from collections import defaultdict
from datetime import timedelta

import pytest

from cost_report.columns import Period
from cost_report.features import FeatureReport, report_features
from cost_report.trends import Direction, Trend
from cost_report.values import NotEnoughData
from otlp_viewer import MetricRow
from tests.support.cost_tables import CLICKHOUSE, DUCKDB, ENGINES, open_tables, sums_of
from tests.support.telemetry_story import make_story
from tests.unit.cost_report.test_increments import CUMULATIVE, START, make_point

STORY = make_story(3, functions=2, invocations=300)
HOUR_S = 3_600


def make_course(feature: str, costs_usd: list[float], function: str = "shop") -> list[MetricRow]:
    """Return a point an hour."""
    return [
        make_point(
            hour * HOUR_S,
            hour * HOUR_S + 60,
            usd,
            name="aws.lambda.feature.cost",
            attributes={"feature": feature} if feature else {"otel.metric.overflow": True},
            resource={"faas.name": function, "faas.version": str(7 + hour // 12)},
        )
        for hour, usd in enumerate(costs_usd)
    ]


def report(points: list[MetricRow], engine: str = DUCKDB, **how: object) -> FeatureReport:
    """Return what there is to report."""
    with open_tables(engine, metrics=points) as source:
        found = report_features(sums_of(source), **how)  # type: ignore[arg-type]
    assert isinstance(found, FeatureReport), found
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_the_costs_are_those_of_the_story(engine: str) -> None:
    """Of each function together what its priced invocations cost; shares are of the function."""
    found = report([*STORY.metrics, *STORY.metrics], engine)
    costs: defaultdict[str, float] = defaultdict(float)
    for facts in STORY.facts:
        costs[facts.profile.name] += facts.cost_usd or 0.0
    for function, usd in costs.items():
        own = [each for each in found.features if each.function == function]
        assert sum(each.usd for each in own) == pytest.approx(usd)
        assert sum(each.share for each in own) == pytest.approx(1.0)
    assert [each.usd for each in found.features] == sorted(
        (each.usd for each in found.features), reverse=True
    )
    for each in found.features:
        assert sum(each.course_usd) == pytest.approx(each.usd)


def test_the_engines_agree() -> None:
    """On features, costs and trends."""
    both = [report(STORY.metrics, engine, by_version=True) for engine in (DUCKDB, CLICKHOUSE)]
    assert (both[0].start, both[0].end) == (both[1].start, both[1].end)
    for one, other in zip(both[0].features, both[1].features, strict=True):
        assert (one.function, one.version, one.feature) == (
            other.function,
            other.version,
            other.feature,
        )
        assert one.course_usd == pytest.approx(other.course_usd)
        assert isinstance(one.trend, Trend) == isinstance(other.trend, Trend)


def test_a_trend_is_told_where_there_is_one() -> None:
    """Of three features over a day, one rises, one falls, one only wavers."""
    points = [
        *make_course("rises", [1e-6] * 12 + [2e-6] * 12),
        *make_course("falls", [3e-6] * 12 + [1e-6] * 12),
        *make_course("wavers", [1e-6, 3e-6] * 12),
    ]
    found = {each.feature: each.trend for each in report(points).features}
    directions = {
        name: trend.direction for name, trend in found.items() if isinstance(trend, Trend)
    }
    assert directions == {
        "rises": Direction.RISING,
        "falls": Direction.FALLING,
        "wavers": Direction.NONE,
    }


def test_stretches_without_cost_are_there() -> None:
    """A feature that was used once has a course of zeros but for that, and no trend."""
    points = [*make_course("often", [1e-6] * 24), *make_course("once", [5e-6])]
    found = {each.feature: each for each in report(points).features}
    assert found["once"].course_usd == (5e-6, *[0.0] * 23)
    assert isinstance(found["once"].trend, NotEnoughData)
    assert found["often"].course_usd == pytest.approx([1e-6] * 24)


def test_versions_are_told_apart_on_request() -> None:
    """Else a feature is one, whatever the version."""
    points = make_course("a", [1e-6] * 24)
    assert [each.version for each in report(points).features] == [None]
    told = report(points, by_version=True).features
    assert {(each.version, each.share) for each in told} == {("7", 1.0), ("8", 1.0)}


def test_what_is_beyond_the_limit_is_other() -> None:
    """The extension says so by name, its aggregator by an attribute of its own."""
    points = [*make_course("", [1e-6]), *make_course("other", [2e-6])]
    [other] = report(points).features
    assert other.feature == "other"
    assert other.usd == pytest.approx(3e-6)


def test_functions_and_periods_can_be_chosen() -> None:
    """Shares are of what was chosen."""
    points = [*make_course("a", [1e-6] * 4), *make_course("b", [9e-6] * 4, function="other")]
    [only] = report(points, functions=["shop"]).features
    assert (only.function, only.share) == ("shop", 1.0)
    early = report(points, period=Period(None, START + timedelta(hours=1, minutes=30)))
    assert [each.usd for each in early.features] == pytest.approx([18e-6, 2e-6])


def test_cumulative_costs_are_not_added_up() -> None:
    """A sender may say how much there has been so far."""
    points = [
        make_point(
            0, 60 * (n + 1), n * 1e-6, name="aws.lambda.feature.cost", temporality=CUMULATIVE
        )
        for n in range(5)
    ]
    [feature] = report(points).features
    assert feature.usd == pytest.approx(4e-6)


def test_nothing_is_said_to_be_nothing() -> None:
    """With what would change that."""
    missing = report_features(None)
    assert isinstance(missing, NotEnoughData)
    with open_tables(DUCKDB, metrics=[make_point(0, 1, 1.0)]) as source:
        empty = report_features(sums_of(source))
    assert isinstance(empty, NotEnoughData)
    assert "LOGGER_EXTENSION_FEATURE_ATTRIBUTE" in empty.reason
