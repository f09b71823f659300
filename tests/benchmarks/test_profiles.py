"""Profiles are of the extension itself, started by its launcher."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import CASES, main
from benchmarks.profiles import IMPORTS, WORK, profile


def test_every_case_has_its_work() -> None:
    """A case without would be found only by who asks for its profile."""
    assert set(WORK) == set(CASES)


@pytest.mark.slow
def test_the_imports_of_the_start_are_written(tmp_path: Path) -> None:
    """With the extension's own modules and what they cost."""
    path = tmp_path / "imports.txt"
    profile(IMPORTS, path, 1, 0)
    lines = [line.split("|") for line in path.read_text().splitlines() if line.count("|") == 2]
    cumulative_us = {name.strip(): int(us) for _, us, name in lines[1:]}
    assert cumulative_us["logger_extension.app"] > cumulative_us["logger_extension.outlets"] > 0


@pytest.mark.slow
def test_a_flame_graph_has_what_the_extension_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its functions by name, in both formats, with the imports beside it; nothing is measured."""
    pytest.importorskip("pyinstrument")
    assert main(["slowdown", "--profile", str(tmp_path)]) == 0
    names = {"importtime.txt", "slowdown.html", "slowdown.speedscope.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / name) for name in sorted(names)]
    assert "logger_extension" in (tmp_path / "slowdown.html").read_text()
    frames = json.loads((tmp_path / "slowdown.speedscope.json").read_text())["shared"]["frames"]
    assert any("logger_extension" in frame["file"] for frame in frames)
    assert any(frame["name"] == "encode_logs" for frame in frames)
