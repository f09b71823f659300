"""What was found: the vocabulary of all checks.

Owns the verdict that follows from single checks. Must not know how anything was checked or shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

EXIT_FAILED = 1


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: what was looked at, for example `collector:4318 TLS`.
        status: how it ended.
        text: what was found, one sentence.
        advice: what to do about it, empty for nothing.
    """

    name: str
    status: Status
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable.

    Attributes:
        name: of the variable.
        value: what it says, secrets masked; the default where it says nothing.
        origin: where the value comes from, or why it does not count.
        meaning: one sentence.
        is_set: whether it says anything.
    """

    name: str
    value: str
    origin: str
    meaning: str
    is_set: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One thing that the extension would do, such as where logs go."""

    name: str
    text: str


@dataclass(slots=True, kw_only=True)
class Report:
    """All that was found.

    Attributes:
        origin: where the settings come from.
        settings: every variable.
        plans: what would be sent, where and when; empty when nothing can be.
        checks: in the order of the checks.
    """

    origin: str
    settings: Sequence[Setting] = ()
    plans: Sequence[Plan] = ()
    checks: list[Check] = field(default_factory=list)

    def count(self, status: Status) -> int:
        """Return how many checks ended so."""
        return sum(each.status is status for each in self.checks)

    def exit_code(self, *, is_strict: bool) -> int:
        """Return 1 when a check failed, or with `is_strict` when one warns; else 0."""
        is_bad = self.count(Status.FAILED) or (is_strict and self.count(Status.WARNING))
        return EXIT_FAILED if is_bad else 0
