"""Figures for the charts, by plotly, as values that become JSON. Pure.

One plain layout for all. Colours are names of the style sheet (`var(--handler)`), which the script
of the page replaces by what the reader's theme says they are. A chart never says what the table
beside it does not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

# What `Plotly.newPlot` takes: data and layout.
Chart = dict[str, Any]

# In the order in which they are drawn, with their names on the page.
PARTS = {"handler": "request and handler", "init": "init", "extension": "extensions"}

_MARGIN_PX = {"l": 8, "r": 16, "t": 8, "b": 8}
_ROW_PX = 34
_AXES_PX = 90
_COURSE_PX = 260
_MAX_LABEL_CHARS = 32


def draw_parts(names: Sequence[str], parts: Mapping[str, Sequence[float]], *, unit: str) -> Chart:
    """Return bars, one for each name, made of parts.

    Args:
        names: from top to bottom.
        parts: of each bar, by the names of PARTS.
        unit: of the parts.
    """
    rows = list(range(len(names)))
    figure = go.Figure(layout=_layout(_AXES_PX + _ROW_PX * len(names)))
    for part, values in parts.items():
        figure.add_bar(
            name=PARTS[part],
            orientation="h",
            y=rows,
            x=list(values),
            marker={"color": f"var(--{part})"},
            customdata=[_label(name) for name in names],
            hovertemplate=f"%{{customdata}}<br>%{{x:,.3g}} {unit}<extra>{PARTS[part]}</extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.35)
    _name_bars(figure, rows, names, unit)
    return _plain(figure)


def draw_times(
    times: Sequence[str], parts: Mapping[str, Sequence[float]], *, width_ms: int, unit: str
) -> Chart:
    """Return bars over time, made of parts.

    Args:
        times: where each bar begins, in ISO 8601, oldest first.
        parts: of each bar, by the names of PARTS.
        width_ms: how much time a bar stands for.
        unit: of the parts.
    """
    figure = go.Figure(layout=_layout(_COURSE_PX))
    for part, values in parts.items():
        figure.add_bar(
            name=PARTS[part],
            x=list(times),
            y=list(values),
            width=[width_ms * 0.86] * len(times),
            offset=0,
            marker={"color": f"var(--{part})"},
            hovertemplate=f"%{{x}}<br>%{{y:,.3g}} {unit}<extra>{PARTS[part]}</extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(type="date", showgrid=False)
    figure.update_yaxes(title={"text": unit}, rangemode="tozero")
    return _plain(figure)


def draw_bars(names: Sequence[str], values: Sequence[float], *, unit: str) -> Chart:
    """Return plain bars, one for each name, from top to bottom."""
    rows = list(range(len(names)))
    figure = go.Figure(layout=_layout(_AXES_PX + _ROW_PX * len(names)))
    figure.add_bar(
        orientation="h",
        y=rows,
        x=list(values),
        marker={"color": "var(--invocation)"},
        customdata=[_label(name) for name in names],
        hovertemplate=f"%{{customdata}}<br>%{{x:,.4~g}} {unit}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(bargap=0.35)
    _name_bars(figure, rows, names, unit)
    return _plain(figure)


def _name_bars(figure: go.Figure, rows: list[int], names: Sequence[str], unit: str) -> None:
    """Name lying bars from the top down, and the unit of their lengths."""
    figure.update_xaxes(title={"text": unit}, rangemode="tozero")
    figure.update_yaxes(
        autorange="reversed",
        tickmode="array",
        tickvals=rows,
        ticktext=[_label(name) for name in names],
        showgrid=False,
        zeroline=False,
    )


def _layout(height_px: int) -> go.Layout:
    axis = {
        "automargin": True,
        "gridcolor": "var(--line)",
        "linecolor": "var(--line)",
        "zerolinecolor": "var(--line)",
        "tickfont": {"color": "var(--quiet)"},
        "title": {"font": {"color": "var(--quiet)", "size": 12}},
        # Not `400µ`: plain figures, as in the tables.
        "exponentformat": "none",
        "fixedrange": True,
    }
    return go.Layout(
        template=None,
        height=height_px,
        margin=_MARGIN_PX,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "var(--text)"},
        hoverlabel={
            "bgcolor": "var(--surface)",
            "bordercolor": "var(--line)",
            "font": {"color": "var(--text)"},
        },
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        dragmode=False,
        xaxis=axis,
        yaxis=axis,
    )


def _label(name: str) -> str:
    """Return a name as plotly takes it: it reads a little markup in its texts."""
    short = name if len(name) <= _MAX_LABEL_CHARS else name[: _MAX_LABEL_CHARS - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(figure: go.Figure) -> Chart:
    found = figure.to_plotly_json()
    # Without a template plotly would put in its own, which is many times the size of the figure.
    found["layout"].pop("template", None)
    return {"data": found["data"], "layout": found["layout"]}
