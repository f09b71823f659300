"""What happened, in order, so that tests and people can read it.

Owns the list of entries (the only mutable state here) and the lines that the processes printed. It
must not know what the entries mean.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lambda_sandbox.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_ENTRIES = 100_000
MAX_LINES_PER_PROCESS = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        time_ms: since the sandbox was entered.
        actor: `client`, `sandbox`, `telemetry`, `runtime` or `extension:<file name>`.
        event: what it did, such as `register`, `next`, `event`, `response`, `signal`, `exit`.
        details: more about it; plain values only.
    """

    time_ms: float
    actor: str
    event: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line for people."""
        details = " ".join(f"{key}={value}" for key, value in self.details.items())
        return f"{self.time_ms:10.1f} {self.actor:<24} {self.event:<14} {details}".rstrip()


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line that a process printed, without its line feed."""

    time_ms: float
    stream: str  # "stdout" or "stderr"
    text: str


class Transcript:
    """The entries, oldest first; the oldest are forgotten after MAX_ENTRIES."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._changes = Changes()

    def elapsed_ms(self) -> float:
        """Milliseconds since this transcript began."""
        return (time.monotonic() - self._started) * 1_000

    def record(self, actor: str, event: str, **details: Any) -> None:
        """Append an entry with the time of now."""
        self._entries.append(Entry(self.elapsed_ms(), actor, event, MappingProxyType(details)))
        self._changes.notify()

    def __iter__(self) -> Iterator[Entry]:
        """The entries, oldest first."""
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._entries)

    def __str__(self) -> str:
        """One line for each entry."""
        return "\n".join(map(str, self._entries))

    def select(
        self, event: str | None = None, *, actor: str | None = None, **details: Any
    ) -> list[Entry]:
        """Entries that match every given value, oldest first."""
        return [entry for entry in self._entries if _matches(entry, event, actor, details)]

    def find_last(
        self, event: str | None = None, *, actor: str | None = None, **details: Any
    ) -> Entry | None:
        """Return the newest entry that matches every given value, None without one.

        Searched from the end: what has just happened is found at once in a long transcript, too.
        """
        newest = reversed(self._entries)
        return next((entry for entry in newest if _matches(entry, event, actor, details)), None)

    async def wait_for(
        self, event: str, *, actor: str | None = None, count: int = 1, **details: Any
    ) -> Entry:
        """Wait until `count` matching entries are there and return the last of them."""
        found: list[Entry] = []

        def enough() -> bool:
            found[:] = self.select(event, actor=actor, **details)
            return len(found) >= count

        await self._changes.until(enough)
        return found[count - 1]


def _matches(
    entry: Entry, event: str | None, actor: str | None, details: Mapping[str, Any]
) -> bool:
    return (
        (event is None or entry.event == event)
        and (actor is None or entry.actor == actor)
        and all(entry.details.get(key) == value for key, value in details.items())
    )


class Output:
    """What each process printed: a mapping from `runtime` or a file name to its lines."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._lines: dict[str, deque[OutputLine]] = {}
        self._changes = Changes()

    def add(self, process: str, stream: str, text: str) -> None:
        """Keep a line; the oldest are forgotten after MAX_LINES_PER_PROCESS."""
        lines = self._lines.setdefault(process, deque(maxlen=MAX_LINES_PER_PROCESS))
        lines.append(OutputLine(self._transcript.elapsed_ms(), stream, text))
        self._changes.notify()

    def __getitem__(self, process: str) -> tuple[OutputLine, ...]:
        """Lines of a process, both streams in order of arrival; none if it printed nothing."""
        return tuple(self._lines.get(process, ()))

    def __iter__(self) -> Iterator[str]:
        """Names of the processes that printed something."""
        return iter(tuple(self._lines))

    def text(self, process: str) -> str:
        """All that the process printed, as one text."""
        return "\n".join(line.text for line in self[process])

    async def wait_for(self, process: str, text: str) -> OutputLine:
        """Wait until the process has printed a line that contains `text` and return that line."""
        found: list[OutputLine] = []

        def seen() -> bool:
            found[:] = [line for line in self[process] if text in line.text]
            return bool(found)

        await self._changes.until(seen)
        return found[0]
