"""What an invocation costs, in USD.

    request + billed seconds x (GB of memory x price + GB of storage above 512 MB x price)

Owns the formula (https://aws.amazon.com/lambda/pricing/) and how the whole is split into init,
handler and extensions. Amounts are whole picodollars, so shares add up to the whole exactly; the
smallest invocation costs some 200,000 of them. Must not know where prices come from, nor OTLP.

Not held, because a sandbox cannot know it: free tier, usage tiers, discounts that are not
configured, taxes, the standing price of provisioned concurrency, SnapStart's cache and restores,
streamed bytes. A price that is not known gives no figure, never a guess.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import NamedTuple

from logger_extension.events import InitType
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.prices import Prices

PICO = 10**12

# The variables with which users tell their own prices.
PRICE_OF_DURATION = "LOGGER_EXTENSION_PRICE_GB_SECOND"
PRICE_OF_PROVISIONED = "LOGGER_EXTENSION_PRICE_PROVISIONED_GB_SECOND"
PRICE_OF_REQUEST = "LOGGER_EXTENSION_PRICE_REQUEST"
PRICE_OF_STORAGE = "LOGGER_EXTENSION_PRICE_EPHEMERAL_GB_SECOND"

MB_PER_GB = 1024
FREE_EPHEMERAL_MB = 512
MAX_EPHEMERAL_MB = 10_240
MS_PER_S = 1000

# A file system is somewhat smaller or larger than the size that was asked for.
EPHEMERAL_TOLERANCE = 1.1


class Missing(StrEnum):
    """Why there is no figure."""

    PRICE = "unknown_price"
    MANAGED_INSTANCES = "managed_instances"
    REPORT = "no_report"


class Unpriced(NamedTuple):
    """No figure; `advice` tells the user what would help, in one sentence."""

    reason: Missing
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The prices that hold in this sandbox.

    Attributes:
        usd_per_gb_second: of memory, as the sandbox's kind of concurrency has it.
        usd_per_request: one invocation.
        ephemeral_usd_per_second: all of /tmp above what is free.
    """

    usd_per_gb_second: float
    usd_per_request: float
    ephemeral_usd_per_second: float = 0.0


class Cost(NamedTuple):
    """One invocation's cost by who used the time, in picodollars (10^-12 USD).

    Attributes:
        handler_pico_usd: the request, and all time that is not known to be another's.
        init_pico_usd: initialisation, as far as it was billed with this invocation.
        extension_pico_usd: what extensions, this one and others, took after the handler.
    """

    handler_pico_usd: int
    init_pico_usd: int
    extension_pico_usd: int

    @property
    def total_pico_usd(self) -> int:
        """The whole."""
        return self.handler_pico_usd + self.init_pico_usd + self.extension_pico_usd

    @property
    def total_usd(self) -> float:
        """The whole in USD."""
        return self.total_pico_usd / PICO


def choose_tariff(prices: Prices, init_type: InitType, ephemeral_mb: int) -> Tariff | Unpriced:
    """Return the prices that hold in this sandbox, or what is missing.

    Args:
        prices: of the region and architecture, see `apply_own_prices`.
        init_type: duration has another price with provisioned concurrency.
        ephemeral_mb: the size of /tmp.
    """
    if init_type is InitType.MANAGED_INSTANCES:
        # Instances are paid by the hour; no duration is billed to an invocation.
        return Unpriced(Missing.MANAGED_INSTANCES, "Managed Instances are billed by the instance")
    is_provisioned = init_type is InitType.PROVISIONED_CONCURRENCY
    duration = prices.provisioned_gb_second if is_provisioned else prices.gb_second
    ephemeral_gb = max(0, ephemeral_mb - FREE_EPHEMERAL_MB) / MB_PER_GB
    ephemeral = prices.ephemeral_gb_second if ephemeral_gb else 0.0
    if duration is None or prices.request is None or ephemeral is None:
        needed = {
            PRICE_OF_PROVISIONED if is_provisioned else PRICE_OF_DURATION: duration,
            PRICE_OF_REQUEST: prices.request,
            PRICE_OF_STORAGE: ephemeral,
        }
        names = [name for name, price in needed.items() if price is None]
        return Unpriced(
            Missing.PRICE,
            f"no list price for this region and architecture: set {' and '.join(names)}",
        )
    return Tariff(
        usd_per_gb_second=duration,
        usd_per_request=prices.request,
        ephemeral_usd_per_second=ephemeral_gb * ephemeral,
    )


def price_invocation(facts: InvocationFacts, tariff: Tariff) -> Cost | Unpriced:
    """Return what an invocation cost, with its shares.

    Billed duration holds init already where init is billed
    (https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/): what is
    billed beyond the duration is init's share, or that of a SnapStart restore.
    """
    if facts.billed_duration_ms is None or facts.memory_size_mb is None:
        return Unpriced(Missing.REPORT, "platform.report with the billed duration did not come")
    billed_ms = facts.billed_duration_ms
    gb = facts.memory_size_mb / MB_PER_GB
    usd_per_s = gb * tariff.usd_per_gb_second + tariff.ephemeral_usd_per_second
    pico_per_ms = usd_per_s / MS_PER_S * PICO
    total = round(tariff.usd_per_request * PICO + billed_ms * pico_per_ms)
    init = min(round(_find_billed_init_ms(facts, billed_ms) * pico_per_ms), total)
    extension = min(round(_find_extension_ms(facts, billed_ms) * pico_per_ms), total - init)
    return Cost(total - init - extension, init, extension)


def estimate_ephemeral_mb(tmp_bytes: int | None) -> int:
    """Return the configured size of /tmp from that of its file system.

    Lambda does not tell it. What is about 512 MB, unknown, or larger than Lambda offers (so not
    Lambda's) counts as the 512 MB that are free.
    """
    size_mb = (tmp_bytes or 0) // (1024 * 1024)
    least, most = FREE_EPHEMERAL_MB * EPHEMERAL_TOLERANCE, MAX_EPHEMERAL_MB * EPHEMERAL_TOLERANCE
    return min(size_mb, MAX_EPHEMERAL_MB) if least < size_mb < most else FREE_EPHEMERAL_MB


def _find_billed_init_ms(facts: InvocationFacts, billed_ms: int) -> int:
    before_ms = (facts.init_duration_ms or 0) + (facts.restore_duration_ms or 0)
    if facts.duration_ms is None:
        return 0
    return min(max(0, billed_ms - ceil(facts.duration_ms)), ceil(before_ms))


def _find_extension_ms(facts: InvocationFacts, billed_ms: int) -> float:
    """Return the extensions' time after the handler, no more than was billed beside init."""
    left_ms = billed_ms - _find_billed_init_ms(facts, billed_ms)
    return min(max(0.0, facts.extension_overhead_ms or 0.0), left_ms)
