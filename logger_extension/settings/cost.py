"""Settings of cost: prices that the user pays instead of the list's."""

from dataclasses import dataclass
from typing import Self

from logger_extension.environment import Environment
from logger_extension.policy.prices import Prices

# A price above one dollar for any of these units is a slip of the decimal point.
MAX_USD = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSettings:
    """What the user pays.

    Attributes:
        own_prices: prices in USD where the user has their own.
        discount: what a Savings Plan takes off the list price of duration, 0 to 1.
        ephemeral_mb: the configured size of /tmp, None to go by its file system.
    """

    own_prices: Prices
    discount: float
    ephemeral_mb: int | None

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read the variables; what cannot be used is a complaint, and the list price holds."""

        def price(name: str) -> float | None:
            return env.number(name, 0.0, MAX_USD)

        size_mb = env.number("LOGGER_EXTENSION_EPHEMERAL_STORAGE_MB", 512, 10_240)
        return cls(
            own_prices=Prices(
                gb_second=price("LOGGER_EXTENSION_PRICE_GB_SECOND"),
                provisioned_gb_second=price("LOGGER_EXTENSION_PRICE_PROVISIONED_GB_SECOND"),
                request=price("LOGGER_EXTENSION_PRICE_REQUEST"),
                ephemeral_gb_second=price("LOGGER_EXTENSION_PRICE_EPHEMERAL_GB_SECOND"),
            ),
            discount=env.number("LOGGER_EXTENSION_PRICE_DISCOUNT", 0.0, 1.0) or 0.0,
            ephemeral_mb=int(size_mb) if size_mb else None,
        )
