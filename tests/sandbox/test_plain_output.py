"""What commands write to a pipe and to a terminal, with NO_COLOR and with FORCE_COLOR."""

import subprocess
from pathlib import Path

import pytest

from otlp_viewer.database import Database
from tests.support.command_line import COMMAND, REPOSITORY, command_environment
from tests.support.pseudo_terminal import run_on_terminal
from tests.support.telemetry_lines import write_story
from tests.support.telemetry_story import make_story

STORY = make_story(invocations=600)
EXAMPLE = "examples/hello/app.py:handler"
# Commands that end by themselves and write in colour on a terminal; exit code 0.
COMMANDS = {
    "doctor": ["doctor", "--offline", "--env", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"],
    "run": ["run", EXAMPLE, "--event", "examples/hello/event.json"],
    "cost by": ["cost", "by", "function,version", "STORE"],
    "cost features": ["cost", "features", "STORE"],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the viewer with a story."""
    path = tmp_path_factory.mktemp("store") / "store.duckdb"
    with Database(path) as database:
        database.add_spans(STORY.spans)
        database.add_metrics(STORY.metrics)
    return path


def name_store(command: str, store: Path) -> list[str]:
    """Return the words of a command with the file in it."""
    return [str(store) if word == "STORE" else word for word in COMMANDS[command]]


def run_piped(words: list[str], **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command into pipes."""
    return subprocess.run(
        [*COMMAND, *words],
        cwd=REPOSITORY,
        env=command_environment() | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize("command", COMMANDS)
def test_colours_are_for_terminals(store: Path, command: str) -> None:
    """In a pipe there is no escape, on a terminal there is; NO_COLOR takes it away there."""
    words = name_store(command, store)
    piped = run_piped(words)
    assert piped.returncode == 0, piped.stdout + piped.stderr
    assert "\x1b" not in piped.stdout + piped.stderr
    assert "\x1b[" in run_on_terminal(*words).shown
    plain = run_on_terminal(*words, environment={"NO_COLOR": "1"})
    assert plain.returncode == 0
    assert "\x1b" not in plain.shown


def test_colours_may_be_forced(store: Path) -> None:
    """Such as for a pager or a CI's log; NO_COLOR still wins."""
    words = name_store("cost by", store)
    assert "\x1b[" in run_piped(words, FORCE_COLOR="1").stdout
    assert "\x1b" not in run_piped(words, FORCE_COLOR="1", NO_COLOR="1").stdout


def test_progress_is_on_stderr_alone(tmp_path: Path) -> None:
    """Seen on a terminal; what is piped from stdout is the same, byte for byte."""
    write_story(STORY, tmp_path)
    words = ["cost", "by", "function", str(tmp_path), "--json"]
    watched = run_on_terminal(*words, stream="stderr")
    piped = run_piped(words)
    assert (watched.returncode, piped.returncode) == (0, 0)
    assert watched.piped == piped.stdout
    assert "reading the telemetry: 100% of" in watched.shown
    assert piped.stderr == ""


def test_progress_of_a_replay(tmp_path: Path) -> None:
    """The bytes that are read, on a terminal alone."""
    first = write_story(STORY, tmp_path)[0]
    words = ["replay", str(first), "--dry-run"]
    watched = run_on_terminal(*words, stream="stderr")
    piped = run_piped(words)
    assert watched.piped == piped.stdout
    assert first.name[:8] in watched.shown
    assert piped.stderr == ""
