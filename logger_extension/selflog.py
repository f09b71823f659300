"""The extension's own voice: one JSON line on stderr for what a user must act on.

State: the time of the last line by message, so that one fault is told once a minute and not once a
record. A line here lands in the function's CloudWatch log. Must never be called per record, and
never subscribed back into the pipeline (we do not subscribe to `extension` events).
"""

import json
import sys
import time
from typing import TextIO

QUIET_S = 60.0


class SelfLog:
    """Writes lines to a stream, the same message at most once a minute."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._last_s: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def say(self, level: str, message: str, **fields: object) -> None:
        """Write one line, unless the same message was written within the last minute."""
        now_s = time.monotonic()
        last_s = self._last_s.get(message)
        if last_s is not None and now_s - last_s < QUIET_S:
            self._suppressed[message] = self._suppressed.get(message, 0) + 1
            return
        self._last_s[message] = now_s
        line: dict[str, object] = {"level": level, "source": "logger_extension", "message": message}
        line |= fields
        if suppressed := self._suppressed.pop(message, 0):
            line["repeated"] = suppressed
        # Without blanks, as the launcher writes its own: one pattern finds both.
        text = json.dumps(line, default=str, separators=(",", ":"))
        try:
            print(text, file=self._stream or sys.stderr, flush=True)
        except (OSError, ValueError):
            # Nobody reads stderr any more. That must not end the process: an exit of ours fails
            # the function (Extension.Crash).
            return


_log = SelfLog()
say = _log.say
