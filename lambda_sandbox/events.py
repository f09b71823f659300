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
        record = self.record
        if json_lines and schema_version != OLDEST_SCHEMA and _is_json_object(record):
            # The line goes in as it stands: no number or key of it is written anew.
            text = str(record)
        else:
            text = _dump(record)
        head = _dump({"time": iso_ms(self.time_unix_ms), "type": self.type})
        return f'{head[:-1]},"record":{text}}}'.encode(errors="replace")


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _is_json_object(record: Mapping[str, Any] | str) -> bool:
    """True for a line that is a JSON object by the letter; NaN and Infinity are none."""
    if not isinstance(record, str) or not record.startswith("{"):
        return False
    try:
        json.loads(record, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def iso_ms(unix_ms: int) -> str:
    """Epoch milliseconds as Lambda writes them: UTC, ISO 8601, milliseconds, `Z`."""
    moment = datetime.fromtimestamp(unix_ms // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{unix_ms % 1_000:03d}Z"


def printed_line(stream: str, line: str) -> tuple[str, str]:
    """A line of the function's or an extension's output, with its line feed as in real Lambda."""
    return stream, f"{line}\n"
