"""Progress: on a terminal while it lasts, nothing anywhere else."""

import io
import sys

import pytest

from logger_extension_cli.fallback_lines import read_stream
from logger_extension_cli.progress import CountingReader, show_bytes, show_steps
from tests.unit.logger_extension_cli.test_terminal import Terminal


def make_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make stderr a terminal (in the test itself: pytest sets it anew after fixtures)."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_bytes_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Title and amounts; a name cannot command the terminal."""
    terminal = make_terminal(monkeypatch)
    with show_bytes("a\x1b[2Jfile", 2_000_000) as advance:
        advance(1_000_000)
    shown = terminal.getvalue()
    assert "a?[2Jfile" in shown
    assert "1.0/2.0 MB" in shown


def test_steps_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the step."""
    terminal = make_terminal(monkeypatch)
    with show_steps("one") as tell:
        tell("two [red]")
    assert "two [red]" in terminal.getvalue()


def test_stdout_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed meanwhile is stdout's, byte for byte."""
    terminal = make_terminal(monkeypatch)
    with show_steps("one"):
        print("line \x1b")  # noqa: T201
    assert capsys.readouterr().out == "line \x1b\n"
    assert "line" not in terminal.getvalue()


def test_no_colours_where_none_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor moves all the same: that is what progress is."""
    terminal = make_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    with show_bytes("file", 10) as advance:
        advance(10)
    assert "file" in terminal.getvalue()
    assert "\x1b[3" not in terminal.getvalue()
    assert "\x1b[1m" not in terminal.getvalue()


@pytest.mark.parametrize("forced", ["", "1"])
def test_nothing_without_a_terminal(monkeypatch: pytest.MonkeyPatch, forced: str) -> None:
    """Colours that were forced make no terminal of a file."""
    monkeypatch.setenv("FORCE_COLOR", forced)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with show_bytes("file", None) as advance, show_steps("one") as tell:
        advance(1)
        tell("two")
    assert stream.getvalue() == ""


def test_lines_are_counted_in_bytes() -> None:
    """After each line, what has been read in all."""
    done: list[int] = []
    lines = list(read_stream(CountingReader(io.BytesIO(b"one\nzwei\n\xff"), done.append)))
    assert len(lines) == 3
    assert done == [4, 9, 10, 10]
