"""Lambda's own events as log lines, for those who want them among the function's.

Owns the texts, which are those of opentelemetry-lambda's telemetryapireceiver
(https://github.com/open-telemetry/opentelemetry-lambda), so that searches made for it find ours.
The event's fields are attributes under their own names, and `type` says what the event is. Must not
know whether anybody asked for them.
"""

from collections.abc import Mapping
from typing import Any

from logger_extension.events import FunctionLog

Part = tuple[str, str, str]

MS, WHOLE_MS, MB = "{:.2f} ms", "{:.0f} ms", "{:.0f} MB"
_REQUEST: Part = ("RequestId", "requestId", "{}")
_VERSION: Part = ("Version", "version", "{}")
_STATUS: Part = ("Status", "status", "{}")
_ERROR: Part = ("Error Type", "errorType", "{}")
_TYPE: Part = ("Initialization Type", "initializationType", "{}")
_PHASE: Part = ("Phase", "phase", "{}")
_DURATION: Part = ("Duration", "metrics.durationMs", MS)
_RUNTIME: tuple[Part, ...] = (
    ("Runtime Version", "runtimeVersion", "{}"),
    ("Runtime Version ARN", "runtimeVersionArn", "{}"),
)

# By type: how the line begins, and what follows where the event has it.
TEXTS: Mapping[str, tuple[str, tuple[Part, ...]]] = {
    "platform.initStart": ("INIT_START", _RUNTIME),
    "platform.initRuntimeDone": ("INIT_RUNTIME_DONE", (_STATUS, _ERROR)),
    "platform.initReport": ("INIT_REPORT", (_TYPE, _PHASE, _STATUS, _DURATION, _ERROR)),
    "platform.restoreStart": ("RESTORE_START", _RUNTIME),
    "platform.restoreRuntimeDone": ("RESTORE_RUNTIME_DONE", (_STATUS, _ERROR)),
    "platform.restoreReport": ("RESTORE_REPORT", (_STATUS, _DURATION, _ERROR)),
    "platform.start": ("START", (_REQUEST, _VERSION)),
    "platform.runtimeDone": ("END", (_REQUEST, _VERSION)),
    "platform.report": (
        "REPORT",
        (
            _REQUEST,
            _DURATION,
            ("Billed Duration", "metrics.billedDurationMs", WHOLE_MS),
            ("Memory Size", "metrics.memorySizeMB", MB),
            ("Max Memory Used", "metrics.maxMemoryUsedMB", MB),
            ("Init Duration", "metrics.initDurationMs", MS),
            ("Restore Duration", "metrics.restoreDurationMs", MS),
            _STATUS,
            _ERROR,
        ),
    ),
    "platform.telemetrySubscription": (
        "TELEMETRY",
        (("Name", "name", "{}"), ("State", "state", "{}"), ("Subscribed Types", "types", "{}")),
    ),
    "platform.extension": (
        "EXTENSION",
        (("Name", "name", "{}"), ("State", "state", "{}"), ("Events", "events", "{}")),
    ),
    "platform.logsDropped": (
        "LOGS_DROPPED",
        (
            ("DroppedRecords", "droppedRecords", "{:.0f}"),
            ("DroppedBytes", "droppedBytes", "{:.0f}"),
            ("Reason", "reason", "{}"),
        ),
    ),
}


def make_platform_log(event_type: str, record: Mapping[str, Any]) -> FunctionLog:
    """Return an event as a line that a logger might have written; one of unknown type whole.

    Args:
        event_type: such as `platform.start`.
        record: what the event holds, in any shape.
    """
    fields = {**record, "type": event_type}
    if event_type not in TEXTS:
        return FunctionLog(fields)
    begin, parts = TEXTS[event_type]
    said = (_describe(label, _find(record, path), form) for label, path, form in parts)
    has_failed = record.get("status", "success") != "success"
    level = "ERROR" if has_failed or event_type == "platform.logsDropped" else "INFO"
    message = " ".join([begin, *filter(None, said)])
    return FunctionLog({"level": level, "message": message} | fields)


def _describe(label: str, value: Any, form: str) -> str:
    if value is None:
        return ""
    is_number = isinstance(value, int | float)
    return f"{label}: {form.format(value) if is_number or form == '{}' else value}"


def _find(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record
