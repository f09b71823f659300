"""What metrics grew by."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cost_report.columns import ALWAYS, Period
from cost_report.increments import find_increments
from cost_report.reading import read_rows
from otlp_viewer import MetricRow
from tests.support.cost_tables import CLICKHOUSE, DUCKDB, ENGINES, open_tables, sums_of
from tests.support.viewer_rows import make_metric

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DELTA, CUMULATIVE = 1, 2
NANOS_PER_S = 10**9


def make_point(start_s: float, end_s: float, value: float, **changes: Any) -> MetricRow:
    """Return a point of a counter; seconds count from START."""
    base = int(START.timestamp())
    values = {
        "name": "cost",
        "temporality": DELTA,
        "resource": {"faas.name": "shop", "faas.instance": "one"},
        "attributes": {"feature": "a"},
    }
    return make_metric(
        start_unix_nano=int((base + start_s) * NANOS_PER_S),
        time_unix_nano=int((base + end_s) * NANOS_PER_S),
        value=value,
        **(values | changes),
    )


def find(
    engine: str, points: list[MetricRow], period: Period = ALWAYS, **front: Any
) -> list[tuple[float, float]]:
    """Return the seconds after START and the value of each increment that is not 0."""
    with open_tables(engine, metrics=points, **front) as source:
        found = find_increments(
            sums_of(source), ["cost"], {"value": "Value"}, label="feature", period=period
        )
        rows = read_rows(found)
    zero = int(START.timestamp())
    return sorted((row["seconds"] - zero, row["value"]) for row in rows if row["value"])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_delta_is_worth_itself_once(engine: str) -> None:
    """However often it came."""
    points = [make_point(0, 60, 3.0), make_point(60, 120, 3.0), make_point(120, 180, 4.0)]
    assert find(engine, [*points, *points[1:]]) == [(60, 3.0), (120, 3.0), (180, 4.0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_cumulative_point_is_worth_what_it_is_more(engine: str) -> None:
    """Than the one before it in its series, in whatever order they came, and however often."""
    how = {"temporality": CUMULATIVE}
    points = [
        make_point(0, 180, 9.0, **how),
        make_point(0, 60, 3.0, **how),
        make_point(0, 120, 5.0, **how),
        make_point(0, 120, 5.0, **how),
        make_point(0, 90, 7.0, attributes={"feature": "b"}, **how),
        make_point(0, 90, 11.0, resource={"faas.name": "shop", "faas.instance": "two"}, **how),
    ]
    assert find(engine, points) == [(60, 3.0), (90, 7.0), (90, 11.0), (120, 2.0), (180, 4.0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_count_that_begins_anew_is_not_negative(engine: str) -> None:
    """With another start, as the specification wants it, or without."""
    how = {"temporality": CUMULATIVE}
    anew = [make_point(0, 60, 9.0, **how), make_point(60, 120, 2.0, **how)]
    fallen = [make_point(0, 180, 1.0, **how)]
    assert find(engine, anew + fallen) == [(60, 9.0), (120, 2.0), (180, 1.0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_period_counts_from_the_point_before_it(engine: str) -> None:
    """Not from nothing: what was counted before is not of the period."""
    how = {"temporality": CUMULATIVE}
    points = [make_point(0, 60, 9.0, **how), make_point(0, 3_660, 11.0, **how)]
    hour = timedelta(hours=1)
    assert find(engine, points, Period(START + hour, None)) == [(3_660, 2.0)]
    assert find(engine, points, Period(None, START + hour)) == [(60, 9.0)]


def test_a_collector_that_keeps_whole_seconds_loses_none() -> None:
    """Two invocations of the same price in one second are two, though their rows are equal."""
    points = [
        make_point(0.1, 0.4, 3.0),
        make_point(0.4, 0.8, 3.0),
        make_point(0.8, 1.2, 5.0),
        make_point(0.8, 1.2, 5.0),
        make_point(0.1, 0.4, 7.0, temporality=CUMULATIVE),
        make_point(0.1, 0.8, 9.0, temporality=CUMULATIVE),
    ]
    found = find(CLICKHOUSE, points, time_type="DateTime")
    assert sum(value for _, value in found) == 3 + 3 + 5 + 9
    precise = find(DUCKDB, points)
    assert sum(value for _, value in precise) == 3 + 3 + 5 + 9


@pytest.mark.parametrize("engine", ENGINES)
def test_a_point_tells_of_its_function(engine: str) -> None:
    """And without one, of its service; NaN is nothing."""
    points = [
        make_point(
            0,
            1,
            2.0,
            resource={
                "faas.name": "shop",
                "faas.version": "7",
                "cloud.region": "eu-west-1",
                "host.arch": "arm64",
                "faas.max_memory": 512 * 1024 * 1024,
            },
        ),
        make_point(0, 1, 3.0, resource={"service.name": "other"}, attributes={}),
        make_point(0, 1, float("nan"), resource={"service.name": "third"}),
        make_point(0, 1, 4.0, name="something.else"),
    ]
    with open_tables(engine, metrics=points) as source:
        found = find_increments(sums_of(source), ["cost"], {"value": "Value"}, label="feature")
        rows = sorted(read_rows(found), key=lambda row: str(row["function"]))
    assert [(row["function"], row["value"]) for row in rows] == [
        ("other", 3.0),
        ("shop", 2.0),
        ("third", 0.0),
    ]
    named = ("metric", "version", "region", "architecture", "memory_size_mb", "label")
    assert [rows[1][name] for name in named] == ["cost", "7", "eu-west-1", "arm64", 512, "a"]
    assert [rows[0][name] for name in named] == ["cost", "", "", "", None, ""]
