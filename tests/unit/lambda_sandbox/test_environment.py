"""Variables of both kinds of process; T40 itself is a contract test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_sandbox import Scenario
from lambda_sandbox.environment import extension_environment, runtime_environment

if TYPE_CHECKING:
    from pathlib import Path


def test_reserved_variables_win(tmp_path: Path) -> None:
    """A customer can change PATH, but not what Lambda reserves."""
    scenario = Scenario(
        task_root=tmp_path,
        environment={"PATH": "/mine", "AWS_LAMBDA_RUNTIME_API": "x", "_HANDLER": "x"},
    )
    for environment in (
        extension_environment(scenario, "127.0.0.1:1"),
        runtime_environment(scenario, "127.0.0.1:1", "stream"),
    ):
        assert environment["PATH"] == "/mine"
        assert environment["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:1"
    assert runtime_environment(scenario, "x", "s")["_HANDLER"] == "app.handler"
    assert "_HANDLER" not in extension_environment(scenario, "x")


def test_execution_environment_only_of_managed_runtimes(tmp_path: Path) -> None:
    """OS-only runtimes, those with a bootstrap file, have no AWS_EXECUTION_ENV."""
    scenario = Scenario(task_root=tmp_path)
    assert runtime_environment(scenario, "x", "s")["AWS_EXECUTION_ENV"].startswith(
        "AWS_Lambda_python3."
    )
    (tmp_path / "bootstrap").touch()
    assert "AWS_EXECUTION_ENV" not in runtime_environment(scenario, "x", "s")


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_log_format(tmp_path: Path, log_format: str) -> None:
    """The runtime learns the log format, an on-demand extension does not."""
    scenario = Scenario(task_root=tmp_path, log_format="JSON" if log_format == "JSON" else "Text")
    assert runtime_environment(scenario, "x", "s")["AWS_LAMBDA_LOG_FORMAT"] == log_format
    assert "AWS_LAMBDA_LOG_FORMAT" not in extension_environment(scenario, "x")


def test_layers_are_importable(tmp_path: Path) -> None:
    """The task root comes first, then what layers bring under opt/python."""
    folder = tmp_path / "opt" / "extensions"
    folder.mkdir(parents=True)
    scenario = Scenario(task_root=tmp_path, extensions=folder)
    path = runtime_environment(scenario, "x", "s")["PYTHONPATH"].split(":")
    assert path[0] == str(tmp_path)
    assert path[-1] == str(tmp_path / "opt" / "python")
