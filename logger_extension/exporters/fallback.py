"""Where telemetry goes that no collector took: lines of OTLP/JSON on stdout or in a directory.

Owns the one thread that writes: a pipe that nobody reads must hold up neither the event loop nor
the end of the process. What cannot be written is counted and told, never raised. Must not know why
something was not delivered.

State: what waits for the thread, how much was written, and the last complaint.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import takewhile
from queue import SimpleQueue
from typing import Protocol

from logger_extension.errors import ProtocolError
from logger_extension.exporters.spool import Spool, write_all
from logger_extension.settings.fallback import NONE, FallbackSettings
from logger_extension.signals.otlp_lines import Line, encode_lines
from logger_extension.signals.requests import count_items, parse

STDOUT_FD = 1

NOT_WRITTEN = "telemetry that was not delivered could not be written where it should"


class Sink(Protocol):
    """Takes lines; called in the writing thread."""

    def write(self, signal: str, lines: Iterable[Line], note: Callable[[int], None]) -> None:
        """Write lines one after the other; call `note` with the items of what is out for good.

        Raises:
            OSError: what was not noted is not written.
        """


@dataclass(slots=True, eq=False)
class _Job:
    """One request on its way through the thread."""

    signal: str
    body: bytes
    unwritten: "Future[int]" = field(default_factory=Future)
    is_cancelled: bool = False


class Fallback:
    """Writes requests, in order, in a thread of its own.

    Args:
        sinks: where lines go: to the first, and what that cannot take to the next.
        complain: called with a message and a reason, from any thread; the same is told once.

    Attributes:
        written: how many log records, spans and data points are out for good, by signal. What a
            caller has handed over and does not find here is lost or not known to be written, also
            after a `write` that was cancelled.
    """

    def __init__(self, sinks: Sequence[Sink], complain: Callable[[str, str], None]) -> None:
        self._sinks = sinks
        self._complain = complain
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._told = ""
        self.written: Counter[str] = Counter()

    async def write(self, signal: str, body: bytes) -> int:
        """Write one serialized request; return how many of its items could not be written.

        Cancelled, it begins no further line: one that is under way is finished by the thread, as
        long as the process lives. A body that is no request counts as one item.
        """
        job = _Job(signal, body)
        try:
            self.start()
        except RuntimeError as error:
            # No thread is to be had: the sandbox is at its limit.
            self._tell(str(error))
            return _count(signal, body)
        self._jobs.put(job)
        try:
            return await asyncio.wrap_future(job.unwritten)
        except asyncio.CancelledError:
            job.is_cancelled = True
            raise

    def close(self) -> None:
        """Let the thread end when it has written what it has; nobody waits for it."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None

    def start(self) -> None:
        """Start the thread, while there is still room for one.

        Raises:
            RuntimeError: there is none.
        """
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="fallback", daemon=True)
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        while job := self._jobs.get():
            if not job.unwritten.set_running_or_notify_cancel():
                continue
            try:
                job.unwritten.set_result(self._write(job))
            except Exception as error:  # noqa: BLE001  (whoever awaits gets it)
                job.unwritten.set_exception(error)

    def _write(self, job: _Job) -> int:
        """Write one request; return how many of its items are not written."""
        try:
            unwritten = count_items(job.signal, parse(job.signal, job.body))
        except ProtocolError as error:
            self._tell(str(error))
            return 1
        total = unwritten

        def note(items: int) -> None:
            nonlocal unwritten
            unwritten -= items
            self.written[job.signal] += items

        for sink in self._sinks:
            lines = takewhile(lambda _: not job.is_cancelled, encode_lines(job.signal, job.body))
            try:
                sink.write(job.signal, _skip(lines, total - unwritten), note)
            except OSError as error:
                self._tell(f"{error.strerror}: {error.filename}" if error.filename else str(error))
            else:
                break
        return unwritten

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            self._complain(NOT_WRITTEN, reason)


class Stdout:
    """Lines on stdout, which Lambda brings to the function's CloudWatch log.

    State: whether the last line was torn by an error; the next one then begins on a line of its
    own.
    """

    def __init__(self, file: int = STDOUT_FD) -> None:
        self._file = file
        self._is_torn = False

    def write(self, _signal: str, lines: Iterable[Line], note: Callable[[int], None]) -> None:
        """Write lines, each whole and in one piece with its line feed.

        Raises:
            OSError: nobody reads any more.
        """
        for line in lines:
            before = b"\n" if self._is_torn else b""
            self._is_torn = True
            write_all(self._file, before + line.text + b"\n")
            self._is_torn = False
            note(line.items)


def open_fallback(
    settings: FallbackSettings, complain: Callable[[str, str], None]
) -> Fallback | None:
    """Return the fallback that the settings ask for, None for none. Nothing is opened yet."""
    if settings.destination == NONE:
        return None
    if settings.directory:
        # Without room in the directory there is still the log.
        return Fallback((Spool(settings.directory, settings.max_bytes), Stdout()), complain)
    return Fallback((Stdout(),), complain)


def _skip(lines: Iterable[Line], items: int) -> Iterator[Line]:
    """Yield the lines after those that hold the first items."""
    for line in lines:
        if items <= 0:
            yield line
        items -= line.items


def _count(signal: str, body: bytes) -> int:
    try:
        return count_items(signal, parse(signal, body))
    except ProtocolError:
        return 1
