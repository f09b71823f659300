"""Profiles are of the extension itself, started by its launcher."""

import json
from pathlib import Path

import pytest

from benchmarks.profiles import IMPORTS, profile, render

pytestmark = pytest.mark.slow


def test_the_imports_of_the_start_are_written(tmp_path: Path) -> None:
    """With the extension's own modules and what they cost."""
    path = tmp_path / "imports.txt"
    profile(IMPORTS, path, 1, 0)
    lines = [line.split("|") for line in path.read_text().splitlines() if line.count("|") == 2]
    cumulative_us = {name.strip(): int(us) for _, us, name in lines[1:]}
    assert cumulative_us["logger_extension.app"] > cumulative_us["logger_extension.outlets"] > 0


def test_a_flame_graph_has_what_the_extension_does(tmp_path: Path) -> None:
    """Its functions by name, in both formats."""
    pytest.importorskip("pyinstrument")
    session = tmp_path / "session"
    profile("many-lines", session, 3, 2_000)
    render(session, tmp_path, "many-lines")
    assert "logger_extension" in (tmp_path / "many-lines.html").read_text()
    frames = json.loads((tmp_path / "many-lines.speedscope.json").read_text())["shared"]["frames"]
    assert any("logger_extension" in frame["file"] for frame in frames)
    assert any(frame["name"] == "encode_logs" for frame in frames)
