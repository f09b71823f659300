"""Fixtures of the tests that run on AWS's Runtime Interface Emulator."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

import pytest

from tests.support import rie
from tests.support.rie_sandbox import SandboxWorld
from tests.support.rie_worlds import EmulatorWorld, World

if TYPE_CHECKING:
    from pathlib import Path

_why_not = cache(rie.unavailable)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs the emulator where it cannot run, and say why."""
    if item.get_closest_marker("rie") and (reason := _why_not()):
        pytest.skip(reason)


@pytest.fixture
def tree(tmp_path: Path) -> rie.Tree:
    """Give empty directories for one emulator."""
    return rie.Tree(tmp_path / "tree")


@pytest.fixture(
    params=[
        pytest.param(EmulatorWorld, id="emulator", marks=pytest.mark.rie),
        pytest.param(SandboxWorld, id="sandbox"),
    ]
)
def world(request: pytest.FixtureRequest) -> type[World]:
    """Each of the two worlds in turn."""
    return cast("type[World]", request.param)
