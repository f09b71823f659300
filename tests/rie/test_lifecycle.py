"""The life of an environment, on AWS's emulator and in our sandbox: everybody tells the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.rie_scenarios_init import FAILING_INIT
from tests.support.rie_scenarios_ordinary import ORDINARY
from tests.support.rie_scenarios_register import REGISTER
from tests.support.rie_scenarios_reset import RESETS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.rie_scenarios import Scenario
    from tests.support.rie_worlds import World


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(scenario, id=says)
        for says, scenario in (REGISTER | ORDINARY | FAILING_INIT | RESETS).items()
    ],
)
async def test_everybody_tells_the_same(
    world: type[World], scenario: Scenario, tmp_path: Path
) -> None:
    """What each process and the caller see, in order."""
    async with world(scenario.cast, tmp_path) as stage:
        assert await scenario.play(stage) == scenario.story
