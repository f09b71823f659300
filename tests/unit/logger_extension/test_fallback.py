"""The fallback: whole lines in order, off the event loop, and every item accounted for."""

import asyncio
import os
import select
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from logger_extension.exporters.fallback import Fallback, Stdout, open_fallback
from logger_extension.exporters.spool import Spool
from logger_extension.settings.fallback import FallbackSettings
from logger_extension.signals.otlp_lines import MAX_LINE_BYTES, Line, read_line
from tests.support.export_targets import make_request
from tests.support.extension import Complaints, read_logs


def make_logs(*texts: str) -> bytes:
    """Return one request with a record for each text."""
    return b"".join(make_request("logs", text).SerializeToString() for text in texts)


def read_texts(data: bytes) -> list[str]:
    """Return the bodies of all records in lines."""
    return [
        record.body.string_value
        for line in data.splitlines()
        for record in read_logs(read_line(line)[1])
    ]


class Pipe:
    """A pipe: what is written waits for a reader, beyond 64 KiB the writer does too."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.reading, self.writing = os.fdopen(reading, "rb", 0), os.fdopen(writing, "wb", 0)

    def read_all(self) -> bytes:
        """Read until the writing end is closed."""
        return self.reading.readall()

    def wait_for_data(self) -> None:
        """Wait until there is something to read."""
        select.select([self.reading], [], [])

    def close(self) -> None:
        """Close both ends."""
        self.reading.close()
        self.writing.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Yield a pipe."""
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def complaints() -> Complaints:
    """Return what keeps complaints."""
    return Complaints()


@pytest.fixture
async def stdout(pipe: Pipe, complaints: Complaints) -> AsyncIterator[Fallback]:
    """Yield a fallback that writes into the pipe; its thread has ended afterwards."""
    fallback = Fallback((Stdout(pipe.writing.fileno()),), complaints)
    yield fallback
    pipe.close()
    await end(fallback)


async def end(fallback: Fallback) -> None:
    """Wait for the end of the fallback's thread."""
    thread = fallback._thread
    fallback.close()
    if thread is not None:
        await asyncio.to_thread(thread.join)


async def test_lines_on_stdout(stdout: Fallback, pipe: Pipe) -> None:
    """One request a line, in order, of all signals; everything is written."""
    assert await stdout.write("logs", make_logs("one", "two")) == 0
    assert await stdout.write("traces", make_request("traces", "GET").SerializeToString()) == 0
    assert await stdout.write("metrics", make_request("metrics", "n").SerializeToString()) == 0
    pipe.writing.close()
    first, second, third = pipe.read_all().splitlines()
    assert read_texts(first) == ["one", "two"]
    assert [read_line(line)[0] for line in (second, third)] == ["traces", "metrics"]
    assert stdout.written == {"logs": 2, "traces": 1, "metrics": 1}


async def test_long_requests_are_several_lines(stdout: Fallback, pipe: Pipe) -> None:
    """CloudWatch cuts long lines: none is."""
    texts = [f"{n:03d}" + "x" * 5_000 for n in range(100)]
    reading = asyncio.create_task(asyncio.to_thread(pipe.read_all))
    assert await stdout.write("logs", make_logs(*texts)) == 0
    pipe.writing.close()
    data = await reading
    assert read_texts(data) == texts
    assert len(data.splitlines()) > 2
    assert max(map(len, data.splitlines())) <= MAX_LINE_BYTES


async def test_a_pipe_that_nobody_reads_holds_nothing_up(stdout: Fallback, pipe: Pipe) -> None:
    """The loop goes on; a write can be given up, and what is not known to be written is counted."""
    blocked = asyncio.create_task(stdout.write("logs", make_logs("x" * 100_000)))
    behind = asyncio.create_task(stdout.write("logs", make_logs("behind")))
    # The pipe is full when the first bytes of the line are in it.
    await asyncio.to_thread(pipe.wait_for_data)
    blocked.cancel()
    behind.cancel()
    await asyncio.wait([blocked, behind])
    assert blocked.cancelled()
    assert behind.cancelled()
    assert stdout.written["logs"] == 0
    # Read at last, the line is whole; the one behind it was never begun, the next one is.
    after = asyncio.create_task(stdout.write("logs", make_logs("after")))
    reading = asyncio.create_task(asyncio.to_thread(pipe.read_all))
    assert await after == 0
    pipe.writing.close()
    assert read_texts(await reading) == ["x" * 100_000, "after"]
    assert stdout.written["logs"] == 2


async def test_cancelled_between_lines(complaints: Complaints) -> None:
    """The line under way is finished, no further one is begun."""
    sink = HaltingSink()
    fallback = Fallback((sink,), complaints)
    texts = ["x" * 100_000, "y" * 100_000, "z" * 100_000]
    writing = asyncio.create_task(fallback.write("logs", make_logs(*texts)))
    await asyncio.to_thread(sink.has_begun.wait)
    writing.cancel()
    await asyncio.wait([writing])
    sink.may_go_on.set()
    await end(fallback)
    assert fallback.written["logs"] == 1
    assert read_texts(b"\n".join(sink.lines)) == texts[:1]
    assert complaints.messages == []


class HaltingSink:
    """Waits in its first line until it may go on."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()
        self.lines: list[bytes] = []

    def write(self, _signal: str, lines: Iterable[Line], note: Callable[[int], None]) -> None:
        """Take lines."""
        for line in lines:
            self.has_begun.set()
            self.may_go_on.wait()
            self.lines.append(line.text)
            note(line.items)


async def test_nobody_reads_any_more(stdout: Fallback, pipe: Pipe, complaints: Complaints) -> None:
    """Counted, told once, never raised."""
    pipe.reading.close()
    assert await stdout.write("logs", make_logs("one", "two")) == 2
    assert await stdout.write("logs", make_logs("three")) == 1
    assert stdout.written["logs"] == 0
    (told,) = complaints.messages
    assert "could not be written" in told[0]


async def test_after_a_torn_line_the_next_begins_anew(
    complaints: Complaints, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So that a fault costs one line, not two."""
    real, calls = os.write, iter([5, None, 2**20])

    def tear(file: int, data: memoryview) -> int:
        size = next(calls)
        if size is None:
            raise OSError("interrupted")
        return real(file, data[:size])

    path = tmp_path / "out"
    with path.open("wb") as file:
        fallback = Fallback((Stdout(file.fileno()),), complaints)
        monkeypatch.setattr("os.write", tear)
        assert await fallback.write("logs", make_logs("torn")) == 1
        assert await fallback.write("logs", make_logs("whole")) == 0
        monkeypatch.undo()
        await end(fallback)
    torn, whole = path.read_bytes().splitlines()
    assert len(torn) == 5
    assert read_texts(whole) == ["whole"]


async def test_a_body_that_is_no_request(stdout: Fallback, complaints: Complaints) -> None:
    """One item that is not written; the next request is."""
    assert await stdout.write("logs", b"\xff\xff") == 1
    assert await stdout.write("logs", make_logs("fine")) == 0
    assert len(complaints.messages) == 1


async def test_a_fault_of_ours_reaches_the_caller(complaints: Complaints) -> None:
    """It neither ends the thread nor leaves anybody waiting."""

    class Broken:
        def write(self, *_: Any) -> None:
            raise ZeroDivisionError

    fallback = Fallback((Broken(),), complaints)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await fallback.write("logs", make_logs("one"))
    await end(fallback)


async def test_no_thread_to_be_had(complaints: Complaints, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox at its limits: counted and told."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refuse)
    fallback = Fallback((Stdout(),), complaints)
    assert await fallback.write("logs", make_logs("one", "two")) == 2
    assert await fallback.write("logs", b"\xff\xff") == 1
    assert complaints.messages[0][1] == "can't start new thread"


async def test_a_directory(tmp_path: Path, complaints: Complaints) -> None:
    """One file a request, counted when it is complete."""
    settings = FallbackSettings(destination=str(tmp_path / "spool"))
    fallback = open_fallback(settings, complaints)
    assert fallback is not None
    assert await fallback.write("logs", make_logs("one", "two")) == 0
    assert await fallback.write("traces", make_request("traces", "GET").SerializeToString()) == 0
    await end(fallback)
    logs, traces = sorted((tmp_path / "spool").iterdir())
    assert logs.name.endswith(".logs.jsonl")
    assert traces.name.endswith(".traces.jsonl")
    assert read_texts(logs.read_bytes()) == ["one", "two"]
    assert fallback.written == {"logs": 2, "traces": 1}


async def test_a_full_directory(
    tmp_path: Path, complaints: Complaints, capfd: pytest.CaptureFixture[str]
) -> None:
    """What fits is in it; the rest is on stdout, each record once, and that is told."""
    settings = FallbackSettings(destination=str(tmp_path / "spool"), max_bytes=250_000)
    fallback = open_fallback(settings, complaints)
    assert fallback is not None
    texts = [f"{n}" + "x" * 100_000 for n in range(5)]
    assert await fallback.write("logs", make_logs(*texts)) == 0
    assert await fallback.write("logs", make_logs("more" + "x" * 100_000)) == 0
    await end(fallback)
    assert fallback.written == {"logs": 6}
    (file,) = (tmp_path / "spool").iterdir()
    assert read_texts(file.read_bytes()) == texts[:2]
    assert read_texts(capfd.readouterr().out.encode()) == [*texts[2:], "more" + "x" * 100_000]
    (told,) = complaints.messages
    assert "250000 bytes" in told[1]


async def test_a_directory_that_is_refused(
    tmp_path: Path, complaints: Complaints, capfd: pytest.CaptureFixture[str]
) -> None:
    """One complaint that names it; everything is on stdout."""
    tmp_path.chmod(0o777)
    fallback = open_fallback(FallbackSettings(destination=str(tmp_path)), complaints)
    assert fallback is not None
    for _ in range(2):
        assert await fallback.write("logs", make_logs("one", "two")) == 0
    await end(fallback)
    assert read_texts(capfd.readouterr().out.encode()) == ["one", "two"] * 2
    (told,) = complaints.messages
    assert str(tmp_path) in told[1]


async def test_no_sink_takes_it(tmp_path: Path, complaints: Complaints) -> None:
    """What neither takes is counted."""
    tmp_path.chmod(0o777)
    with (tmp_path / "read-only").open("wb+") as file, (tmp_path / "read-only").open("rb") as lines:
        fallback = Fallback((Spool(str(tmp_path), 100_000), Stdout(lines.fileno())), complaints)
        assert await fallback.write("logs", make_logs("one", "two")) == 2
        await end(fallback)
        assert file.read() == b""
    assert fallback.written == {}


def test_none(complaints: Complaints) -> None:
    """There is no fallback."""
    assert open_fallback(FallbackSettings(destination="none"), complaints) is None


async def test_stdout_is_the_default(
    complaints: Complaints, capfd: pytest.CaptureFixture[str]
) -> None:
    """The process's own, past Python's buffer."""
    fallback = open_fallback(FallbackSettings(), complaints)
    assert fallback is not None
    assert await fallback.write("logs", make_logs("one")) == 0
    await end(fallback)
    assert read_texts(capfd.readouterr().out.encode()) == ["one"]
