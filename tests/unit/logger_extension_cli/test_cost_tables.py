"""An answer for people: it fits the terminal, and no name is cut away."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from logger_extension_cli.cost.answer import Answer, Column, Kind, Layout, Row
from logger_extension_cli.cost.figures import format_usd, format_value, name_row
from logger_extension_cli.cost.labels import LABELS
from logger_extension_cli.cost.tables import print_answer
from logger_extension_cli.terminal import make_console
from otlp_viewer.text import clean_line
from tests.support.laws import LAW

FIGURES = [
    Column("invocations", "requests", Kind.COUNT),
    Column("cost_usd", "total", Kind.USD),
    Column("billed_ms", "billed s", Kind.SECONDS),
]
LAYOUT = Layout(
    title="Cost in USD", labels=[LABELS["function"], LABELS["version"]], figures=FIGURES
)


def show(*rows: Row, layout: Layout = LAYOUT, width: int = 80) -> str:
    """Return what is printed of rows, on a terminal of `width` columns."""
    stream = io.StringIO()
    console = make_console(stream)
    console.width = width
    print_answer(Answer(question="by", rows=rows, layouts=[layout], notes=["A note."]), console)
    return stream.getvalue()


def make_row(function: str = "shop", version: str = "7") -> Row:
    """Return a row."""
    return {
        "function": function,
        "version": version,
        "invocations": 1_234_567,
        "cost_usd": 0.00123,
        "billed_ms": 60_000.0,
    }


def test_a_table() -> None:
    """A column for everything, figures to the right, sentences after it."""
    assert show(make_row(), make_row("cart", "")) == (
        "Cost in USD\n"
        "function  version   requests    total  billed s\n"
        "───────────────────────────────────────────────\n"
        "shop      7        1,234,567  0.00123      60.0\n"
        "cart      unknown  1,234,567  0.00123      60.0\n"
        "\n"
        "A note.\n"
    )


def test_a_long_name_stands_above_its_figures() -> None:
    """Whole, on as many lines as it needs."""
    name = "a-function-with-the-longest-name-that-lambda-takes-0123456789-0123456789-012345"
    text = show(make_row(name))
    assert name[:70] in text
    assert max(map(len, text.splitlines())) <= 80
    assert name in text.replace("\n", "")
    assert re.search(r"^ *requests +total +billed s$", text, re.MULTILINE)
    assert re.search(r"^ *1,234,567 +0\.00123 +60\.0$", text, re.MULTILINE)


@LAW
@given(st.lists(st.text(max_size=150), min_size=1, max_size=3), st.integers(40, 120))
def test_any_name_is_there_and_commands_nothing(names: list[str], width: int) -> None:
    """Wherever the line was broken; and no line is wider than the terminal."""
    text = show(*map(make_row, names), width=width)
    assert "\x1b" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    squeezed = re.sub(r"\s", "", text)
    for name in names:
        assert re.sub(r"\s", "", clean_line(name)) in squeezed


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "0.00"),
        (1234.5, "1,234.50"),
        (0.5, "0.500"),
        (0.0123, "0.0123"),
        (1.9e-6, "0.00000190"),
        (-0.5, "-0.500"),
        (1e-15, "0.000000000000"),
    ],
)
def test_amounts(usd: float, text: str) -> None:
    """Small ones keep three digits."""
    assert format_usd(usd) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, Kind.USD, "-"),
        (1.9e-6, Kind.PER_MILLION, "1.90"),
        (-0.125, Kind.CHANGE, "-12.5%"),
        (0.5, Kind.SHARE, "50.0%"),
        (512, Kind.MB, "512 MB"),
        (True, Kind.TEXT, "cold"),
        (("a", "b"), Kind.TEXT, "a, b"),
        ("\x1b[2J", Kind.TEXT, r"\x1b[2J"),
    ],
)
def test_values(value: float | str | None, kind: Kind, text: str) -> None:
    """In the unit that the heading names."""
    assert format_value(value, kind) == text


def test_a_row_in_words() -> None:
    """As a sentence names it."""
    row: Row = {"function": "shop", "version": "7", "alias": "", "memory_size_mb": 512}
    labels = [LABELS[key] for key in row]
    assert name_row(row, labels) == "shop, version 7, no alias, 512 MB"
