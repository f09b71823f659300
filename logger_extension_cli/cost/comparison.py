"""`cost compare`: two groups of invocations of one function, and a plain sentence.

Owns the rule that one function is compared with itself. How sure a difference is, is the report's.
"""

import argparse
from collections.abc import Sequence

import ibis.expr.types as ir

from cost_report.comparison import Comparison, Side, compare, say_comparison
from cost_report.fields import FieldValue, parse_value
from cost_report.reading import read_rows
from cost_report.values import NotEnoughData
from logger_extension_cli.cost.answer import Answer, Column, Kind, Layout, Row
from logger_extension_cli.cost.arguments import FIELDS, MEASURES
from logger_extension_cli.cost.labels import LABELS
from logger_extension_cli.cost.selection import Selection
from logger_extension_cli.errors import UsageError
from otlp_viewer.text import clean_line

QUESTION = "compare"

_MEANS = {
    "cost_usd": Column("mean", "mean/M", Kind.PER_MILLION),
    "billed_ms": Column("mean", "mean ms", Kind.MS),
    "duration_ms": Column("mean", "mean ms", Kind.MS),
}
_TITLES = {
    "cost_usd": "Cost of a million requests (/M) in USD",
    "billed_ms": "Billed duration of a request",
    "duration_ms": "Duration of a request",
}
_MOST_NAMED = 5


def answer_comparison(selection: Selection, arguments: argparse.Namespace) -> Answer:
    """Return how the other group differs from the base.

    Raises:
        UsageError: both values are the same, or several functions have them.
        UnknownFieldError: a value is none of its field.
    """
    field = FIELDS[arguments.field]
    base, other = (parse_value(field, text) for text in (arguments.base, arguments.other))
    if base == other:
        raise UsageError(
            f"{arguments.base} is the same as {arguments.other}: there is nothing to compare"
        )
    if selection.invocations is None:
        nothing = f"There are no invocations in {selection.describe()}."
        return Answer(question=QUESTION, has_enough=False, sentences=[nothing])
    _check_function(selection.invocations, field, (base, other))
    result = compare(
        selection.invocations,
        field,
        base,
        other,
        measure=MEASURES[arguments.measure],
        confidence=arguments.confidence,
    )
    if isinstance(result, NotEnoughData):
        return Answer(
            question=QUESTION,
            has_enough=False,
            sentences=[say_comparison(result)],
            notes=selection.notes(),
        )
    return _describe(result, selection)


def _describe(result: Comparison, selection: Selection) -> Answer:
    figures = (
        Column("invocations", "requests", Kind.COUNT),
        _MEANS[result.measure],
        Column("cold_share", "cold", Kind.SHARE),
        Column("relative", "change", Kind.CHANGE),
        Column("relative_low", "at least", Kind.CHANGE),
        Column("relative_high", "at most", Kind.CHANGE),
    )
    return Answer(
        question=QUESTION,
        rows=[_make_row(result.base, None), _make_row(result.other, result)],
        layouts=[
            Layout(
                title=_TITLES[result.measure],
                labels=[Column("value", LABELS[result.field].title, LABELS[result.field].kind)],
                figures=figures,
            )
        ],
        sentences=[f"{say_comparison(result).rstrip('.')}."],
        notes=[*result.caveats, *selection.notes()],
        details={
            "field": result.field,
            "measure": result.measure,
            "confidence": result.confidence,
            "is_clear": result.is_clear,
        },
    )


def _make_row(side: Side, change: Comparison | None) -> Row:
    """Return a group; of the base there is no change."""
    return {
        "value": side.value,
        "invocations": side.invocations,
        "measured": side.measured,
        "mean": side.mean,
        "cold_share": side.cold_share,
        "difference": change.difference.estimate if change else None,
        "difference_low": change.difference.low if change else None,
        "difference_high": change.difference.high if change else None,
        "relative": change.relative.estimate if change else None,
        "relative_low": change.relative.low if change else None,
        "relative_high": change.relative.high if change else None,
    }


def _check_function(invocations: ir.Table, field: str, values: Sequence[FieldValue]) -> None:
    """Refuse to compare one function with another: their costs say nothing about a change."""
    chosen = invocations.filter(invocations[field].isin(list(values)))
    found = read_rows(chosen.select("function").distinct().order_by("function"))
    names = [row["function"] for row in found]
    if len(names) > 1:
        named = ", ".join(clean_line(name) for name in names[:_MOST_NAMED])
        more = ", …" if len(names) > _MOST_NAMED else ""
        raise UsageError(f"choose one of {len(names)} functions by --function: {named}{more}")
