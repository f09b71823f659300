"""The layers of Pythons other than the running one, where this machine has them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.layer.target import PYTHONS, Target
from tests.support.layer_builds import ARCHITECTURE, RUNNING, Builds
from tests.support.layer_worlds import Plan

if TYPE_CHECKING:
    from tests.support.layer_worlds import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

_WHO = "import sys; print('%d.%d' % sys.version_info[:2], sys.base_prefix)"


def find_prefix(version: str) -> Path:
    """Return the prefix of an installed Python; skip the test where there is none."""
    on_path = shutil.which(f"python{version}")
    candidates = [Path(on_path)] if on_path else []
    candidates += Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")
    for candidate in candidates:
        prefix = _ask(candidate, version)
        # The launcher looks for bin/python3: that one must be of this version too.
        if prefix is not None and _ask(prefix / "bin" / "python3", version) == prefix:
            return prefix
    pytest.skip(f"Python {version} is not installed: put a python{version} on the PATH")


def _ask(python: Path, version: str) -> Path | None:
    """Return the prefix that a Python tells, None if it is not of a version or does not run."""
    try:
        done = subprocess.run(
            [str(python), "-I", "-S", "-c", _WHO], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    told, _, prefix = done.stdout.strip().partition(" ")
    return Path(prefix) if told == version else None


@pytest.mark.parametrize("version", [each for each in PYTHONS if each != RUNNING])
async def test_layer_for_another_python(
    builds: Builds, play: World, tmp_path: Path, version: str
) -> None:
    """Its compiled modules load, and telemetry arrives, under hostile variables."""
    prefix = find_prefix(version)
    layer = builds.unpack(Target(python=version, architecture=ARCHITECTURE))
    plan = Plan(layer=layer, function="bash", python=prefix)
    async with play(plan, tmp_path) as stage:
        ids = [await stage.invoke() for _ in range(2)]
        await stage.stop()
        assert [span.attributes["faas.invocation_id"] for span in stage.spans()] == ids
