"""A command on a pseudo terminal: what it writes when it believes that somebody is watching."""

import os
import pty
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.command_line import COMMAND, REPOSITORY, command_environment


class Watched(NamedTuple):
    """How a command ended; `shown` is what it wrote to the terminal, `piped` to the other."""

    returncode: int
    shown: str
    piped: str


def run_on_terminal(
    *arguments: str | Path, stream: str = "stdout", environment: Mapping[str, str] | None = None
) -> Watched:
    """Run `logger-extension` to its end with `stream` (stdout or stderr) on a terminal.

    The other one is a pipe, and so must hold only little: nobody reads it before the end.
    """
    watcher, terminal = pty.openpty()
    other = "stderr" if stream == "stdout" else "stdout"
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=REPOSITORY,
        env=command_environment() | {"TERM": "xterm-256color"} | dict(environment or {}),
        text=True,
        **{stream: terminal, other: subprocess.PIPE},  # type: ignore[call-overload]
    ) as process:
        os.close(terminal)
        shown = _read_to_end(watcher)
        pipe = process.stderr if other == "stderr" else process.stdout
        piped = pipe.read()
        returncode = process.wait(timeout=25)
    return Watched(returncode, shown, piped)


def _read_to_end(watcher: int) -> str:
    """Return all that comes until nobody holds the terminal any more, which Linux says by EIO."""
    found = bytearray()
    with open(watcher, "rb", buffering=0) as stream:
        try:
            while part := stream.read(65_536):
                found += part
        except OSError:
            pass
    return found.decode()
