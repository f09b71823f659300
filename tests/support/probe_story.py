"""What the actors of a scenario saw, as lines of text that two worlds can be compared by.

Owns: reading the journal and leaving out what differs from run to run (ids, times, ports). Must not
know which world wrote the journal.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Entry: TypeAlias = "dict[str, Any]"

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Story:
    """The journal of one scenario and the answers that the function's caller got, in order."""

    entries: Sequence[Entry]
    answers: Sequence[str]

    def chapters(self) -> dict[str, str]:
        """Tell every actor's lives (`a.1` is the first life of `a`) and the caller's part.

        Order is kept within a chapter and lost between them: what runs in parallel has none.
        """
        told = defaultdict(list)
        told["caller"] = list(self.answers)
        for entry in self.entries:
            if entry["saw"] not in {"start", "telemetry"}:
                told[f"{entry['actor']}.{entry['life']}"].append(_line(entry))
        return {chapter: "; ".join(lines) for chapter, lines in told.items()}

    def of(self, actor: str, saw: str) -> list[Entry]:
        """Give the entries of *actor* about *saw*."""
        return [one for one in self.entries if one["actor"] == actor and one["saw"] == saw]

    def telemetry(self, actor: str) -> list[Entry]:
        """Give the telemetry events that *actor* received, in the order of arrival."""
        return [entry["event"] for entry in self.of(actor, "telemetry")]


def read_journal(text: str) -> list[Entry]:
    """Parse the journal: one JSON object per line; the last line may still be in writing."""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def without_ids(text: str) -> str:
    """Replace every UUID."""
    return _UUID.sub("<id>", text)


def _line(entry: Entry) -> str:
    saw = entry["saw"]
    if "status" not in entry:
        return f"{saw} {entry['code']}" if "code" in entry else saw
    body = entry["body"] if isinstance(entry["body"], dict) else {}
    status = "" if entry["status"] in {200, 202} else f" {entry['status']}"
    outcome = " ".join(
        str(body[key])
        for key in ("eventType", "shutdownReason", "errorType", "errorMessage")
        if key in body
    )
    return _without_wording(f"{saw}{status} {outcome}").strip()


def _without_wording(text: str) -> str:
    """Leave out what no contract says: ids, words of a validator, names of things and states."""
    text = re.sub(r" ValidationError .*", "", text)  # the emulator's is not always JSON
    text = re.sub(r"(InvalidRequestFormat) (?!configurationKeys).*", r"\1", without_ids(text))
    text = re.sub(r"(InvalidStateTransition) .*", r"\1", text)
    return re.sub(r" for extension \S+\. Error: State transition is not allowed", "", text)
