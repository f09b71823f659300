"""What a change would make of the cost of a request."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_report.usage import Usage
from cost_report.values import NotEnoughData
from cost_report.what_if import (
    Estimate,
    Prices,
    estimate_architecture,
    estimate_memory,
    estimate_without_extension,
    say_estimate,
)

X86 = Prices(usd_per_gb_second=0.0000166667, usd_per_request=0.2e-6)
ARM64 = Prices(usd_per_gb_second=0.0000133334, usd_per_request=0.2e-6)


def make_usage(**changes: Any) -> Usage:
    """Return a function of 1,024 MB on x86 that computes half of its 100 ms."""
    gb_ms = X86.usd_per_gb_second / 1000
    values: dict[str, Any] = {
        "function": "shop",
        "region": "eu-west-1",
        "architecture": "x86_64",
        "memory_size_mb": 1024,
        "invocations": 1_000,
        "priced": 990,
        "cost_usd": 0.2e-6 + 110 * gb_ms,
        "handler_usd": 0.2e-6 + 100 * gb_ms,
        "init_usd": 6 * gb_ms,
        "extension_usd": 4 * gb_ms,
        "billed_ms": 110.0,
        "duration_ms": 100.0,
        "max_memory_used_mb": 300.0,
        "cpu_s": 0.05 * 1024 / 1769,
    }
    return Usage(**(values | changes))


def estimate(result: Estimate | NotEnoughData) -> Estimate:
    """Return an estimate that there is."""
    assert isinstance(result, Estimate), result
    return result


def test_arm64_is_cheaper_by_its_price_of_duration() -> None:
    """The request costs the same; the range is for code that is a fifth faster or slower."""
    found = estimate(estimate_architecture(make_usage(), "arm64", X86, ARM64))
    gb_ms = ARM64.usd_per_gb_second / 1000
    assert found.then_usd.estimate == pytest.approx(0.2e-6 + 110 * gb_ms)
    assert found.then_usd.low == pytest.approx(0.2e-6 + 88 * gb_ms)
    assert found.then_usd.high == pytest.approx(0.2e-6 + 132 * gb_ms)
    assert "a GB-second on arm64 costs 20 % less than on x86_64" in found.assumptions[0]
    assert say_estimate(found) == "with arm64 a request costs 18 % ± 14 % less"


def test_a_discount_stays_what_it_is() -> None:
    """The measured cost is lower than by list price, and so is the estimate."""
    usage = make_usage()
    scale = 0.88
    cheap = make_usage(
        cost_usd=0.2e-6 + ((usage.cost_usd or 0) - 0.2e-6) * scale,
        init_usd=(usage.init_usd or 0) * scale,
        extension_usd=(usage.extension_usd or 0) * scale,
    )
    found = estimate(estimate_architecture(cheap, "arm64", X86, ARM64))
    gb_ms = ARM64.usd_per_gb_second / 1000 * scale
    assert found.then_usd.estimate == pytest.approx(0.2e-6 + 110 * gb_ms)


def test_half_the_memory_costs_more_than_half_where_half_computes() -> None:
    """The handler takes half as long again; init and extensions as long as now."""
    found = estimate(estimate_memory(make_usage(), 512, X86))
    gb_ms = X86.usd_per_gb_second / 1000
    assert found.then_usd.estimate == pytest.approx(0.2e-6 + (150 + 6 + 4) * gb_ms / 2)
    assert found.then_usd.low == pytest.approx(0.2e-6 + (140 + 6 + 4) * gb_ms / 2)
    assert found.then_usd.high == pytest.approx(0.2e-6 + (160 + 6 + 4) * gb_ms / 2)
    assert found.change == "512 MB instead of 1024 MB"
    assert any("none used more than 300 MB" in text for text in found.assumptions)


def test_less_than_what_is_used_is_no_size() -> None:
    """With room above the most that was seen; more memory needs no such look."""
    small = estimate_memory(make_usage(), 350, X86)
    assert isinstance(small, NotEnoughData)
    assert "up to 300 MB were in use" in small.reason
    assert "360 MB is the least" in small.reason
    assert isinstance(estimate_memory(make_usage(), 360, X86), Estimate)
    unknown = make_usage(max_memory_used_mb=None)
    assert isinstance(estimate_memory(unknown, 512, X86), NotEnoughData)
    assert isinstance(estimate_memory(unknown, 2048, X86), Estimate)


@pytest.mark.parametrize("size", [127, 10_241])
def test_lambda_has_no_such_size(size: int) -> None:
    """Whatever would fit."""
    found = estimate_memory(make_usage(max_memory_used_mb=1.0), size, X86)
    assert isinstance(found, NotEnoughData)
    assert "from 128 to 10240 MB" in found.reason


def test_without_the_extension_is_less_by_its_time() -> None:
    """And it is said what that does not hold."""
    usage = make_usage()
    found = estimate(estimate_without_extension(usage))
    assert found.now_usd - found.then_usd.estimate == pytest.approx(usage.extension_usd)
    assert found.then_usd.low == found.then_usd.high
    assert say_estimate(found) == "with no extensions a request costs 3.3 % less"
    assert any("their part of init" in text for text in found.assumptions)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"priced": 29}, "29 of 1000 invocations of shop have a cost, and an estimate needs 30"),
        ({"priced": 0, "cost_usd": None}, "0 of 1000 invocations of shop have a cost"),
        ({"memory_size_mb": None}, "the memory size of shop is not known"),
        ({"architecture": ""}, "the architecture of shop is not known"),
        ({"extension_usd": None}, "no invocation of shop tells what extensions took"),
    ],
)
def test_what_is_not_known_is_said(changes: dict[str, Any], reason: str) -> None:
    """By the first estimate that needs it."""
    usage = make_usage(**changes)
    results = (
        estimate_architecture(usage, "arm64", X86, ARM64),
        estimate_memory(usage, 2048, X86),
        estimate_without_extension(usage),
    )
    missing = [result.reason for result in results if isinstance(result, NotEnoughData)]
    assert any(reason in text for text in missing)
    assert say_estimate(NotEnoughData("because")) == "because"


def test_without_prices_there_is_no_guess() -> None:
    """Of neither architecture."""
    for now, then in ((None, ARM64), (X86, None)):
        found = estimate_architecture(make_usage(), "arm64", now, then)
        assert isinstance(found, NotEnoughData)
        assert "is not known" in found.reason
    assert isinstance(estimate_memory(make_usage(), 2048, None), NotEnoughData)


USAGES = st.builds(
    make_usage,
    memory_size_mb=st.integers(128, 10_240),
    cost_usd=st.floats(1e-9, 1.0),
    init_usd=st.one_of(st.none(), st.floats(0, 1e-6)),
    extension_usd=st.one_of(st.none(), st.floats(0, 1e-6)),
    duration_ms=st.floats(0, 900_000),
    cpu_s=st.one_of(st.none(), st.floats(0, 5_000)),
    max_memory_used_mb=st.one_of(st.none(), st.floats(1, 100)),
)


@given(usage=USAGES)
def test_the_same_size_and_architecture_cost_the_same(usage: Usage) -> None:
    """Whatever was measured: no change is no difference."""
    assert usage.memory_size_mb is not None
    cost_usd = max(usage.cost_usd or 0, (usage.init_usd or 0) + (usage.extension_usd or 0))
    size = estimate(estimate_memory(usage, usage.memory_size_mb, X86))
    architecture = estimate(estimate_architecture(usage, "x86_64", X86, X86))
    for then_usd in (size.then_usd, architecture.then_usd):
        assert [then_usd.low, then_usd.estimate, then_usd.high] == pytest.approx([cost_usd] * 3)


@given(usage=USAGES, size=st.integers(128, 10_240))
def test_a_range_holds_its_estimate(usage: Usage, size: int) -> None:
    """For every change that can be estimated."""
    results = (
        estimate_memory(usage, size, X86),
        estimate_architecture(usage, "arm64", X86, ARM64),
        estimate_without_extension(usage),
    )
    for found in results:
        if isinstance(found, Estimate):
            assert 0 <= found.then_usd.low <= found.then_usd.estimate <= found.then_usd.high
            assert found.relative.low <= found.relative.estimate <= found.relative.high
