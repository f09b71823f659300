"""Other extensions beside ours, also one that wants the same port."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.stage import NAME, REPOSITORY
from tests.support.layer_builds import MANAGED, Builds
from tests.support.layer_worlds import Plan

if TYPE_CHECKING:
    from tests.support.layer_worlds import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NOOP = (REPOSITORY / "benchmarks/noop/noop-extension").read_text()
# What extensions are given, from one that does nothing about it.
WITNESS = """#!/bin/bash -p
echo "witness: $PYTHONHOME $LD_LIBRARY_PATH $LD_PRELOAD $NODE_OPTIONS $TMOUT $FUNCNEST"
unset TMOUT FUNCNEST POSIXLY_CORRECT
"""


async def test_side_by_side(builds: Builds, play: World, tmp_path: Path, unused_port: int) -> None:
    """Two that do nothing and a second one of ours, with the same port: each does its work.

    They also bear witness that extensions are given the function's hostile variables.
    """
    layer = builds.unpack(MANAGED)
    launcher = (layer / "extensions" / NAME).read_text()
    plan = Plan(
        layer=layer,
        python=Path(sys.base_prefix),
        environ={"LOGGER_EXTENSION_TELEMETRY_PORT": str(unused_port)},
        others={"a-noop": WITNESS + NOOP, "z-noop": WITNESS + NOOP, "second": launcher},
    )
    async with play(plan, tmp_path) as stage:
        ids = [await stage.invoke() for _ in range(2)]
        await stage.stop()
    seen = [str(span.attributes["faas.invocation_id"]) for span in stage.spans()]
    assert sorted(seen) == sorted(ids * 2), stage.said()
    if stage.has_telemetry:
        assert [row.body for row in stage.logs()].count("hello from python") == 2 * len(ids)
    words = [line for line in stage.said().splitlines() if "witness: " in line]
    assert len(words) == 2
    for line in words:
        assert "/nowhere" in line
        assert "hostile/libraries" in line
        assert "libpreloaded.so --require=/nowhere/hook.js 1 1" in line
