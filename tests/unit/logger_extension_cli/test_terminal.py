"""When colours are written: NO_COLOR, FORCE_COLOR, a terminal, a pipe."""

import io
from collections.abc import Callable

import pytest
from rich.text import Text

from logger_extension_cli.terminal import has_colours, is_terminal, make_console


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the environment has a say."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize(
    ("variables", "stream", "expected"),
    [
        ({}, Terminal, True),
        ({}, io.StringIO, False),
        ({"NO_COLOR": "1"}, Terminal, False),
        ({"NO_COLOR": ""}, Terminal, True),
        ({"FORCE_COLOR": "1"}, io.StringIO, True),
        ({"FORCE_COLOR": ""}, io.StringIO, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, Terminal, False),
        ({"TERM": "dumb"}, Terminal, False),
    ],
)
def test_who_gets_colours(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    stream: Callable[[], io.StringIO],
    *,
    expected: bool,
) -> None:
    """NO_COLOR wins, then FORCE_COLOR, then the terminal; without colours there is no escape."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    target = stream()
    assert has_colours(target) is expected
    make_console(target).print(Text("bold", style="bold red"))
    assert ("\x1b" in target.getvalue()) is expected


def test_what_is_printed_is_taken_as_it_is() -> None:
    """No markup, no emoji, no colours for figures."""
    target = Terminal()
    make_console(target).print("[red]1[/red] :smile:")
    assert target.getvalue() == "[red]1[/red] :smile:\n"


def test_a_dumb_terminal_is_none() -> None:
    """It can only print."""
    assert is_terminal(Terminal())
    assert not is_terminal(io.StringIO())
