"""Metrics and cost of the running whole: what Lambda told is what arrives, and shares add up."""

import json
from math import isclose
from pathlib import Path

import pytest

from otlp_viewer.rows import MetricRow
from tests.support.whole import Whole, run_whole

# us-east-1, x86_64, 512 MB: list prices of a request and a millisecond.
REQUEST_USD = 0.0000002
MS_USD = {"x86_64": 0.0000166667 / 2 / 1000, "arm64": 0.0000133334 / 2 / 1000}


def points(whole: Whole, name: str) -> list[MetricRow]:
    """Return the points of a metric at the collector."""
    return [row for row in whole.collector.store.metrics if row.name == name]


def total(whole: Whole, name: str, **attributes: str) -> float:
    """Return the sum of a counter's points that have these attributes."""
    wanted = {key.replace("_", "."): value for key, value in attributes.items()}
    found = [row for row in points(whole, name) if wanted.items() <= dict(row.attributes).items()]
    return sum(row.value for row in found if isinstance(row.value, int | float))


async def test_counts_at_shutdown(tmp_path: Path) -> None:
    """Invocations, errors, cold starts, timeouts: added up, and sent once."""
    async with run_whole(tmp_path, scenario={"timeout_ms": 900}) as whole:
        for _ in range(3):
            await whole.sandbox.invoke()
        await whole.sandbox.invoke(b'{"sleep_s": 5}')
        await whole.sandbox.shutdown()
        assert total(whole, "faas.invocations") == 3
        assert total(whole, "faas.timeouts") == 1
        assert total(whole, "faas.coldstarts") == 1


async def test_cost_is_the_list_price_of_what_was_billed(tmp_path: Path) -> None:
    """The spans' costs, the metric's parts, and the price list agree."""
    async with run_whole(tmp_path, scenario={"memory_size_mb": 512}) as whole:
        for _ in range(3):
            await whole.sandbox.invoke(b'{"sleep_s": 0.02}')
        await whole.sandbox.shutdown()
        told = [
            span.attributes
            for span in whole.collector.store.spans
            if span.name == "extensionOverhead"
        ]
        by_span = 0.0
        for attributes in told:
            cost_usd = float(attributes["aws.lambda.cost_usd"])
            billed_ms = int(attributes["aws.lambda.billed_duration_ms"])
            list_prices = [REQUEST_USD + billed_ms * usd for usd in MS_USD.values()]
            assert any(isclose(cost_usd, price, abs_tol=2e-12) for price in list_prices)
            by_span += cost_usd
        assert len(told) == 3
        # The last report comes at SHUTDOWN; all three are in both.
        assert isclose(total(whole, "aws.lambda.cost"), by_span, abs_tol=1e-11)


async def test_a_point_for_each_invocation_when_asked(tmp_path: Path) -> None:
    """With an interval of 0 nothing is added up."""
    environ = {"OTEL_METRIC_EXPORT_INTERVAL": "0"}
    async with run_whole(tmp_path, environ=environ) as whole:
        for _ in range(3):
            await whole.sandbox.invoke()
        await whole.sandbox.shutdown()
        assert [row.value for row in points(whole, "faas.invocations")] == [1, 1, 1]


@pytest.mark.parametrize("split", ["rest", "split"])
async def test_cost_per_feature_from_log_lines(tmp_path: Path, split: str) -> None:
    """A function without an SDK: the time between markers, and the sum is the invocation's cost."""
    environ = {
        "LOGGER_EXTENSION_FEATURE_LOG_FIELD": "feature",
        "LOGGER_EXTENSION_FEATURE_OVERHEAD": split,
    }
    handler = (
        "import json, time\n"
        "def handler(event, context):\n"
        "    for feature in ('search', 'checkout'):\n"
        "        print(json.dumps({'feature': feature, 'message': 'begin'}), flush=True)\n"
        "        time.sleep(0.05)\n"
    )
    async with run_whole(tmp_path, handler=handler, environ=environ) as whole:
        for _ in range(2):
            await whole.sandbox.invoke()
        await whole.sandbox.shutdown()
        name = "aws.lambda.feature.cost"
        features = {str(dict(row.attributes)["feature"]) for row in points(whole, name)}
        assert {"search", "checkout", "(unattributed)"} <= features
        assert ("(init)" in features) == (split == "split")
        assert total(whole, name, feature="search") > 0
        assert isclose(total(whole, name), total(whole, "aws.lambda.cost"), abs_tol=1e-11)


async def test_own_price_and_no_price(tmp_path: Path) -> None:
    """A region without a list price has no figure and a reason; an own price gives one."""
    async with run_whole(tmp_path, scenario={"region": "mars-north-1"}) as whole:
        await whole.sandbox.invoke()
        await whole.sandbox.shutdown()
        assert points(whole, "aws.lambda.cost") == []
        [line] = [json.loads(text) for text in whole.stderr]
        assert "LOGGER_EXTENSION_PRICE_GB_SECOND" in line["reason"]


async def test_usage_of_the_sandbox(tmp_path: Path) -> None:
    """CPU, storage and threads are measured unless they are turned off."""
    async with run_whole(tmp_path) as whole:
        await whole.sandbox.invoke()
        await whole.sandbox.shutdown()
        assert points(whole, "faas.cpu_usage")
    other = tmp_path / "other"
    other.mkdir()
    environ = {"LOGGER_EXTENSION_USAGE_METRICS": "false"}
    async with run_whole(other, environ=environ) as whole:
        await whole.sandbox.invoke()
        await whole.sandbox.shutdown()
        assert points(whole, "faas.cpu_usage") == []
        assert total(whole, "faas.invocations") == 1
