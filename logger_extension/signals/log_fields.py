"""JSON lines: which field means what.

Owns the names that loggers give to level, message, time, ids and exceptions: Lambda's JSON format,
powertools, structlog, pino, winston, .NET (Microsoft.Extensions.Logging and Serilog), Log4j and
ECS. A field that has no place of its own, or does not hold what its name says, is an attribute
under its own name. Must not know text lines.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from logger_extension.signals.log_reading import Reading, read_span_id, read_time, read_trace_id
from logger_extension.signals.log_severity import read_severity
from logger_extension.signals.stack_trace import ExceptionFacts, find_exception

# Stands for "no message yet": a message may be null.
NO_MESSAGE: Any = object()

Field = Callable[[Reading, Any, int], bool]


def read_fields(fields: dict[str, Any], near_unix_nano: int, known_id: str) -> Reading:
    """Return what a JSON line says; without a message the whole object is its body.

    Args:
        fields: the object; stays as it is.
        near_unix_nano: when Lambda read the line.
        known_id: the request id of the line's invocation; saying it again adds nothing.
    """
    rest: dict[str, Any] = {}
    reading = Reading(NO_MESSAGE, rest)
    reading.known_id = known_id
    for name, value in fields.items():
        take = _FIELDS.get(name)
        if take is None or not take(reading, value, near_unix_nano):
            rest[name] = value
    if reading.span_id and not reading.trace_id:
        _return_span(reading, fields)
    if reading.body is NO_MESSAGE and not _take_event(reading):
        # Without a message the whole object is the body: nothing of it may get lost.
        reading.body, reading.attributes = fields, {}
    if reading.is_exceptional:
        _add_exception(reading, fields)
    return reading


def get_request_id(fields: Mapping[str, Any]) -> str:
    """Return the request id that a JSON line names, empty when there is none."""
    if _NAMING_REQUEST.isdisjoint(fields):
        return ""
    for name in _NAMING_REQUEST_IN_ORDER:
        value = fields.get(name)
        if value and isinstance(value, str):
            return value
    return ""


def describe_exception(fields: Mapping[str, Any]) -> ExceptionFacts | None:
    """Return the exception that an object tells of under any of the usual names."""
    if (named := _read_parts(fields, _TYPES, _MESSAGES)) is not None:
        return named
    for name in _HOLDERS:
        value = fields.get(name)
        if isinstance(value, list) and value:
            value = value[0]  # structlog lists an exception before its causes
        if isinstance(value, str) and (found := find_exception(value)) is not None:
            return found
        if isinstance(value, dict):
            held = _read_parts(value, _TYPES + _HELD_TYPES, _MESSAGES + _HELD_MESSAGES)
            if held is not None:
                return held
    return None


def _return_span(reading: Reading, fields: Mapping[str, Any]) -> None:
    """Make a span id an attribute: without its trace nobody finds the span."""
    reading.span_id = b""
    spans = {name: value for name, value in fields.items() if _FIELDS.get(name) is _take_span_id}
    reading.attributes |= spans


def _take_event(reading: Reading) -> bool:
    """Take structlog's message; without a level, `event` is a field like any other."""
    if not reading.severity_number or not isinstance(reading.attributes.get("event"), str):
        return False
    reading.body = reading.attributes.pop("event")
    return True


def _add_exception(reading: Reading, fields: Mapping[str, Any]) -> None:
    found = describe_exception(fields)
    if found is None and isinstance(reading.body, dict):
        found = describe_exception(reading.body)
    if found is None:
        return
    if found.stacktrace:
        # Moved, not copied: a trace is long.
        for name in (*_STACKS, *_HOLDERS):
            if found.stacktrace == _to_trace(reading.attributes.get(name)):
                del reading.attributes[name]
    for name, value in found.to_attributes().items():
        reading.attributes.setdefault(name, value)


def _read_parts(
    fields: Mapping[str, Any], types: Iterable[str], messages: Iterable[str]
) -> ExceptionFacts | None:
    """Return type, message and trace; two of the three make an exception."""
    kind = _first_text(fields, types)
    message = _first_text(fields, messages)
    stack = next(filter(None, (_to_trace(fields.get(name)) for name in _STACKS)), "")
    if stack and not (kind and message) and (found := find_exception(stack)) is not None:
        kind, message = kind or found.type, message or found.message
    if not (kind or message) or not (stack or (kind and message)):
        return None
    return ExceptionFacts(kind, message, stack)


def _to_trace(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(line.rstrip("\n") for line in value)
    return ""


def _first_text(fields: Mapping[str, Any], names: Iterable[str]) -> str:
    values = (fields.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), "")


def _take_level(reading: Reading, value: Any, _near_unix_nano: int) -> bool:
    if reading.severity_number:
        return False
    reading.severity_number = number = read_severity(value)
    if number:
        reading.severity_text = value if isinstance(value, str) else str(value)
    return number != 0


def _take_message(reading: Reading, value: Any, _near_unix_nano: int) -> bool:
    if reading.body is not NO_MESSAGE:
        return False
    reading.body = value
    if isinstance(value, dict):
        reading.is_exceptional = True
    return True


def _take_time(reading: Reading, value: Any, near_unix_nano: int) -> bool:
    if reading.time_unix_nano:
        return False
    reading.time_unix_nano = read_time(value, near_unix_nano)
    return reading.time_unix_nano != 0


def _take_instant(reading: Reading, value: Any, near_unix_nano: int) -> bool:
    """Take Log4j's `{"epochSecond": …, "nanoOfSecond": …}`."""
    if not isinstance(value, dict):
        return _take_time(reading, value, near_unix_nano)
    seconds, nanos = value.get("epochSecond"), value.get("nanoOfSecond", 0)
    is_more = not value.keys() <= {"epochSecond", "nanoOfSecond"}
    if is_more or type(seconds) is not int or type(nanos) is not int:
        return False
    return _take_time(reading, seconds * 1_000_000_000 + nanos, near_unix_nano)


def _take_trace_id(reading: Reading, value: Any, _near_unix_nano: int) -> bool:
    if reading.trace_id:
        return False
    reading.trace_id = read_trace_id(value)
    return reading.trace_id != b""


def _take_span_id(reading: Reading, value: Any, _near_unix_nano: int) -> bool:
    if reading.span_id:
        return False
    reading.span_id = read_span_id(value)
    return reading.span_id != b""


def _take_request_id(reading: Reading, value: Any, _near_unix_nano: int) -> bool:
    # Any other value may be the id of some other kind of request.
    return bool(value) and value == reading.known_id


def _take_invocation_id(reading: Reading, value: Any, _near_unix_nano: int) -> bool:
    if not isinstance(value, str) or not value:
        return reading.known_id != ""  # ours has that name
    if value != reading.known_id:
        reading.request_id = value
    return True


def _note_exception(reading: Reading, _value: Any, _near_unix_nano: int) -> bool:
    reading.is_exceptional = True
    return False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


INVOCATION_ID = "faas.invocation_id"
_REQUEST_IDS = _words(
    "requestId AWSRequestId awsRequestId aws_request_id function_request_id request_id"
)
_NAMING_REQUEST_IN_ORDER = (INVOCATION_ID, *_REQUEST_IDS)
_NAMING_REQUEST = frozenset(_NAMING_REQUEST_IN_ORDER)
_TYPES = _words("errorType exc_type exception_class exception_name error.type exception.type")
_MESSAGES = _words("errorMessage exc_value exception_message error.message exception.message error")
# Names that say too little outside of an object that is an exception.
_HELD_TYPES, _HELD_MESSAGES = ("type", "name"), ("message",)
_STACKS = _words(
    "stackTrace stack stack_trace stacktrace extendedStackTrace error.stack_trace"
    " exception.stacktrace"
)
_HOLDERS = _words("exception err error thrown Exception @x exc_info")

_NAMES: Mapping[Field, str] = {
    _take_level: (
        "level severity levelname LogLevel Level log.level loglevel log_level lvl severity_text @l"
    ),
    _take_message: "message msg Message @m @mt RenderedMessage short_message",
    _take_time: ("timestamp time @timestamp Timestamp ts @t asctime datetime eventTime timeMillis"),
    _take_instant: "instant",
    _take_trace_id: ("trace_id traceId TraceId trace.id otelTraceID xray_trace_id xrayTraceId @tr"),
    _take_span_id: "span_id spanId SpanId span.id otelSpanID @sp",
    _take_request_id: " ".join(_REQUEST_IDS),
    _take_invocation_id: INVOCATION_ID,
    _note_exception: " ".join(
        ["errorType", "exc_type", "exception_class", "exception_name", *_STACKS, *_HOLDERS]
    ),
}
_FIELDS: Mapping[str, Field] = {
    name: take for take, names in _NAMES.items() for name in names.split()
}
