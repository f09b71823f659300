"""Which invocation something belongs to that only says its time, its trace, or a request id.

Must not know spans nor logs: it is asked with values.
"""

from collections.abc import Iterable

from logger_extension.events import NANOS_PER_MS
from logger_extension.policy.invocation import Invocation

# Lambda tells times in whole milliseconds.
CLOCK_TOLERANCE_NANOS = NANOS_PER_MS


class Owners:
    """The invocations that come into question, open ones and some that are over."""

    def __init__(self, invocations: Iterable[Invocation]) -> None:
        self._all = list(invocations)
        self._by_id = {each.request_id: each for each in self._all}

    def find(self, request_id: str, trace_id: bytes, unix_nano: int) -> Invocation | None:
        """Return the invocation that is named, else the only one that ran at that time.

        Where several ran, the one of the same trace; None when that does not decide either.
        """
        if request_id in self._by_id:
            return self._by_id[request_id]
        running = [each for each in self._all if _was_running(each, unix_nano)]
        same_trace = [each for each in running if each.context.trace_id == trace_id]
        found = same_trace or running
        return found[0] if len(found) == 1 else None


def _was_running(invocation: Invocation, unix_nano: int) -> bool:
    if unix_nano < invocation.start_unix_nano - CLOCK_TOLERANCE_NANOS:
        return False
    end_unix_nano = invocation.end_unix_nano
    return not end_unix_nano or unix_nano <= end_unix_nano + CLOCK_TOLERANCE_NANOS
