"""`cost by`: groups of invocations as rows and in words. Pure, but for asking for the groups."""

import argparse
from collections.abc import Sequence

from cost_report.breakdown import CostGroup, break_down
from logger_extension_cli.cost.answer import Answer, Column, Kind, Layout, Row
from logger_extension_cli.cost.figures import format_usd, name_row
from logger_extension_cli.cost.labels import LABELS
from logger_extension_cli.cost.selection import Selection

QUESTION = "by"

_COST = (
    Column("invocations", "requests", Kind.COUNT),
    Column("cost_usd", "total", Kind.USD),
    Column("mean_usd", "mean/M", Kind.PER_MILLION),
    Column("cost_p50_usd", "p50/M", Kind.PER_MILLION),
    Column("cost_p90_usd", "p90/M", Kind.PER_MILLION),
    Column("cost_p99_usd", "p99/M", Kind.PER_MILLION),
    Column("init_share", "init", Kind.SHARE),
    Column("extension_share", "ext.", Kind.SHARE),
)
_TIME = (
    Column("errors", "failed", Kind.COUNT),
    Column("cold_starts", "cold", Kind.COUNT),
    Column("billed_ms", "billed s", Kind.SECONDS),
    Column("duration_p50_ms", "p50 ms", Kind.MS),
    Column("duration_p90_ms", "p90 ms", Kind.MS),
    Column("duration_p99_ms", "p99 ms", Kind.MS),
)


def answer_breakdown(selection: Selection, arguments: argparse.Namespace) -> Answer:
    """Return the groups of the fields that were asked for, dearest first."""
    fields: Sequence[str] = arguments.fields
    groups = [] if selection.invocations is None else break_down(selection.invocations, fields)
    if not any(group.invocations for group in groups):
        nothing = f"There are no invocations in {selection.describe()}."
        return Answer(question=QUESTION, has_enough=False, sentences=[nothing])
    shown = groups[: arguments.top]
    labels = [LABELS[field] for field in fields]
    rows = [_make_row(group) for group in shown]
    return Answer(
        question=QUESTION,
        rows=rows,
        layouts=(
            Layout(
                title="Cost in USD: total, and for a million requests (/M)",
                labels=labels,
                figures=_COST,
            ),
            Layout(title="Time", labels=labels, figures=_TIME),
        ),
        sentences=list(_say(groups, rows, labels)),
        notes=[*_say_left_out(groups, len(shown)), *selection.notes()],
        has_enough=any(group.priced for group in groups),
    )


def _make_row(group: CostGroup) -> Row:
    cost, duration = group.cost_quantiles_usd, group.duration_ms
    return {
        **group.fields,
        "invocations": group.invocations,
        "errors": group.errors,
        "cold_starts": group.cold_starts,
        "priced": group.priced,
        "cost_usd": group.cost_usd if group.priced else None,
        "mean_usd": group.cost_usd / group.priced if group.priced else None,
        "cost_p50_usd": None if cost is None else cost.p50,
        "cost_p90_usd": None if cost is None else cost.p90,
        "cost_p99_usd": None if cost is None else cost.p99,
        "init_share": group.init_share,
        "extension_share": group.extension_share,
        "billed_ms": group.billed_ms,
        "duration_p50_ms": duration.p50,
        "duration_p90_ms": duration.p90,
        "duration_p99_ms": duration.p99,
    }


def _say(groups: Sequence[CostGroup], rows: Sequence[Row], labels: Sequence[Column]) -> list[str]:
    """Return the answer in words: the whole, and the share of the dearest."""
    requests, priced = (
        sum(group.invocations for group in groups),
        sum(group.priced for group in groups),
    )
    if not priced:
        return [f"What {requests:,} requests cost is not known: none of them has a cost."]
    total = sum(group.cost_usd for group in groups)
    counted = f"{priced:,} of {requests:,}" if priced < requests else f"{requests:,}"
    sentences = [f"{counted} requests cost {format_usd(total)} USD in all."]
    if len(groups) > 1 and total > 0:
        part = groups[0].cost_usd / total
        sentences.append(f"The dearest is {name_row(rows[0], labels)} with {part:.1%} of it.")
    return sentences


def _say_left_out(groups: Sequence[CostGroup], shown: int) -> list[str]:
    rest = groups[shown:]
    if not rest:
        return []
    cost = format_usd(sum(group.cost_usd for group in rest))
    return [f"{len(rest):,} cheaper groups are left out (--top); they cost {cost} USD."]
