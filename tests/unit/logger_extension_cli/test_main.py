"""The parser and the exit codes of the console script."""

import argparse
import os
import subprocess
import sys

import pytest

from logger_extension_cli.__main__ import main
from logger_extension_cli.parser import build_parser


def test_a_reader_that_leaves_early_is_no_error_to_tell() -> None:
    """`logger-extension … | head -1` ends as other programs do, without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stdout:
        command = [sys.executable, "-m", "logger_extension_cli", "doctor", "--offline", "--all"]
        done = subprocess.run(
            command, stdout=stdout, stderr=subprocess.PIPE, env={"PATH": ""}, check=False
        )
    assert done.returncode == 141
    assert done.stderr == b""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["run"],
        ["run", "a.py:f", "--memory", "many"],
        ["run", "a.py:f", "--memory", "0"],
        ["run", "a.py:f", "--invocations", "-1"],
        ["run", "a.py:f", "--freeze-ms", "٣"],
        ["run", "a.py:f", "--init-type", "warm"],
        ["collector", "--port", "65536"],
        ["view", "--host", "0.0.0.0"],
        ["view", "--host", "192.168.1.1"],
        ["view", "--max-rows", "0"],
        ["demo", "--port", "many"],
        ["completion", "csh"],
        ["cost"],
        ["cost", "by", "function"],
        ["cost", "by", "colour", "."],
        ["cost", "by", "feature", "."],
        ["cost", "by", "function", ".", "--since", "yesterday"],
        ["cost", "by", "function", ".", "--since", "9999999999d"],
        ["cost", "by", "function", ".", "--json", "--csv"],
        ["cost", "by", "function", ".", "--price-gb-second", "mips=1"],
        ["cost", "by", "function", ".", "--price-gb-second", "nan"],
        ["cost", "by", "function", ".", "--price-gb-second", "0"],
        ["cost", "by", "function", ".", "--discount", "17"],
        ["cost", "by", "function", ".", "--table", "spans=x"],
        ["cost", "compare", "function", "a", "b", "."],
        ["cost", "what-if", ".", "--arch", "sparc"],
        ["cost", "features", ".", "--top", "0"],
        ["replay"],
        ["replay", "-", "--tries", "0"],
        ["replay", "-", "--protocol", "udp"],
    ],
)
def test_wrong_arguments_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2, as scripts expect, and the usage on stderr."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert capsys.readouterr().err.startswith("usage: logger-extension")


def test_an_error_of_a_command_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, and the command's own exit code."""
    assert main(["run", "nowhere/app.py:handler"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "logger-extension run: there is no file nowhere/app.py\n"
    assert captured.out == ""


def test_an_error_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is in the name of a file."""
    assert main(["replay", "\x1b[2Jfile"]) == 2
    assert capsys.readouterr().err == "logger-extension replay: there is no file ?[2Jfile\n"


def test_run_has_the_defaults_of_a_new_function() -> None:
    """As Lambda's console would make it."""
    arguments = build_parser().parse_args(["run", "app.py:handler"])
    assert arguments == argparse.Namespace(
        command="run",
        handler="app.py:handler",
        event=None,
        invocations=1,
        memory=128,
        timeout_ms=3_000,
        freeze_ms=100,
        init_type="on-demand",
        env=[],
        extensions=None,
        endpoint=None,
    )
