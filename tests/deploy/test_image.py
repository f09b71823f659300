"""The example of a function packaged as an image: what its Dockerfile lays runs."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from deploy.stage import NAME, REPOSITORY
from tests.support import rie
from tests.support.layer_builds import BUNDLED, Builds
from tests.support.layer_image import Image
from tests.support.layer_worlds import Plan, play_in_sandbox, play_on_emulator

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FOLDER = REPOSITORY / "deploy" / "image"


@pytest.fixture(scope="module")
def image(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image, built from the zip of the running interpreter; nobody may change it."""
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed")
    archive = builds.build(BUNDLED).archive
    contexts = {"": FOLDER, "layer": archive.parent}
    image = Image(tmp_path_factory.mktemp("image"), contexts, {"LAYER": archive.name})
    image.build(FOLDER / "Dockerfile")
    return image


async def test_what_it_lays_runs_in_the_local_lambda(image: Image, tmp_path: Path) -> None:
    """From the image's /opt, a function's telemetry arrives."""
    plan = Plan(layer=image.root("function") / "opt", function="bash")
    async with play_in_sandbox(plan, tmp_path) as stage:
        ids = [await stage.invoke() for _ in range(2)]
        await stage.stop()
    assert [span.attributes["faas.invocation_id"] for span in stage.spans()] == ids


@pytest.mark.rie
async def test_what_it_lays_runs_on_the_emulator(image: Image, tmp_path: Path) -> None:
    """Also for Lambda's user, who owns none of the files."""
    if reason := rie.unavailable():
        pytest.skip(reason)
    plan = Plan(layer=image.root("function") / "opt", function="node")
    async with play_on_emulator(plan, tmp_path) as stage:
        ids = [await stage.invoke() for _ in range(2)]
        await stage.stop()
    assert [span.attributes["faas.invocation_id"] for span in stage.spans()] == ids


def test_it_lays_the_layer_and_the_function(image: Image, builds: Builds) -> None:
    """Of the layer nothing is missing and nothing is elsewhere; the command names the handler."""
    root, layer = image.root("function"), builds.unpack(BUNDLED)
    laid = {path.relative_to(root / "opt") for path in (root / "opt").rglob("*")}
    assert laid == {path.relative_to(layer) for path in layer.rglob("*")}
    launcher = root / "opt" / "extensions" / NAME
    assert launcher.stat().st_mode & 0o777 == 0o755
    [module, function] = image.command[0].split(".")
    assert f"exports.{function} =" in (root / "var" / "task" / f"{module}.js").read_text()


def test_an_interpreter_that_cannot_run_fails_the_build(tmp_path: Path) -> None:
    """Not the function, later."""
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed")
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as archive:
        archive.writestr(f"extensions/{NAME}", "")
        archive.writestr(f"{NAME}/bin/python3", b"\x7fELF of another machine")
    folder = tmp_path / "image"
    folder.mkdir()
    image = Image(folder, {"": FOLDER, "layer": tmp_path}, {"LAYER": "layer.zip"})
    with pytest.raises(subprocess.CalledProcessError) as failure:
        image.build(FOLDER / "Dockerfile")
    assert "bin/python3 -I -S" in str(failure.value.cmd)
