"""What one request of a function needs at its present size: the ground of every "what if".

Owns the means over invocations and CPU time from metrics. Must not know prices.
"""

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from cost_report.columns import ALWAYS, Period
from cost_report.increments import find_increments
from cost_report.reading import read_rows

_CPU = "faas.cpu_usage"
_KEY = ("function", "region", "architecture", "memory_size_mb")
_MEANS = ("cost_usd", "handler_usd", "init_usd", "extension_usd", "billed_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Means over the priced invocations of a function in one size, version included or not.

    Attributes:
        function: its name.
        region: where, '' where it is not known.
        architecture: 'x86_64', 'arm64', or '' where it is not known.
        memory_size_mb: its size, None where it is not known.
        invocations: all that were seen.
        priced: those that the means are over.
        cost_usd: of one request, None where none is priced.
        handler_usd: its parts, None where no invocation tells them.
        init_usd: part of cost_usd that was init.
        extension_usd: part of cost_usd that extensions took after the handler.
        billed_ms: what was billed.
        duration_ms: of the SERVER span.
        max_memory_used_mb: the most that any of the invocations used, None where none tells.
        cpu_s: CPU seconds of the sandbox in one invocation, by metrics; None where not measured.
    """

    function: str
    region: str
    architecture: str
    memory_size_mb: int | None
    invocations: int
    priced: int
    cost_usd: float | None
    handler_usd: float | None
    init_usd: float | None
    extension_usd: float | None
    billed_ms: float | None
    duration_ms: float
    max_memory_used_mb: float | None
    cpu_s: float | None


def measure_usage(
    invocations: ir.Table, histograms: ir.Table | None, period: Period = ALWAYS
) -> list[Usage]:
    """Return one row for each function, region, architecture and size, most invocations first.

    Args:
        invocations: as of `find_invocations`.
        histograms: `otel_metrics_histogram`, for CPU time; None where there is no such table.
        period: when, for the histograms.
    """
    priced = invocations.cost_usd.notnull()
    rows = read_rows(
        invocations.group_by(*_KEY).agg(
            invocations=invocations.count(),
            priced=invocations.cost_usd.count(),
            **{name: invocations[name].mean(where=priced) for name in _MEANS},
            duration_ms=invocations.duration_ms.mean(),
            max_memory_used_mb=invocations.max_memory_used_mb.max(),
        )
    )
    cpu_s = _read_cpu(histograms, period) if histograms is not None else {}
    usages = [Usage(**row, cpu_s=cpu_s.get(tuple(row[name] for name in _KEY))) for row in rows]
    return sorted(usages, key=_rank)


def _rank(usage: Usage) -> tuple[int, str, str, str, int]:
    place = usage.function, usage.region, usage.architecture, usage.memory_size_mb or 0
    return (-usage.invocations, *place)


def _read_cpu(histograms: ir.Table, period: Period) -> dict[tuple[Any, ...], float]:
    """Return the mean CPU seconds of an invocation, by the values of _KEY."""
    values = {"count": "Count", "seconds_of_cpu": "Sum"}
    grown = find_increments(histograms, (_CPU,), values, period=period)
    summed = grown.group_by(*_KEY).agg(count=grown["count"].sum(), cpu_s=grown.seconds_of_cpu.sum())
    return {
        tuple(row[name] for name in _KEY): row["cpu_s"] / row["count"]
        for row in read_rows(summed)
        if row["count"]
    }
