"""Scenarios: defaults of Lambda, and what is refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from lambda_sandbox import InitType, Scenario, ScenarioError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout_ms": 0},
        {"memory_size_mb": 0},
        {"max_concurrency": 0},
        {"runtime": []},
        {"shutdown_left_ms": -1},
        {"extensions": "missing"},
        {"task_root": "missing"},
    ],
)
def test_wrong_scenarios(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A scenario that cannot be run is refused when it is made."""
    fields = {"task_root": tmp_path} | {
        name: tmp_path / value if isinstance(value, str) else value for name, value in wrong.items()
    }
    with pytest.raises(ScenarioError):
        Scenario(**fields)


@pytest.mark.parametrize(
    ("fields", "budget_ms"),
    [
        ({}, 10_000),
        ({"init_timeout_ms": 5}, 5),
        ({"init_type": InitType.SNAP_START}, 130_000),
        ({"init_type": InitType.MANAGED_INSTANCES, "timeout_ms": 900_000}, 900_000),
    ],
)
def test_init_budget(tmp_path: Path, fields: dict[str, Any], budget_ms: int) -> None:
    """10 s on demand, else 130 s or the function timeout."""
    assert Scenario(task_root=tmp_path, **fields).init_budget_ms == budget_ms


def test_runtime_command(tmp_path: Path) -> None:
    """A given command, else the bootstrap file, else awslambdaric."""
    scenario = Scenario(task_root=tmp_path, handler="a.b")
    assert scenario.runtime_command() == [sys.executable, "-m", "awslambdaric", "a.b"]
    (tmp_path / "bootstrap").touch()
    assert scenario.runtime_command() == [str(tmp_path / "bootstrap")]
    assert Scenario(task_root=tmp_path, runtime=["x", "y"]).runtime_command() == ["x", "y"]


def test_extension_files(tmp_path: Path) -> None:
    """Files in alphabetical order, no folders, none at all beside the magic file."""
    folder = tmp_path / "opt" / "extensions"
    (folder / "c").mkdir(parents=True)
    for name in ("b", "a"):
        (folder / name).touch()
    scenario = Scenario(task_root=tmp_path, extensions=folder)
    assert [path.name for path in scenario.extension_files()] == ["a", "b"]
    (tmp_path / "opt" / "disable-extensions-jwigqn8j").touch()
    assert scenario.extension_files() == []


def test_function_arn(tmp_path: Path) -> None:
    """Unqualified for $LATEST, else with the version."""
    latest = Scenario(task_root=tmp_path, function_name="f", region="eu-central-1")
    version = Scenario(task_root=tmp_path, function_name="f", function_version="7")
    assert latest.function_arn == "arn:aws:lambda:eu-central-1:123456789012:function:f"
    assert version.function_arn.endswith(":function:f:7")


def test_managed_instances_never_freeze(tmp_path: Path) -> None:
    """The switch for freezing has no meaning on Managed Instances."""
    assert Scenario(task_root=tmp_path).freezes
    assert not Scenario(task_root=tmp_path, init_type=InitType.MANAGED_INSTANCES).freezes


def test_wall_clock(tmp_path: Path) -> None:
    """The clock that is passed in is the one that counts."""
    assert Scenario(task_root=tmp_path, wall_clock=lambda: 1_700_000_000.1239).unix_ms() == (
        1_700_000_000_123
    )
