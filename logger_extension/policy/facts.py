"""What is known of one invocation when all is said of it.

A value, made by the table of invocations, read by metrics, cost and the rules for logs. Durations
in milliseconds, times in nanoseconds since the epoch; None where Lambda did not say.
"""

from dataclasses import dataclass

from logger_extension.events import Report
from logger_extension.policy.invocation import Invocation


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationFacts:
    """One invocation, once its `platform.report` has come or will not come any more.

    Attributes:
        status: success, error, failure or timeout, as Lambda says.
        error_type: as Lambda says, empty when there is none.
        is_reported: whether the figures of `platform.report` are there.
        duration_ms: of the report: the runtime's and the extensions' part.
        runtime_duration_ms: of `platform.runtimeDone`: the runtime's part.
        billed_duration_ms: whole milliseconds; holds init where init is billed.
        init_duration_ms: of the report, only on a cold start.
    """

    request_id: str
    function_arn: str = ""
    start_unix_nano: int = 0
    end_unix_nano: int = 0
    status: str = ""
    error_type: str = ""
    is_cold_start: bool = False
    is_reported: bool = False
    duration_ms: float | None = None
    runtime_duration_ms: float | None = None
    billed_duration_ms: int | None = None
    memory_size_mb: int | None = None
    max_memory_used_mb: int | None = None
    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None
    produced_bytes: int | None = None
    response_latency_ms: float | None = None
    response_duration_ms: float | None = None
    runtime_overhead_ms: float | None = None
    extension_overhead_ms: float | None = None


def gather_facts(invocation: Invocation, report: Report | None) -> InvocationFacts:
    """Return what is known of a finished invocation, with its report if that has come."""
    spans = invocation.spans + (report.spans if report is not None else ())
    measured_ms = {span.name: span.duration_ms for span in spans}
    return InvocationFacts(
        request_id=invocation.request_id,
        function_arn=invocation.function_arn,
        start_unix_nano=invocation.start_unix_nano,
        end_unix_nano=invocation.end_unix_nano,
        status=invocation.status,
        error_type=invocation.error_type,
        is_cold_start=invocation.is_cold_start,
        is_reported=report is not None,
        duration_ms=report.duration_ms if report else None,
        runtime_duration_ms=invocation.runtime_duration_ms,
        billed_duration_ms=report.billed_duration_ms if report else None,
        memory_size_mb=report.memory_size_mb if report else None,
        max_memory_used_mb=report.max_memory_used_mb if report else None,
        init_duration_ms=report.init_duration_ms if report else None,
        restore_duration_ms=report.restore_duration_ms if report else None,
        produced_bytes=invocation.produced_bytes,
        response_latency_ms=measured_ms.get("responseLatency"),
        response_duration_ms=measured_ms.get("responseDuration"),
        runtime_overhead_ms=measured_ms.get("runtimeOverhead"),
        extension_overhead_ms=_find_overhead(invocation, report, measured_ms),
    )


def _find_overhead(
    invocation: Invocation, report: Report | None, measured_ms: dict[str, float]
) -> float | None:
    """Return what extensions took after the runtime: as measured, else the difference of both."""
    measured = measured_ms.get("extensionOverhead")
    if measured is not None or report is None or report.duration_ms is None:
        return measured
    if invocation.runtime_duration_ms is None:
        return None
    return max(0.0, report.duration_ms - invocation.runtime_duration_ms)
