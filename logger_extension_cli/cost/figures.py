"""Values as a person reads them, in the units that the headings name. Pure."""

from collections.abc import Callable, Mapping, Sequence
from math import floor, log10
from typing import Any

from cost_report.fields import FIELDS, name_value
from logger_extension_cli.cost.answer import Column, Kind, Row, Value
from otlp_viewer.text import clean_line

UNKNOWN = "-"
PER_MILLION = 1e6
MS_PER_S = 1000

# Digits that a small amount keeps, and the most that stand behind the point.
_DIGITS, _MOST_DECIMALS = 3, 12
_CENT = 0.01


def format_usd(usd: float) -> str:
    """Return an amount with two decimals, a small one with three digits: 12.34, 0.00123."""
    if abs(usd) >= 1 or not usd:
        return f"{usd:,.2f}"
    decimals = min(_MOST_DECIMALS, _DIGITS - 1 - floor(log10(abs(usd))))
    return f"{usd:.{max(2, decimals)}f}"


def _format_per_million(usd: float) -> str:
    """Return cents where there are any: what stands below each other is easier to compare so."""
    return f"{usd:,.2f}" if abs(usd) >= _CENT else format_usd(usd)


_NUMBERS: Mapping[Kind, Callable[[float], str]] = {
    Kind.USD: format_usd,
    Kind.PER_MILLION: lambda usd: _format_per_million(usd * PER_MILLION),
    Kind.MS: lambda ms: f"{ms:,.1f}",
    Kind.SECONDS: lambda ms: f"{ms / MS_PER_S:,.1f}",
    Kind.MB: lambda mb: f"{mb} MB",
    Kind.SHARE: lambda share: f"{share:.1%}",
    Kind.CHANGE: lambda share: f"{share:+z.1%}",
}


def format_value(value: Value, kind: Kind) -> str:
    """Return a value as a cell; text of others is made safe for a terminal."""
    match value:
        case None:
            return UNKNOWN
        case bool():
            return "cold" if value else "warm"
        case str():
            return clean_line(value)
        case int() | float():
            return _NUMBERS.get(kind, "{:,}".format)(value)
    return ", ".join(clean_line(str(each)) for each in value)


def format_label(value: Value, column: Column) -> str:
    """Return what a row is of: an empty alias is none, other empty values are not known."""
    if value is None or value == "":
        return "none" if column.key == "alias" else "unknown"
    return format_value(value, column.kind)


def name_row(row: Row, labels: Sequence[Column]) -> str:
    """Return what a row is of in words: `shop, version 7, 512 MB, a cold start`."""
    return ", ".join(_name_label(row[label.key], label) for label in labels)


def _name_label(value: Any, label: Column) -> str:
    if label.key in FIELDS:
        return clean_line(name_value(label.key, value))
    return format_label(value, label)
