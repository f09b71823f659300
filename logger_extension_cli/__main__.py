"""The entry of `logger-extension`: parse, dispatch, and end with an exit code.

Knows the exit codes, nothing of what the commands do: each is a module with `execute(arguments)`,
imported when it is asked for, so that `--help` answers at once.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from logger_extension_cli.errors import CommandError
from logger_extension_cli.installed import NEEDED_BY, require
from logger_extension_cli.parser import build_parser
from logger_extension_cli.terminal import make_printable

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    chosen = build_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Logs hold any character; a terminal without UTF-8 shall show an escape, not a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _find_command(chosen.command)(chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has enough. Nothing may be written to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except CommandError as error:
        message = make_printable(str(error))
        print(f"logger-extension {chosen.command}: {message}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _find_command(name: str) -> Callable[[argparse.Namespace], int]:
    """Return what executes a command.

    Raises:
        UsageError: a library that it needs is not installed.
    """
    if name in NEEDED_BY:
        require(NEEDED_BY[name])
    execute: Callable[[argparse.Namespace], int] = importlib.import_module(
        f"logger_extension_cli.{name}"
    ).execute
    return execute


if __name__ == "__main__":
    sys.exit(main())
