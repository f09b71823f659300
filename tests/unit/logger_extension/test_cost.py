"""What an invocation costs, and how the cost is split."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.events import InitType
from logger_extension.policy.cost import (
    PICO,
    Cost,
    Missing,
    Tariff,
    Unpriced,
    choose_tariff,
    estimate_ephemeral_mb,
    price_invocation,
)
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.prices import Prices, find_list_prices
from logger_extension.signals.cost import describe_cost
from tests.support.laws import LAW

MIB = 1024 * 1024
US_EAST_1 = find_list_prices("us-east-1", "x86_64")
TARIFF = Tariff(usd_per_gb_second=1.66667e-5, usd_per_request=2e-7)

durations = st.floats(0, 900_000)
some_durations = st.none() | durations


def _price(tariff: Tariff = TARIFF, **facts: float | None) -> Cost:
    known: dict[str, float | None] = {"memory_size_mb": 1024, **facts}
    cost = price_invocation(InvocationFacts(request_id="r", **known), tariff)  # type: ignore[arg-type]  # one dictionary for figures of either type
    assert isinstance(cost, Cost)
    return cost


def _tariff(prices: Prices, init_type: InitType = InitType.ON_DEMAND, mb: int = 512) -> Tariff:
    tariff = choose_tariff(prices, init_type, mb)
    assert isinstance(tariff, Tariff)
    return tariff


@pytest.mark.parametrize(
    ("billed_duration_ms", "memory_size_mb", "usd"),
    [
        (1, 128, 2e-7 + 0.001 * 0.125 * 1.66667e-5),
        (1000, 1024, 2e-7 + 1.66667e-5),
        (900_000, 10_240, 2e-7 + 900 * 10 * 1.66667e-5),
    ],
)
def test_request_and_gb_seconds(billed_duration_ms: int, memory_size_mb: int, usd: float) -> None:
    """Billed seconds times configured GB, where a GB is 1,024 MB."""
    cost = _price(billed_duration_ms=billed_duration_ms, memory_size_mb=memory_size_mb)
    assert cost.total_pico_usd == pytest.approx(usd * PICO, abs=1)


def test_billed_duration_holds_init_already() -> None:
    """An init of 1,049.63 ms with a duration of 1,293.83 ms is billed as 2,344 ms, all in all."""
    cost = _price(billed_duration_ms=2344, duration_ms=1293.83, init_duration_ms=1049.63)
    assert cost.total_pico_usd == _price(billed_duration_ms=2344).total_pico_usd
    # 1,294 ms are the duration's; the other 1,050 are init's.
    assert cost.init_pico_usd == pytest.approx(1.050 * 1.66667e-5 * PICO, abs=1)


def test_init_that_was_not_billed_costs_nothing() -> None:
    """Billed as long as the duration alone: init has no share."""
    cost = _price(billed_duration_ms=1294, duration_ms=1293.83, init_duration_ms=1049.63)
    assert cost.init_pico_usd == 0


def test_a_billed_restore_counts_as_init() -> None:
    """SnapStart: what is billed beyond the duration, not all of the restore."""
    cost = _price(billed_duration_ms=130, duration_ms=5.6, restore_duration_ms=500.0)
    assert cost.init_pico_usd == pytest.approx(0.124 * 1.66667e-5 * PICO, abs=1)


def test_the_extensions_share() -> None:
    """Their time after the handler, at the price of any other time."""
    cost = _price(billed_duration_ms=100, duration_ms=99.5, extension_overhead_ms=10.0)
    assert cost.extension_pico_usd == pytest.approx(0.010 * 1.66667e-5 * PICO, abs=1)
    assert cost.init_pico_usd == 0


@LAW
@given(
    billed_duration_ms=st.integers(0, 1_000_000),
    memory_size_mb=st.integers(128, 10_240),
    duration_ms=some_durations,
    init_duration_ms=some_durations,
    restore_duration_ms=some_durations,
    extension_overhead_ms=some_durations,
    gb_second=st.floats(0, 1e-3),
    request=st.floats(0, 1e-6),
)
def test_shares_add_up_to_the_whole(  # noqa: PLR0913  (the law is about all of them)
    *,
    billed_duration_ms: int,
    memory_size_mb: int,
    duration_ms: float | None,
    init_duration_ms: float | None,
    restore_duration_ms: float | None,
    extension_overhead_ms: float | None,
    gb_second: float,
    request: float,
) -> None:
    """Exactly, none of them negative, whatever Lambda tells; the whole is the formula's."""
    cost = _price(
        Tariff(usd_per_gb_second=gb_second, usd_per_request=request),
        billed_duration_ms=billed_duration_ms,
        memory_size_mb=memory_size_mb,
        duration_ms=duration_ms,
        init_duration_ms=init_duration_ms,
        restore_duration_ms=restore_duration_ms,
        extension_overhead_ms=extension_overhead_ms,
    )
    shares = (cost.handler_pico_usd, cost.init_pico_usd, cost.extension_pico_usd)
    assert min(shares) >= 0
    usd = request + billed_duration_ms / 1000 * memory_size_mb / 1024 * gb_second
    assert sum(shares) == cost.total_pico_usd == pytest.approx(usd * PICO, rel=1e-9, abs=1)


@LAW
@given(
    duration_ms=durations,
    init_duration_ms=durations,
    is_init_billed=st.booleans(),
    overhead=st.floats(0, 1),
)
def test_shares_follow_the_billed_time(
    *, duration_ms: float, init_duration_ms: float, is_init_billed: bool, overhead: float
) -> None:
    """Of what Lambda bills as documented, init and extensions bear their time, within 1 ms."""
    billed_ms = ceil(duration_ms + init_duration_ms * is_init_billed)
    cost = _price(
        Tariff(usd_per_gb_second=1e-6, usd_per_request=0.0),
        billed_duration_ms=billed_ms,
        duration_ms=duration_ms,
        init_duration_ms=init_duration_ms,
        extension_overhead_ms=duration_ms * overhead,
    )
    pico_per_ms = 1e-9 * PICO
    assert cost.init_pico_usd == pytest.approx(
        init_duration_ms * is_init_billed * pico_per_ms, abs=1.01 * pico_per_ms
    )
    assert cost.extension_pico_usd == pytest.approx(
        duration_ms * overhead * pico_per_ms, rel=1e-9, abs=1.01 * pico_per_ms
    )


@pytest.mark.parametrize("lacking", ["billed_duration_ms", "memory_size_mb"])
def test_no_report_no_figure(lacking: str) -> None:
    """Closed without a report there is nothing to go by."""
    figures = {"billed_duration_ms": 10, "memory_size_mb": 128, lacking: None}
    facts = InvocationFacts(request_id="r", **figures)  # type: ignore[arg-type]  # as above
    cost = price_invocation(facts, TARIFF)
    assert isinstance(cost, Unpriced)
    assert cost.reason is Missing.REPORT


def test_provisioned_concurrency_has_its_own_price() -> None:
    """Duration there is cheaper, because capacity is paid besides."""
    tariff = _tariff(US_EAST_1, InitType.PROVISIONED_CONCURRENCY)
    assert tariff.usd_per_gb_second == 0.0000097222
    assert _tariff(US_EAST_1).usd_per_gb_second == 0.0000166667


def test_storage_above_what_is_free() -> None:
    """Each GB above 512 MB is paid by the second, beside memory."""
    tariff = _tariff(US_EAST_1, mb=512 + 2048)
    cost = _price(tariff, billed_duration_ms=10_000)
    usd = 2e-7 + 10 * (1.66667e-5 + 2 * 3.09e-8)
    assert cost.total_pico_usd == pytest.approx(usd * PICO, abs=1)
    assert _tariff(US_EAST_1, mb=512).ephemeral_usd_per_second == 0


def test_managed_instances_have_no_figure() -> None:
    """Even where all prices are known."""
    outcome = choose_tariff(US_EAST_1, InitType.MANAGED_INSTANCES, 512)
    assert isinstance(outcome, Unpriced)
    assert outcome.reason is Missing.MANAGED_INSTANCES


@pytest.mark.parametrize(
    ("region", "machine", "init_type", "advice"),
    [
        ("mars-north-1", "x86_64", InitType.ON_DEMAND, "PRICE_GB_SECOND and LOGGER_EXT"),
        ("us-gov-west-1", "x86_64", InitType.ON_DEMAND, "set LOGGER_EXTENSION_PRICE_REQUEST"),
        ("il-central-1", "aarch64", InitType.ON_DEMAND, "set LOGGER_EXTENSION_PRICE_GB_SECOND"),
        ("eu-west-1", "riscv64", InitType.ON_DEMAND, "set LOGGER_EXTENSION_PRICE_GB_SECOND"),
        (
            "eu-west-1",
            "aarch64",
            InitType.PROVISIONED_CONCURRENCY,
            "set LOGGER_EXTENSION_PRICE_PROVISIONED_GB_SECOND",
        ),
    ],
)
def test_an_unknown_price_gives_no_figure(
    region: str, machine: str, init_type: InitType, advice: str
) -> None:
    """It says which variables would help instead."""
    outcome = choose_tariff(find_list_prices(region, machine), init_type, 512)
    assert isinstance(outcome, Unpriced)
    assert outcome.reason is Missing.PRICE
    assert advice in outcome.advice


def test_storage_without_a_price_matters_only_where_there_is_some() -> None:
    """A missing price for what is not used hides no figure."""
    prices = Prices(gb_second=1e-5, request=1e-7)
    assert isinstance(choose_tariff(prices, InitType.ON_DEMAND, 512), Tariff)
    outcome = choose_tariff(prices, InitType.ON_DEMAND, 513)
    assert isinstance(outcome, Unpriced)
    assert "EPHEMERAL" in outcome.advice


@pytest.mark.parametrize(
    ("tmp_bytes", "mb"),
    [
        (None, 512),
        (0, 512),
        (551_346_176, 512),  # about what a file system of 512 MB says of itself
        (1024 * MIB, 1024),
        (10_400 * MIB, 10_240),
        (500_000 * MIB, 512),  # a laptop's disk
    ],
)
def test_the_size_of_storage_from_its_file_system(tmp_bytes: int | None, mb: int) -> None:
    """What cannot be Lambda's counts as the size that is free."""
    assert estimate_ephemeral_mb(tmp_bytes) == mb


def test_cost_as_span_attributes() -> None:
    """The whole and its parts in USD, or the reason why there is none."""
    assert describe_cost(Cost(200_000, 50_000, 1_500)) == {
        "aws.lambda.cost_usd": 2.515e-7,
        "aws.lambda.cost.handler_usd": 2e-7,
        "aws.lambda.cost.init_usd": 5e-8,
        "aws.lambda.cost.extension_usd": 1.5e-9,
    }
    missing = describe_cost(Unpriced(Missing.PRICE, "set it"))
    assert missing == {"aws.lambda.cost.missing_reason": "unknown_price"}
