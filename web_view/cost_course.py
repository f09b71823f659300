"""What invocations cost over time: stretches of equal, round length, and their chart."""

from collections.abc import Sequence
from dataclasses import dataclass

from web_view.charts import Chart, draw_times
from web_view.formatting import format_moment
from web_view.source import Report

MAX_STRETCHES = 48

_WIDTHS_S = (1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800)
_UNITS_S = (("week", 604_800), ("day", 86_400), ("h", 3_600), ("min", 60))
_NS_PER_S = 1_000_000_000
_RANGE = """SELECT min(epoch_ns(start)), max(epoch_ns(start)) FROM {found}
  WHERE cost_usd IS NOT NULL"""
_STRETCHES = """SELECT epoch_ns(start) // $width AS place, count(*), sum(cost_usd),
  coalesce(sum(handler_usd), 0), coalesce(sum(init_usd), 0), coalesce(sum(extension_usd), 0)
  FROM {found} WHERE cost_usd IS NOT NULL GROUP BY place ORDER BY place"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time: how many invocations began in it, and what they cost, by part."""

    start_unix_nano: int
    invocations: int
    usd: float
    handler_usd: float
    init_usd: float
    extension_usd: float


@dataclass(frozen=True, slots=True)
class Course:
    """Stretches of `width_s` seconds in which something was paid, oldest first."""

    width_s: int
    stretches: Sequence[Stretch]

    @property
    def width(self) -> str:
        """The width in words: `15 min`."""
        for unit, size_s in _UNITS_S:
            if self.width_s % size_s == 0:
                return f"{self.width_s // size_s} {unit}"
        return f"{self.width_s} s"


def read_course(report: Report) -> Course:
    """Return the costs of a report's priced invocations over time."""
    [(first, last)] = report.query(_RANGE)
    if first is None:
        return Course(_WIDTHS_S[0], [])
    width_s = choose_width_s((last - first) / _NS_PER_S)
    width = width_s * _NS_PER_S
    found = report.query(_STRETCHES, {"width": width})
    return Course(width_s, [Stretch(place * width, *rest) for place, *rest in found])


def choose_width_s(length_s: float) -> int:
    """Return a round width of which MAX_STRETCHES cover a time, wherever it begins."""
    for width_s in _WIDTHS_S:
        # One more, because the first seldom begins where the time does.
        if length_s / width_s + 1 <= MAX_STRETCHES:
            return width_s
    return _WIDTHS_S[-1] * (int(length_s / (_WIDTHS_S[-1] * (MAX_STRETCHES - 1))) + 1)


def draw_course(course: Course) -> Chart | None:
    """Return the chart, None where nothing was paid."""
    if not course.stretches:
        return None
    return draw_times(
        [format_moment(each.start_unix_nano) for each in course.stretches],
        {
            "handler": [each.handler_usd for each in course.stretches],
            "init": [each.init_usd for each in course.stretches],
            "extension": [each.extension_usd for each in course.stretches],
        },
        width_ms=course.width_s * 1000,
        unit="USD",
    )
