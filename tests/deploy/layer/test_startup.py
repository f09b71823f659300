"""The start of an unpacked layer, measured and judged."""

from pathlib import Path

import pytest

from deploy.layer.errors import LayerError
from deploy.layer.startup import Bounds, check_imports, check_startup, measure_once
from deploy.layer.target import Target
from deploy.stage import NAME, find_launcher, stage_layer, this_interpreter
from tests.support.layer_builds import ARCHITECTURE, LOOSE, RUNNING


def _lay_launcher(root: Path, content: str) -> Path:
    launcher = root / "extensions" / NAME
    launcher.parent.mkdir()
    launcher.write_text(content)
    launcher.chmod(0o755)
    return launcher


def test_the_real_launcher_registers(tmp_path: Path) -> None:
    """Its time and that of bare Python come from one run."""
    _lay_launcher(tmp_path, find_launcher().read_text())
    found = check_startup(tmp_path, LOOSE, runs=3)
    assert 0 < found.launcher_ms < found.bare_python_ms * 50


def test_over_the_bounds_each_time_is_an_error(tmp_path: Path) -> None:
    """All attempts are told, so that noise can be told from a regression."""
    _lay_launcher(tmp_path, find_launcher().read_text())
    with pytest.raises(LayerError, match=r"( ms \(bare Python .*){2}to register"):
        check_startup(tmp_path, Bounds(most_share=0), runs=1, attempts=2)


@pytest.mark.parametrize(
    ("launcher_ms", "bare_ms", "holds"), [(4, 20, True), (6, 200, False), (4, 10, False)]
)
def test_both_bounds_must_hold(launcher_ms: float, bare_ms: float, holds: bool) -> None:  # noqa: FBT001
    """The absolute one and the share of bare Python."""
    assert Bounds(most_ms=5, most_share=0.25).hold(launcher_ms, bare_ms) == holds


def test_a_launcher_that_does_not_register_is_an_error(tmp_path: Path) -> None:
    """One that closes its connection without a word is not waited for."""
    program = '#!/bin/bash\nexec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}"\n'
    with pytest.raises(LayerError, match="did not register"):
        measure_once([str(_lay_launcher(tmp_path, program))])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """A layer that lacks a module would be pass-through on Lambda: it must not be built."""
    stage_layer(tmp_path / "opt", interpreter=this_interpreter())
    target = Target(python=RUNNING, architecture=ARCHITECTURE)
    check_imports(target, tmp_path / "opt", this_interpreter())
    (tmp_path / "opt" / NAME / "site-packages").unlink()
    with pytest.raises(LayerError, match="No module named"):
        check_imports(target, tmp_path / "opt", this_interpreter())
