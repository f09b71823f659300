"""Figures of charts."""

import json

from web_view.charts import draw_bars, draw_parts, draw_times

_PARTS = {"handler": [3.0, 2.0], "init": [1.0, 0.0], "extension": [0.5, 0.1]}


def test_parts_are_stacked_in_their_order() -> None:
    """With a row for each name."""
    figure = draw_parts(["a", "b"], _PARTS, unit="USD")
    assert [trace["name"] for trace in figure["data"]] == [
        "request and handler",
        "init",
        "extensions",
    ]
    assert figure["layout"]["barmode"] == "stack"
    assert list(figure["layout"]["yaxis"]["ticktext"]) == ["a", "b"]


def test_colours_are_names_of_the_style_sheet() -> None:
    """So that both themes have theirs."""
    figure = draw_times(["2026-11-29 00:00:00"], {"init": [1.0]}, width_ms=1000, unit="USD")
    assert figure["data"][0]["marker"]["color"] == "var(--init)"
    assert figure["layout"]["font"]["color"] == "var(--text)"


def test_a_figure_is_small_plain_json() -> None:
    """Without plotly's own template, which is many times as large."""
    text = json.dumps(draw_bars(["a"], [1], unit="decisions"))
    assert len(text) < 3_000
    assert "template" not in json.loads(text)["layout"]


def test_names_are_text() -> None:
    """Plotly reads a little markup, and a name may hold some."""
    figure = draw_bars(["<b>bold</b> & <a href='//x'>", "x" * 100], [1, 2], unit="times")
    first, second = figure["layout"]["yaxis"]["ticktext"]
    assert first == "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;a href='//x'&gt;"
    assert second == "x" * 31 + "…"
