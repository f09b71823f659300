"""A zip, unpacked: the function runs and its telemetry arrives, whatever its variables are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.layer_builds import BUNDLED, MANAGED, Builds
from tests.support.layer_runtimes import NAMES
from tests.support.layer_worlds import Plan, Stage

if TYPE_CHECKING:
    from tests.support.layer_worlds import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PREFIX = Path(sys.base_prefix)


async def invoke_and_stop(stage: Stage, times: int = 2) -> list[str]:
    """Return the ids of invocations that were all answered by the function."""
    ids = [await stage.invoke() for _ in range(times)]
    await stage.stop()
    return ids


def check_telemetry(stage: Stage, ids: list[str], name: str) -> None:
    """Each invocation has its span and, where Lambda tells of lines, its record."""
    assert [span.attributes["faas.invocation_id"] for span in stage.spans()] == ids, stage.said()
    if stage.has_telemetry:
        lines = [row.body for row in stage.logs() if str(row.body).startswith("hello")]
        assert lines == [f"hello from {name}"] * len(ids)
    assert "evil module" not in stage.said()


def note(root: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of each file below a folder."""
    status = {path: path.stat() for path in root.rglob("*")}
    return {str(path): (each.st_size, each.st_mtime_ns) for path, each in status.items()}


async def test_layer_of_the_runtimes_own_python(
    builds: Builds, play: World, tmp_path: Path
) -> None:
    """A Python function under hostile variables; nothing is written to the layer."""
    layer = builds.unpack(MANAGED)
    before = note(layer)
    async with play(Plan(layer=layer, python=PREFIX), tmp_path) as stage:
        check_telemetry(stage, await invoke_and_stop(stage), "python")
    assert note(layer) == before


@pytest.mark.parametrize("function", NAMES)
async def test_layer_with_an_interpreter(
    builds: Builds, play: World, tmp_path: Path, function: str
) -> None:
    """Any runtime, where there is no other Python for it, under hostile variables."""
    layer = builds.unpack(BUNDLED)
    before = note(layer)
    async with play(Plan(layer=layer, function=function), tmp_path) as stage:
        check_telemetry(stage, await invoke_and_stop(stage), function)
    assert note(layer) == before


async def test_no_interpreter(builds: Builds, play: World, tmp_path: Path) -> None:
    """One line says so, no telemetry comes, and the function does not notice."""
    plan = Plan(layer=builds.unpack(MANAGED), function="bash")
    async with play(plan, tmp_path) as stage:
        await invoke_and_stop(stage, 3)
        assert stage.said().count("no Python interpreter") == 1
        assert not stage.collector.requests
