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

from logger_extension_cli.cost.answer import Answer, Row
from logger_extension_cli.cost.figures import PER_MILLION, format_usd, name_row
from logger_extension_cli.cost.labels import LABELS
from otlp_viewer.text import clean_line

_STYLE = {
    "svg.hashsalt": "logger-extension",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_WIDTH_IN, _ROW_IN, _FRAME_IN = 8.0, 0.35, 2.2
_BLUE, _ORANGE, _GREY = "#4878a8", "#d1853c", "#888888"
_MOST_ROWS = 40
_MOST_LINES = 8
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
            figure.supxlabel(left_out, fontsize=7)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _draw_breakdown(answer: Answer) -> Figure:
    """Total cost of each group beside what a million of its requests cost: p50 to p99 and mean."""
    rows = _choose(answer)
    labels = [LABELS[key] for key in rows[0] if key in LABELS]
    figure, (left, right) = _make_figure(len(rows), 2)
    _name_rows(left, [name_row(row, labels) for row in rows])
    totals = [_number(row, "cost_usd") for row in rows]
    bars = left.barh(range(len(rows)), totals, color=_BLUE)
    left.bar_label(bars, [format_usd(total) for total in totals], padding=3, fontsize=8)
    left.set_title("Total, USD")
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
    right.set_title("A million requests, USD: mean (dot), p50 | p90 | p99")
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
    """Total cost of each feature beside the course of the dearest."""
    rows = _choose(answer)
    labels = [LABELS[key] for key in ("feature", "function")]
    if any(row["version"] is not None for row in rows):
        labels.append(LABELS["version"])
    figure, (left, right) = _make_figure(len(rows), 2)
    names = [name_row(row, labels) for row in rows]
    _name_rows(left, names)
    totals = [_number(row, "usd") for row in rows]
    bars = left.barh(range(len(rows)), totals, color=_ORANGE)
    left.bar_label(bars, [format_usd(total) for total in totals], padding=3, fontsize=8)
    left.set_title("Total, USD")
    for row, name in list(zip(rows, names, strict=True))[:_MOST_LINES]:
        course: Any = row["course_usd"]
        right.plot(range(1, len(course) + 1), course, label=_shorten(name))
    right.legend(fontsize=7)
    right.set_title("Course of the dearest, USD")
    right.set_xlabel(f"{answer.details['start']} to {answer.details['end']}", fontsize=7)
    return figure


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
    return figure, found


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Give each row its name, the first one on top."""
    axes.set_yticks(range(len(names)), [_shorten(name) for name in names], fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _draw_range(axes: Axes, place: int, figures: Sequence[float]) -> None:
    estimate, low, high = figures
    axes.plot([low, high], [place, place], color=_GREY, linewidth=3, alpha=0.6)
    axes.plot([estimate], [place], "o", color=_BLUE)
    axes.annotate(
        f"{estimate:+.1f} % ({low:+.1f} to {high:+.1f})",
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
