"""How many records this process holds, for whoever comes after it when it is killed.

Owns one line in a pipe of the launcher's: the one that is our stdin. The launcher opens it for
reading too, so the line outlives us; a successor finds it in LOGGER_EXTENSION_HELD, counts it as
lost, and the launcher tells it. Must not know what a record is.
"""

import os
from collections.abc import Mapping
from contextlib import suppress

LINE_BYTES = 64


class Held:
    """Keeps the line.

    State: the descriptor of our own stdin, opened for writing as well; -1 without a launcher.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._fd = -1
        self._count = -1
        if environ.get("LOGGER_EXTENSION_PIPE"):
            try:
                self._fd = os.open("/proc/self/fd/0", os.O_RDWR | os.O_NONBLOCK)
            except OSError:
                return  # no /proc: then nobody learns how many they were

    def tell(self, count: int) -> None:
        """Replace the line."""
        if self._fd < 0 or count == self._count:
            return
        self._count = count
        with suppress(OSError):  # there is none yet
            os.read(self._fd, LINE_BYTES)
        try:
            os.write(self._fd, b"%d\n" % count)
        except OSError:
            self._fd = -1
