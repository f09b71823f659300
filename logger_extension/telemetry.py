"""Telemetry API bodies to events.

Owns the shapes of https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html,
parsed by what is there and never by version. One law: nothing that comes in raises, and a bad item
costs nothing but itself; what is lost is counted by reason. Must not know what an event means for
us.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

import orjson

from logger_extension.events import (
    FunctionLog,
    InitRuntimeDone,
    InitStart,
    InvocationStart,
    LogsDropped,
    Record,
    Report,
    RuntimeDone,
    TelemetryEvent,
    UnknownRecord,
)
from logger_extension.json_text import to_text

NANOS_PER_S = 1_000_000_000
# Beyond these a number is no count, no size, and no duration: an invocation lasts 15 minutes.
MAX_NUMBER = 2**53
MAX_DURATION_MS = 24 * 3_600 * 1_000
# OTLP times are unsigned 64-bit nanoseconds, up to 2554; a duration after it must fit as well.
MAX_UNIX_S = 2**64 // NANOS_PER_S - MAX_DURATION_MS // 1_000 - 1
# How often the reader looks for a next readable item in a broken body.
MAX_RESUMPTIONS = 1_000


@dataclass(slots=True)
class Batch:
    """What one body held.

    Attributes:
        events: in the order of the body.
        lost: items that could not be read, by reason: `malformed_item`, `malformed_batch`.
    """

    events: list[TelemetryEvent] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)


def decode(body: bytes) -> Batch:
    """Read one body: a JSON array of envelopes `{"time", "type", "record"}`."""
    batch = Batch()
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError:
        items = _salvage(body, batch)
    if not isinstance(items, list):
        items = [items]
    for item in items:
        event = _read_event(item)
        if event is None:
            batch.lost["malformed_item"] += 1
        else:
            batch.events.append(event)
    return batch


def parse_time(text: object) -> int:
    """Return an ISO 8601 time as nanoseconds since the epoch, 0 when it is none."""
    if not isinstance(text, str):
        return 0
    try:
        moment = datetime.fromisoformat(text)
        seconds = int(moment.timestamp()) if moment.tzinfo else -1
    except (ValueError, OverflowError, OSError):
        return 0
    if not 0 < seconds < MAX_UNIX_S:
        return 0
    return seconds * NANOS_PER_S + moment.microsecond * 1_000


def _read_event(item: object) -> TelemetryEvent | None:
    if not isinstance(item, dict):
        return None
    event_type = item.get("type")
    if not isinstance(event_type, str):
        return None
    read = _READERS.get(event_type)
    record = UnknownRecord() if read is None else read(item.get("record"))
    if record is None:
        return None
    return TelemetryEvent(parse_time(item.get("time")), event_type, record)


def _read_function(record: object) -> Record | None:
    if isinstance(record, str | dict):
        return FunctionLog(record)
    if record is None:
        return None
    # Never seen from Lambda; a line is a line.
    return FunctionLog(to_text(record))


def _of_request(
    build: Callable[[str, Mapping[str, Any]], Record],
) -> Callable[[object], Record | None]:
    """Wrap a reader of records that make no sense without their request id."""

    def read(record: object) -> Record | None:
        if not isinstance(record, dict):
            return None
        request_id = _text(record, "requestId")
        return build(request_id, record) if request_id else None

    return read


def _read_start(request_id: str, record: Mapping[str, Any]) -> Record:
    tracing = record.get("tracing")
    header = _text(tracing, "value") if isinstance(tracing, dict) else ""
    return InvocationStart(request_id, _text(record, "functionArn"), header)


def _read_runtime_done(request_id: str, record: Mapping[str, Any]) -> Record:
    produced = _metric(record, "producedBytes")
    return RuntimeDone(
        request_id,
        _text(record, "status"),
        _text(record, "errorType"),
        _duration(record),
        None if produced is None else int(produced),
    )


def _read_report(request_id: str, record: Mapping[str, Any]) -> Record:
    return Report(
        request_id,
        _text(record, "status"),
        _text(record, "errorType"),
        _duration(record),
    )


def _read_init_start(record: object) -> Record | None:
    return InitStart(_text(record, "instanceId")) if isinstance(record, dict) else None


def _read_init_runtime_done(record: object) -> Record | None:
    if not isinstance(record, dict):
        return None
    return InitRuntimeDone(_text(record, "status"), _text(record, "errorType"))


def _read_logs_dropped(record: object) -> Record | None:
    if not isinstance(record, dict):
        return None
    records, size_bytes = _number(record, "droppedRecords"), _number(record, "droppedBytes")
    return LogsDropped(int(records or 0), int(size_bytes or 0), _text(record, "reason"))


_READERS: Mapping[str, Callable[[object], Record | None]] = {
    "function": _read_function,
    "platform.initStart": _read_init_start,
    "platform.initRuntimeDone": _read_init_runtime_done,
    "platform.start": _of_request(_read_start),
    "platform.runtimeDone": _of_request(_read_runtime_done),
    "platform.report": _of_request(_read_report),
    "platform.logsDropped": _read_logs_dropped,
}


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _metric(record: Mapping[str, Any], name: str) -> float | None:
    metrics = record.get("metrics")
    return _number(metrics, name) if isinstance(metrics, dict) else None


def _duration(record: Mapping[str, Any]) -> float | None:
    duration_ms = _metric(record, "durationMs")
    return None if duration_ms is None or duration_ms > MAX_DURATION_MS else duration_ms


def _number(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isfinite(value) and 0 <= value <= MAX_NUMBER else None


def _salvage(body: bytes, batch: Batch) -> list[object]:
    """Return the items of a body that orjson refuses, as far as they can be read.

    Invalid UTF-8, lone surrogates, NaN, a broken item, a torn end: whatever stands beside them is
    kept. After a broken item reading goes on where the next envelope can begin, never inside it: a
    line that a function printed must not pass for a platform event.
    """
    text = body.decode("utf-8", "replace")
    items: list[object] = []
    lost = 0
    position = _BETWEEN_ITEMS.match(text).end()  # type: ignore[union-attr]  # matches the empty text
    while position < len(text) and not _END.match(text, position) and lost < MAX_RESUMPTIONS:
        try:
            item, position = _DECODER.raw_decode(text, position)
            items.append(_clean(item))
        except (ValueError, RecursionError):
            lost += 1
            following = _NEXT_ENVELOPE.search(text, position)
            if following is None:
                break
            position = following.end()
        else:
            position = _BETWEEN_ITEMS.match(text, position).end()  # type: ignore[union-attr]
            # A body that ends without its bracket has lost what came after.
            lost += position >= len(text)
    if not items:
        batch.lost["malformed_batch"] += 1
    elif lost:
        batch.lost["malformed_item"] += lost
    return items


_DECODER = json.JSONDecoder(parse_constant=str)
_BETWEEN_ITEMS = re.compile(r"[\s,\[]*")
_END = re.compile(r"\]\s*\Z")
_NEXT_ENVELOPE = re.compile(r'[,\[]\s*(?=\{\s*"(?:time|type|record)")')


def _clean(item: object) -> object:
    """Return a value with only what OTLP strings can hold: no lone surrogates.

    Raises:
        ValueError: the value is nested too deeply to be read.
    """
    return orjson.loads(json.dumps(item, ensure_ascii=False).encode("utf-8", "replace"))
