"""One question, from the arguments to an answer.

Owns the connection to the source while it is asked, and the clock. Errors of the report become
errors of the command here.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cost_report.errors import CostReportError
from cost_report.sources import TableNames, open_source
from logger_extension_cli.cost.answer import Answer
from logger_extension_cli.cost.breakdown import answer_breakdown
from logger_extension_cli.cost.comparison import answer_comparison
from logger_extension_cli.cost.features import answer_features
from logger_extension_cli.cost.selection import Selection, select
from logger_extension_cli.cost.what_if import answer_what_if
from logger_extension_cli.errors import UsageError
from logger_extension_cli.progress import show_steps

# Of a double's 15 to 17: engines add in parallel, and each time in another order.
_DIGITS = 12

_QUESTIONS: Mapping[str, Callable[[Selection, argparse.Namespace], Answer]] = {
    "by": answer_breakdown,
    "compare": answer_comparison,
    "what-if": answer_what_if,
    "features": answer_features,
}


def ask(arguments: argparse.Namespace) -> Answer:
    """Return the answer to what the arguments ask.

    Raises:
        UsageError: the source cannot be read, or the question does not fit what is in it.
    """
    question = _QUESTIONS[arguments.action]
    try:
        with (
            show_steps("reading the telemetry") as tell,
            open_source(
                arguments.source,
                names=TableNames(**dict(arguments.tables)),
                password=os.environ.get("CLICKHOUSE_PASSWORD", ""),
                progress=lambda read, of: tell(_say_progress(read, of)),
            ) as source,
        ):
            tell("asking")
            selection = select(source, arguments, datetime.now(UTC))
            return _complete(question(selection, arguments), selection)
    except CostReportError as error:
        raise UsageError(str(error)) from error


def _say_progress(read_bytes: int, all_bytes: int) -> str:
    """Return how much of the files has been read; of a pipe nobody knows."""
    share = f": {read_bytes / all_bytes:.0%} of {all_bytes / 1e6:,.1f} MB" if all_bytes else ""
    return f"reading the telemetry{share}"


def _complete(answer: Answer, selection: Selection) -> Answer:
    """Return the answer with what all of them have: where it is from, and what was not read."""
    period = selection.period
    details = {
        "source": selection.source.title,
        "since": None if period.since is None else period.since.isoformat(),
        "until": None if period.until is None else period.until.isoformat(),
        "functions": list(selection.functions),
    }
    return replace(
        answer,
        rows=[{key: _settle(value) for key, value in row.items()} for row in answer.rows],
        # What begins with a name keeps it as it is written.
        sentences=answer.sentences if answer.has_enough else _begin(answer.sentences),
        notes=_begin((*answer.notes, *selection.source.notes)),
        details=details | dict(answer.details),
    )


def _begin(sentences: Sequence[str]) -> list[str]:
    return [f"{sentence[:1].upper()}{sentence[1:]}" for sentence in sentences]


def _settle(value: Any) -> Any:
    """Return a figure without the digits in which a sum depends on the order of its parts."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, tuple):
        return tuple(_settle(each) for each in value)
    return value
