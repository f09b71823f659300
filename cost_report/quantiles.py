"""Exact quantiles, the same in every engine.

An engine's own function would be approximate in one and exact in the other. Instead equal values
are counted first (costs have few different ones, as time is billed in whole milliseconds), and a
running total of the counts finds the values at a place. The interpolation between neighbours, as of
numpy's and Excel's usual quantile, is done here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from cost_report.reading import read_rows

_PERCENTS = (50, 90, 99)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Half, nine tenths and 99 of 100 are at most this, interpolated between neighbours."""

    p50: float
    p90: float
    p99: float


def count_values(table: ir.Table, by: Sequence[str], column: str) -> ir.Table:
    """Return each different `value` of a column and its `count` in each group; nulls are left out.

    Args:
        table: the rows.
        by: what they are grouped by.
        column: numbers.
    """
    known = table.filter(table[column].notnull())
    return known.group_by(*by, value=known[column]).agg(count=known.count())


def find_quantiles(
    table: ir.Table, by: Sequence[str], column: str
) -> dict[tuple[Any, ...], Quantiles]:
    """Return the quantiles of a column in each group, by the group's values of `by`.

    Groups without any number are left out.

    Raises:
        DatabaseError: the engine refuses, or cannot be reached.
    """
    counted = count_values(table, by, column)
    so_far = ibis.window(group_by=list(by), order_by="value", preceding=None, following=0)
    placed = counted.mutate(
        up_to=counted["count"].sum().over(so_far),
        total=counted["count"].sum().over(ibis.window(group_by=list(by))),
    )
    grouped = placed.group_by(*by) if by else placed
    found = grouped.agg(
        total=placed.total.max(),
        **{
            f"{side}_{percent}": placed.value.min(where=placed.up_to > place)
            for percent in _PERCENTS
            for side, place in _find_places(placed.total, percent).items()
        },
    )
    return {
        tuple(row[name] for name in by): Quantiles(*(_interpolate(row, p) for p in _PERCENTS))
        for row in read_rows(found)
        if row["total"]
    }


def _find_places(total: ir.IntegerValue, percent: int) -> dict[str, ir.IntegerValue]:
    """Return the places, from 0, of the two values that a quantile lies between."""
    # In whole numbers: 0.9 * 10 is not everywhere 9.
    hundredths = (total - 1).cast("int64") * percent
    return {"below": hundredths // 100, "above": (hundredths + 99) // 100}


def _interpolate(row: dict[str, Any], percent: int) -> float:
    below: float = row[f"below_{percent}"]
    above: float = row[f"above_{percent}"]
    part: float = (row["total"] - 1) * percent % 100 / 100
    return below + (above - below) * part
