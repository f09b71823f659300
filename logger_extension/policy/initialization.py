"""The init of the sandbox: when it began, when the runtime and when all were ready.

State: what has been said of it so far. The spans of a cold start are made from it, once. A restore
from a snapshot takes the place of init (`platform.restore…`). Must not know invocations nor OTLP.
"""

from dataclasses import dataclass

from logger_extension.events import NANOS_PER_MS, InitReport, InitRuntimeDone, InitStart


@dataclass(slots=True, kw_only=True)
class InitFacts:
    """One init; times in nanoseconds since the epoch.

    Attributes:
        runtime_end_unix_nano: when the runtime was ready, 0 while it is not known.
        end_unix_nano: when the extensions were ready as well, likewise.
        status: success, error, failure or timeout; empty while it is not known.
        is_restore: whether a snapshot was restored instead.
    """

    instance_id: str
    start_unix_nano: int
    is_restore: bool
    runtime_end_unix_nano: int = 0
    end_unix_nano: int = 0
    status: str = ""
    error_type: str = ""

    def learn_status(self, status: str, error_type: str) -> None:
        """Take a status; the first failure that is told is the cause, later ones follow from it."""
        if self.status in ("", "success"):
            self.status, self.error_type = status, error_type


class Initialization:
    """Collects init events; a second init (after a failed one) replaces the first."""

    def __init__(self) -> None:
        self._facts: InitFacts | None = None

    def started(self, event: InitStart, time_unix_nano: int) -> None:
        """Note the start of an init or a restore."""
        self._facts = InitFacts(
            instance_id=event.instance_id,
            start_unix_nano=time_unix_nano,
            is_restore=event.is_restore,
        )

    def runtime_done(self, event: InitRuntimeDone, time_unix_nano: int) -> None:
        """Note that the runtime is ready, or has failed to be."""
        if self._facts is not None:
            self._facts.runtime_end_unix_nano = time_unix_nano
            self._facts.learn_status(event.status, event.error_type)

    def reported(self, event: InitReport) -> None:
        """Note the end of init for all."""
        facts = self._facts
        if facts is not None:
            duration_ns = int((event.duration_ms or 0) * NANOS_PER_MS)
            facts.end_unix_nano = facts.start_unix_nano + duration_ns
            facts.learn_status(event.status, event.error_type)

    def take(self) -> InitFacts | None:
        """Return what is known of the init, once; None when there is nothing new.

        Times that were not told are those before them: a span never ends before it starts.
        """
        facts, self._facts = self._facts, None
        if facts is not None:
            runtime_end = max(facts.runtime_end_unix_nano, facts.start_unix_nano)
            facts.runtime_end_unix_nano = runtime_end
            facts.end_unix_nano = max(facts.end_unix_nano, runtime_end)
        return facts
