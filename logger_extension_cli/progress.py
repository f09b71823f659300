"""How far a long piece of work has come, on stderr while it goes on.

Only where stderr is a terminal and rich is installed; elsewhere nothing is written, and what the
work costs more is a call that does nothing. stdout is never touched.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from logger_extension_cli.terminal import has_rich, is_terminal, make_console, make_printable

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

# Takes how much is done in all, in the unit of the total.
Advance = Callable[[int], None]
# Takes what is being done now.
Tell = Callable[[str], None]


def find_size_bytes(path: Path) -> int | None:
    """Return how many bytes a file has; None for what has no size, such as a pipe."""
    return path.stat().st_size if path.is_file() else None


def is_shown() -> bool:
    """Return whether anybody would see progress."""
    return is_terminal(sys.stderr) and has_rich()


class CountingReader:
    """The lines of a stream; tells how many bytes of it have been read."""

    def __init__(self, stream: BinaryIO, advance: Advance) -> None:
        """Read from `stream` and tell `advance`."""
        self._stream = stream
        self._advance = advance
        self._done_bytes = 0

    def readline(self, limit: int, /) -> bytes:
        """Return a line with its end, or `limit` bytes of it."""
        line = self._stream.readline(limit)
        self._done_bytes += len(line)
        self._advance(self._done_bytes)
        return line


@contextmanager
def show_bytes(title: str, total_bytes: int | None) -> Iterator[Advance]:
    """Show a bar while bytes are read; yield what takes how many have been in all.

    Args:
        title: what is read.
        total_bytes: how many there are; None where nobody knows, as in a pipe.
    """
    if not is_shown():
        yield lambda _done_bytes: None
        return
    from rich.progress import (  # noqa: PLC0415 - see has_rich
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with _make_progress(*columns) as progress:
        task = progress.add_task(make_printable(title), total=total_bytes)
        yield lambda done_bytes: progress.update(task, completed=done_bytes)


@contextmanager
def show_steps(title: str) -> Iterator[Tell]:
    """Show that work goes on, and for how long; yield what takes the name of the current step."""
    if not is_shown():
        yield lambda _step: None
        return
    from rich.progress import (  # noqa: PLC0415 - see has_rich
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with _make_progress(*columns) as progress:
        task = progress.add_task(make_printable(title), total=None)
        yield lambda step: progress.update(task, description=make_printable(step))


def _make_progress(*columns: "ProgressColumn") -> "Progress":
    from rich.progress import Progress  # noqa: PLC0415 - see has_rich

    return Progress(
        *columns,
        console=make_console(sys.stderr, is_live=True),
        transient=True,
        # What a command prints goes where it belongs, not through the console of the progress.
        redirect_stdout=False,
    )
