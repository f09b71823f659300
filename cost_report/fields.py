"""What invocations are grouped and compared by: names, values as text and as words. Pure."""

from collections.abc import Iterable, Mapping

from cost_report.errors import UnknownFieldError

FieldValue = str | int | bool | None

# Columns of `find_invocations`, and what they are called in a sentence.
_TITLES: Mapping[str, str] = {
    "function": "function",
    "version": "version",
    "alias": "alias",
    "memory_size_mb": "memory size",
    "architecture": "architecture",
    "region": "region",
    "is_cold_start": "cold or warm start",
}
FIELDS = tuple(_TITLES)

_STARTS = {"cold": True, "true": True, "warm": False, "false": False}


def check_fields(names: Iterable[str]) -> None:
    """Raise UnknownFieldError unless all names are of FIELDS."""
    for name in names:
        if name not in FIELDS:
            raise UnknownFieldError(f"unknown field {name!r}; there are {', '.join(FIELDS)}")


def parse_value(field: str, text: str) -> FieldValue:
    """Return a field's value as a user writes it: `512` (or `512 MB`), `cold` or `warm`, names.

    Raises:
        UnknownFieldError: the field is none of FIELDS, or cannot have such a value.
    """
    check_fields((field,))
    if field == "memory_size_mb":
        digits = text.lower().removesuffix("mb").strip()
        if not digits.isdecimal():
            raise UnknownFieldError(f"{text!r} is no memory size; write megabytes, as 512")
        return int(digits)
    if field == "is_cold_start":
        if text.lower() not in _STARTS:
            raise UnknownFieldError(f"{text!r} is no kind of start; write cold or warm")
        return _STARTS[text.lower()]
    return text


def name_field(field: str) -> str:
    """Return a field's name for a sentence."""
    return _TITLES[field]


def name_value(field: str, value: FieldValue) -> str:
    """Return a field's value for a sentence: `version 7`, `512 MB`, `a cold start`."""
    if field == "is_cold_start":
        return "a cold start" if value else "a warm start"
    if value in ("", None):
        return "no alias" if field == "alias" else f"unknown {_TITLES[field]}"
    if field == "memory_size_mb":
        return f"{value} MB"
    return f"{field} {value}" if field in ("version", "alias") else str(value)
