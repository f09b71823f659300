"""An answer as values: rows, what is said beside them, and how they are laid out.

One shape for all questions, so that the table, JSON, CSV and the plot say the same. Must not know
how anything is asked or printed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

EXIT_NOT_ENOUGH = 1

# Text, a number, a list of them, or None where it is not known.
Value = str | int | float | bool | Sequence[str] | Sequence[float] | None
Row = Mapping[str, Value]


class Kind(StrEnum):
    """What a column holds, which decides how a table shows it."""

    TEXT = "text"
    COUNT = "count"
    USD = "USD"
    PER_MILLION = "USD for a million requests"
    MS = "ms"
    SECONDS = "seconds of ms"
    MB = "MB"
    SHARE = "share"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the key of its values in the rows, its heading, and what it holds."""

    key: str
    title: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A table for people.

    Attributes:
        title: what it shows, with units.
        labels: what a row is of; nothing of these is ever cut away.
        figures: the rest.
        needs: the key without whose value a row is not shown.
    """

    title: str
    labels: Sequence[Column]
    figures: Sequence[Column]
    needs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found.

    Attributes:
        question: by, compare, what-if or features.
        rows: what JSON and CSV hold: raw values, USD and ms as numbers. All have the same keys.
        layouts: which of them a person sees, and how.
        sentences: the answer in words.
        notes: what it rests on, and what was left out.
        has_enough: whether there was enough data for an answer.
        details: what else JSON holds.
    """

    question: str
    rows: Sequence[Row] = ()
    layouts: Sequence[Layout] = ()
    sentences: Sequence[str] = ()
    notes: Sequence[str] = ()
    has_enough: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """Return 0 for an answer, 1 where data is missing."""
        return 0 if self.has_enough else EXIT_NOT_ENOUGH
