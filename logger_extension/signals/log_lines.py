"""Lines as a function prints them to what they say.

Owns the shapes of text: JSON objects, the prefixes of AWS's runtimes (tab-separated level, time and
request id), a level in brackets, and stack traces. The law: whatever does not have such a shape in
full is text, whole and unchanged but for one newline at its end. `START`, `END` and `REPORT` lines
are no shape here: the Telemetry API tells of them in `platform.*` events, and a `function` record
that looks like one was printed by the function.
"""

from typing import Any

import orjson

from logger_extension.signals.log_fields import describe_exception, get_request_id, read_fields
from logger_extension.signals.log_reading import REQUEST_ID_LENGTH, Reading, read_time
from logger_extension.signals.log_severity import read_severity
from logger_extension.signals.stack_trace import find_exception

DIGITS = frozenset("0123456789")
OPENERS = DIGITS | frozenset("{[")
TIME_LENGTH = len("2026-11-23T09:51:34.620Z")
LONGEST_LEVEL = len("[information")
TAB_SEPARATED_PARTS = 4
# Any of the names of a request id has it.
REQUEST_ID_HINT = "equest"


def read_plain(record: str | dict[str, Any]) -> str | None:
    """Return the text of a line that says nothing but itself; None when it may say more."""
    if not isinstance(record, str):
        return None
    text = record.removesuffix("\n")
    return None if text[:1] in OPENERS or "\n" in text or "\r" in text else text


def read_line(record: str | dict[str, Any], near_unix_nano: int, known_id: str = "") -> Reading:
    """Return what a line says.

    Args:
        record: text, or an object when Lambda has parsed the line.
        near_unix_nano: when Lambda read it.
        known_id: the request id of the invocation that it is put to, empty when there is none.
    """
    if isinstance(record, dict):
        return read_fields(record, near_unix_nano, known_id)
    text = record.removesuffix("\n")
    opener = text[:1]
    if opener in OPENERS:
        reading = _read_shape(text, opener, near_unix_nano, known_id)
        if reading is not None:
            return reading
    reading = Reading(text, {})
    if "\n" in text or "\r" in text:
        _add_exception(reading, text)
    return reading


def find_request_id(record: str | dict[str, Any]) -> str:
    """Return the request id that a line names, empty when it names none."""
    if isinstance(record, dict):
        return get_request_id(record)
    opener = record[:1]
    if opener not in OPENERS:
        return ""
    if opener == "{":
        fields = _parse_object(record.removesuffix("\n")) if REQUEST_ID_HINT in record else None
        return get_request_id(fields) if fields is not None else ""
    parts = _split_prefix(record, opener)
    return parts[2] if parts is not None and len(parts[2]) == REQUEST_ID_LENGTH else ""


def _read_shape(text: str, opener: str, near_unix_nano: int, known_id: str) -> Reading | None:
    """Return what a text with a shape says, None when it has none."""
    if opener == "{":
        fields = _parse_object(text)
        return None if fields is None else read_fields(fields, near_unix_nano, known_id)
    if (parts := _split_prefix(text, opener)) is not None:
        reading = _read_prefixed(parts, near_unix_nano, known_id)
        if reading is not None:
            return reading
    return _read_bracketed(text) if opener == "[" else None


def _parse_object(text: str) -> dict[str, Any] | None:
    if not text.endswith("}"):
        return None
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) else None


def _split_prefix(text: str, opener: str) -> tuple[str, str, str, str] | None:
    """Return level, time, request id and message of a runtime's prefix.

    Python writes `[LEVEL]<tab>time<tab>id<tab>message`, Node and .NET
    `time<tab>id<tab>LEVEL<tab>message`.
    """
    place = text.find("]", 1, LONGEST_LEVEL) + 1 if opener == "[" else TIME_LENGTH
    if not place or text[place : place + 1] != "\t":
        return None
    parts = text.split("\t", TAB_SEPARATED_PARTS - 1)
    if len(parts) != TAB_SEPARATED_PARTS:
        return None
    first, second, third, message = parts
    if opener == "[":
        return first[1:-1], second, third, message
    return third, first, second, message


def _read_prefixed(
    parts: tuple[str, str, str, str], near_unix_nano: int, known_id: str
) -> Reading | None:
    level, time, request_id, message = parts
    severity_number = read_severity(level)
    time_unix_nano = read_time(_pad_millis(time), near_unix_nano)
    # During init there is no request: Python leaves the id empty, Node calls it undefined.
    is_known = len(request_id) == REQUEST_ID_LENGTH
    if not severity_number or not time_unix_nano or not (is_known or request_id in _NO_REQUEST):
        return None
    fields = _parse_object(message) if message.startswith("{") else None
    if fields is not None:
        reading = read_fields(fields, near_unix_nano, known_id)
    else:
        reading = Reading(message, {})
        _add_exception(reading, message)
    reading.severity_text = reading.severity_text or level
    reading.severity_number = reading.severity_number or severity_number
    reading.time_unix_nano = reading.time_unix_nano or time_unix_nano
    if is_known and request_id != known_id:
        reading.request_id = request_id
    return reading


_NO_REQUEST = frozenset({"", "undefined", "None"})


def _read_bracketed(text: str) -> Reading | None:
    """Return what `[LEVEL] …` says: a severity, with the text unchanged."""
    level = text[1 : text.find("]", 1, LONGEST_LEVEL)]
    severity_number = read_severity(level)
    if not severity_number:
        return None
    reading = Reading(text, {})
    reading.severity_number, reading.severity_text = severity_number, level
    _add_exception(reading, text)
    return reading


def _add_exception(reading: Reading, text: str) -> None:
    found = find_exception(text)
    if found is None:
        # Node's runtime: `Invoke Error<tab>{"errorType": …, "stack": […]}`.
        _, tab, rest = text.partition("\t")
        fields = _parse_object(rest) if tab and rest.startswith("{") else None
        found = describe_exception(fields) if fields is not None else None
    if found is not None:
        reading.attributes |= found.to_attributes()


def _pad_millis(time: str) -> str:
    # Older runtimes for Python write milliseconds without leading zeros.
    whole, dot, millis = time.rpartition(".")
    return f"{whole}.{millis:0>4}" if dot else time
