"""Layers whose Python lives in another world: with a clock that jumps, with names that hang.

The extension runs isolated from its environment, so nothing can be injected by variables: a copy of
the package gets a few lines at its very beginning, before anything else is imported. What they read
is a small file that the test writes.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tests.support.whole import stage_copy

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = """
import os as _os, time as _time

def _shift(read, offset, unit):
    def shifted():
        return read() + type(unit)(offset() * unit / 1_000_000_000)
    return shifted

def _offset(field):
    file = _os.open({path!r}, _os.O_RDONLY)
    return lambda: int(_os.pread(file, 64, 0).split()[field])

for _name, _field in (("time", 0), ("monotonic", 1), ("perf_counter", 1)):
    for _suffix, _unit in (("", 1.0), ("_ns", 1_000_000_000)):
        _read = getattr(_time, _name + _suffix)
        setattr(_time, _name + _suffix, _shift(_read, _offset(_field), _unit))
"""

RESOLVER = """
import os as _os, socket as _socket, time as _time

_ask = _socket.getaddrinfo

def _getaddrinfo(host, *arguments, **named):
    if host != {host!r}:
        return _ask(host, *arguments, **named)
    while _os.path.exists({path!r}):
        _time.sleep(0.01)
    return _ask("127.0.0.1", *arguments, **named)

_socket.getaddrinfo = _getaddrinfo
"""

NANOS_PER_S = 1_000_000_000


class JumpingClock:
    """The clocks of the extension, and of the sandbox around it; a jump is seen at once.

    Only jumps are played, no scale: the event loop's own waits are real.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._wall_s = 0.0
        self._monotonic_s = 0.0
        self._write()

    def __call__(self) -> float:
        """The wall clock in epoch seconds."""
        return time.time() + self._wall_s

    def sleep_through(self, seconds: float) -> None:
        """Let time pass at once, as it does for a frozen process: both clocks go on."""
        self._monotonic_s += seconds
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        """Set the wall clock; the monotonic one does not notice."""
        self._wall_s += seconds
        self._write()

    def _write(self) -> None:
        wall, monotonic = (round(s * NANOS_PER_S) for s in (self._wall_s, self._monotonic_s))
        # In place and in one write: a running process may read at any moment.
        file = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(file, f"{wall:>24} {monotonic:>24}\n".encode(), 0)
        os.close(file)


class Resolver:
    """The resolution of one host name, which hangs while a file exists."""

    host = "collector.example"

    def __init__(self, file: Path) -> None:
        self.file = file

    def hang(self) -> None:
        """Answer nobody."""
        self.file.touch()

    def answer(self) -> None:
        """Answer, those that wait too."""
        self.file.unlink(missing_ok=True)


def stage_with_clock(folder: Path, clock: JumpingClock) -> Path:
    """Lay the layer with a copy of our package whose clocks jump; return the extensions folder."""
    return _stage(folder, CLOCK.format(path=str(clock.file)))


def stage_with_resolver(folder: Path, resolver: Resolver) -> Path:
    """Lay the layer with a copy of our package that asks this resolver."""
    return _stage(folder, RESOLVER.format(path=str(resolver.file), host=resolver.host))


def _stage(folder: Path, lines: str) -> Path:
    extensions, package = stage_copy(folder)
    first = package / "__init__.py"
    first.write_text(f"{first.read_text()}\n{lines}")
    return extensions
