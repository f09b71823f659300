"""Whether there is a terminal, and whether it shall have colours.

Owns the rule for all commands: NO_COLOR (https://no-color.org) forbids, FORCE_COLOR asks, else a
terminal that can has them. Where colours are not wanted, no escape sequence of any kind is written.
"""

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def has_colours(stream: TextIO) -> bool:
    """Return whether to write colours to `stream`; both variables count when they are not empty."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Return whether `stream` is a terminal that can do more than print."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def make_printable(text: str) -> str:
    """Return text without characters that a terminal would obey, such as in a file's name."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def has_rich() -> bool:
    """Return whether rich is installed: some commands work without it."""
    return find_spec("rich") is not None


def make_console(stream: TextIO | None = None, *, is_live: bool = False) -> "Console":
    """Return a console that takes text as it is, without markup.

    Args:
        stream: where to, by default stdout.
        is_live: it moves the cursor of a terminal, whatever holds for colours.
    """
    from rich.console import Console  # noqa: PLC0415 - may be missing, and takes its time

    target = stream or sys.stdout
    is_coloured = has_colours(target)
    return Console(
        file=target,
        # rich alone would still make text bold under NO_COLOR.
        color_system="auto" if is_coloured else None,
        force_terminal=is_coloured or is_live,
        highlight=False,
        emoji=False,
        markup=False,
    )
