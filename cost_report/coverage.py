"""How much of what happened the spans show: they may be sampled away, metrics count all.

Owns the two counts beside each other. Must not know how spans are sampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir

from cost_report.columns import ALWAYS, Period
from cost_report.increments import find_increments
from cost_report.invocations import select_functions
from cost_report.reading import read_rows

# Every invocation is in one of these; an init that failed is in the last two as well.
_COUNTERS = ("faas.invocations", "faas.errors", "faas.timeouts")
_COST, _PART = "aws.lambda.cost", "aws.lambda.cost.part"

_REASONS = {
    "": "their report has not come (yet)",
    "no_report": "their report has not come",
    "unknown_price": "the price in their region was not known",
    "managed_instances": "Managed Instances are not billed by request",
}


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
    rows = read_rows(
        invocations.group_by("missing_reason").agg(
            count=invocations.count(),
            priced=invocations.cost_usd.count(),
            usd=invocations.cost_usd.sum(),
        )
    )
    unpriced = {row["missing_reason"]: row["count"] - row["priced"] for row in rows}
    grown = {} if sums is None else _count(sums, period, functions)
    counts = [grown[name] for name in _COUNTERS if name in grown]
    return Coverage(
        spans=sum(row["count"] for row in rows),
        spans_usd=sum(row["usd"] or 0.0 for row in rows),
        unpriced={reason: count for reason, count in unpriced.items() if count},
        counted=round(sum(counts)) if counts else None,
        counted_usd=grown.get(_COST),
    )


def _count(sums: ir.Table, period: Period, functions: Sequence[str]) -> dict[str, float]:
    """Return what each metric grew by; those without any point are left out."""
    grown = find_increments(
        sums, (*_COUNTERS, _COST), {"value": "Value"}, label=_PART, period=period
    )
    grown = select_functions(grown, functions)
    rows = read_rows(grown.group_by("metric").agg(value=grown.value.sum()))
    return {row["metric"]: row["value"] for row in rows}


def say_coverage(coverage: Coverage) -> str:
    """Return a sentence, '' where spans and metrics agree: `1200 of 12000 invocations have a span`.

    Also says how many invocations have no cost, and why.
    """
    sentences = []
    if coverage.counted is not None and coverage.counted > coverage.spans:
        sentences.append(f"{coverage.spans:,} of {coverage.counted:,} invocations have a span")
    for reason, count in sorted(coverage.unpriced.items()):
        why = _REASONS.get(reason, reason)
        sentences.append(f"{count:,} of {coverage.spans:,} have no cost: {why}")
    return "; ".join(sentences)
