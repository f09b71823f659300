"""The pictures of docs/benchmarks.md, as SVG by matplotlib: what each subject adds, with intervals.

The same rows make the same file, byte by byte. matplotlib comes with the dev extra and is imported
when a picture is drawn.
"""

import importlib
from collections.abc import Sequence
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


def draw_pictures(rows: Sequence[Row], folder: Path) -> list[str]:
    """Draw what there are rows for; return the names of the pictures.

    Args:
        rows: of all cases.
        folder: made where it is missing.
    """
    drawn = []
    for name, panels in PICTURES.items():
        of_panels = [
            [row for row in rows if row.measured.case == case and _is_shown(row)]
            for case, _ in panels
        ]
        if all(of_panels):
            folder.mkdir(parents=True, exist_ok=True)
            _draw(of_panels, [words for _, words in panels], folder / f"{name}.svg")
            drawn.append(name)
    return drawn


def _is_shown(row: Row) -> bool:
    parameters = row.measured.parameters
    return row.effect is not None and all(
        parameters.get(name, value) == value for name, value in SHOWN.items()
    )


def _draw(panels: Sequence[Sequence[Row]], words: Sequence[str], path: Path) -> None:
    matplotlib: Any = importlib.import_module("matplotlib")
    figures: Any = importlib.import_module("matplotlib.figure")
    height = MARGIN_INCHES + BAR_INCHES * max(map(len, panels))
    with matplotlib.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}):
        figure = figures.Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
        for axes, rows, title in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, words, strict=True
        ):
            _draw_panel(axes, rows, title)
        figure.savefig(path, metadata={"Date": None})


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
