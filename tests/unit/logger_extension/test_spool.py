"""The spool: files that only we can have written, taken once, whatever dies in between."""

import errno
import fcntl
import multiprocessing
import os
import re
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from logger_extension.exporters.spool import Spool
from logger_extension.signals.otlp_lines import Line, encode_lines
from tests.support.export_targets import make_request

MAX_BYTES = 64 * 1024
BODY = make_request("logs", "hello").SerializeToString()
(LINE,) = encode_lines("logs", BODY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the path of a directory that is not there yet."""
    return tmp_path / "a" / "spool"


@pytest.fixture
def spool(folder: Path) -> Spool:
    """Return a spool there."""
    return Spool(str(folder), MAX_BYTES)


def write(spool: Spool, *lines: Line, signal: str = "logs") -> int:
    """Write lines into one file; return how many items were noted."""
    noted: list[int] = []
    spool.write(signal, lines, noted.append)
    return sum(noted)


def names_in(folder: Path) -> list[str]:
    """Return the names of all files, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def take_all(directory: str, count: int) -> int:
    """Take until there is nothing more; return how many requests that were. Runs in a process."""
    taken = 0
    for _ in range(count):
        taken += len(Spool(directory, MAX_BYTES).take(1).requests)
    return taken


def test_what_is_written_is_taken_once(spool: Spool, folder: Path) -> None:
    """In order, as it was; then the directory is empty."""
    other = make_request("traces", "GET").SerializeToString()
    (line,) = encode_lines("traces", other)
    assert write(spool, LINE, LINE) == 2
    assert write(spool, line, signal="traces") == 1
    taken = spool.take(MAX_BYTES)
    assert taken.requests == [("logs", BODY), ("logs", BODY), ("traces", other)]
    assert (taken.unreadable, taken.refused, taken.is_rest) == (0, [], False)
    assert names_in(folder) == []
    assert spool.take(MAX_BYTES).requests == []


def test_names_and_rights(spool: Spool, folder: Path) -> None:
    """The directory and its files are for us alone."""
    write(spool, LINE)
    (path,) = folder.iterdir()
    assert re.fullmatch(rf"[0-9]{{13}}-{os.getpid()}-[0-9]+\.logs\.jsonl", path.name)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == LINE.text + b"\n"


def test_a_directory_that_is_not_there_is_empty(spool: Spool, folder: Path) -> None:
    """Looking does not make it."""
    assert spool.take(MAX_BYTES).requests == []
    assert not folder.exists()


def test_many_files_within_a_millisecond(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a name of its own, also beside one of the same name that is being written."""
    monkeypatch.setattr("time.time_ns", lambda: 1_795_427_494_000_000_000)
    for _ in range(5):
        write(spool, LINE)
    (folder / f".1795427494000-{os.getpid()}-5.logs.jsonl.part").touch()
    write(spool, LINE)
    assert len(list(folder.glob("*.jsonl"))) == 6
    assert len(spool.take(MAX_BYTES).requests) == 6


def test_the_directory_has_a_bound(spool: Spool, folder: Path) -> None:
    """What fits is written, the rest is not; room comes back when files are taken."""
    line = Line(b"x" * 20_000, 7)
    with pytest.raises(OSError, match="65536 bytes") as caught:
        write(spool, line, line, line, line)
    assert caught.value.errno == errno.EDQUOT
    (path,) = folder.iterdir()
    assert path.stat().st_size == 3 * 20_001
    with pytest.raises(OSError, match="65536 bytes"):
        write(spool, line)
    assert len(names_in(folder)) == 1
    spool.take(MAX_BYTES)
    assert write(spool, line) == 7


def test_files_of_others_count_too(spool: Spool, folder: Path) -> None:
    """The bound is the directory's."""
    write(spool, LINE)
    (folder / "other").write_bytes(b"x" * MAX_BYTES)
    with pytest.raises(OSError, match="65536 bytes"):
        write(spool, LINE)


def test_no_space_leaves_no_torn_file(spool: Spool, folder: Path) -> None:
    """The kernel takes a part of the second line: nothing is there, nothing noted."""
    noted: list[int] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(LINE.text) + 50, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            spool.write("logs", [LINE, LINE], noted.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (noted, names_in(folder)) == ([], [])
    assert write(spool, LINE) == 1


def test_a_file_that_cannot_be_named_is_not_there(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as not written, so it must not be found later."""

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    noted: list[int] = []
    monkeypatch.setattr("os.rename", refuse)
    with pytest.raises(OSError, match="No space left"):
        spool.write("logs", [LINE], noted.append)
    assert (noted, names_in(folder)) == ([], [])


def test_no_lines_are_no_file(spool: Spool, folder: Path) -> None:
    """A write that is cancelled before its first line leaves nothing."""
    assert write(spool) == 0
    assert names_in(folder) == []


def test_lines_that_fail_leave_nothing(spool: Spool, folder: Path) -> None:
    """A fault of whoever makes the lines is not ours to swallow."""

    def fail() -> Iterator[Line]:
        yield LINE
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spool.write("logs", fail(), lambda _: None)
    assert names_in(folder) == []


def test_a_symlink_is_no_directory(spool: Spool, folder: Path, tmp_path: Path) -> None:
    """Even one to a directory of ours."""
    (tmp_path / "real").mkdir(mode=0o700)
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match=r"."):
        write(spool, LINE)
    with pytest.raises(OSError, match=r"."):
        spool.take(MAX_BYTES)
    assert names_in(tmp_path / "real") == []


@pytest.mark.parametrize("mode", [0o1777, 0o720])
def test_a_directory_that_others_may_write_to(spool: Spool, folder: Path, mode: int) -> None:
    """Such as /tmp itself: refused, with what to do."""
    folder.mkdir(parents=True)
    folder.chmod(mode)
    with pytest.raises(PermissionError, match="ours alone"):
        write(spool, LINE)
    with pytest.raises(PermissionError, match="ours alone"):
        spool.take(MAX_BYTES)
    assert names_in(folder) == []


def test_a_directory_of_another(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner could put files into it."""
    folder.mkdir(parents=True)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PermissionError, match="ours alone"):
        write(spool, LINE)


def test_a_file_in_place_of_the_directory(spool: Spool, folder: Path) -> None:
    """An ordinary error."""
    folder.parent.mkdir()
    folder.touch()
    with pytest.raises(NotADirectoryError):
        write(spool, LINE)


def test_planted_files_are_left_alone(spool: Spool, folder: Path, tmp_path: Path) -> None:
    """Links, pipes, directories, files that others may write to or that are too large."""
    write(spool, LINE)
    good = tmp_path / "good"
    good.write_bytes(LINE.text + b"\n")
    name = "1795427494000-7-{}.logs.jsonl"
    (folder / name.format(1)).symlink_to(good)
    (folder / name.format(2)).hardlink_to(good)
    os.mkfifo(folder / name.format(3), 0o600)
    (folder / name.format(4)).mkdir()
    (folder / name.format(5)).write_bytes(LINE.text)
    (folder / name.format(5)).chmod(0o622)
    (folder / name.format(6)).write_bytes(b"x" * (MAX_BYTES + 1))
    (folder / "passwd").write_bytes(LINE.text)
    taken = spool.take(2**30)
    assert taken.requests == [("logs", BODY)]
    assert sorted(reason.partition(":")[0] for reason in taken.refused) == [
        name.format(n) for n in range(1, 7)
    ]
    assert good.read_bytes() == LINE.text + b"\n"
    assert len(names_in(folder)) == 7


def test_lines_that_are_none_are_counted(spool: Spool, folder: Path) -> None:
    """They go with their file; the others are taken."""
    write(spool, LINE)
    (path,) = folder.iterdir()
    path.write_bytes(b"garbage\n" + LINE.text + b"\n\n" + LINE.text + b"\n" + LINE.text[:50])
    taken = spool.take(MAX_BYTES)
    assert (taken.requests, taken.unreadable) == ([("logs", BODY)] * 2, 2)
    assert names_in(folder) == []


def test_what_a_dead_process_began_is_taken(spool: Spool, folder: Path) -> None:
    """Its whole lines are; nobody holds the lock any more."""
    write(spool, LINE)
    (path,) = folder.iterdir()
    path.rename(folder / f".{path.name}.part")
    (folder / f".{path.name}.part").write_bytes(LINE.text + b"\n" + LINE.text[:99])
    taken = spool.take(MAX_BYTES)
    assert (taken.requests, taken.unreadable) == ([("logs", BODY)], 1)


def test_what_another_is_at_is_left_to_it(spool: Spool, folder: Path) -> None:
    """A file that is locked is being written or taken."""
    write(spool, LINE)
    (path,) = folder.iterdir()
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        taken = spool.take(MAX_BYTES)
        assert (taken.requests, taken.refused) == ([], [])
    assert len(spool.take(MAX_BYTES).requests) == 1


def test_a_file_is_locked_while_it_is_written(spool: Spool, folder: Path) -> None:
    """So that nobody takes half of it."""
    found: list[int] = []

    def look() -> Iterator[Line]:
        yield LINE
        found.append(len(names_in(folder)))
        found.append(len(spool.take(MAX_BYTES).requests))
        yield LINE

    spool.write("logs", look(), lambda _: None)
    assert found == [1, 0]
    assert len(spool.take(MAX_BYTES).requests) == 2


def test_taking_is_bounded(spool: Spool) -> None:
    """So much at once, at least one file; the rest another time."""
    for _ in range(3):
        write(spool, LINE)
    for rest in (True, True, False):
        taken = spool.take(1)
        assert (len(taken.requests), taken.is_rest) == (1, rest)


def test_two_processes_never_take_the_same(spool: Spool, folder: Path) -> None:
    """Together they take each file once."""
    for _ in range(40):
        write(spool, LINE)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        counts = pool.starmap(take_all, [(str(folder), 45)] * 2)
    assert sum(counts) == 40
    assert names_in(folder) == []
