"""What one request of a function needs at its present size: the ground of every "what if".

Owns the means over invocations and CPU time from metrics. Must not know prices.
"""

from dataclasses import dataclass

import ibis.expr.types as ir

from cost_report.columns import ALWAYS, Period


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
        cost_usd: of one request.
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
    cost_usd: float
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
    raise NotImplementedError
