"""How the command line reads a word, and how a command's manual looks.

Knows argparse alone: `--help` of any command reads this module.
"""

import argparse
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

MAX_PORT = 65_535
_AGO = re.compile(r"(\d+)([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# The names of this machine under which the pages answer, and the addresses that they mean.
_LOOPBACK = {"127.0.0.1": "127.0.0.1", "::1": "::1", "localhost": "127.0.0.1"}

# argparse has no public name for what `add_subparsers` returns.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def add_command(
    commands: Commands, name: str, summary: str, epilog: str
) -> argparse.ArgumentParser:
    """Add a command; `epilog` has its exit codes and an example, as it is to be printed."""
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def natural(text: str) -> int:
    """Return a whole number of 0 or more.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return int(text)


def positive(text: str) -> int:
    """Return a whole number of 1 or more.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (number := natural(text)):
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def port(text: str) -> int:
    """Return a number of a TCP port; 0 asks for any free one.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if (number := natural(text)) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"must be {MAX_PORT} or less")
    return number


def amount(text: str) -> float:
    """Return a number of 0 or more, such as a price in USD.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return number


def share(text: str) -> float:
    """Return a number between 0 and 1, neither included.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1, such as 0.17")
    return number


def moment(text: str) -> datetime | timedelta:
    """Return a time (UTC where it names no zone), or how long before now it was.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    try:
        if match := _AGO.fullmatch(text):
            return timedelta(**{_UNITS[match[2]]: int(match[1])})
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a time before now such as 7d, 12h, 30m, nor a date or time such"
            " as 2026-11-29 or 2026-11-29T18:00:00Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def loopback(text: str) -> str:
    """Return an address that only this machine reaches: 127.0.0.1 or ::1.

    Raises:
        argparse.ArgumentTypeError: others may reach it too, or it is no address.
    """
    if text not in _LOOPBACK:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of {', '.join(_LOOPBACK)}: the page asks for no password and shows"
            " all telemetry to whoever reaches it; from elsewhere, use a tunnel such as"
            " ssh -L 4319:127.0.0.1:4319"
        )
    return _LOOPBACK[text]
