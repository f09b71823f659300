"""Invocations priced anew, beside what is known of each."""

from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from cost_report.invocations import find_invocations
from cost_report.reading import read_rows
from cost_report.what_if import Prices
from logger_extension.policy.prices import find_list_prices
from logger_extension_cli.cost.own_prices import OwnPrices, reprice
from logger_extension_cli.parser import build_parser
from otlp_viewer.database import Database
from tests.support.telemetry_facts import USD_PER_GB_SECOND, Facts
from tests.support.telemetry_story import make_story

STORY = make_story(functions=5)
LISTED = ["--price-request", "2e-7"] + [
    f"--price-gb-second={architecture}={usd}" for architecture, usd in USD_PER_GB_SECOND.items()
]


@pytest.fixture(scope="module")
def invocations() -> Iterator[ir.Table]:
    """The story's invocations, in DuckDB."""
    with Database() as database:
        database.add_spans(STORY.spans)
        yield find_invocations(
            ibis.duckdb.from_connection(database.connection).table("otel_traces")
        )


def read(*arguments: str) -> OwnPrices:
    """Return the prices that arguments tell."""
    return OwnPrices.read(build_parser().parse_args(["cost", "by", "function", ".", *arguments]))


def price(invocations: ir.Table, *arguments: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the repriced columns by request id."""
    rows = read_rows(reprice(invocations, read(*arguments)))
    return {row["request_id"]: row for row in rows}


def duration_usd(facts: Facts) -> float:
    """Return what is duration of an invocation's cost at list price."""
    gb = facts.version.memory_mb / 1024
    return (facts.billed_ms or 0) / 1000 * gb * USD_PER_GB_SECOND[facts.version.architecture]


def test_list_prices_give_the_costs_that_were_known(invocations: ir.Table) -> None:
    """Whole and parts; and costs where none were known for want of a price."""
    found = price(invocations, *LISTED)
    assert len(found) == len(STORY.facts)
    for facts in STORY.facts:
        row = found[facts.request_id]
        if facts.billed_ms is None:
            assert row["cost_usd"] is None
            continue
        assert row["cost_usd"] == pytest.approx(2e-7 + duration_usd(facts))
        assert row["missing_reason"] == ""
        if facts.pico_usd:
            parts = [row[f"{part}_usd"] for part in ("handler", "init", "extension")]
            assert parts == pytest.approx([pico / 1e12 for pico in facts.pico_usd], abs=1e-12)


def test_a_discount_is_off_duration_at_list_price(invocations: ir.Table) -> None:
    """The request costs what it did; where there is no list price there is no cost."""
    found = price(invocations, "--discount", "0.5")
    for facts in STORY.facts:
        cost = found[facts.request_id]["cost_usd"]
        if facts.cost_usd is None:
            assert cost is None
        else:
            assert cost == pytest.approx(2e-7 + duration_usd(facts) / 2, rel=1e-3)


def test_a_price_of_one_architecture(invocations: ir.Table) -> None:
    """The other keeps its list price."""
    found = price(invocations, "--price-gb-second", "arm64=1e-12")
    known = [facts for facts in STORY.facts if facts.cost_usd is not None]
    assert {facts.version.architecture for facts in known} == {"x86_64", "arm64"}
    for facts in known:
        expected = 2e-7 + (duration_usd(facts) if facts.version.architecture == "x86_64" else 0)
        assert found[facts.request_id]["cost_usd"] == pytest.approx(expected, rel=1e-3)


def test_instances_have_no_price_of_duration(invocations: ir.Table) -> None:
    """Managed Instances are paid by the hour, whatever a GB-second costs."""
    managed = invocations.mutate(
        cost_usd=ibis.null("float64"), missing_reason=ibis.literal("managed_instances")
    )
    found = price(managed, *LISTED)
    assert {row["cost_usd"] for row in found.values()} == {None}
    assert {row["missing_reason"] for row in found.values()} == {"managed_instances"}


def test_what_is_paid() -> None:
    """Own prices win over the list's, one for an architecture over one for all."""
    listed = find_list_prices("eu-west-1", "arm64")
    assert listed.gb_second is not None
    assert listed.request is not None
    assert not read().are_given
    assert read().find("eu-west-1", "arm64") == Prices(
        usd_per_gb_second=listed.gb_second, usd_per_request=listed.request
    )
    own = read("--price-gb-second", "1", "--price-gb-second", "arm64=2", "--discount", "0.1")
    assert own.are_given
    assert own.find("eu-west-1", "arm64") == Prices(2.0, listed.request)
    assert own.find("eu-west-1", "x86_64") == Prices(1.0, listed.request)
    assert own.find("xx-new-1", "arm64") is None
    assert read("--price-gb-second", "1", "--price-request", "0").find("", "") == Prices(1.0, 0.0)
