"""The parser and the exit codes of the console script."""

import argparse
import os
import subprocess
import sys

import pytest

from logger_extension_cli.__main__ import build_parser, main
from tests.support.command_line import run_command

_COMMANDS = ("demo", "run", "collector", "replay", "layer build", "doctor")


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_has_help_with_exit_codes_and_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help is the manual."""
    with pytest.raises(SystemExit, match="0"):
        main([*command.split(), "--help"])
    text = capsys.readouterr().out
    assert "exit codes:\n  0  " in text
    assert f"example:\n  logger-extension {command}" in text


def test_the_general_help_names_every_command() -> None:
    """With the module run as a user without the script would."""
    done = run_command("--help")
    assert done.returncode == 0
    assert all(f"\n    {command.split()[0]}" in done.stdout for command in _COMMANDS)


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
