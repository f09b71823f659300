"""The log records of the synthetic telemetry: what functions print in an invocation."""

import random
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from otlp_viewer import LogRow
from tests.support.telemetry_facts import NANOS_PER_MS, TIMEOUT, Facts
from tests.support.telemetry_spans import SCOPE, SCOPE_VERSION, SERVER, span_id_of

# Text that must not act where it is shown.
MARKUP = '<script>alert("1")</script> & <b>bold</b> {{ 7 * 7 }}'
CONTROLS = "\x1b[31mred\x1b[0m\x07 \u202egnp.exe\u202c\r\nsecond line\x00"


class _Line(NamedTuple):
    at_ms: float
    severity_number: int
    severity_text: str
    body: Any
    attributes: Mapping[str, Any] = MappingProxyType({})


# What comes beside the line that each invocation prints, by chance.
_FURTHER_SHARE, _ODD_SHARE = 0.3, 0.02
_FURTHER = (
    _Line(2.0, 1, "TRACE", "cache: 3 of 4 keys found"),
    _Line(2.0, 5, "DEBUG", {"message": "query", "took_ms": 3.25, "tables": ["orders"]}),
    _Line(2.0, 13, "WARN", "retrying: the table asked to slow down"),
    _Line(2.0, 0, "", "a line without a level"),
)
_ODD = (_Line(3.0, 9, "INFO", MARKUP), _Line(3.0, 9, "INFO", CONTROLS))


def make_logs(rng: random.Random, facts: Facts, resource: Mapping[str, Any]) -> Iterator[LogRow]:
    """Yield one to three records, in order of their time."""
    begin = _Line(1.0, 9, "INFO", f"begin {facts.feature or facts.profile.name}")
    yield _make(facts, resource, begin)
    if rng.random() < _FURTHER_SHARE:
        yield _make(facts, resource, rng.choice(_FURTHER))
    if rng.random() < _ODD_SHARE:
        yield _make(facts, resource, rng.choice(_ODD))
    if facts.error_type:
        yield _make(facts, resource, _tell_error(facts))


def _tell_error(facts: Facts) -> _Line:
    if facts.error_type == TIMEOUT:
        body = f"Task timed out after {facts.profile.timeout_ms / 1000:.2f} seconds"
        return _Line(facts.runtime_ms, 17, "ERROR", body)
    exception = {
        "exception.type": facts.error_type,
        "exception.message": "no such item",
        "exception.stacktrace": 'Traceback (most recent call last):\n  File "app.py", line 7',
    }
    severity = (17, "ERROR") if facts.feature else (21, "FATAL")
    return _Line(facts.runtime_ms * 0.9, *severity, "no such item", exception)


def _make(facts: Facts, resource: Mapping[str, Any], line: _Line) -> LogRow:
    at_unix_nano = facts.start_unix_nano + int(line.at_ms * NANOS_PER_MS)
    return LogRow(
        time_unix_nano=at_unix_nano,
        observed_time_unix_nano=at_unix_nano + 30 * NANOS_PER_MS,
        severity_number=line.severity_number,
        severity_text=line.severity_text,
        body=line.body,
        attributes={"faas.invocation_id": facts.request_id, **line.attributes},
        trace_id=facts.trace_id,
        span_id=span_id_of(facts, SERVER),
        resource=resource,
        scope=SCOPE,
        flags=1,
        scope_version=SCOPE_VERSION,
    )
