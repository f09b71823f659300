"""Compiling for a version of Python that need not be the builder's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.layer.bytecode import compile_tree, find_compiler
from deploy.layer.errors import LayerError
from tests.support.layer_builds import RUNNING


def test_the_running_one_comes_first() -> None:
    """What runs already need not be searched for."""
    assert find_compiler(RUNNING) == Path(sys.executable)


def test_one_of_another_version_is_found_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the PATH; a program of that name that is another version is passed over."""
    for folder, version in (("wrong", "3.9"), ("right", "3.14")):
        program = tmp_path / folder / "python3.14"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'right'}:/usr/bin:/bin")
    assert find_compiler("3.14") == tmp_path / "right" / "python3.14"
    monkeypatch.setenv("PATH", f"{tmp_path / 'wrong'}:/usr/bin:/bin")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    with pytest.raises(LayerError, match=r"put a python3\.14 on the PATH"):
        find_compiler("3.14")


def test_what_is_not_python_fails_the_build(tmp_path: Path) -> None:
    """The file is named."""
    (tmp_path / "broken.py").write_text("def\n")
    with pytest.raises(LayerError, match=r"broken\.py"):
        compile_tree(tmp_path, Path(sys.executable))


def test_a_changed_source_is_not_looked_at(tmp_path: Path) -> None:
    """Import reads the bytecode and never asks whether it is that of the source."""
    source = tmp_path / "answer.py"
    source.write_text("VALUE = 42\n")
    compile_tree(tmp_path, Path(sys.executable))
    source.write_text("VALUE = 0\n")
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import answer; print(answer.VALUE)"
    command = [sys.executable, "-I", "-S", "-c", program]
    assert subprocess.check_output(command, text=True) == "42\n"
