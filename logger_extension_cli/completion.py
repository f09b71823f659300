"""`logger-extension completion`: a script with which a shell completes the commands.

shtab makes it from the parser, so a shell asks no Python when a key is pressed. Owns which
arguments are files.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import shtab

from logger_extension_cli.parser import build_parser

# What a shell completes, by an argument's placeholder: in shtab's words.
_PLACES = {
    "FILE": "file",
    "FILE:FUNCTION": "file",
    "OLD": "file",
    "NEW": "file",
    "SOURCE": "file",
    "DIR": "directory",
    "PREFIX|uv": "directory",
}


def execute(arguments: argparse.Namespace) -> int:
    """Print the script and return the exit code."""
    print(make_script(arguments.shell))
    return 0


def make_script(shell: str) -> str:
    """Return the script for `bash`, `zsh` or `fish`."""
    parser = build_parser()
    for action in _walk(parser):
        place = _PLACES.get(str(action.metavar))
        if place is not None or action.type is Path:
            action.complete = place or "file"  # type: ignore[attr-defined]  # shtab's own
    script: str = shtab.complete(parser, shell)
    return script.rstrip()


def _walk(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of all its commands."""
    for action in parser._actions:  # noqa: SLF001 - as shtab itself walks
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - it has no public name
            for command in action.choices.values():
                yield from _walk(command)
