"""Files of OTLP/JSON lines into a store, as the collector's file exporter writes them.

A line is one request (https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/), plain or
gzip; a file may mix the signals. A line that cannot be read costs itself, is counted, and the first
ones are told with file and number. Files are read line by line, so that they may be larger than
memory. Must not know what the rows are for.
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otlp_viewer import mapping
from otlp_viewer.errors import BadRequestError, FilesError
from otlp_viewer.otlp_json import fill_message, load_json
from otlp_viewer.sinks import Sink
from otlp_viewer.store import Counts

# As long as a request may be (see `collector`).
MAX_LINE_BYTES = 64 * 1024 * 1024
# So much goes to the store at once: to insert costs most per request.
_BATCH_ROWS, _BATCH_BYTES = 10_000, 16 * 1024 * 1024
_MAX_TOLD = 5
_KINDS = (".json", ".jsonl", ".ndjson")
_ENDINGS = tuple(kind + packed for kind in _KINDS for packed in ("", ".gz", ".zst"))
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that could not be read; `line` counts from 1, 0 stands for the whole file."""

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        """Say where, as compilers do, and why."""
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.reason}"


@dataclass(slots=True)
class Outcome:
    """What was read, and what was not.

    Attributes:
        files: how many files were read.
        passed_over: how many files of the folders have a name that is none of OTLP/JSON lines.
        requests: how many lines were.
        rows: what went into the store.
        unread: how many lines (or files, from there to their end) could not be read.
        first_unread: the first of them.
    """

    files: int = 0
    passed_over: int = 0
    requests: int = 0
    rows: Counts = field(default_factory=Counts)
    unread: int = 0
    first_unread: list[Unread] = field(default_factory=list)

    def refuse(self, file: Path, line: int, reason: str) -> None:
        """Count a line that cannot be read."""
        self.unread += 1
        if len(self.first_unread) < _MAX_TOLD:
            self.first_unread.append(Unread(file, line, reason))


@dataclass(frozen=True, slots=True)
class _Signal:
    request_type: type[Message]
    to_rows: Callable[[Any], Sequence[Any]]
    name: str


_SIGNALS = {
    "resourceLogs": _Signal(ExportLogsServiceRequest, mapping.map_logs, "logs"),
    "resourceSpans": _Signal(ExportTraceServiceRequest, mapping.map_spans, "spans"),
    "resourceMetrics": _Signal(ExportMetricsServiceRequest, mapping.map_metrics, "metrics"),
}


def read_json_lines(
    paths: Iterable[Path],
    sink: Sink,
    *,
    progress: Callable[[int, int], None] = lambda _read_bytes, _all_bytes: None,
) -> Outcome:
    """Read files, and folders with all below them, into `sink`.

    Args:
        paths: a file is read whatever its name; of a folder, files named `*.json`, `*.jsonl` or
            `*.ndjson`, with `.gz` or without, in order of their names.
        sink: takes the rows.
        progress: is told how many bytes of the files are read, and how many there are.

    Raises:
        FilesError: a path is not there, or there are no files to read.
        SinkError: the sink cannot take more; what went before is in it.
    """
    outcome = Outcome()
    try:
        files = _find_files(tuple(paths), outcome)
        sizes = [file.stat().st_size for file in files]
    except OSError as error:
        raise FilesError(f"{error.filename} cannot be looked at: {error.strerror}") from error
    before_bytes, all_bytes = 0, sum(sizes)
    batch = _Batch(sink, outcome)
    for file, size_bytes in zip(files, sizes, strict=True):
        for read_bytes in _read_file(file, batch, outcome):
            progress(before_bytes + min(read_bytes, size_bytes), all_bytes)
        before_bytes += size_bytes
        outcome.files += 1
    batch.flush()
    progress(all_bytes, all_bytes)
    return outcome


class _Batch:
    """Rows that wait for the store; all that is read goes through here.

    State: the rows of each signal and their size, since the last flush.
    """

    def __init__(self, sink: Sink, outcome: Outcome) -> None:
        self._adders: Mapping[str, Callable[[list[Any], int], None]] = {
            "logs": sink.add_logs,
            "spans": sink.add_spans,
            "metrics": sink.add_metrics,
        }
        self._outcome = outcome
        self._rows: dict[str, list[Any]] = {name: [] for name in self._adders}
        self._sizes_bytes = dict.fromkeys(self._adders, 0)

    def add(self, name: str, rows: Sequence[Any], size_bytes: int) -> None:
        self._rows[name].extend(rows)
        self._sizes_bytes[name] += size_bytes
        if len(self._rows[name]) >= _BATCH_ROWS or self._sizes_bytes[name] >= _BATCH_BYTES:
            self._flush(name)

    def flush(self) -> None:
        for name in self._adders:
            self._flush(name)

    def _flush(self, name: str) -> None:
        rows, self._rows[name] = self._rows[name], []
        size_bytes, self._sizes_bytes[name] = self._sizes_bytes[name], 0
        self._adders[name](rows, size_bytes)
        counts = self._outcome.rows
        self._outcome.rows = replace(counts, **{name: getattr(counts, name) + len(rows)})


def _find_files(paths: Sequence[Path], outcome: Outcome) -> list[Path]:
    found = []
    for path in paths:
        if not path.exists():
            raise FilesError(f"{path} is not there; name a file or a folder of OTLP/JSON lines")
        if not path.is_dir():
            found.append(path)
            continue
        files = sorted(each for each in path.rglob("*") if each.is_file())
        named = [each for each in files if each.name.lower().endswith(_ENDINGS)]
        outcome.passed_over += len(files) - len(named)
        found += named
    if not found:
        names = ", ".join(map(str, paths))
        raise FilesError(f"{names}: no file there ends in {', '.join(_KINDS)}, with .gz or without")
    return found


def _read_file(file: Path, batch: _Batch, outcome: Outcome) -> Iterator[int]:
    """Read a file into `batch`; yield after each line how many bytes of the file are read."""
    number = 0
    try:
        with file.open("rb") as raw:
            for line in _read_lines(raw):
                number += 1
                try:
                    outcome.requests += _read_line(line, batch)
                except BadRequestError as error:
                    outcome.refuse(file, number, str(error))
                yield raw.tell() if raw.seekable() else 0
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        outcome.refuse(file, number + 1 if number else 0, f"cannot be read from here on: {reason}")


def _read_lines(raw: BufferedReader) -> Iterator[bytes]:
    """Yield the lines of a file, plain or gzip; of one that is too long the beginning."""
    head = raw.peek(len(_ZSTD))  # a pipe cannot be wound back
    if head.startswith(_ZSTD):
        raise OSError("it is compressed with zstd; unpack it with `zstd -d`")
    plain = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if head.startswith(_GZIP) else raw
    while line := plain.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = plain.readline(MAX_LINE_BYTES + 1)


def _read_line(line: bytes, batch: _Batch) -> int:
    """Put the rows of a line into `batch`; return 1 for a request, 0 for an empty line.

    Raises:
        BadRequestError: the line is no request; nothing of it is in the batch.
    """
    if len(line.removesuffix(b"\n")) > MAX_LINE_BYTES:
        raise BadRequestError(f"the line has more than {MAX_LINE_BYTES} bytes")
    text = line.removeprefix(_BYTE_ORDER_MARK).strip()
    if not text:
        return 0
    document = load_json(text)
    if not isinstance(document, dict) or document.keys().isdisjoint(_SIGNALS):
        raise BadRequestError(f"the line holds none of {', '.join(_SIGNALS)}")
    found = []
    for key, signal in _SIGNALS.items():
        if key in document:
            message = signal.request_type()
            fill_message(message, document)
            found.append((signal.name, signal.to_rows(message)))
    for name, rows in found:
        batch.add(name, rows, len(text))
    return 1
