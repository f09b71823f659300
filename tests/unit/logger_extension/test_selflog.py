"""Our own voice: one line a message a minute, and never an exception."""

import io
import json
from typing import Any

import pytest

from logger_extension import selflog
from logger_extension.selflog import QUIET_S, SelfLog


class Clock:
    """A monotonic clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the module a clock of ours."""
    clock = Clock()
    monkeypatch.setattr(selflog, "time", clock)
    return clock


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(text) for text in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object() -> None:
    """Level, source, message and the fields given."""
    stream = io.StringIO()
    SelfLog(stream).say("warn", "two\nlines", reason="ü \ud800", count=2, other=object)
    (line,) = _lines(stream)
    assert line["level"] == "warn"
    assert line["source"] == "logger_extension"
    assert line["message"] == "two\nlines"
    assert line["count"] == 2


def test_the_same_message_is_said_once_a_minute(clock: Clock) -> None:
    """And then how often it was kept back."""
    stream = io.StringIO()
    log = SelfLog(stream)
    for _ in range(5):
        log.say("warn", "down", reason="a")
    clock.now_s += QUIET_S
    log.say("warn", "down", reason="b")
    clock.now_s += QUIET_S
    log.say("warn", "down", reason="c")
    lines = _lines(stream)
    assert [line["reason"] for line in lines] == ["a", "b", "c"]
    assert [line.get("repeated") for line in lines] == [None, 4, None]


def test_different_messages_do_not_keep_each_other_back() -> None:
    """Each message has its own minute."""
    stream = io.StringIO()
    log = SelfLog(stream)
    log.say("warn", "logs down")
    log.say("warn", "traces down")
    assert len(_lines(stream)) == 2


def test_a_closed_stream_is_no_fault() -> None:
    """An exit of ours fails the function: nobody reading stderr must not cause one."""
    stream = io.StringIO()
    stream.close()
    SelfLog(stream).say("error", "into the void")


def test_a_broken_pipe_is_no_fault() -> None:
    """The same when the reader has gone."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    SelfLog(Broken()).say("error", "into the void")


def test_without_a_stream_it_is_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines land in the function's log."""
    SelfLog().say("info", "hello")
    assert json.loads(capsys.readouterr().err)["message"] == "hello"
