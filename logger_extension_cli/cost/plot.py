"""An answer as a picture: an SVG that says the same as the table.

Owns the figures, one for each question. The same answer gives the same bytes: no date, no random
ids. Names are text in the picture, made safe as for a terminal, and never read as formulas.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from logger_extension_cli.cost.answer import Answer, Kind, Row
from logger_extension_cli.cost.figures import PER_MILLION, format_value, name_row
from logger_extension_cli.cost.labels import LABELS
from otlp_viewer.text import clean_line

_STYLE = {
    "svg.hashsalt": "logger-extension",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}
_WIDTH_IN, _ROW_IN, _FRAME_IN = 9.0, 0.35, 1.2
# Of a course in its row, which is 1 high.
_ROW_HEIGHT = 0.7
_BLUE, _GREY = "#4878a8", "#888888"
_MOST_ROWS = 40
_MOST_CHARS = 60


def save_plot(answer: Answer, path: Path) -> None:
    """Draw the rows of an answer into an SVG file.

    Raises:
        OSError: the file cannot be written.
    """
    style: dict[Any, Any] = {**mpl.rcParamsDefault, **_STYLE}
    with mpl.rc_context(style), warnings.catch_warnings():
        # A name in a script that the font lacks is text in the SVG all the same.
        warnings.simplefilter("ignore", UserWarning)
        figure = _DRAW[answer.question](answer)
        if len(answer.rows) > _MOST_ROWS:
            left_out = f"the first {_MOST_ROWS} of {len(answer.rows)} rows"
            figure.supxlabel(left_out, fontsize=8)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _draw_breakdown(answer: Answer) -> Figure:
    """Total cost of each group beside what a million of its requests cost: p50 to p99 and mean."""
    rows = _choose(answer)
    labels = [LABELS[key] for key in rows[0] if key in LABELS]
    figure, (left, right) = _make_figure(len(rows), 2)
    _draw_totals(left, rows, [name_row(row, labels) for row in rows], "cost_usd")
    for place, row in enumerate(rows):
        if row["mean_usd"] is None:
            continue
        p50, p90, p99, mean = (
            _number(row, f"{key}_usd") * PER_MILLION
            for key in ("cost_p50", "cost_p90", "cost_p99", "mean")
        )
        right.plot([p50, p99], [place, place], color=_GREY, linewidth=1)
        right.plot([p50, p90, p99], [place] * 3, "|", color=_GREY, markersize=10)
        right.plot([mean], [place], "o", color=_BLUE)
    _name_rows(right, [""] * len(rows))
    right.set_title("USD a million requests: mean ●  p50 | p90 | p99")
    return figure


def _draw_comparison(answer: Answer) -> Figure:
    """The change from the first group to the second with its interval, beside no change at all."""
    base, other = answer.rows
    figure, (axes,) = _make_figure(1, 1)
    column = LABELS[answer.details["field"]]
    names = [name_row({column.key: row["value"]}, [column]) for row in (base, other)]
    _name_rows(axes, [f"{names[1]} against {names[0]}"])
    _draw_range(axes, 0, [_number(other, f"relative{end}") * 100 for end in ("", "_low", "_high")])
    axes.axvline(0, color=_GREY, linewidth=1)
    measure = str(answer.details["measure"]).rpartition("_")[0]
    axes.set_title(
        f"Change of {measure} a request, %, with {answer.details['confidence'] * 100:g} % interval"
    )
    return figure


def _draw_what_if(answer: Answer) -> Figure:
    """The change of cost that each change would make, with its range."""
    rows = [row for row in _choose(answer) if row["relative"] is not None]
    labels = [LABELS[key] for key in ("function", "memory_size_mb", "architecture", "change")]
    figure, (axes,) = _make_figure(len(rows), 1)
    _name_rows(axes, [name_row(row, labels) for row in rows])
    for place, row in enumerate(rows):
        _draw_range(
            axes, place, [_number(row, f"relative{end}") * 100 for end in ("", "_low", "_high")]
        )
    axes.axvline(0, color=_GREY, linewidth=1)
    axes.set_title("Change of cost a request, %, with its range")
    return figure


def _draw_features(answer: Answer) -> Figure:
    """Total cost of each feature beside its course, each in the height of its own row."""
    rows = _choose(answer)
    labels = [LABELS[key] for key in ("feature", "function")]
    if any(row["version"] is not None for row in rows):
        labels.append(LABELS["version"])
    figure, (left, right) = _make_figure(len(rows), 2)
    _draw_totals(left, rows, [name_row(row, labels) for row in rows], "usd")
    for place, row in enumerate(rows):
        course: Any = row["course_usd"]
        highest = max(course, default=0) or 1
        heights = [place + _ROW_HEIGHT / 2 - _ROW_HEIGHT * usd / highest for usd in course]
        right.plot(range(len(course)), heights, color=_BLUE, linewidth=1)
    trends = [_describe_trend(row) for row in rows]
    right.yaxis.tick_right()
    _name_rows(right, trends)
    right.set_xticks([])
    right.set_title("Course, each beside its own highest; trend")
    right.set_xlabel(f"{answer.details['start'][:16]} to {answer.details['end'][:16]} (UTC)")
    return figure


def _describe_trend(row: Row) -> str:
    if row["direction"] is None:
        return "no trend known"
    return f"{row['direction']}, {format_value(row['change'], Kind.CHANGE)}"


def _draw_totals(axes: Axes, rows: Sequence[Row], names: Sequence[str], key: str) -> None:
    """Draw a bar for the whole cost of each row."""
    _name_rows(axes, names)
    bars = axes.barh(range(len(rows)), [_number(row, key) for row in rows], color=_BLUE)
    amounts = [format_value(row[key], Kind.USD) for row in rows]
    axes.bar_label(bars, amounts, padding=3, fontsize=8)
    axes.set_title("USD in all")


_DRAW: Mapping[str, Callable[[Answer], Figure]] = {
    "by": _draw_breakdown,
    "compare": _draw_comparison,
    "what-if": _draw_what_if,
    "features": _draw_features,
}


def _choose(answer: Answer) -> Sequence[Row]:
    """Return the rows that a picture has room for: the first ones, which are the dearest."""
    return answer.rows[:_MOST_ROWS]


def _make_figure(rows: int, panels: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(_WIDTH_IN, _FRAME_IN + _ROW_IN * rows), layout="constrained")
    found = figure.subplots(1, panels, squeeze=False)[0]
    for axes in found:
        axes.margins(x=0.15)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    return figure, found


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Give each row its name, the first one on top."""
    axes.set_yticks(range(len(names)), [_shorten(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)


def _draw_range(axes: Axes, place: int, figures: Sequence[float]) -> None:
    estimate, low, high = figures
    axes.plot([low, high], [place, place], color=_GREY, linewidth=3, alpha=0.6)
    axes.plot([estimate], [place], "o", color=_BLUE)
    axes.annotate(
        f"{estimate:+z.1f} % ({low:+z.1f} to {high:+z.1f})",
        (estimate, place),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )


def _shorten(name: str) -> str:
    text = clean_line(name)
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"


def _number(row: Row, key: str) -> float:
    value = row[key]
    return float(value) if isinstance(value, int | float) else 0.0
