"""A directory of files with lines of OTLP/JSON, for the process that comes after this one.

Owns names, rights and claims of the files. The directory must be ours alone: created 0700, no
symlink, not writable by others; it is opened once and files are reached through that descriptor, so
nothing can be put in its place. A file has a hidden name until it is complete. Who writes or takes
one holds a lock on it, which ends with its process: what a dead process began is found as well, and
no two processes take the same file. Nothing is synced to a disk: /tmp lives as long as the sandbox.
"""

import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from logger_extension.errors import ProtocolError
from logger_extension.signals.otlp_lines import Line, read_line

# `<milliseconds since 1970>-<process id>-<number>.<signal>.jsonl`: sorted, the oldest is first.
NAME = re.compile(r"\.?([0-9]{13,}-[0-9]+-[0-9]+\.(?:logs|traces|metrics)\.jsonl)(?:\.part)?")
PART = ".{}.part"

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
OPENED = os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True)
class Taken:
    """What was found in a spool.

    Attributes:
        requests: signal and serialized request of each line, oldest first.
        unreadable: how many lines were none: torn by a crash, or not ours.
        refused: names of files that were left alone, with the reason.
        is_rest: whether files are left for another time.
    """

    requests: list[tuple[str, bytes]] = field(default_factory=list)
    unreadable: int = 0
    refused: list[str] = field(default_factory=list)
    is_rest: bool = False


class Spool:
    """Files of lines in a directory.

    Args:
        directory: an absolute path; made when it is needed.
        max_bytes: the most that it may hold.
    """

    def __init__(self, directory: str, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    def write(self, signal: str, lines: Iterable[Line], note: Callable[[int], None]) -> None:
        """Write lines into one new file; call `note` with the items in it when it is complete.

        Raises:
            OSError: the file is not there, or, without room for all lines, holds the first ones.
        """
        with suppress(FileExistsError):
            os.makedirs(self._directory, 0o700)  # noqa: PTH103  (a text, as all here)
        with self._open_directory() as folder, _new_file(folder, signal) as (file, complete):
            room_bytes = self._max_bytes - _measure(folder)
            items = 0
            for line in lines:
                room_bytes -= len(line.text) + 1
                if room_bytes < 0:
                    break
                write_all(file, line.text + b"\n")
                items += line.items
            if items:
                complete()
                note(items)
        if room_bytes < 0:
            full = f"the directory holds {self._max_bytes} bytes (see docs/fallback.md)"
            raise OSError(errno.EDQUOT, full, self._directory)

    def take(self, max_bytes: int) -> Taken:
        """Remove and return what the directory holds, oldest first.

        Args:
            max_bytes: files are taken until they had this many bytes, but at least one.

        Raises:
            OSError: the directory cannot be used; one that is not there is an empty one.
        """
        taken = Taken()
        if not os.path.lexists(self._directory):
            return taken
        with self._open_directory() as folder:
            names = [name for name in os.listdir(folder) if NAME.fullmatch(name)]  # noqa: PTH208
            size_bytes = 0
            for name in sorted(names, key=lambda name: name.lstrip(".")):
                if size_bytes >= max_bytes:
                    taken.is_rest = True
                    break
                try:
                    content = self._take_file(folder, name)
                except OSError as error:
                    taken.refused.append(f"{name}: {error.strerror}")
                    continue
                size_bytes += len(content)
                _read_lines(content, taken)
        return taken

    def _take_file(self, folder: int, name: str) -> bytes:
        """Remove a file and return what it held; nothing for one that another process has."""
        try:
            # A pipe would hold up the opening.
            file = os.open(name, os.O_RDWR | OPENED | os.O_NONBLOCK, dir_fd=folder)
        except FileNotFoundError:
            return b""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(file)
            if status.st_nlink == 0:
                return b""
            self._check_file(status)
            content = _read_all(file)
            os.unlink(name, dir_fd=folder)
        except BlockingIOError:
            return b""
        finally:
            os.close(file)
        return content

    def _check_file(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise PermissionError(errno.EPERM, "not a plain file")
        if status.st_uid != os.geteuid() or status.st_mode & WRITABLE_BY_OTHERS:
            raise PermissionError(errno.EPERM, "not a file of ours alone")
        if status.st_size > self._max_bytes:
            raise OSError(errno.EFBIG, "larger than the directory may be")

    @contextmanager
    def _open_directory(self) -> Iterator[int]:
        flags = os.O_RDONLY | os.O_DIRECTORY | OPENED
        folder = os.open(self._directory, flags)
        try:
            status = os.fstat(folder)
            if status.st_uid != os.geteuid() or status.st_mode & WRITABLE_BY_OTHERS:
                not_ours = "not a directory of ours alone: name one that is not there yet"
                raise PermissionError(errno.EPERM, not_ours, self._directory)
            yield folder
        finally:
            os.close(folder)


@contextmanager
def _new_file(folder: int, signal: str) -> Iterator[tuple[int, Callable[[], None]]]:
    """Make a file that stays only where the function that is yielded with it was called."""
    name, file = _create(folder, signal)
    part = PART.format(name)
    is_complete = False

    def complete() -> None:
        nonlocal is_complete
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
        is_complete = True

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file, complete
    finally:
        if not is_complete:
            with suppress(FileNotFoundError):
                os.unlink(part, dir_fd=folder)
        os.close(file)


def _create(folder: int, signal: str) -> tuple[str, int]:
    """Return the name and the descriptor of a new file, which has its hidden name."""
    number = 0
    while True:
        name = f"{time.time_ns() // 1_000_000}-{os.getpid()}-{number}.{signal}.jsonl"
        number += 1
        part = PART.format(name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPENED
        try:
            file = os.open(part, flags, 0o600, dir_fd=folder)
        except FileExistsError:
            continue
        # Who has the hidden name alone can see who had the other one before: sandboxes that share
        # a directory have the same process ids.
        if not _exists(folder, name):
            return name, file
        os.close(file)
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _measure(folder: int) -> int:
    """Return how many bytes the files of a directory hold."""
    size_bytes = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                size_bytes += entry.stat(follow_symlinks=False).st_size
    return size_bytes


def write_all(file: int, data: bytes) -> None:
    """Write all of it, however much the kernel takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _read_all(file: int) -> bytes:
    chunks = []
    while chunk := os.read(file, 2**20):
        chunks.append(chunk)
    return b"".join(chunks)


def _read_lines(content: bytes, taken: Taken) -> None:
    for line in content.split(b"\n"):
        if not line:
            continue
        try:
            taken.requests.append(read_line(line))
        except ProtocolError:
            taken.unreadable += 1
