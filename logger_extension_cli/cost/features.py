"""`cost features`: the dearest features and where their costs are going, as rows and in words."""

import argparse
from collections.abc import Sequence

from cost_report.features import FeatureCost, FeatureReport, report_features
from cost_report.values import NotEnoughData
from logger_extension_cli.cost.answer import Answer, Column, Kind, Layout, Row
from logger_extension_cli.cost.figures import format_usd, name_row
from logger_extension_cli.cost.labels import LABELS
from logger_extension_cli.cost.selection import Selection

QUESTION = "features"

_FIGURES = (
    Column("usd", "total", Kind.USD),
    Column("share", "share", Kind.SHARE),
    Column("direction", "trend", Kind.TEXT),
    Column("change", "change", Kind.CHANGE),
    Column("change_low", "at least", Kind.CHANGE),
    Column("change_high", "at most", Kind.CHANGE),
)


def answer_features(selection: Selection, arguments: argparse.Namespace) -> Answer:
    """Return the features, dearest first."""
    report = report_features(
        selection.source.sums,
        selection.period,
        functions=selection.functions,
        by_version=arguments.by_version,
    )
    if isinstance(report, NotEnoughData):
        return Answer(question=QUESTION, has_enough=False, sentences=[report.reason])
    names = ("feature", "function", "version") if arguments.by_version else ("feature", "function")
    labels = [LABELS[name] for name in names]
    rows = [_make_row(each) for each in report.features[: arguments.top]]
    return Answer(
        question=QUESTION,
        rows=rows,
        layouts=[
            Layout(
                title="Cost in USD; trend from the first half of the time to the second",
                labels=labels,
                figures=_FIGURES,
            )
        ],
        sentences=_say(report, rows, labels),
        notes=_say_rest(report, len(rows)),
        has_enough=bool(rows),
        details={"start": report.start.isoformat(), "end": report.end.isoformat()},
    )


def _make_row(each: FeatureCost) -> Row:
    trend = None if isinstance(each.trend, NotEnoughData) else each.trend
    return {
        "function": each.function,
        "version": each.version,
        "feature": each.feature,
        "usd": each.usd,
        "share": each.share,
        "direction": trend.direction.value if trend else None,
        "change": trend.change.estimate if trend else None,
        "change_low": trend.change.low if trend else None,
        "change_high": trend.change.high if trend else None,
        "trend_missing": each.trend.reason if isinstance(each.trend, NotEnoughData) else None,
        "course_usd": each.course_usd,
    }


def _say(report: FeatureReport, rows: Sequence[Row], labels: Sequence[Column]) -> list[str]:
    if not rows:
        return ["There are no costs of features in this time."]
    first = report.features[0]
    time = f"From {report.start:%Y-%m-%d %H:%M} to {report.end:%Y-%m-%d %H:%M} (UTC)"
    dearest = f"{name_row(rows[0], labels)} with {format_usd(first.usd)} USD"
    return [f"{time} the dearest is {dearest}."]


def _say_rest(report: FeatureReport, shown: int) -> list[str]:
    notes = ["A share is of all costs of the same function; metrics count every invocation."]
    rest = report.features[shown:]
    if rest:
        cost = format_usd(sum(each.usd for each in rest))
        notes.append(f"{len(rest):,} cheaper features are left out (--top); they cost {cost} USD.")
    reasons = [
        each.trend.reason
        for each in report.features[:shown]
        if isinstance(each.trend, NotEnoughData)
    ]
    notes += [f"No trend: {reason}" for reason in dict.fromkeys(reasons)]
    return notes
