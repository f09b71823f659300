"""Fixtures of the proofs: each runs in both worlds."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.support import rie
from tests.support.layer_worlds import play_in_sandbox, play_on_emulator

if TYPE_CHECKING:
    from tests.support.layer_worlds import World

_why_not = cache(rie.unavailable)


@pytest.fixture(
    params=[
        pytest.param(play_on_emulator, id="emulator", marks=pytest.mark.rie),
        pytest.param(play_in_sandbox, id="sandbox"),
    ]
)
def play(request: pytest.FixtureRequest) -> World:
    """Each of the two worlds in turn."""
    world: World = request.param
    if world is play_on_emulator and (reason := _why_not()):
        pytest.skip(reason)
    return world
