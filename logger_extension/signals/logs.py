"""Function log lines to OTLP log records.

Owns how a line becomes a record (https://opentelemetry.io/docs/specs/otel/logs/data-model/): what
it says of itself (`log_lines`), what Lambda says of it, and the ids of its invocation. Must not
know what shapes lines have, nor queues.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from logger_extension.events import FunctionLog
from logger_extension.json_text import to_text
from logger_extension.policy.invocation import Invocation
from logger_extension.signals.log_fields import INVOCATION_ID
from logger_extension.signals.log_limit import cut_reading
from logger_extension.signals.log_lines import find_request_id, read_line
from logger_extension.signals.log_reading import Reading
from logger_extension.signals.resource import SCOPE_NAME, SCOPE_VERSION
from logger_extension.signals.values import set_attributes, set_value

# W3C trace flags: the invocation's span is exported.
SAMPLED = 0x01

# What one record takes beside its line, so that a flood of empty lines is bounded too.
RECORD_OVERHEAD_BYTES = 256


@dataclass(slots=True)
class LogLine:
    """One line that waits for export.

    Attributes:
        log: the line.
        time_unix_nano: when Lambda read it, 0 when it did not say.
        observed_unix_nano: when we received it.
        invocation: the invocation that it belongs to, None for init and when not known. Its ids are
            read at export, because the trace header may become known after the line.
    """

    log: FunctionLog
    time_unix_nano: int
    observed_unix_nano: int
    invocation: Invocation | None


def encode_logs(
    resource: Mapping[str, Any],
    lines: Iterable[LogLine],
    *,
    redact: Callable[[Any], Any] | None = None,
    max_bytes: int = 0,
) -> bytes:
    """Return a serialized `ExportLogsServiceRequest` with one record a line, in order.

    Args:
        resource: the attributes of the resource.
        lines: what waits for export.
        redact: returns a JSON value without what must not leave the process; None to keep all.
        max_bytes: where longer lines are cut; 0 for no limit.
    """
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    set_attributes(resource_logs.resource.attributes, resource)
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = SCOPE_NAME
    scope_logs.scope.version = SCOPE_VERSION
    add = scope_logs.log_records.add
    identities: dict[int, bytes] = {}
    for line in lines:
        record = add()
        invocation = line.invocation
        reading = read_line(
            line.log.record,
            line.time_unix_nano or line.observed_unix_nano,
            invocation.request_id if invocation is not None else "",
        )
        if redact is not None:
            reading.body = redact(reading.body)
            reading.attributes = redact(reading.attributes)
        if max_bytes and (size_bytes := measure(line.log) - RECORD_OVERHEAD_BYTES) > max_bytes:
            record.dropped_attributes_count = cut_reading(reading, max_bytes, size_bytes)
        record.observed_time_unix_nano = line.observed_unix_nano
        _write(record, reading, line.time_unix_nano)
        if reading.has_own_ids:
            record.MergeFromString(_make_own_identity(reading, invocation))
        elif invocation is not None:
            # The same for every line of an invocation: serialized once, merged in by one call.
            identity = identities.get(id(invocation))
            if identity is None:
                identity = identities[id(invocation)] = _make_identity(invocation)
            record.MergeFromString(identity)
    return request.SerializeToString()


def measure(log: FunctionLog) -> int:
    """Return about how many bytes a line takes in memory and on the wire."""
    text = log.record if isinstance(log.record, str) else to_text(log.record)
    return (len(text) if text.isascii() else len(text.encode())) + RECORD_OVERHEAD_BYTES


def request_id_of(log: FunctionLog) -> str:
    """Return the request id that a line names, empty when there is none."""
    return find_request_id(log.record)


def _write(record: LogRecord, reading: Reading, time_unix_nano: int) -> None:
    record.time_unix_nano = reading.time_unix_nano or time_unix_nano
    if isinstance(reading.body, str):
        record.body.string_value = reading.body
    else:
        set_value(record.body, reading.body)
    if reading.severity_number:
        record.severity_number = reading.severity_number  # type: ignore[assignment]  # its type is private to the generated module
        record.severity_text = reading.severity_text
    if reading.attributes:
        set_attributes(record.attributes, reading.attributes)


def _make_identity(invocation: Invocation) -> bytes:
    """Return the part of a record that says which invocation it belongs to, serialized."""
    part = LogRecord(
        trace_id=invocation.context.trace_id,
        span_id=invocation.context.span_id,
        flags=SAMPLED if invocation.is_sampled else 0,
    )
    set_attributes(part.attributes, {INVOCATION_ID: invocation.request_id})
    return part.SerializeToString()


def _make_own_identity(reading: Reading, invocation: Invocation | None) -> bytes:
    """Return the same for a line that names its trace, or a request that is not its invocation's.

    A span of the line's own trace is known from the line or not at all.
    """
    is_of_trace = (
        invocation is not None
        and not reading.request_id
        and reading.trace_id == invocation.context.trace_id
    )
    if invocation is not None and is_of_trace:
        part = LogRecord.FromString(_make_identity(invocation))
        part.span_id = reading.span_id or part.span_id
        return part.SerializeToString()
    part = LogRecord(trace_id=reading.trace_id, span_id=reading.span_id)
    request_id = reading.request_id or (invocation.request_id if invocation else "")
    if request_id:
        set_attributes(part.attributes, {INVOCATION_ID: request_id})
    return part.SerializeToString()
