"""Levels as loggers write them to the severities of the data model.

Owns the table (https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber and
its appendix B). Must not know where in a line a level stands.
"""

from collections.abc import Mapping

TRACE, DEBUG, INFO, WARN, ERROR, FATAL = 1, 5, 9, 13, 17, 21

_NAMES: Mapping[int, str] = {
    TRACE: "trace trce silly finest",
    DEBUG: "debug dbug fine",
    DEBUG + 1: "verbose",
    DEBUG + 2: "http",
    INFO: "info information informational",
    INFO + 1: "notice",
    WARN: "warn warning",
    ERROR: "error err fail severe",
    ERROR + 2: "alert",
    FATAL: "fatal critical crit panic dpanic emerg emergency",
}

# Most lines spell a level in one of three ways, so that one look is enough for them.
SEVERITIES: Mapping[str, int] = {
    spelling: number
    for number, names in _NAMES.items()
    for name in names.split()
    for spelling in (name, name.upper(), name.capitalize())
}

# pino and bunyan count 10, 20, …; levels of one's own lie between (https://getpino.io/#/docs/api).
_BY_TENS: Mapping[int, int] = {1: TRACE, 2: DEBUG, 3: INFO, 4: WARN, 5: ERROR, 6: FATAL}


def read_severity(level: object) -> int:
    """Return the severity number of a level, text or pino's number; 0 when it is none."""
    if isinstance(level, str):
        return SEVERITIES.get(level) or SEVERITIES.get(level.strip().lower(), 0)
    if isinstance(level, int) and not isinstance(level, bool):
        return _BY_TENS.get(level // 10, 0)
    return 0
