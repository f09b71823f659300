"""What a line says, as a value, and how its single parts are read.

Owns the parts that text and JSON lines have in common: times and ids. Must not know the shapes
that they stand in.
"""

from typing import Any

from logger_extension.platform_records import NANOS_PER_S, parse_time

# A line is printed shortly before Lambda reads it. A time further away is not when the line was
# printed but what it is about; and collectors refuse requests whose times lie a day apart.
MAX_AGE_NANO = 12 * 3_600 * NANOS_PER_S

NANOS_PER_UNIT = (NANOS_PER_S, 1_000_000, 1_000, 1)
REQUEST_ID_LENGTH = 36


class Reading:
    """What one line says; empty or 0 where it says nothing.

    Made for every line, so that making one is cheap: what a line does not say is not written.

    Attributes:
        body: text, or any value that JSON can hold.
        attributes: whatever has no place of its own.
        severity_text: the level as the line has it.
        time_unix_nano: when the line was printed.
        known_id: the request id of the invocation that the line is put to.
        request_id: of another invocation, where the line names it beyond doubt.
        trace_id: 16 bytes; `span_id`, 8 bytes, is never there without it.
        is_exceptional: whether a field hints at an exception.
    """

    severity_number = 0
    severity_text = ""
    time_unix_nano = 0
    known_id = ""
    request_id = ""
    trace_id = b""
    span_id = b""
    is_exceptional = False

    def __init__(self, body: Any, attributes: dict[str, Any]) -> None:
        self.body = body
        self.attributes = attributes


def read_time(value: object, near_unix_nano: int) -> int:
    """Return a line's own time as nanoseconds since the epoch, 0 when it cannot be one.

    Args:
        value: an ISO 8601 text with its offset, or a number since the epoch: its unit is the one
            that makes it fit.
        near_unix_nano: when Lambda read the line.
    """
    time_unix_nano = 0
    if isinstance(value, str):
        time_unix_nano = parse_time(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        for unit_nano in NANOS_PER_UNIT:
            # Compared before it is made an integer: it may be infinite.
            if abs(value * unit_nano - near_unix_nano) <= MAX_AGE_NANO:
                time_unix_nano = int(value * unit_nano)
                break
    age_nano = near_unix_nano - time_unix_nano
    if time_unix_nano <= 0 or not -MAX_AGE_NANO <= age_nano <= MAX_AGE_NANO:
        return 0
    if 0 < age_nano < NANOS_PER_S and time_unix_nano % NANOS_PER_S == 0:
        # Loggers that tell whole seconds (AWS's Python runtime in JSON) know less than Lambda does,
        # and would put a line before the start of its invocation.
        return near_unix_nano
    return time_unix_nano


def read_trace_id(value: object) -> bytes:
    """Return a W3C trace id, or X-Ray's `1-<8 hex>-<24 hex>`, as 16 bytes; none otherwise."""
    if not isinstance(value, str):
        return b""
    if value.startswith("1-") and value[10:11] == "-":
        value = value[2:10] + value[11:]
    return _read_hex(value, 16)


def read_span_id(value: object) -> bytes:
    """Return a span id as 8 bytes, none when it is no such id."""
    return _read_hex(value, 8) if isinstance(value, str) else b""


def _read_hex(text: str, size_bytes: int) -> bytes:
    if len(text) != 2 * size_bytes:
        return b""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return b""
    # `fromhex` skips blanks; an id of zeros is none by the specification.
    return found if len(found) == size_bytes and any(found) else b""
