"""`cost what-if`: what each change would make of what a request costs, with its assumptions.

Owns which changes are looked at. The models are the report's.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cost_report.usage import Usage, measure_usage
from cost_report.values import NotEnoughData
from cost_report.what_if import (
    Estimate,
    estimate_architecture,
    estimate_memory,
    estimate_without_extension,
)
from logger_extension_cli.cost.answer import Answer, Column, Kind, Layout, Row
from logger_extension_cli.cost.arguments import ARCHITECTURES
from logger_extension_cli.cost.figures import name_row
from logger_extension_cli.cost.labels import LABELS
from logger_extension_cli.cost.own_prices import OwnPrices
from logger_extension_cli.cost.selection import Selection

QUESTION = "what-if"

_LABELS = [LABELS[key] for key in ("function", "memory_size_mb", "architecture", "change")]
_LAYOUT = Layout(
    title="Cost of a million requests (/M) in USD, now and after the change",
    labels=_LABELS,
    figures=(
        Column("invocations", "requests", Kind.COUNT),
        Column("now_usd", "now/M", Kind.PER_MILLION),
        Column("then_usd", "then/M", Kind.PER_MILLION),
        Column("relative", "change", Kind.CHANGE),
        Column("relative_low", "at least", Kind.CHANGE),
        Column("relative_high", "at most", Kind.CHANGE),
    ),
)


@dataclass(frozen=True, slots=True)
class _Answered:
    """One change of one function; `change` is what to call it."""

    usage: Usage
    change: str
    result: Estimate | NotEnoughData


def answer_what_if(selection: Selection, arguments: argparse.Namespace) -> Answer:
    """Return each change of each function, region, architecture and size."""
    usages = (
        []
        if selection.invocations is None
        else measure_usage(selection.invocations, selection.source.histograms, selection.period)
    )
    if not usages:
        nothing = f"There are no invocations in {selection.describe()}."
        return Answer(question=QUESTION, has_enough=False, sentences=[nothing])
    answered = [one for usage in usages for one in _change(usage, arguments, selection.prices)]
    rows = [_make_row(one) for one in answered]
    found = [one.result for one in answered if isinstance(one.result, Estimate)]
    return Answer(
        question=QUESTION,
        rows=rows,
        layouts=[_LAYOUT] if found else [],
        sentences=_say(answered, rows),
        notes=[
            *dict.fromkeys(text for one in found for text in one.assumptions),
            *selection.notes(),
        ],
        has_enough=bool(found),
    )


def _change(usage: Usage, arguments: argparse.Namespace, prices: OwnPrices) -> Iterator[_Answered]:
    """Yield what was asked for, of one usage; what it already is, is no change."""
    is_asked = bool(arguments.arch or arguments.memory or arguments.without_extension)
    now = prices.find(usage.region, usage.architecture)
    others = [arguments.arch] if arguments.arch else [] if is_asked else ARCHITECTURES
    for architecture in others:
        if architecture != usage.architecture and (arguments.arch or usage.architecture):
            then = prices.find(usage.region, architecture)
            yield _Answered(
                usage, architecture, estimate_architecture(usage, architecture, now, then)
            )
    for size in dict.fromkeys(arguments.memory):
        if size != usage.memory_size_mb:
            yield _Answered(usage, f"{size:,} MB", estimate_memory(usage, size, now))
    if arguments.without_extension or not is_asked:
        yield _Answered(usage, "without extension", estimate_without_extension(usage))


def _make_row(one: _Answered) -> Row:
    usage, result = one.usage, one.result
    estimate = result if isinstance(result, Estimate) else None
    return {
        "function": usage.function,
        "region": usage.region,
        "architecture": usage.architecture,
        "memory_size_mb": usage.memory_size_mb,
        "invocations": usage.invocations,
        "priced": usage.priced,
        "change": one.change,
        "now_usd": estimate.now_usd if estimate else None,
        "then_usd": estimate.then_usd.estimate if estimate else None,
        "then_low_usd": estimate.then_usd.low if estimate else None,
        "then_high_usd": estimate.then_usd.high if estimate else None,
        "relative": estimate.relative.estimate if estimate else None,
        "relative_low": estimate.relative.low if estimate else None,
        "relative_high": estimate.relative.high if estimate else None,
        "assumptions": estimate.assumptions if estimate else (),
        "not_enough_data": result.reason if isinstance(result, NotEnoughData) else None,
    }


def _say(answered: Sequence[_Answered], rows: Sequence[Row]) -> list[str]:
    """Return why there is no figure, for each change that has none."""
    if not answered:
        return ["Every function is already as was asked for."]
    missing = [
        f"No figure for {name_row(row, _LABELS)}: {one.result.reason}"
        for one, row in zip(answered, rows, strict=True)
        if isinstance(one.result, NotEnoughData)
    ]
    return list(dict.fromkeys(missing))
