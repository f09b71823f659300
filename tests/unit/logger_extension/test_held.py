"""The line that outlives us: how many records a process held, in a pipe that the launcher keeps."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import logger_extension
from logger_extension.held import Held

WITH_LAUNCHER = {"LOGGER_EXTENSION_PIPE": "3"}


@pytest.fixture
def stdin() -> Iterator[int]:
    """Put a pipe in the place of our stdin; return its reading end, as the launcher has it."""
    kept = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.set_blocking(reading, False)
    try:
        yield reading
    finally:
        os.dup2(kept, 0)
        for descriptor in (kept, reading, writing):
            os.close(descriptor)


def _close(held: Held) -> None:
    if held._fd >= 0:
        os.close(held._fd)


def test_one_line_is_kept_with_the_last_count(stdin: int) -> None:
    """However often it is told: the pipe never fills."""
    held = Held(WITH_LAUNCHER)
    for count in (*range(50_000), 17):
        held.tell(count)
    assert os.read(stdin, 1_000) == b"17\n"
    _close(held)


def test_the_same_count_is_not_told_again(stdin: int) -> None:
    """It costs two calls of the kernel."""
    held = Held(WITH_LAUNCHER)
    held.tell(5)
    assert os.read(stdin, 1_000) == b"5\n"
    held.tell(5)
    with pytest.raises(BlockingIOError):
        os.read(stdin, 1_000)
    held.tell(0)
    assert os.read(stdin, 1_000) == b"0\n"
    _close(held)


def test_without_a_launcher_nothing_is_told(stdin: int) -> None:
    """A direct start: our stdin is not ours to write to."""
    Held({}).tell(5)
    with pytest.raises(BlockingIOError):
        os.read(stdin, 1_000)


def test_a_pipe_that_cannot_be_written_is_left_alone(stdin: int) -> None:
    """Nothing is raised, and nothing is tried again."""
    held = Held(WITH_LAUNCHER)
    os.close(held._fd)
    held._fd = os.open("/dev/null", os.O_RDONLY)
    held.tell(5)
    assert held._fd == -1
    held.tell(6)
    with pytest.raises(BlockingIOError):
        os.read(stdin, 1_000)


def test_a_stdin_that_cannot_be_opened_is_no_fault() -> None:
    """No stdin, or no /proc: then nobody learns how many they were."""
    root = Path(logger_extension.__file__).parent.parent
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); os.close(0)\n"
        "from logger_extension.held import Held\n"
        "held = Held({'LOGGER_EXTENSION_PIPE': '3'}); held.tell(5); print(held._fd)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(root)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "-1\n"
    assert done.stderr == ""
