"""Libraries that are not installed: a sentence, not a traceback."""

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from logger_extension_cli import installed
from logger_extension_cli.__main__ import main


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let libraries look as if they were not installed."""

    def find(name: str) -> ModuleSpec | None:
        return None if name in names else importlib.util.find_spec(name)

    monkeypatch.setattr(installed, "find_spec", find)


@pytest.mark.parametrize(
    ("command", "library", "extra"),
    [
        (["view"], "duckdb", "web"),
        (["view"], "jinja2", "web"),
        (["view"], "plotly", "web"),
        (["view"], "ibis", "web"),
        (["demo", "--web"], "duckdb", "web"),
        (["demo"], "rich", "viewer"),
        (["run", "a.py:f"], "awslambdaric", "viewer"),
        (["collector"], "rich", "viewer"),
        (["cost", "by", "function", "."], "duckdb", "cost"),
        (["cost", "by", "function", ".", "--plot", "a.svg"], "matplotlib", "cost"),
        (["cost", "by", "function", "clickhouse://host"], "clickhouse_connect", "clickhouse"),
        (["completion", "bash"], "shtab", "viewer"),
    ],
)
def test_what_is_missing_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    library: str,
    extra: str,
) -> None:
    """Exit code 2, and what to type."""
    hide(monkeypatch, library)
    assert main(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"logger-extension {command[0]}: {library} is not installed:"
        f" pip install 'logger-extension[{extra}]', in a checkout make web\n"
    )


def test_all_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At once."""
    hide(monkeypatch, "duckdb", "ibis")
    assert main(["cost", "features", "."]) == 2
    assert "duckdb and ibis are not installed" in capsys.readouterr().err


@pytest.mark.parametrize("name", installed.EXTRAS)
def test_the_tests_have_everything(name: str) -> None:
    """Or what is tested elsewhere would be skipped silently."""
    installed.require(name)
