"""`logger-extension layer build`: arguments, table, exit codes."""

from pathlib import Path

import pytest

from logger_extension_cli.__main__ import main
from logger_extension_cli.layer import draw_sizes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--python", "3.9"], "3.11, 3.12, 3.13, 3.14"),
        (["--python", "3.12", "--arch", "arm"], "x86_64, arm64"),
        ([], "for which Python"),
        (["--python", "3.12", "--bundle-python", "/usr"], "leave it out"),
        (["--python", "3.12", "--extra", "viewer"], "grpc, aws"),
    ],
)
def test_what_cannot_be_built_is_a_usage_error(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, with what is known; nothing is written."""
    assert main(["layer", "build", *arguments, "--output", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_prefix_without_a_python_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1: what was asked for is known, but cannot be built."""
    arguments = ["--bundle-python", str(tmp_path), "--output", str(tmp_path / "out")]
    assert main(["layer", "build", *arguments]) == 1
    assert "base_prefix" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_table_has_the_largest_first_and_adds_up() -> None:
    """Small parts are one line."""
    sizes = {"a": (3_000, 1_000), "big": (900_000, 300_000), "b": (9_000, 2_000)}
    head, first, rest, total, limit = draw_sizes(sizes, 12_000_000)
    assert head.split() == ["part", "unpacked", "in", "the", "zip", "share"]
    assert first.split() == ["big", "900", "kB", "300", "kB", "99%"]
    assert rest.split() == ["2", "smaller", "parts", "12", "kB", "3", "kB", "1%"]
    assert total.split() == ["all", "912", "kB", "303", "kB", "100%"]
    assert limit == "allowed are 12,000 kB in the zip"
