"""List prices and one's own."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.prices import TABLE, Prices, apply_own_prices, find_list_prices
from tests.support.laws import LAW

some_price = st.none() | st.floats(0, 1)
some_prices = st.builds(
    Prices,
    gb_second=some_price,
    provisioned_gb_second=some_price,
    request=some_price,
    ephemeral_gb_second=some_price,
)


@pytest.mark.parametrize(
    ("region", "machine", "expected"),
    [
        ("us-east-1", "x86_64", Prices(
            gb_second=0.0000166667,
            provisioned_gb_second=0.0000097222,
            request=0.0000002,
            ephemeral_gb_second=0.0000000309,
        )),
        ("us-east-1", "aarch64", Prices(
            gb_second=0.0000133334,
            provisioned_gb_second=0.0000077778,
            request=0.0000002,
            ephemeral_gb_second=0.0000000309,
        )),
        ("eu-south-1", "arm64", Prices(
            gb_second=0.0000156138, request=0.00000023, ephemeral_gb_second=0.0000000357
        )),
        ("us-gov-west-1", "x86_64", Prices(gb_second=0.0000166667)),
        ("mx-central-1", "x86_64", Prices()),
        ("", "x86_64", Prices()),
    ],
)  # fmt: skip
def test_list_prices(region: str, machine: str, expected: Prices) -> None:
    """As AWS asks for them; what no source gives is unknown."""
    assert find_list_prices(region, machine) == expected


def test_all_prices_are_of_the_right_magnitude() -> None:
    """A slip of the decimal point anywhere in the table would show."""
    regions = orjson.loads(TABLE.read_bytes())["regions"]
    assert len(regions) == 32
    for region in regions:
        prices, arm = find_list_prices(region, "x86_64"), find_list_prices(region, "arm64")
        assert prices.gb_second is not None
        assert 1.4e-5 < prices.gb_second < 2.5e-5
        assert arm.gb_second is None or arm.gb_second == pytest.approx(0.8 * prices.gb_second, 0.01)
        for each in (prices, arm):
            assert each.provisioned_gb_second is None or 7e-6 < each.provisioned_gb_second < 1.6e-5
            assert each.request is None or 1.7e-7 < each.request < 3e-7
            assert each.ephemeral_gb_second is None or 3e-8 < each.ephemeral_gb_second < 6e-8


@LAW
@given(listed=some_prices, own=some_prices, discount=st.floats(0, 1))
def test_own_prices_come_first(listed: Prices, own: Prices, discount: float) -> None:
    """They are taken as they are; a discount is on the list price of duration only."""
    paid = apply_own_prices(listed, own, discount)
    for name in Prices.__slots__:
        own_price, list_price = getattr(own, name), getattr(listed, name)
        if own_price is not None or list_price is None:
            assert getattr(paid, name) == own_price
        elif name in ("gb_second", "provisioned_gb_second"):
            assert getattr(paid, name) == list_price * (1 - discount)
        else:
            assert getattr(paid, name) == list_price
