"""Values to the words and figures of a page. Pure.

Times are UTC. Figures of one column have one number of decimals, so that they align. Foreign text
loses what a reader could not see (control and bidirectional characters become escapes) and is cut
by the size that it has in the page. Escaping markup is Jinja's.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from otlp_viewer.text import clean

_NS_PER_S, _NS_PER_MS = 1_000_000_000, 1_000_000
_UNITS_S = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_BYTES_PER_KIB = 1024
# What takes longer to indent than to read stays as it is.
_MAX_PRETTY_CHARS = 200_000
# Deeper levels are drawn at this one, or a page of brackets would be a page of blanks.
_MAX_INDENT = 20
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
# Of a character in a page: `"` and `'` become five bytes, others at most four, in UTF-8.
_ESCAPED_BYTES = {"&": 5, "<": 4, ">": 4, '"': 5, "'": 5}


def format_moment(unix_nano: int) -> str:
    """Return `2026-11-29 18:41:58.123`, "-" for 0, which OTLP calls unknown."""
    if not unix_nano:
        return "-"
    # Whole milliseconds first: a float of nanoseconds is too coarse.
    moment = datetime.fromtimestamp(unix_nano // _NS_PER_S, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{unix_nano // _NS_PER_MS % 1_000:03}"


def format_age(unix_nano: int, now_unix_nano: int) -> str:
    """Return how long ago a time is, in its largest unit: `3 min ago`; `in 5 s` for a later one."""
    seconds = abs(now_unix_nano - unix_nano) // _NS_PER_S
    for unit, size_s in _UNITS_S:
        if seconds >= size_s:
            amount = f"{seconds // size_s:,} {unit}"
            return f"{amount} ago" if now_unix_nano > unix_nano else f"in {amount}"
    return "now"


def format_ms(duration_ms: float | None) -> str:
    """Return milliseconds with one decimal, "" for an unknown duration."""
    return "" if duration_ms is None else f"{duration_ms:,.1f}"


def format_offset_ms(duration_ms: float) -> str:
    """Return a distance from the start: `+12.3`."""
    return f"{duration_ms:+,.1f}"


def format_count(count: float | None) -> str:
    """Return a whole number with commas, "" for None."""
    return "" if count is None else f"{count:,.0f}"


def format_figure(value: float | None) -> str:
    """Return a figure of any size to four significant digits, whole numbers as such."""
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def format_usd(cost_usd: float | None) -> str:
    """Return dollars with nine decimals: an invocation costs millionths."""
    return "" if cost_usd is None else f"${cost_usd:,.9f}"


def format_usd_per_million(cost_usd: float | None) -> str:
    """Return what a million like it would cost, in dollars and cents."""
    return "" if cost_usd is None else f"${cost_usd * 1e6:,.2f}"


def format_share(part: float | None, whole: float | None) -> str:
    """Return a share in percent with one decimal, "" where there is no whole."""
    return f"{part / whole:.1%}" if part is not None and whole else ""


def format_bytes(size_bytes: float | None) -> str:
    """Return a size with its binary unit: `1.5 MiB`."""
    if size_bytes is None:
        return ""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if abs(size) < _BYTES_PER_KIB:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= _BYTES_PER_KIB
    return f"{size:,.1f} GiB"


def pretty(text: str) -> str:
    """Return a JSON object or list indented, each value as it was written; other text as it is."""
    if text[:1] not in ("{", "[") or len(text) > _MAX_PRETTY_CHARS:
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return "".join(_indent(_TOKEN.findall(text)))


def _indent(parts: list[str]) -> Iterator[str]:
    depth = 0
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        if part in ("}", "]"):
            depth -= 1
        yield part
        if part == ":":
            yield " "
        is_empty = (part, following) in (("{", "}"), ("[", "]"))
        if part in ("{", "["):
            depth += 1
        if not is_empty and (part in ("{", "[", ",") or following in ("}", "]")):
            # The closing one stands under the line that opened.
            level = depth - (following in ("}", "]"))
            yield "\n" + "  " * min(level, _MAX_INDENT)


def shorten(text: str, max_bytes: int) -> str:
    """Return clean text that takes at most about `max_bytes` of the page, "…" where it was cut."""
    # What is beyond cannot fit: no character takes less than one byte.
    visible = clean(text[: max_bytes + 1], max_chars=max_bytes + 1)
    size_bytes = 0
    for place, character in enumerate(visible):
        size_bytes += _ESCAPED_BYTES.get(character) or len(character.encode())
        if size_bytes > max_bytes:
            return visible[:place] + "…"
    return visible


def is_shortened(text: str, max_bytes: int) -> bool:
    """Return whether `shorten` cuts the text."""
    return len(text) > max_bytes or shorten(text, max_bytes).endswith("…") != text.endswith("…")


def is_json(text: str) -> bool:
    """Return whether `pretty` has something to indent."""
    return pretty(text) != text


def first_line(text: str) -> str:
    """Return what stands before the first line end."""
    return text.strip().partition("\n")[0]


def read_attributes(value: Any) -> dict[str, str]:
    """Return a map column as a dict of strings, in order of its keys; None gives an empty one."""
    return {str(name): str(value[name]) for name in sorted(value or {})}
