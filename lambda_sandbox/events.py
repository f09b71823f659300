"""Telemetry events: the envelope and its JSON.

Pure: values in, bytes out, the time is passed in. The records of the platform's own events are made
in `records`. It must not know who subscribed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_SCHEMA = "2022-07-01"


@dataclass(frozen=True, slots=True)
class TelemetryEvent:
    """One event of the Telemetry API; `record` is text for what a process printed."""

    time_unix_ms: int
    type: str
    record: Mapping[str, Any] | str

    @property
    def stream(self) -> str:
        """The subscription type that it belongs to: `platform`, `function` or `extension`."""
        return self.type.partition(".")[0]

    def encode(self, schema_version: str, *, json_lines: bool) -> bytes:
        """Return the JSON object of this event.

        `json_lines` is the JSON log format: a line that is a JSON object becomes an object, but
        for subscribers with the oldest schema, which knows strings only (contract 7.1).
        """
        record: Any = self.record
        if json_lines and schema_version != OLDEST_SCHEMA and isinstance(record, str):
            record = _object_or_text(record)
        envelope = {"time": iso_ms(self.time_unix_ms), "type": self.type, "record": record}
        return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode(
            errors="replace"
        )


def _object_or_text(line: str) -> Any:
    try:
        value = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return line
    return value if isinstance(value, dict) else line


def iso_ms(unix_ms: int) -> str:
    """Epoch milliseconds as Lambda writes them: UTC, ISO 8601, milliseconds, `Z`."""
    moment = datetime.fromtimestamp(unix_ms // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{unix_ms % 1_000:03d}Z"


def printed_line(stream: str, line: str) -> tuple[str, str]:
    """A line of the function's or an extension's output, with its line feed as in real Lambda."""
    return stream, f"{line}\n"
