"""Whether invocations of the function can be priced, and an example.

Owns the example. Prices and formula are the extension's own. Must not know variables.
"""

from logger_extension.config import Config
from logger_extension.events import InitType
from logger_extension.policy.cost import (
    FREE_EPHEMERAL_MB,
    Missing,
    Unpriced,
    choose_tariff,
    price_invocation,
)
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.prices import ARCHITECTURES, Prices, apply_own_prices, find_list_prices
from logger_extension_cli.doctor.report import Check, Status

NAME = "prices"
EXAMPLE_INVOCATIONS, EXAMPLE_MS = 1_000_000, 100


def check_prices(config: Config, machine: str, ephemeral_mb: int | None) -> Check:
    """Return whether there is a price for everything that is billed.

    Args:
        config: the settings.
        machine: the architecture, as the kernel or AWS names it.
        ephemeral_mb: the size of /tmp if it is known; what is set wins.
    """
    listed = find_list_prices(config.region, machine)
    prices = apply_own_prices(listed, config.cost.own_prices, config.cost.discount)
    size_mb = config.cost.ephemeral_mb or ephemeral_mb or FREE_EPHEMERAL_MB
    tariff = choose_tariff(prices, config.init_type, size_mb)
    cost = tariff if isinstance(tariff, Unpriced) else price_invocation(_example(config), tariff)
    where = f"{config.region or 'no region'}, {ARCHITECTURES.get(machine, machine)}"
    if isinstance(cost, Unpriced):
        return _explain_lack(config, cost, where)
    source = "your own prices first" if config.cost.own_prices != Prices() else "list prices"
    if config.cost.discount:
        source += f", less {config.cost.discount * 100:g} % of duration"
    is_provisioned = config.init_type is InitType.PROVISIONED_CONCURRENCY
    total_usd = cost.total_usd * EXAMPLE_INVOCATIONS
    text = (
        f"{EXAMPLE_INVOCATIONS:,} invocations of {EXAMPLE_MS} ms with {config.memory_mb:,} MB"
        f"{' and provisioned concurrency' if is_provisioned else ''}: {total_usd:,.2f} USD"
        f" ({source}; {where})"
    )
    return Check(name=NAME, status=Status.OK, text=text)


def _example(config: Config) -> InvocationFacts:
    return InvocationFacts(
        request_id="",
        is_reported=True,
        duration_ms=EXAMPLE_MS,
        billed_duration_ms=EXAMPLE_MS,
        memory_size_mb=config.memory_mb,
    )


def _explain_lack(config: Config, lack: Unpriced, where: str) -> Check:
    if lack.reason is Missing.MANAGED_INSTANCES:
        return Check(name=NAME, status=Status.OK, text=f"there is no cost: {lack.advice}")
    fact, _, advice = lack.advice.partition(": ")
    if not config.region:
        advice = f"tell the region, by --env AWS_REGION=us-east-1, or {advice}"
    text = f"there will be no cost: {fact} ({where})"
    return Check(name=NAME, status=Status.WARNING, text=text, advice=advice)
