"""Telemetry API bodies to events.

One law: nothing that comes in raises, and a bad item costs nothing but itself; what is lost is
counted by reason. Must not know what an event means for us.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from logger_extension.events import FunctionLog, TelemetryEvent, UnknownRecord
from logger_extension.platform_records import READERS, parse_time

# How often a broken body is read, in all, while looking for its next readable item.
MAX_READINGS = 4


MakeLine = Callable[[str, Mapping[str, Any]], FunctionLog]

# Platform events after which an invocation is over or forgotten.
ENDS = frozenset({"platform.runtimeDone", "platform.report"})


@dataclass(slots=True)
class Batch:
    """What one body held.

    Attributes:
        events: in the order of the body.
        lost: items that could not be read, by reason: `malformed_item`, `malformed_batch`.
    """

    events: list[TelemetryEvent] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)


def decode(body: bytes, make_line: MakeLine | None = None) -> Batch:
    """Read one body: a JSON array of envelopes `{"time", "type", "record"}`.

    Args:
        body: as Lambda posted it.
        make_line: makes a log line of a platform event and its record, None when nobody asks.
    """
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
            continue
        batch.events.append(event)
        if make_line is not None and event.type.startswith("platform."):
            line = TelemetryEvent(event.time_unix_nano, "function", _tell(make_line, item))
            # Beside its event and within its invocation: after the start, before the end.
            is_end = event.type in ENDS
            batch.events.insert(len(batch.events) - is_end, line)
    return batch


def tells_end(body: bytes, request_id: str) -> bool:
    """Return whether a body may tell that the runtime is done with an invocation.

    Most bodies are told by a look for a few words. That Lambda has lost something counts too: the
    end may be among it. A body that cannot be read may tell anything.
    """
    if b'"platform.logsDropped"' in body:
        return True
    if b'"platform.runtimeDone"' not in body or request_id.encode() not in body:
        return False
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError:
        return True
    return not isinstance(items, list) or any(_is_end(item, request_id) for item in items)


def _is_end(item: object, request_id: str) -> bool:
    if not isinstance(item, dict) or item.get("type") != "platform.runtimeDone":
        return False
    record = item.get("record")
    return isinstance(record, dict) and record.get("requestId") == request_id


def _tell(make_line: MakeLine, item: dict[str, Any]) -> FunctionLog:
    record = item.get("record")
    return make_line(item["type"], record if isinstance(record, dict) else {"record": record})


def _read_event(item: object) -> TelemetryEvent | None:
    if not isinstance(item, dict):
        return None
    event_type = item.get("type")
    record = item.get("record")
    if event_type == "function" and (type(record) is str or type(record) is dict):
        # Nearly every event is a line, and nearly every line is one of these.
        return TelemetryEvent(parse_time(item.get("time")), event_type, FunctionLog(record))
    if not isinstance(event_type, str):
        return None
    read = READERS.get(event_type)
    value = UnknownRecord() if read is None else read(record)
    if value is None:
        return None
    return TelemetryEvent(parse_time(item.get("time")), event_type, value)


def _salvage(body: bytes, batch: Batch) -> list[object]:
    """Return the items of a body that orjson refuses, as far as they can be read.

    Invalid UTF-8, lone surrogates, NaN, a broken item, a torn end: whatever stands beside them is
    kept. After a broken item reading goes on where the next envelope can begin, never inside it: a
    line that a function printed must not pass for a platform event.
    """
    text = body.decode("utf-8", "replace")
    items: list[object] = []
    lost = 0
    # A body made to be read again and again must not hold the process up.
    budget_chars = MAX_READINGS * len(text)
    position = _BETWEEN_ITEMS.match(text).end()  # type: ignore[union-attr]  # matches the empty text
    while position < len(text) and not _END.match(text, position) and budget_chars > 0:
        try:
            item, position = _DECODER.raw_decode(text, position)
            items.append(_clean(item))
        except (ValueError, RecursionError) as error:
            lost += 1
            budget_chars -= getattr(error, "pos", len(text)) - position
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
