"""The pictures of docs/benchmarks.md, as SVG by matplotlib: what each subject adds, what grows.

The same rows make the same file, byte by byte. matplotlib comes with the dev extra and is imported
when a picture is drawn.
"""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.frame import Row, draw_parameters, find_common

# Name of the picture, to its panels: case and the words below it.
PICTURES = {
    "cold-start": (("cold_start_init", "added to init"), ("cold_start_answer", "to first answer")),
    "invocation": (("response", "added to the response"), ("after_handler", "after the handler")),
}
# A full run has more than fits a picture: of these parameters these values are shown.
SHOWN = {"protocol": "http/protobuf", "compression": "gzip", "cpu": "all", "lines": 10}
BAR_INCHES, MARGIN_INCHES, WIDTH_INCHES = 0.22, 1.2, 10.0
GROWTH, GROWTH_INCHES = "growth", 3.2


def draw_pictures(rows: Sequence[Row], folder: Path) -> list[str]:
    """Draw what there are rows for; return the names of the pictures.

    Args:
        rows: of all cases.
        folder: made where it is missing.
    """
    drawn = []
    folder.mkdir(parents=True, exist_ok=True)
    if _draw_growth(rows, folder / f"{GROWTH}.svg"):
        drawn.append(GROWTH)
    for name, panels in PICTURES.items():
        of_panels = [
            [row for row in rows if row.measured.case == case and _is_shown(row)]
            for case, _ in panels
        ]
        if all(of_panels):
            _draw(of_panels, [words for _, words in panels], folder / f"{name}.svg")
            drawn.append(name)
    return drawn


def _is_shown(row: Row) -> bool:
    parameters = row.measured.parameters
    return row.effect is not None and all(
        parameters.get(name, value) == value for name, value in SHOWN.items()
    )


@contextmanager
def _open_panels(count: int, height_inches: float, path: Path) -> Iterator[Sequence[Any]]:
    """Give panels side by side to draw on, and write them to a file."""
    matplotlib: Any = importlib.import_module("matplotlib")
    figures: Any = importlib.import_module("matplotlib.figure")
    with matplotlib.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}):
        figure = figures.Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
        yield figure.subplots(1, count, squeeze=False)[0]
        figure.savefig(path, metadata={"Date": None})


def _draw(panels: Sequence[Sequence[Row]], words: Sequence[str], path: Path) -> None:
    height_inches = MARGIN_INCHES + BAR_INCHES * max(map(len, panels))
    with _open_panels(len(panels), height_inches, path) as all_axes:
        for axes, rows, title in zip(all_axes, panels, words, strict=True):
            _draw_panel(axes, rows, title)


def _draw_growth(rows: Sequence[Row], path: Path) -> bool:
    """Draw the cost of one against the number, and memory over invocations, if there are both."""
    costs = [row for row in rows if row.measured.case == "unit_cost"]
    memory = [row for row in rows if row.measured.case == "memory_growth" and row.effect]
    if not costs or not memory:
        return False
    with _open_panels(2, GROWTH_INCHES, path) as (of_cost, of_memory):
        for name in dict.fromkeys(row.measured.parameters["of"] for row in costs):
            points = [
                (int(row.measured.subject.removeprefix("of ")), row.value.median)
                for row in costs
                if row.measured.parameters["of"] == name
            ]
            of_cost.plot(*zip(*points, strict=True), marker="o", label=f"one of {name}")
        of_cost.set(xscale="log", xlabel="number", ylabel="us of CPU for one")
        for row in memory:
            size_mb = row.measured.parameters["memory_mb"]
            places = range(1, len(row.measured.values) + 1)
            of_memory.plot(places, row.measured.values, marker="o", label=f"at {size_mb} MB")
        of_memory.set(xlabel="checkpoint", ylabel="resident MB")
        for axes in (of_cost, of_memory):
            axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
            axes.legend(fontsize=8)
    return True


def _draw_panel(axes: Any, rows: Sequence[Row], title: str) -> None:
    common = find_common(rows)
    effects = [row.effect for row in rows if row.effect is not None]
    names = [
        row.measured.subject
        + draw_parameters({k: v for k, v in row.measured.parameters.items() if k not in common})
        for row in rows
    ]
    places = range(len(rows))
    medians = [each.median for each in effects]
    ends = [
        [max(0.0, each.median - each.low) for each in effects],
        [max(0.0, each.high - each.median) for each in effects],
    ]
    axes.barh(places, medians, xerr=ends, color="#4c78a8", ecolor="#222222", height=0.7)
    axes.set_yticks(places, labels=names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlabel(f"{rows[0].measured.unit} more than {rows[0].measured.baseline}", fontsize=8)
    axes.set_title(title, fontsize=10)
