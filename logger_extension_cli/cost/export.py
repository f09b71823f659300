"""An answer for programs: one JSON object, or CSV (RFC 4180). Pure.

Figures are raw: USD and ms as numbers, shares as parts of 1. Text is as it came, but for what a
spreadsheet would run as a formula.
"""

import csv
import io
import json
import math
from typing import Any

from logger_extension_cli.cost.answer import Answer, Value

# What spreadsheets take for the beginning of a formula, or skip before one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(answer: Answer) -> str:
    """Return the object that docs/cost.md describes."""
    document = {
        "question": answer.question,
        **answer.details,
        "has_enough_data": answer.has_enough,
        "exit_code": answer.exit_code,
        "rows": [dict(row) for row in answer.rows],
        "sentences": list(answer.sentences),
        "notes": list(answer.notes),
    }
    return json.dumps(_plain(document), indent=2, allow_nan=False)


def as_csv(answer: Answer) -> str:
    """Return a header and the rows; nothing where there are none."""
    if not answer.rows:
        return ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(answer.rows[0])
    for row in answer.rows:
        writer.writerow([_cell(value) for value in row.values()])
    return text.getvalue()


def defuse(text: str) -> str:
    """Return text that a spreadsheet shows and does not run."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cell(value: Value) -> str | int | float | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return defuse(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    return defuse("; ".join(map(str, value)))


def _plain(value: Any) -> Any:
    """Return a value with nothing in it that JSON lacks: no tuples, no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
