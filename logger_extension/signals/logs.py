"""Function log lines to OTLP log records.

Owns how a line becomes a record (https://opentelemetry.io/docs/specs/otel/logs/data-model/): what
it says of itself (`log_lines`), what Lambda says of it, and the ids of its invocation. Must not
know what shapes lines have, nor queues.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from logger_extension.events import FunctionLog
from logger_extension.json_text import to_text
from logger_extension.policy.invocation import Invocation
from logger_extension.signals.log_fields import INVOCATION_ID
from logger_extension.signals.log_limit import cut_reading
from logger_extension.signals.log_lines import find_request_id, read_line, read_plain
from logger_extension.signals.log_reading import Reading
from logger_extension.signals.log_records import RecordTemplate, wrap_records
from logger_extension.signals.resource import SCOPE_NAME, SCOPE_VERSION
from logger_extension.signals.values import set_attributes

# W3C trace flags: the invocation's span is exported.
SAMPLED = 0x01

# What a plain line says beside its text.
NOTHING = Reading("", {})

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
    records = _write_records(lines, redact, max_bytes)
    return wrap_records(resource, SCOPE_NAME, SCOPE_VERSION, records)


def measure(log: FunctionLog) -> int:
    """Return about how many bytes a line takes in memory and on the wire."""
    text = log.record
    if not isinstance(text, str):
        try:
            return len(orjson.dumps(text)) + RECORD_OVERHEAD_BYTES
        except TypeError:
            text = to_text(text)
    return (len(text) if text.isascii() else len(text.encode())) + RECORD_OVERHEAD_BYTES


def request_id_of(log: FunctionLog) -> str:
    """Return the request id that a line names, empty when there is none."""
    return find_request_id(log.record)


def _write_records(
    lines: Iterable[LogLine], redact: Callable[[Any], Any] | None, max_bytes: int
) -> Iterator[bytes]:
    is_plain_enough = redact is None and not max_bytes
    groups: dict[tuple[int, int], _Templates] = {}
    templates = _Templates(None, 0)
    for line in lines:
        if (
            line.invocation is not templates.invocation
            or line.observed_unix_nano != templates.observed_unix_nano
        ):
            key = (id(line.invocation), line.observed_unix_nano)
            templates = groups.get(key) or _Templates(line.invocation, line.observed_unix_nano)
            groups[key] = templates
        text = read_plain(line.log.record) if is_plain_enough else None
        if text is not None:
            # Most lines are plain, and this is all that they say.
            yield templates.plain.write_text(text, line.time_unix_nano)
            continue
        reading = _read(line, redact)
        dropped = 0
        if max_bytes and (size_bytes := measure(line.log) - RECORD_OVERHEAD_BYTES) > max_bytes:
            dropped = cut_reading(reading, max_bytes, size_bytes)
        yield templates.find(reading).write(reading, line.time_unix_nano, dropped)


class _Templates:
    """The templates for lines of one invocation that we received together."""

    def __init__(self, invocation: Invocation | None, observed_unix_nano: int) -> None:
        self.invocation = invocation
        self.observed_unix_nano = observed_unix_nano
        self.plain = RecordTemplate(self._identify(NOTHING))
        self._by_kind: dict[tuple[Any, ...], RecordTemplate] = {}

    def find(self, reading: Reading) -> RecordTemplate:
        """Return the template for a reading: by the names of its attributes, and ids of its own."""
        names = tuple(reading.attributes)
        kind: tuple[Any, ...] = names
        if reading.trace_id or reading.request_id:
            kind = (reading.trace_id, reading.span_id, reading.request_id, names)
        template = self._by_kind.get(kind)
        if template is None:
            template = self._by_kind[kind] = RecordTemplate(self._identify(reading), names)
        return template

    def _identify(self, reading: Reading) -> LogRecord:
        """Return a record with the ids of a line: its invocation's, unless it names its own.

        In a trace that is not the invocation's, a span is known from the line or not at all.
        """
        record = LogRecord(observed_time_unix_nano=self.observed_unix_nano)
        invocation, request_id = self.invocation, reading.request_id
        if invocation is not None and not request_id:
            request_id = invocation.request_id
            record.trace_id = invocation.context.trace_id
            record.span_id = invocation.context.span_id
            record.flags = SAMPLED if invocation.is_sampled else 0
        if reading.trace_id and reading.trace_id != record.trace_id:
            record.trace_id, record.span_id, record.flags = reading.trace_id, b"", 0
        record.span_id = reading.span_id or record.span_id
        if request_id:
            set_attributes(record.attributes, {INVOCATION_ID: request_id})
        return record


def _read(line: LogLine, redact: Callable[[Any], Any] | None) -> Reading:
    reading = read_line(
        line.log.record,
        line.time_unix_nano or line.observed_unix_nano,
        line.invocation.request_id if line.invocation is not None else "",
    )
    if redact is not None:
        reading.body, reading.attributes = redact(reading.body), redact(reading.attributes)
    return reading
