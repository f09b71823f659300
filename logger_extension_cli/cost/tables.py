"""An answer for people: tables that fit the terminal, then sentences.

Owns the layout. What a row is of is never cut away: where it leaves no room for the figures, it
stands on lines of its own above them.
"""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from logger_extension_cli.cost.answer import Answer, Column, Layout, Row
from logger_extension_cli.cost.figures import format_label, format_value, name_row
from otlp_viewer.text import clean_line

_GAP = "  "


def print_answer(answer: Answer, console: Console) -> None:
    """Print tables, sentences and notes."""
    for layout in answer.layouts:
        shown = [
            row for row in answer.rows if layout.needs is None or row[layout.needs] is not None
        ]
        if not shown:
            continue
        console.print(Text(layout.title, style="bold"))
        for line in _draw(shown, layout, console.width):
            console.print(line)
        console.print()
    for sentence in answer.sentences:
        _print_paragraph(sentence, "bold", console)
    for note in answer.notes:
        _print_paragraph(note, "dim", console)


def _print_paragraph(words: str, style: str, console: Console) -> None:
    """Print a sentence, wrapped, without blanks at the ends of lines."""
    text = Text(clean_line(words).rstrip("."), style=style)
    for line in (text + Text(".", style=style)).wrap(console, console.width):
        line.rstrip()
        console.print(line)


def _draw(rows: Sequence[Row], layout: Layout, width: int) -> Iterator[Text]:
    """Yield the lines of a table: headings, a rule, rows."""
    labels = [[format_label(row[each.key], each) for each in layout.labels] for row in rows]
    figures = [[format_value(row[each.key], each.kind) for each in layout.figures] for row in rows]
    label_widths = _measure(layout.labels, labels)
    figure_widths = _measure(layout.figures, figures)
    widths = (*label_widths, *figure_widths)
    is_wide = sum(widths) + len(_GAP) * (len(widths) - 1) <= width
    titles = [column.title for column in layout.figures]
    head = _join(titles, figure_widths)
    if is_wide:
        names = [column.title for column in layout.labels]
        head = _GAP.join((*map(_pad, names, label_widths), head))
    yield Text(head)
    yield Text("─" * cell_len(head), style="dim")
    for row, names, values in zip(rows, labels, figures, strict=True):
        line = _join(values, figure_widths)
        if is_wide:
            yield Text(_GAP.join((*map(_pad, names, label_widths), line)))
        else:
            yield Text(name_row(row, layout.labels), overflow="fold")
            yield Text(line)


def _measure(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide each column is, in cells of a terminal."""
    return [
        max(map(cell_len, (column.title, *(row[place] for row in cells))))
        for place, column in enumerate(columns)
    ]


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return figures in one line, to the right of their columns."""
    padded = (
        f"{' ' * (width - cell_len(cell))}{cell}" for cell, width in zip(cells, widths, strict=True)
    )
    return _GAP.join(padded)


def _pad(cell: str, width: int) -> str:
    return f"{cell}{' ' * (width - cell_len(cell))}"
