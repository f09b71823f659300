"""Log records as bytes, many of one kind at little cost.

Owns how a record is written. Lines of one invocation from one logger differ in a few values only:
time, text, level and those of the attributes. So one message is kept for each kind, these values
are set anew for each line, and the message is serialized; that takes a third of the time that
adding a message for each line does. Must not know lines, nor where the values come from.

State: the messages, for the length of one request; with it goes the memory that they grew to.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from logger_extension.signals.log_reading import Reading
from logger_extension.signals.values import set_attributes, set_value

VARINT_BITS = 7
LENGTH_DELIMITED = 2


class RecordTemplate:
    """A message for records with the same ids and the same names of attributes.

    Args:
        record: holds what is the same for all.
        names: the attributes whose values differ; they come before those of `record`.
    """

    def __init__(self, record: LogRecord, names: Iterable[str] = ()) -> None:
        constant = list(record.attributes)
        del record.attributes[:]
        self._values: list[AnyValue] = []
        for name in names:
            pair = record.attributes.add()
            pair.key = name
            self._values.append(pair.value)
        record.attributes.extend(constant)
        self._severity_text = ""  # of the last record: many have the same
        self._record = record
        self._body = record.body

    def write_text(self, text: str, time_unix_nano: int) -> bytes:
        """Return a record that has a text and a time, and nothing else of its own."""
        self._body.string_value = text
        self._record.time_unix_nano = time_unix_nano
        return self._record.SerializeToString()

    def write(self, reading: Reading, time_unix_nano: int, dropped_attributes: int = 0) -> bytes:
        """Return the record of a reading whose attributes have the names of the template."""
        record = self._record
        record.time_unix_nano = reading.time_unix_nano or time_unix_nano
        if reading.severity_text != self._severity_text:
            self._severity_text = reading.severity_text
            record.severity_number = reading.severity_number  # type: ignore[assignment]  # a private type of the generated module
            record.severity_text = reading.severity_text
        record.dropped_attributes_count = dropped_attributes
        _reset(self._body, reading.body)
        for target, value in zip(self._values, reading.attributes.values(), strict=True):
            if type(value) is str:
                target.string_value = value
            else:
                _reset(target, value)
        return record.SerializeToString()


def wrap_records(
    resource: Mapping[str, Any], scope_name: str, scope_version: str, records: Iterable[bytes]
) -> bytes:
    """Return a serialized `ExportLogsServiceRequest` of one resource and one scope."""
    scope_logs = ScopeLogs()
    scope_logs.scope.name = scope_name
    scope_logs.scope.version = scope_version
    resource_logs = ResourceLogs()
    set_attributes(resource_logs.resource.attributes, resource)
    chunks = [scope_logs.SerializeToString()]
    tag = _make_tag(ScopeLogs.LOG_RECORDS_FIELD_NUMBER)
    for record in records:
        chunks += (tag, _to_varint(len(record)), record)
    scope_bytes = _delimit(ResourceLogs.SCOPE_LOGS_FIELD_NUMBER, b"".join(chunks))
    resource_bytes = resource_logs.SerializeToString() + scope_bytes
    return _delimit(ExportLogsServiceRequest.RESOURCE_LOGS_FIELD_NUMBER, resource_bytes)


def _reset(target: AnyValue, value: Any) -> None:
    """Write a value over the last one. `type`, because a bool is an int."""
    kind = type(value)
    if kind is str:
        target.string_value = value
    elif kind is float:
        target.double_value = value
    elif kind is bool:
        target.bool_value = value
    else:
        target.Clear()
        set_value(target, value)


# A message inside a message is its tag, its length and its bytes
# (https://protobuf.dev/programming-guides/encoding/).
def _delimit(field_number: int, message: bytes) -> bytes:
    return _make_tag(field_number) + _to_varint(len(message)) + message


def _make_tag(field_number: int) -> bytes:
    return bytes((field_number << 3 | LENGTH_DELIMITED,))


@lru_cache(maxsize=1024)
def _to_varint(number: int) -> bytes:
    digits = bytearray()
    while number >> VARINT_BITS:
        digits.append(number & 0x7F | 0x80)
        number >>= VARINT_BITS
    digits.append(number)
    return bytes(digits)
