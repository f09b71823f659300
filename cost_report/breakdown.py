"""What invocations cost in all and each, by function, version, memory and the like.

Owns the grouping and its figures. Must not know where rows come from, nor how figures are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir

# What invocations can be grouped by: columns of `find_invocations`.
FIELDS = (
    "function",
    "version",
    "alias",
    "memory_size_mb",
    "architecture",
    "region",
    "is_cold_start",
)

FieldValue = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Half, nine tenths and 99 of 100 are at most this, interpolated between neighbours."""

    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CostGroup:
    """The invocations that agree in the fields that they are grouped by.

    Attributes:
        fields: the value of each field; memory_size_mb is None where it is not known.
        invocations: how many there were.
        errors: how many of them failed.
        cold_starts: how many began in a new sandbox.
        priced: how many have a cost; the others are in no figure in USD.
        cost_usd: of all priced ones together; 0 without any.
        billed_ms: of all whose report came, together.
        duration_ms: quantiles of the SERVER span.
        cost_quantiles_usd: of the priced ones, None without any.
        init_share: part of cost_usd that was init, None without cost.
        extension_share: part of cost_usd that extensions took after the handler.
    """

    fields: Mapping[str, FieldValue]
    invocations: int
    errors: int
    cold_starts: int
    priced: int
    cost_usd: float
    billed_ms: float
    duration_ms: Quantiles
    cost_quantiles_usd: Quantiles | None
    init_share: float | None
    extension_share: float | None

    @property
    def usd_per_million(self) -> float | None:
        """What a million such requests cost, None without a cost."""
        return self.cost_usd / self.priced * 1e6 if self.priced else None


def break_down(invocations: ir.Table, by: Sequence[str] = ()) -> list[CostGroup]:
    """Return the groups, dearest first; one group of all where `by` is empty.

    Args:
        invocations: as of `find_invocations`.
        by: any of FIELDS.

    Raises:
        UnknownFieldError: `by` holds another name.
    """
    raise NotImplementedError
