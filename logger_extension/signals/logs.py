"""Function log lines to OTLP log records.

Owns what a line means: its severity, body and attributes
(https://opentelemetry.io/docs/specs/otel/logs/data-model/). Text and JSON lines come to the same
record. Must not know invocations beyond the ids to write, nor queues.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from logger_extension.events import FunctionLog
from logger_extension.json_text import to_text
from logger_extension.platform_records import parse_time
from logger_extension.policy.invocation import Invocation
from logger_extension.signals.resource import SCOPE_NAME, SCOPE_VERSION
from logger_extension.signals.values import set_attributes, set_value

# The data model's table of severities; names as loggers print them, in lower case.
SEVERITIES: Mapping[str, SeverityNumber.ValueType] = {
    "trace": SeverityNumber.SEVERITY_NUMBER_TRACE,
    "debug": SeverityNumber.SEVERITY_NUMBER_DEBUG,
    "info": SeverityNumber.SEVERITY_NUMBER_INFO,
    "information": SeverityNumber.SEVERITY_NUMBER_INFO,
    "notice": SeverityNumber.SEVERITY_NUMBER_INFO2,
    "warn": SeverityNumber.SEVERITY_NUMBER_WARN,
    "warning": SeverityNumber.SEVERITY_NUMBER_WARN,
    "error": SeverityNumber.SEVERITY_NUMBER_ERROR,
    "critical": SeverityNumber.SEVERITY_NUMBER_FATAL,
    "fatal": SeverityNumber.SEVERITY_NUMBER_FATAL,
}

# W3C trace flags: the invocation's span is exported.
SAMPLED = 0x01

# What one record takes beside its line, so that a flood of empty lines is bounded too.
RECORD_OVERHEAD_BYTES = 256


@dataclass(frozen=True, slots=True)
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


def encode_logs(resource: Mapping[str, Any], lines: Iterable[LogLine]) -> bytes:
    """Return a serialized `ExportLogsServiceRequest` with one record a line, in order."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    set_attributes(resource_logs.resource.attributes, resource)
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = SCOPE_NAME
    scope_logs.scope.version = SCOPE_VERSION
    for line in lines:
        _fill(scope_logs.log_records.add(), line)
    return request.SerializeToString()


def measure(log: FunctionLog) -> int:
    """Return about how many bytes a line takes in memory and on the wire."""
    text = log.record if isinstance(log.record, str) else to_text(log.record)
    return (len(text) if text.isascii() else len(text.encode())) + RECORD_OVERHEAD_BYTES


def request_id_of(log: FunctionLog) -> str:
    """Return the request id that a JSON line names, empty when there is none."""
    fields = log.record if isinstance(log.record, dict) else {}
    request_id = fields.get("requestId") or fields.get("AWSRequestId")
    return request_id if isinstance(request_id, str) else ""


def _fill(record: LogRecord, line: LogLine) -> None:
    fields = _fields_of(line.log)
    record.observed_time_unix_nano = line.observed_unix_nano
    record.time_unix_nano = line.time_unix_nano
    attributes: dict[str, Any] = {}
    if isinstance(fields, dict):
        attributes = _fill_from_fields(record, fields)
    else:
        record.body.string_value = fields
    if line.invocation is not None:
        record.trace_id = line.invocation.context.trace_id
        record.span_id = line.invocation.context.span_id
        record.flags = SAMPLED
        attributes["faas.invocation_id"] = line.invocation.request_id
    set_attributes(record.attributes, attributes)


def _fields_of(log: FunctionLog) -> str | dict[str, Any]:
    """Return a JSON line's fields, any other line as text without its newline."""
    if isinstance(log.record, dict):
        return log.record
    text = log.record.removesuffix("\n")
    if text.startswith("{") and text.endswith("}"):
        try:
            fields = orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
        if isinstance(fields, dict):
            return fields
    return text


def _fill_from_fields(record: LogRecord, fields: dict[str, Any]) -> dict[str, Any]:
    """Write what has its place in a record; return the rest, which become attributes."""
    rest = dict(fields)
    level = rest.get("level")
    if isinstance(level, str) and (severity := SEVERITIES.get(level.lower())):
        record.severity_number = severity
        record.severity_text = level
        del rest["level"]
    if time_unix_nano := parse_time(rest.get("timestamp")):
        record.time_unix_nano = time_unix_nano
        del rest["timestamp"]
    if "message" not in rest:
        # Without a message the whole object is the body: nothing of it may get lost.
        set_value(record.body, fields)
        return {}
    set_value(record.body, rest.pop("message"))
    return rest
