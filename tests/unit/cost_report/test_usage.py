"""What one request needs, from spans and from metrics."""

import pytest

from cost_report.invocations import find_invocations
from cost_report.usage import Usage, measure_usage
from otlp_viewer import Distribution, MetricRow
from tests.support.cost_rows import make_row, make_table
from tests.support.cost_tables import CLICKHOUSE, DUCKDB, ENGINES, open_tables, spans_of
from tests.support.telemetry_story import make_story
from tests.support.viewer_rows import make_metric, make_server_span

STORY = make_story(9, functions=3, invocations=200)
MIB = 1024 * 1024


def make_cpu(kind: str, count: int, seconds: float, **changes: object) -> MetricRow:
    """Return a point of CPU time of a function on arm64 with 512 MB."""
    resource = {
        "faas.name": "sandbox-function",
        "faas.max_memory": 512 * MIB,
        "host.arch": "arm64",
    }
    value = Distribution(count=count, sum=seconds, min=None, max=None)
    values = {"name": "faas.cpu_usage", "kind": kind, "value": value, "temporality": 1}
    return make_metric(**(values | {"resource": resource} | changes))


def measure(engine: str) -> list[Usage]:
    """Return the usages of the story."""
    with open_tables(engine, spans=STORY.spans, metrics=STORY.metrics) as source:
        return measure_usage(find_invocations(spans_of(source)), source.histograms)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_means_are_those_of_the_story(engine: str) -> None:
    """By function, region, architecture and size, most invocations first."""
    usages = measure(engine)
    assert [usage.invocations for usage in usages] == sorted(
        (usage.invocations for usage in usages), reverse=True
    )
    assert sum(usage.invocations for usage in usages) == len(STORY.facts)
    for usage in usages:
        facts = [
            each
            for each in STORY.facts
            if (each.profile.name, each.version.memory_mb, each.version.architecture)
            == (usage.function, usage.memory_size_mb, usage.architecture)
        ]
        priced = [each for each in facts if each.cost_usd]
        assert (usage.invocations, usage.priced) == (len(facts), len(priced))
        costs = [each.cost_usd or 0.0 for each in priced]
        assert usage.cost_usd == pytest.approx(sum(costs) / len(priced))
        parts = usage.handler_usd, usage.init_usd, usage.extension_usd
        assert sum(part or 0.0 for part in parts) == pytest.approx(usage.cost_usd)
        assert usage.duration_ms == pytest.approx(
            sum(each.runtime_ms for each in facts) / len(facts)
        )
        reported = [each.max_memory_used_mb for each in facts if each.billed_ms is not None]
        assert usage.max_memory_used_mb == max(reported)
        # The story's CPU time is a fifth to seven tenths of the duration.
        assert usage.cpu_s is not None
        assert 0.2 < usage.cpu_s / (usage.duration_ms / 1000) < 0.7


def test_the_engines_agree() -> None:
    """But for the last digit of a mean."""
    for one, other in zip(measure(DUCKDB), measure(CLICKHOUSE), strict=True):
        assert (one.function, one.memory_size_mb) == (other.function, other.memory_size_mb)
        assert one.cost_usd == pytest.approx(other.cost_usd)
        assert one.cpu_s == pytest.approx(other.cpu_s)


@pytest.mark.parametrize("engine", ENGINES)
def test_cpu_time_is_read_from_histograms_of_both_kinds(engine: str) -> None:
    """A user may want exponential ones; the mean is over the invocations of both."""
    resource = {"faas.name": "sandbox-function", "host.arch": "arm64", "faas.max_memory": 512 * MIB}
    points = [
        make_cpu("histogram", 3, 0.6),
        make_cpu("exponential_histogram", 1, 0.6),
        make_cpu("histogram", 5, 9.0, name="faas.net_io"),
        make_cpu("histogram", 5, 9.0, resource={"faas.name": "other"}),
    ]
    with open_tables(engine, spans=[make_server_span(resource=resource)], metrics=points) as source:
        [usage] = measure_usage(find_invocations(spans_of(source)), source.histograms)
    assert usage.cpu_s == pytest.approx(0.3)


def test_without_metrics_cpu_time_is_not_known() -> None:
    """All else is."""
    [usage] = measure_usage(make_table([make_row(), make_row(cost_usd=None)]), None)
    assert usage.cpu_s is None
    assert (usage.invocations, usage.priced, usage.cost_usd) == (2, 1, 2e-6)


def test_without_a_cost_there_is_none() -> None:
    """Neither 0 nor an error."""
    [usage] = measure_usage(make_table([make_row(cost_usd=None)]), None)
    assert (usage.priced, usage.cost_usd, usage.handler_usd) == (0, None, None)
