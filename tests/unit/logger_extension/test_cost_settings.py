"""Settings of cost."""

import pytest

from logger_extension.environment import Environment
from logger_extension.policy.prices import Prices
from logger_extension.settings.cost import CostSettings


def test_without_variables() -> None:
    """The list price holds, and storage goes by its file system."""
    env = Environment({})
    settings = CostSettings.read(env)
    assert settings == CostSettings(own_prices=Prices(), discount=0.0, ephemeral_mb=None)
    assert env.complaints == []


def test_all_variables() -> None:
    """Prices are USD a unit, in any notation of numbers."""
    settings = CostSettings.read(
        Environment(
            {
                "LOGGER_EXTENSION_PRICE_GB_SECOND": "0.0000147",
                "LOGGER_EXTENSION_PRICE_PROVISIONED_GB_SECOND": "8.56e-6",
                "LOGGER_EXTENSION_PRICE_REQUEST": "0",
                "LOGGER_EXTENSION_PRICE_EPHEMERAL_GB_SECOND": "3.4E-8",
                "LOGGER_EXTENSION_PRICE_DISCOUNT": "0.12",
                "LOGGER_EXTENSION_EPHEMERAL_STORAGE_MB": "2048",
            }
        )
    )
    assert settings.own_prices == Prices(
        gb_second=1.47e-5, provisioned_gb_second=8.56e-6, request=0.0, ephemeral_gb_second=3.4e-8
    )
    assert (settings.discount, settings.ephemeral_mb) == (0.12, 2048)


@pytest.mark.parametrize("value", ["16.67", "-1e-5", "cheap", "nan", "inf", "1,5"])
def test_a_bad_price_is_a_complaint(value: str) -> None:
    """It names the variable, and the list price holds."""
    env = Environment({"LOGGER_EXTENSION_PRICE_GB_SECOND": value})
    assert CostSettings.read(env).own_prices.gb_second is None
    [complaint] = env.complaints
    assert "LOGGER_EXTENSION_PRICE_GB_SECOND" in complaint
    assert "not a number from 0.0 to 1.0" in complaint
