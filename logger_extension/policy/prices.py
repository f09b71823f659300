"""What AWS asks for Lambda, by region and architecture.

Owns the table `prices.json` beside this file, which `deploy/prices.py` makes; the sources stand in
`deploy/lambda_prices.json`. List prices of tier 1 in USD. The table is a constant of the package,
so reading it is no edge. Must not know invocations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

# As the kernel names a machine, and as AWS names it.
ARCHITECTURES: Mapping[str, str] = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

TABLE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices in USD; None where unknown. A GB is 1,024 MB of configured size.

    Attributes:
        gb_second: duration times memory, on demand.
        provisioned_gb_second: the same in a sandbox of provisioned concurrency.
        request: one invocation.
        ephemeral_gb_second: duration times the storage of /tmp above 512 MB.
    """

    gb_second: float | None = None
    provisioned_gb_second: float | None = None
    request: float | None = None
    ephemeral_gb_second: float | None = None


def find_list_prices(region: str, machine: str) -> Prices:
    """Return the list prices; all unknown for a region or machine that is not in the table.

    Args:
        region: as in `AWS_REGION`.
        machine: as the kernel names it (`x86_64`, `aarch64`) or as AWS does (`arm64`).
    """
    row = orjson.loads(TABLE.read_bytes())["regions"].get(region, {})
    gb_second, provisioned = row.get(ARCHITECTURES.get(machine, ""), (None, None))
    return Prices(
        gb_second=gb_second,
        provisioned_gb_second=provisioned,
        request=row.get("request"),
        ephemeral_gb_second=row.get("ephemeral"),
    )


def apply_own_prices(listed: Prices, own: Prices, discount: float) -> Prices:
    """Return what the user pays: one's own prices where given, else those of the list.

    Args:
        listed: the list prices.
        own: what the user pays instead; not lowered by `discount`.
        discount: what a Savings Plan takes off duration, 0 to 1. It takes nothing off requests
            (https://aws.amazon.com/savingsplans/compute-pricing/).
    """

    def choose(own_price: float | None, list_price: float | None, share: float) -> float | None:
        if own_price is not None or list_price is None:
            return own_price
        return list_price * share

    duration_share = 1 - discount
    return Prices(
        gb_second=choose(own.gb_second, listed.gb_second, duration_share),
        provisioned_gb_second=choose(
            own.provisioned_gb_second, listed.provisioned_gb_second, duration_share
        ),
        request=choose(own.request, listed.request, 1),
        ephemeral_gb_second=choose(own.ephemeral_gb_second, listed.ephemeral_gb_second, 1),
    )
