"""What invocations cost in all and each, by function, version, memory and the like.

Owns the grouping and its figures. Must not know where rows come from, nor how figures are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from cost_report.fields import FIELDS, FieldValue, check_fields
from cost_report.quantiles import Quantiles, find_quantiles
from cost_report.reading import read_rows

__all__ = ["FIELDS", "CostGroup", "FieldValue", "Quantiles", "break_down"]


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
        by: any of fields.FIELDS.

    Raises:
        UnknownFieldError: `by` holds another name.
        DatabaseError: the engine refuses, or cannot be reached.
    """
    check_fields(by)
    grouped = invocations.group_by(*by) if by else invocations
    rows = read_rows(grouped.agg(**_sum_up(invocations)))
    durations = find_quantiles(invocations, by, "duration_ms")
    costs = find_quantiles(invocations, by, "cost_usd")
    groups = []
    for row in rows:
        key = tuple(row.pop(name) for name in by)
        if row["invocations"]:
            groups.append(
                _make_group(dict(zip(by, key, strict=True)), row, durations[key], costs.get(key))
            )
    return sorted(groups, key=lambda group: (-group.cost_usd, str(group.fields)))


def _sum_up(invocations: ir.Table) -> dict[str, ir.Scalar]:
    cost = invocations.cost_usd
    return {
        "invocations": invocations.count(),
        "errors": (invocations.status == "error").sum(),
        "cold_starts": invocations.is_cold_start.sum(),
        "priced": cost.count(),
        "cost_usd": cost.sum(),
        "billed_ms": invocations.billed_ms.sum(),
        # Parts may be missing where the whole is known: a share is of what has both.
        "init_usd": invocations.init_usd.sum(),
        "init_of_usd": cost.sum(where=invocations.init_usd.notnull()),
        "extension_usd": invocations.extension_usd.sum(),
        "extension_of_usd": cost.sum(where=invocations.extension_usd.notnull()),
    }


def _make_group(
    fields: Mapping[str, FieldValue],
    row: Mapping[str, Any],
    durations: Quantiles,
    costs: Quantiles | None,
) -> CostGroup:
    return CostGroup(
        fields=fields,
        invocations=row["invocations"],
        errors=row["errors"] or 0,
        cold_starts=row["cold_starts"] or 0,
        priced=row["priced"],
        cost_usd=row["cost_usd"] or 0.0,
        billed_ms=row["billed_ms"] or 0.0,
        duration_ms=durations,
        cost_quantiles_usd=costs,
        init_share=_divide(row["init_usd"], row["init_of_usd"]),
        extension_share=_divide(row["extension_usd"], row["extension_of_usd"]),
    )


def _divide(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole
