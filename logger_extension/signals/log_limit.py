"""The most that one line may take.

Owns how a line that is too long is cut: its body first, then its attributes in their order, so that
severity, time and ids stay. What is cut says so in place, and the record says how long the line
was. Must not know where the limit comes from.
"""

from typing import Any

from logger_extension.json_text import to_text
from logger_extension.signals.log_reading import Reading

ORIGINAL_SIZE = "logger_extension.original_size_bytes"
# What a number, a truth value or nothing counts for.
SCALAR_BYTES = 8


def cut_reading(reading: Reading, max_bytes: int, size_bytes: int) -> int:
    """Cut a reading in place; return how many attributes found no room.

    Args:
        reading: of a line that is too long.
        max_bytes: what its strings may take together, the marks not counted.
        size_bytes: what the line took.
    """
    reading.body, left_bytes = _cut(reading.body, max_bytes)
    kept: dict[str, Any] = {}
    for name, value in reading.attributes.items():
        if left_bytes <= 0:
            break
        kept[name], left_bytes = _cut(value, left_bytes - len(name))
    dropped = len(reading.attributes) - len(kept)
    reading.attributes = {**kept, ORIGINAL_SIZE: size_bytes}
    return dropped


def _cut(value: Any, left_bytes: int) -> tuple[Any, int]:
    """Return what fits of a value, and how much room is left after it."""
    if not isinstance(value, str | list | dict):
        return value, left_bytes - SCALAR_BYTES
    whole = (value if isinstance(value, str) else to_text(value)).encode("utf-8", "replace")
    over_bytes = len(whole) - max(left_bytes, 0)
    if over_bytes <= 0:
        return value, left_bytes - len(whole)
    kept = whole[: max(left_bytes, 0)].decode("utf-8", "ignore")
    return f"{kept}[truncated: {over_bytes} bytes more]", 0
