"""The manuals: every command has one, with exit codes and examples that can be typed."""

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from logger_extension_cli.__main__ import main
from logger_extension_cli.parser import build_parser
from tests.support.command_line import REPOSITORY

# What takes its time to import, or is not there without an extra.
HEAVY = (
    *("aiohttp", "awslambdaric", "duckdb", "google.protobuf", "grpc", "ibis", "jinja2"),
    *("matplotlib", "numpy", "orjson", "pandas", "plotly", "pyarrow", "rich", "shtab"),
)


def find_commands(parser: argparse.ArgumentParser, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command and of the questions and actions within it."""
    yield path
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from find_commands(command, *path, name)


COMMANDS = list(find_commands(build_parser()))


def read_help(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what `--help` prints, with exit code 0."""
    with pytest.raises(SystemExit, match="0"):
        main([*path, "--help"])
    return capsys.readouterr().out


def find_examples(text: str) -> list[list[str]]:
    """Return the words of each example of ours; what shells do with it is left out."""
    whole = text[text.index("example:") :].replace("\\\n", " ")
    return [shlex.split(found) for found in re.findall(r"logger-extension [^|>\n]+", whole)]


def test_the_commands() -> None:
    """The ones that there are, so that none is missing below."""
    names = {path[0] for path in COMMANDS if path}
    assert names == {
        *("demo", "run", "collector", "view", "cost", "replay", "layer", "doctor", "bench"),
        "completion",
    }
    assert {path[1] for path in COMMANDS if path[:1] == ("cost",) and len(path) > 1} == {
        *("by", "compare", "what-if", "features")
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_is_the_manual(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """It names the exit codes, and has an example of the command that can be typed."""
    text = read_help(path, capsys)
    assert "exit codes:" in text
    assert max(map(len, text.splitlines())) <= 100
    examples = find_examples(text)
    assert any(words[1 : len(path) + 1] == list(path) for words in examples)
    for words in examples:
        build_parser().parse_args(words[1:])


def test_the_general_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Each on a line with what it does."""
    text = read_help((), capsys)
    assert all(f"\n    {path[0]}" in text for path in COMMANDS if path)


def test_help_imports_nothing_heavy() -> None:
    """It answers at once, and without any extra."""
    program = (
        "import sys\n"
        "from logger_extension_cli.__main__ import main\n"
        f"for path in {COMMANDS!r}:\n"
        "    try:\n"
        "        main([*path, '--help'])\n"
        "    except SystemExit:\n"
        "        pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(("command", "page"), [("cost", "cost.md"), ("view", "view.md")])
def test_every_option_is_documented(command: str, page: str) -> None:
    """In the tables of docs/, and none besides."""
    text = (REPOSITORY / "docs" / page).read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    documented = {option for row in rows for option in re.findall(r"--[a-z][a-z-]+", row)}
    options = {
        option for path in COMMANDS if path[:1] == (command,) for option in find_options(path)
    }
    assert documented == options - {"--help"}


def find_options(path: tuple[str, ...]) -> set[str]:
    """Return the long options of a command."""
    parser = build_parser()
    for word in path:
        [action] = (each for each in parser._actions if isinstance(each.choices, dict))
        assert isinstance(action.choices, dict)
        parser = action.choices[word]
    return {
        option
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--")
    }
