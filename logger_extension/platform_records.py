"""Records of the Telemetry API to values, by the type of their event.

Owns the shapes of https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html,
parsed by what is there and never by version: a field that is missing or is of another type is
unknown, and only a record without what identifies it is none. Must not know what a record leads to.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import Any

from logger_extension.events import (
    FunctionLog,
    InitReport,
    InitRuntimeDone,
    InitStart,
    InvocationStart,
    LogsDropped,
    PhaseSpan,
    Record,
    Report,
    RuntimeDone,
)
from logger_extension.json_text import to_text

NANOS_PER_S = 1_000_000_000
# Beyond these a number is no count, no size, and no duration: an invocation lasts 15 minutes.
MAX_NUMBER = 2**53
MAX_DURATION_MS = 24 * 3_600 * 1_000
# OTLP times are unsigned 64-bit nanoseconds, up to 2554; a duration after it must fit as well.
MAX_UNIX_S = 2**64 // NANOS_PER_S - MAX_DURATION_MS // 1_000 - 1


def parse_time(text: object) -> int:
    """Return an ISO 8601 time as nanoseconds since the epoch, 0 when it is none."""
    return _parse_time(text) if isinstance(text, str) else 0


# Lines come in bursts: many have the same millisecond.
@lru_cache(maxsize=1_024)
def _parse_time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        seconds = int(moment.timestamp()) if moment.tzinfo else -1
    except (ValueError, OverflowError, OSError):
        return 0
    if not 0 < seconds < MAX_UNIX_S:
        return 0
    return seconds * NANOS_PER_S + moment.microsecond * 1_000


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
    return RuntimeDone(
        request_id,
        status=_text(record, "status"),
        error_type=_text(record, "errorType"),
        duration_ms=_duration(record, "durationMs"),
        produced_bytes=_count(record, "producedBytes"),
        spans=_spans(record),
    )


def _read_report(request_id: str, record: Mapping[str, Any]) -> Record:
    return Report(
        request_id,
        status=_text(record, "status"),
        error_type=_text(record, "errorType"),
        duration_ms=_duration(record, "durationMs"),
        billed_duration_ms=_count(record, "billedDurationMs"),
        memory_size_mb=_count(record, "memorySizeMB"),
        max_memory_used_mb=_count(record, "maxMemoryUsedMB"),
        init_duration_ms=_duration(record, "initDurationMs"),
        restore_duration_ms=_duration(record, "restoreDurationMs"),
        spans=_spans(record),
    )


def _read_init_start(record: object) -> Record | None:
    return InitStart(_text(record, "instanceId")) if isinstance(record, dict) else None


def _read_restore_start(record: object) -> Record | None:
    if not isinstance(record, dict):
        return None
    return InitStart(_text(record, "instanceId"), is_restore=True)


def _read_init_runtime_done(record: object) -> Record | None:
    if not isinstance(record, dict):
        return None
    return InitRuntimeDone(_text(record, "status"), _text(record, "errorType"))


def _read_init_report(record: object) -> Record | None:
    if not isinstance(record, dict):
        return None
    duration_ms = _duration(record, "durationMs")
    return InitReport(_text(record, "status"), _text(record, "errorType"), duration_ms)


def _read_logs_dropped(record: object) -> Record | None:
    if not isinstance(record, dict):
        return None
    records, size_bytes = _number(record, "droppedRecords"), _number(record, "droppedBytes")
    return LogsDropped(int(records or 0), int(size_bytes or 0), _text(record, "reason"))


READERS: Mapping[str, Callable[[object], Record | None]] = {
    "function": _read_function,
    "platform.initStart": _read_init_start,
    "platform.initRuntimeDone": _read_init_runtime_done,
    "platform.initReport": _read_init_report,
    "platform.restoreStart": _read_restore_start,
    "platform.restoreRuntimeDone": _read_init_runtime_done,
    "platform.restoreReport": _read_init_report,
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


def _duration(record: Mapping[str, Any], name: str) -> float | None:
    duration_ms = _metric(record, name)
    return None if duration_ms is None or duration_ms > MAX_DURATION_MS else duration_ms


def _count(record: Mapping[str, Any], name: str) -> int | None:
    number = _metric(record, name)
    return None if number is None else int(number)


def _spans(record: Mapping[str, Any]) -> tuple[PhaseSpan, ...]:
    spans = record.get("spans")
    read = [_read_span(each) for each in spans] if isinstance(spans, list) else []
    return tuple(each for each in read if each is not None)


def _read_span(span: object) -> PhaseSpan | None:
    if not isinstance(span, dict):
        return None
    name, start_unix_nano = _text(span, "name"), parse_time(span.get("start"))
    duration_ms = _number(span, "durationMs")
    if not name or not start_unix_nano or duration_ms is None or duration_ms > MAX_DURATION_MS:
        return None
    return PhaseSpan(name, start_unix_nano, duration_ms)


def _number(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isfinite(value) and 0 <= value <= MAX_NUMBER else None
