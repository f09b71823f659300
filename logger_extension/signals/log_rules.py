"""Which lines are sent: the least severity, what must match, and what must not.

A line without a severity passes the first rule: nobody said that it is unimportant. Expressions are
matched with the line as it was printed (an object as JSON), with its first `MATCHED_CHARS` at most,
so that a long line costs no more than a short one. Must not know queues nor invocations.
"""

import re
from dataclasses import dataclass

from logger_extension.events import FunctionLog
from logger_extension.json_text import to_text
from logger_extension.signals.log_lines import read_line

MATCHED_CHARS = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRules:
    """The rules; each is off by default.

    Attributes:
        min_severity: the least severity number, 0 for any.
        include: a line must match it.
        exclude: a line must not match it.
    """

    min_severity: int = 0
    include: re.Pattern[str] | None = None
    exclude: re.Pattern[str] | None = None

    @property
    def are_off(self) -> bool:
        """Whether every line is sent, so that nobody need ask."""
        return not self.min_severity and self.include is None and self.exclude is None

    def find_reason(self, log: FunctionLog) -> str:
        """Return why a line is not sent (`severity`, `include`, `exclude`), empty if it is."""
        if self.min_severity and 0 < get_severity(log) < self.min_severity:
            return "severity"
        if self.include is None and self.exclude is None:
            return ""
        text = log.record if isinstance(log.record, str) else to_text(log.record)
        text = text[:MATCHED_CHARS]
        if self.include is not None and not self.include.search(text):
            return "include"
        if self.exclude is not None and self.exclude.search(text):
            return "exclude"
        return ""


def get_severity(log: FunctionLog) -> int:
    """Return the severity number of a line, 0 when it has none."""
    return read_line(log.record, 0).severity_number
