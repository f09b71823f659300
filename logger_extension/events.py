"""What Lambda can tell the extension, as values.

Two families: lifecycle events from `GET /extension/event/next` (`InvokeEvent`, `ShutdownEvent`) and
telemetry events from the Telemetry API (`TelemetryEvent`: one envelope with a record by type, see
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html). Times are nanoseconds
since the epoch, durations milliseconds. Must not know where events come from or what becomes of
them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from logger_extension.deadline import Deadline

NANOS_PER_MS = 1_000_000


class InitType(StrEnum):
    """How Lambda initialised the sandbox (`AWS_LAMBDA_INITIALIZATION_TYPE`)."""

    ON_DEMAND = "on-demand"
    PROVISIONED_CONCURRENCY = "provisioned-concurrency"
    SNAP_START = "snap-start"
    MANAGED_INSTANCES = "lambda-managed-instances"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> "InitType":
        return cls.UNKNOWN


class InvokeEvent(NamedTuple):
    """An invocation has begun; `trace_header` is the whole X-Ray header, empty if there is none."""

    request_id: str
    deadline: Deadline
    function_arn: str
    trace_header: str = ""


class ShutdownEvent(NamedTuple):
    """The sandbox ends; `reason` is lower case: spindown, timeout, failure, or what came."""

    reason: str
    deadline: Deadline


LifecycleEvent = InvokeEvent | ShutdownEvent


class PhaseSpan(NamedTuple):
    """A part of an invocation that Lambda itself has measured (`record.spans`)."""

    name: str
    start_unix_nano: int
    duration_ms: float


class InitStart(NamedTuple):
    """`platform.initStart`, or `platform.restoreStart` when a snapshot is restored."""

    instance_id: str = ""
    is_restore: bool = False


class InitRuntimeDone(NamedTuple):
    """`platform.initRuntimeDone` or `restoreRuntimeDone`: the runtime is ready, or has failed."""

    status: str
    error_type: str = ""


class InitReport(NamedTuple):
    """`platform.initReport` or `restoreReport`: init is over for all, extensions included."""

    status: str
    error_type: str = ""
    duration_ms: float | None = None


class InvocationStart(NamedTuple):
    """`platform.start`."""

    request_id: str
    function_arn: str = ""
    trace_header: str = ""


class RuntimeDone(NamedTuple):
    """`platform.runtimeDone`: the runtime has finished the invocation and called next."""

    request_id: str
    status: str
    error_type: str = ""
    duration_ms: float | None = None
    produced_bytes: int | None = None
    spans: tuple[PhaseSpan, ...] = ()


class Report(NamedTuple):
    """`platform.report`: the invocation is over for all, extensions included. Comes late.

    On Managed Instances only `duration_ms` and the spans are there.
    """

    request_id: str
    status: str
    error_type: str = ""
    duration_ms: float | None = None
    billed_duration_ms: int | None = None
    memory_size_mb: int | None = None
    max_memory_used_mb: int | None = None
    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None
    spans: tuple[PhaseSpan, ...] = ()


class LogsDropped(NamedTuple):
    """`platform.logsDropped`: Lambda itself lost records before they reached us."""

    records: int
    size_bytes: int
    reason: str


# These two are made for every line, so they are not frozen: that would take three times as long.
@dataclass(slots=True)
class FunctionLog:
    """One line that the function printed: text, or an object when Lambda parsed it as JSON."""

    record: str | dict[str, Any]


@dataclass(frozen=True, slots=True)
class UnknownRecord:
    """A type that is not mapped, known to Lambda or not: `platform.extension` and the like."""


Record = (
    InitStart
    | InitRuntimeDone
    | InitReport
    | InvocationStart
    | RuntimeDone
    | Report
    | LogsDropped
    | FunctionLog
    | UnknownRecord
)


@dataclass(slots=True)
class TelemetryEvent:
    """The envelope: when Lambda made the event (0 when it did not say), its type, its record."""

    time_unix_nano: int
    type: str
    record: Record
