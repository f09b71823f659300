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
_ran = pytest.StashKey[int]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs the emulator where it cannot run, and say why."""
    if item.get_closest_marker("rie"):
        if reason := _why_not():
            pytest.skip(reason)
        item.config.stash[_ran] = item.config.stash.get(_ran, 0) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show that they ran: a gate that skips them silently would be none."""
    count = terminalreporter.config.stash.get(_ran, 0)
    reason = f" ({why})" if (why := _why_not()) else ""
    terminalreporter.write_line(f"tests run on AWS's emulator: {count}{reason}")


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
