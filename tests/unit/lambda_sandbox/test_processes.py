"""Processes in groups of their own; what kills and freezes them is tested by the contract."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox import Transcript
from lambda_sandbox.processes import Process, Watch, describe_exit, start_process

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("returncode", "text"),
    [(0, "exit status 0"), (3, "exit status 3"), (-9, "signal: killed")],
)
def test_describe_exit(returncode: int, text: str) -> None:
    """The words are those of AWS's own messages."""
    assert describe_exit(returncode) == text


async def test_output_is_complete_at_the_exit(tmp_path: Path) -> None:
    """When `on_exit` is called every line has been told, also one without a line feed."""
    lines: list[tuple[str, str]] = []
    told: list[tuple[int | None, int]] = []

    def on_exit(process: Process) -> None:
        told.append((process.returncode, len(lines)))

    script = "import os; os.write(1, b'x\\n' * 5000 + b'rest'); os.write(2, b'err'); os._exit(4)"
    process = await start_process(
        [sys.executable, "-ISc", script],
        actor="runtime",
        cwd=tmp_path,
        environment={},
        watch=Watch(lambda stream, line: lines.append((stream, line)), on_exit),
        transcript=Transcript(),
    )
    await process.wait()
    assert told == [(4, 5_002)]
    assert ("stdout", "rest") in lines
    assert ("stderr", "err") in lines
    assert not process.alive


async def test_memory_is_measured_and_kept(tmp_path: Path) -> None:
    """The peak of a running process is remembered after its end."""
    transcript = Transcript()
    seen = asyncio.Event()
    process = await start_process(
        [sys.executable, "-ISc", "import signal; print('up', flush=True); signal.pause()"],
        actor="runtime",
        cwd=tmp_path,
        environment={},
        watch=Watch(lambda _stream, _line: seen.set(), lambda _process: None),
        transcript=transcript,
    )
    await seen.wait()
    peak = process.measure_memory()
    process.signal(signal.SIGKILL)
    await process.wait()
    process.signal(signal.SIGTERM)
    assert process.measure_memory() == peak
    assert peak > 1024 * 1024 or sys.platform != "linux"
    assert [entry.details["name"] for entry in transcript.select("signal")] == ["SIGKILL"]


async def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    """The error of the start is the caller's, and no descriptor stays open."""
    with pytest.raises(FileNotFoundError):
        await start_process(
            [str(tmp_path / "nothing")],
            actor="runtime",
            cwd=tmp_path,
            environment={},
            watch=Watch(lambda _stream, _line: None, lambda _process: None),
            transcript=Transcript(),
        )
