"""What `replay` says at its end: a table on a terminal, plain text elsewhere.

rich is used where it is installed; without it the command works as well.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from logger_extension_cli.fallback_lines import Found, Request
from logger_extension_cli.resending import Counts
from logger_extension_cli.terminal import has_rich, is_terminal, make_console

MAX_NAMED = 5
HEAD = ("signal", "lines", "found", "delivered", "rejected", "undelivered")


@dataclass(slots=True)
class Summary:
    """What was read, beside the counts of what became of it.

    Attributes:
        is_dry: whether nothing was sent.
        place: the line that was read last.
        lines: requests found, by signal.
        others: lines of another kind.
        unreadable: how many requests cannot be read; `named` are the places of the first ones.
    """

    counts: Counts
    is_dry: bool
    place: str = "the beginning"
    lines: Counter[str] = field(default_factory=Counter)
    others: int = 0
    unreadable: int = 0
    named: list[str] = field(default_factory=list)

    def note_line(self, place: str, found: Sequence[Found]) -> None:
        """Count what a line holds."""
        self.place = place
        self.others += not found
        for one in found:
            if isinstance(one, Request):
                self.lines[one.signal] += 1
                continue
            self.unreadable += 1
            if len(self.named) < MAX_NAMED:
                self.named.append(place)

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row for each signal that was found; in a dry run nothing was delivered."""
        counts = self.counts
        columns = (self.lines, counts.found, counts.delivered, counts.rejected, counts.undelivered)
        shown = columns[:2] if self.is_dry else columns
        return [(each, *(f"{column[each]:,}" for column in shown)) for each in self.lines]

    def notes(self) -> list[str]:
        """Return what is to be said beside the table."""
        notes = []
        if not self.lines:
            notes.append("There is no telemetry in what was read.")
        if self.is_dry:
            notes.append("Nothing was sent (--dry-run).")
        notes.append(f"{self.others:,} other lines were skipped.")
        if self.unreadable:
            more = ", …" if self.unreadable > len(self.named) else ""
            notes.append(
                f"{self.unreadable:,} requests are cut or broken and cannot be read:"
                f" {'; '.join(self.named)}{more}"
            )
        return notes


def show_summary(summary: Summary) -> None:
    """Print it on stdout."""
    rows = summary.rows()
    head = HEAD[: len(rows[0])] if rows else ()
    if rows and is_terminal(sys.stdout) and has_rich():
        _show_table(head, rows)
    elif rows:
        for row in (head, *rows):
            print(f"{row[0]:<8}" + "".join(f"{cell:>13}" for cell in row[1:]))
    for note in summary.notes():
        print(note)


def _show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table  # noqa: PLC0415  (may be missing)

    table = Table()
    for place, name in enumerate(head):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    make_console().print(table)
