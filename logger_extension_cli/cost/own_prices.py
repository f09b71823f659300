"""What the user pays, in place of the prices that the extension knew.

Owns the map from list prices and arguments to prices, and the expression that prices invocations
anew. Must not know how they are asked about.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from cost_report.reading import read_rows
from cost_report.what_if import Prices
from logger_extension.policy import prices as list_prices
from logger_extension.policy.cost import MB_PER_GB, MS_PER_S, Missing

NOTE = (
    "Priced anew with your prices: the request and its GB-seconds, as on demand; storage of /tmp"
    " above 512 MB is left out."
)


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """What was told about prices.

    Attributes:
        gb_second_usd: by architecture, '' for all others.
        request_usd: of one request.
        discount: a share, off list prices of duration.
    """

    gb_second_usd: Mapping[str, float]
    request_usd: float | None
    discount: float

    @classmethod
    def read(cls, arguments: argparse.Namespace) -> "OwnPrices":
        """Return those of the arguments; none where the question takes none."""
        if "price_gb_second" not in arguments:
            return cls({}, None, 0.0)
        return cls(
            dict(arguments.price_gb_second), arguments.price_request, arguments.discount or 0.0
        )

    @property
    def are_given(self) -> bool:
        """Whether anything was told."""
        return bool(self.gb_second_usd) or self.request_usd is not None or bool(self.discount)

    def find(self, region: str, architecture: str) -> Prices | None:
        """Return the prices of a region and architecture; None where they are not known."""
        own = list_prices.Prices(
            gb_second=self.gb_second_usd.get(architecture, self.gb_second_usd.get("")),
            request=self.request_usd,
        )
        listed = list_prices.find_list_prices(region, architecture)
        paid = list_prices.apply_own_prices(listed, own, self.discount)
        if paid.gb_second is None or paid.request is None:
            return None
        return Prices(usd_per_gb_second=paid.gb_second, usd_per_request=paid.request)


def reprice(invocations: ir.Table, own: OwnPrices) -> ir.Table:
    """Return invocations with the costs that they have at the user's prices.

    Null where the billed duration, the size or a price is not known, and where instances are paid
    for in place of duration. Init and extensions keep their parts of what duration costs.
    """
    places = read_rows(invocations.select("region", "architecture").distinct())
    pairs = [(row["region"], row["architecture"]) for row in places]
    found = {pair: prices for pair in pairs if (prices := own.find(*pair)) is not None}
    gb_second = _choose(invocations, {pair: each.usd_per_gb_second for pair, each in found.items()})
    request = _choose(invocations, {pair: each.usd_per_request for pair, each in found.items()})
    listed = {pair: list_prices.find_list_prices(*pair).request or 0.0 for pair in pairs}
    is_by_instance = invocations.missing_reason == Missing.MANAGED_INSTANCES.value
    gb_seconds = invocations.billed_ms / MS_PER_S * invocations.memory_size_mb / MB_PER_GB
    duration = ibis.ifelse(is_by_instance, ibis.null("float64"), gb_seconds * gb_second)
    before = invocations.cost_usd - _choose(invocations, listed)
    scale = duration / ibis.ifelse(before > 0, before, ibis.null("float64"))
    init, extension = invocations.init_usd * scale, invocations.extension_usd * scale
    cost = request + duration
    return invocations.mutate(
        cost_usd=cost,
        init_usd=init,
        extension_usd=extension,
        handler_usd=cost - init - extension,
        missing_reason=ibis.ifelse(cost.isnull(), invocations.missing_reason, ""),
    )


def _choose(invocations: ir.Table, amounts: Mapping[tuple[str, str], float]) -> ir.FloatingValue:
    """Return the amount of each invocation's region and architecture, null where there is none."""
    branches = [
        ((invocations.region == region) & (invocations.architecture == architecture), amount)
        for (region, architecture), amount in amounts.items()
    ]
    unknown = ibis.null("float64")
    return ibis.cases(*branches, else_=unknown) if branches else unknown
