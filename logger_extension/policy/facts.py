"""What is known of one invocation when all is said of it.

A value, made by the table of invocations, read by metrics, cost and the rules that decide over logs.
Durations in milliseconds, times in nanoseconds since the epoch; None where Lambda did not say.
"""

from dataclasses import dataclass


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
