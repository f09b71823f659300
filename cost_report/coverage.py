"""How much of what happened the spans show: they may be sampled away, metrics count all.

Owns the two counts beside each other. Must not know how spans are sampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir

from cost_report.columns import ALWAYS, Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Invocations and their costs, by spans and by metrics; metrics are None where there are none.

    Attributes:
        spans: invocations that have a span.
        spans_usd: what those of them that are priced cost.
        unpriced: how many of them have no cost, by reason ('' where none was told).
        counted: invocations, errors and timeouts that metrics count.
        counted_usd: what they cost.
    """

    spans: int
    spans_usd: float
    unpriced: dict[str, int]
    counted: int | None
    counted_usd: float | None


def measure_coverage(
    invocations: ir.Table,
    sums: ir.Table | None,
    period: Period = ALWAYS,
    functions: Sequence[str] = (),
) -> Coverage:
    """Return both counts.

    Args:
        invocations: as of `find_invocations`, already of the period and the functions.
        sums: `otel_metrics_sum`; None where there is no such table.
        period: when, for the sums.
        functions: only these, for the sums; all where none is named.
    """
    raise NotImplementedError


def say_coverage(coverage: Coverage) -> str:
    """Return a sentence, '' where spans and metrics agree: `1200 of 12000 invocations have a span`.

    Also says how many invocations have no cost, and why.
    """
    raise NotImplementedError
