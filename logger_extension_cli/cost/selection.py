"""Which data a question is about: a source, a period, functions, and the prices that count.

Owns the choice and what is to be said about it. Must not know what is asked.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import ibis.expr.types as ir

from cost_report.columns import Period
from cost_report.coverage import measure_coverage, say_coverage
from cost_report.invocations import find_invocations, select_functions
from cost_report.sources import Source
from logger_extension_cli.cost.own_prices import NOTE, OwnPrices, reprice
from otlp_viewer.text import clean_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was chosen.

    Attributes:
        source: the tables.
        invocations: those of the period and the functions; None where there is no table of spans.
        period: when.
        functions: names, none for all.
        prices: what was told about prices.
    """

    source: Source
    invocations: ir.Table | None
    period: Period
    functions: Sequence[str]
    prices: OwnPrices

    def describe(self) -> str:
        """Return what was looked at, to follow "in": `store.duckdb, function shop, since …`."""
        parts = [clean_line(self.source.title)]
        if self.functions:
            parts.append(f"function {', '.join(map(clean_line, self.functions))}")
        for word, moment in (("since", self.period.since), ("until", self.period.until)):
            if moment is not None:
                parts.append(f"{word} {moment:%Y-%m-%dT%H:%M:%SZ}")
        return ", ".join(parts)

    def notes(self) -> list[str]:
        """Return what is to be said of all answers about invocations: coverage and prices."""
        notes = []
        if self.invocations is not None:
            coverage = measure_coverage(
                self.invocations, self.source.sums, self.period, self.functions
            )
            if self.prices.are_given:
                # Metrics hold the sum at the prices that the extension knew.
                coverage = replace(coverage, counted_usd=None)
            notes.append(say_coverage(coverage))
        if self.prices.are_given:
            notes.append(NOTE)
        return [note for note in notes if note]


def select(source: Source, arguments: argparse.Namespace, now: datetime) -> Selection:
    """Return the data that the arguments choose; `now` is what `7d` counts from."""
    period = Period(_resolve(arguments.since, now), _resolve(arguments.until, now))
    prices = OwnPrices.read(arguments)
    invocations = None
    if source.traces is not None:
        invocations = select_functions(find_invocations(source.traces, period), arguments.functions)
        if prices.are_given:
            invocations = reprice(invocations, prices)
    return Selection(
        source=source,
        invocations=invocations,
        period=period,
        functions=tuple(arguments.functions),
        prices=prices,
    )


def _resolve(moment: datetime | timedelta | None, now: datetime) -> datetime | None:
    if isinstance(moment, timedelta):
        return (now - moment).replace(microsecond=0)
    return moment.astimezone(UTC) if moment is not None else None
