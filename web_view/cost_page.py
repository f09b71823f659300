"""The page of costs: in all, by what they are grouped by, and over time.

The figures are those of the cost report; this page chooses and lays them out. Invocations are
copied once into a table of the page's own connection, because every figure needs all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cost_report.breakdown import CostGroup, break_down
from cost_report.coverage import measure_coverage, say_coverage
from cost_report.features import FeatureCost, FeatureReport, report_features
from web_view.charts import Chart, draw_bars, draw_parts
from web_view.cost_course import Course, draw_course, read_course
from web_view.formatting import shorten
from web_view.invocation_list import read_functions
from web_view.parameters import MAX_TEXT_CHARS, CostQuery, InvocationsQuery
from web_view.source import Report, Source

# What a page shows of groups, and a chart of bars.
MAX_GROUPS = 200
MAX_BARS = 12

# By the words of the address: the field of an invocation, with the function that it is of.
FIELDS = {
    "": ("function",),
    "function": ("function",),
    "version": ("function", "version"),
    "alias": ("function", "alias"),
    "memory": ("function", "memory_size_mb"),
    "architecture": ("function", "architecture"),
    "start": ("function", "is_cold_start"),
}
_MAX_NAME_BYTES = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A group of invocations as a row of the table."""

    name: str
    detail: str
    group: CostGroup
    query: InvocationsQuery

    @property
    def handler_share(self) -> float | None:
        """What is neither init nor extensions."""
        if self.group.init_share is None or self.group.extension_share is None:
            return None
        return max(0.0, 1 - self.group.init_share - self.group.extension_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPage:
    """What the page shows.

    Attributes:
        functions: names to choose from.
        whole: of all invocations that are asked for, None without any.
        coverage: a sentence on what the figures leave out, "".
        rows: the groups, dearest first, at most MAX_GROUPS.
        features: dearest first, where they are asked for; `no_features` says why there are none.
        hidden: how many groups or features find no room.
        course: the costs over time.
        groups_chart: the first groups or features, None without any.
        course_chart: the costs over time, None without any.
    """

    functions: Sequence[str]
    whole: GroupRow | None
    coverage: str
    rows: Sequence[GroupRow]
    features: Sequence[FeatureCost]
    no_features: str
    hidden: int
    course: Course
    groups_chart: Chart | None
    course_chart: Chart | None

    @property
    def state(self) -> str:
        """Another text whenever there is something new to show."""
        if self.whole is None:
            return ""
        return f"{self.whole.group.invocations} {self.whole.group.cost_usd}"


def read_costs(source: Source, query: CostQuery) -> CostPage:
    """Return the page that `query` asks for."""
    functions = [query.function] if query.function else []
    features: Sequence[FeatureCost] = ()
    no_features = ""
    with source.report(query.function) as report:
        whole = break_down(report.invocations)
        if query.by == "feature":
            rows = []
            features, no_features = _read_features(report, functions)
        else:
            groups = break_down(report.invocations, FIELDS[query.by])
            rows = [_row(group, query.by) for group in groups]
        coverage = measure_coverage(report.invocations, report.sums, functions=functions)
        course = read_course(report)
    return CostPage(
        functions=read_functions(source),
        whole=_row(whole[0], "") if whole else None,
        coverage=say_coverage(coverage),
        rows=rows[:MAX_GROUPS],
        features=features[:MAX_GROUPS],
        no_features=no_features,
        hidden=max(0, max(len(rows), len(features)) - MAX_GROUPS),
        course=course,
        groups_chart=_draw_features(features) if features else _draw_groups(rows),
        course_chart=draw_course(course),
    )


def _row(group: CostGroup, by: str) -> GroupRow:
    function = str(group.fields.get("function") or "")
    details = [_name_field(name, value) for name, value in list(group.fields.items())[1:]]
    start = group.fields.get("is_cold_start")
    return GroupRow(
        name=function,
        detail=details[0] if by and details else "",
        group=group,
        query=InvocationsQuery(
            function=function[:MAX_TEXT_CHARS],
            start="" if start is None else "cold" if start else "warm",
        ),
    )


def _name_field(name: str, value: object) -> str:
    if name == "is_cold_start":
        return "cold start" if value else "warm"
    if name == "memory_size_mb":
        return "size not known" if value is None else f"{value:,} MB"
    return str(value or "none")


def _read_features(report: Report, functions: Sequence[str]) -> tuple[Sequence[FeatureCost], str]:
    """Return the features, dearest first; without any, the reason."""
    found = report_features(report.sums, functions=functions)
    return (found.features, "") if isinstance(found, FeatureReport) else ((), found.reason)


def _draw_features(features: Sequence[FeatureCost]) -> Chart | None:
    if not features:
        return None
    shown = features[:MAX_BARS]
    names = [shorten(f"{each.function} {each.feature}", _MAX_NAME_BYTES) for each in shown]
    return draw_bars(names, [each.usd for each in shown], unit="USD")


def _draw_groups(rows: Sequence[GroupRow]) -> Chart | None:
    priced = [row for row in rows if row.group.priced and row.handler_share is not None]
    if not priced:
        return None
    shown = priced[:MAX_BARS]
    return draw_parts(
        [shorten(f"{row.name} {row.detail}".strip(), _MAX_NAME_BYTES) for row in shown],
        {
            "handler": [row.group.cost_usd * (row.handler_share or 0) for row in shown],
            "init": [row.group.cost_usd * (row.group.init_share or 0) for row in shown],
            "extension": [row.group.cost_usd * (row.group.extension_share or 0) for row in shown],
        },
        unit="USD",
    )
