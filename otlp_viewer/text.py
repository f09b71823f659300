"""Values to text that is safe and short enough for a terminal. Pure.

Log text comes from anyone: it must not move the cursor, change colours, clear the screen or turn
the reading direction around. What could is shown as an escape instead. Markup is the view's
concern: it wraps these strings in rich's Text, which has none.
"""

import json
from datetime import UTC, datetime
from typing import Any

MAX_CHARS = 4_000

# C0 and C1 controls with DEL, except the newline and the tab; line and paragraph separators; the
# bidirectional controls (Unicode Standard Annex 9); surrogates, which no terminal can print.
_UNSAFE = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),
)
_ESCAPES = {code: ascii(chr(code))[1:-1] for code in _UNSAFE} | {ord("\n"): "\n", ord("\t"): "    "}
_SEVERITIES = ("", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


def clean(text: str, *, max_chars: int = MAX_CHARS) -> str:
    r"""Return `text` without anything that a terminal would act on, cut after `max_chars`.

    Line ends become newlines, tabs spaces, other control characters escapes such as "\x1b".
    """
    # A lone carriage return is a line end too: Lambda's Python runtime writes stack traces so, to
    # keep them one line to the platform.
    cut = text[:max_chars].replace("\r\n", "\n").replace("\r", "\n").translate(_ESCAPES)
    if len(text) > max_chars:
        cut += f"… ({len(text):,} characters)"
    return cut


def clean_line(text: str, *, max_chars: int = MAX_CHARS) -> str:
    """Return `text` as `clean` does, on one line."""
    return clean(text, max_chars=max_chars).replace("\n", "\\n")


def format_value(value: Any) -> str:
    """Return an attribute's value or a log's body as text: strings as such, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    return clean(json.dumps(value, ensure_ascii=False, default=_hex))


def _hex(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes) else repr(value)


def format_time(unix_nano: int) -> str:
    """Return the time of day in UTC to the millisecond, "-" for 0, which OTLP calls unknown."""
    if not unix_nano:
        return "-"
    # Whole milliseconds first: a float of nanoseconds is too coarse.
    moment = datetime.fromtimestamp(unix_nano // 1_000_000_000, UTC)
    return f"{moment:%H:%M:%S}.{unix_nano // 1_000_000 % 1_000:03}"


def format_ms(duration_ms: float | None) -> str:
    """Return milliseconds with one decimal, "" for an unknown duration."""
    return "" if duration_ms is None else f"{duration_ms:,.1f}"


def format_cost(cost_usd: float | None) -> str:
    """Return US dollars to nine decimals (a Lambda invocation costs millionths), "" if unknown."""
    return "" if cost_usd is None else f"${cost_usd:.9f}"


def format_severity(number: int, text: str) -> str:
    """Return the severity's own text, or the name of the range that its number is in."""
    if text:
        return clean_line(text, max_chars=5)[:5]
    return _SEVERITIES[severity_range(number)]


def severity_range(number: int) -> int:
    """Return 1 to 6 for TRACE to FATAL, 0 for none (OTLP's SeverityNumber, four to a range)."""
    return (number + 3) // 4 if 1 <= number <= 24 else 0  # noqa: PLR2004 - the bounds of the enum
