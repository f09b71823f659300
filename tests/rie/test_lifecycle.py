"""The life of an environment, on AWS's emulator and in our sandbox: everybody tells the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.rie_scenarios import FAILING_INIT, ORDINARY, RESETS, Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.rie_worlds import World


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(scenario, id=says)
        for says, scenario in (ORDINARY | FAILING_INIT | RESETS).items()
    ],
)
async def test_everybody_tells_the_same(
    world: type[World], scenario: Scenario, tmp_path: Path
) -> None:
    """What each process and the caller see, in order."""
    async with world(scenario.cast, tmp_path) as stage:
        for act in scenario.acts:
            await act(stage)
        assert stage.story().chapters() == scenario.story
