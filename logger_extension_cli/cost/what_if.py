"""`cost what-if`: what each change would make of what a request costs, with its assumptions.

Owns which changes are looked at. The models are the report's.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cost_report.usage import Usage, measure_usage
from cost_report.values import NotEnoughData
from cost_report.what_if import (
    Estimate,
    estimate_architecture,
    estimate_memory,
    estimate_without_extension,
    say_estimate,
)
from logger_extension_cli.cost.answer import Answer, Column, Kind, Layout, Row
from logger_extension_cli.cost.arguments import ARCHITECTURES
from logger_extension_cli.cost.figures import name_row
from logger_extension_cli.cost.labels import LABELS
from logger_extension_cli.cost.own_prices import OwnPrices
from logger_extension_cli.cost.selection import Selection

QUESTION = "what-if"

# A sentence that is about more rows names only so many, or none.
_MOST_NAMED = 2
# The table has all figures; only so many are said in words as well.
_MOST_SAID = 5

_LABELS = [LABELS[key] for key in ("function", "memory_size_mb", "architecture", "change")]
_LAYOUT = Layout(
    title="Cost of a million requests (/M) in USD, now and after the change",
    labels=_LABELS,
    needs="then_usd",
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
    """One change of one function: of which kind, and what to call it."""

    usage: Usage
    kind: str
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
    return Answer(
        question=QUESTION,
        rows=rows,
        layouts=[_LAYOUT],
        sentences=_say(answered, rows),
        notes=[*_say_assumptions(answered, rows), *selection.notes()],
        has_enough=any(isinstance(one.result, Estimate) for one in answered),
    )


def _change(usage: Usage, arguments: argparse.Namespace, prices: OwnPrices) -> Iterator[_Answered]:
    """Yield what was asked for, of one usage; what it already is, is no change."""
    is_asked = bool(arguments.arch or arguments.memory or arguments.without_extension)
    now = prices.find(usage.region, usage.architecture)
    others = [arguments.arch] if arguments.arch else [] if is_asked else ARCHITECTURES
    for architecture in others:
        if architecture != usage.architecture and (arguments.arch or usage.architecture):
            then = prices.find(usage.region, architecture)
            result = estimate_architecture(usage, architecture, now, then)
            yield _Answered(usage, "architecture", f"to {architecture}", result)
    for size in dict.fromkeys(arguments.memory):
        if size != usage.memory_size_mb:
            yield _Answered(usage, "memory", f"to {size} MB", estimate_memory(usage, size, now))
    if arguments.without_extension or not is_asked:
        result = estimate_without_extension(usage)
        yield _Answered(usage, "extension", "without extension", result)


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
    """Return the first figures in words, and why there is no figure where there is none."""
    if not answered:
        return ["Every function is already as was asked for."]
    said, missing = [], dict[str, list[Row]]()
    for one, row in zip(answered, rows, strict=True):
        if isinstance(one.result, NotEnoughData):
            missing.setdefault(one.result.reason, []).append(row)
        else:
            said.append(f"{name_row(row, _LABELS[:-1])}: {say_estimate(one.result)}")
    refused = [f"No figure for {_name_some(some)}: {reason}" for reason, some in missing.items()]
    return [*said[:_MOST_SAID], *refused]


def _say_assumptions(answered: Sequence[_Answered], rows: Sequence[Row]) -> list[str]:
    """Return what the figures rest on; whose they are, where not all of a kind of change."""
    resting: dict[str, list[Row]] = {}
    kinds: Counter[str] = Counter()
    kind_of: dict[str, str] = {}
    for one, row in zip(answered, rows, strict=True):
        if isinstance(one.result, Estimate):
            kinds[one.kind] += 1
            for text in one.result.assumptions:
                resting.setdefault(text, []).append(row)
                kind_of[text] = one.kind
    return [
        text if len(some) == kinds[kind_of[text]] else f"{_name_some(some)}: {text}"
        for text, some in resting.items()
    ]


def _name_some(rows: Sequence[Row]) -> str:
    names = "; ".join(name_row(row, _LABELS) for row in rows[:_MOST_NAMED])
    rest = len(rows) - _MOST_NAMED
    return f"{names}; and {rest} more" if rest > 0 else names
