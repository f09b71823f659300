"""Reading what a process prints, line by line.

`LineSplitter` is pure: bytes in, lines out. `PipeReader` owns the read end of one pipe and its
splitter. The pipe is read whenever there is something in it, so a child never blocks on printing
(unless the sandbox is stopped itself). It must not know who prints.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LINE_BYTES = 2 * 1024 * 1024
READ_BYTES = 256 * 1024
DRAIN_READS = 8  # twice what a pipe of an unprivileged process can hold


class LineSplitter:
    """Cuts a stream of bytes at line feeds; a line over MAX_LINE_BYTES comes in pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """Take more bytes and return the lines that are complete now, without their line feeds."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        if len(rest) >= MAX_LINE_BYTES:
            lines += [self._rest]
            self._rest = bytearray()
        return [_decode(line) for line in lines]

    def finish(self) -> list[str]:
        """Return what is left of the last line, at the end of the stream."""
        rest, self._rest = self._rest, bytearray()
        return [_decode(rest)] if rest else []


def _decode(line: bytearray) -> str:
    return line.decode(errors="replace")


class PipeReader:
    """The read end of a pipe whose write end is a child's stdout or stderr.

    Attributes:
        child_fd: the write end, to give to the child and to close after its start.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._splitter = LineSplitter()
        self._fd, self.child_fd = os.pipe()
        os.set_blocking(self._fd, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._read)
        self._open = True

    def drain(self) -> None:
        """Read what is in the pipe right now; who prints without a pause cannot hold us here."""
        for _ in range(DRAIN_READS):
            if not self._open or not self._read():
                return

    def close(self) -> None:
        """Read what is left and stop reading, also where a grandchild still holds the pipe."""
        self.drain()
        if self._open:
            self._end()

    def _read(self) -> bool:
        """Read once; True if there may be more."""
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._end()
            return False
        for line in self._splitter.feed(data):
            self._on_line(line)
        return True

    def _end(self) -> None:
        self._open = False
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        for line in self._splitter.finish():
            self._on_line(line)
