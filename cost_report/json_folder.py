"""Loading OTLP/JSON lines, of the collector's file exporter or our own fallback, into memory."""

from collections.abc import Callable
from pathlib import Path

import ibis

from cost_report.errors import SourceError, UnknownSourceError
from cost_report.opening import Opened
from otlp_viewer.database import UNLIMITED, Database
from otlp_viewer.errors import FilesError, SinkError
from otlp_viewer.json_lines import Outcome, read_json_lines

# Takes how many bytes have been read, and how many there are; 0 where nobody knows.
Progress = Callable[[int, int], None]


def load(path: Path, progress: Progress) -> Opened:
    """Load a file or a folder; `progress` is told how far that is.

    Raises:
        UnknownSourceError: there is no such file or folder, or nothing to read in it.
        SourceError: it is more than fits into memory.
    """
    # A report of half of the files would be none: nothing makes room.
    database = Database(limits=UNLIMITED)
    try:
        outcome = _read(path, database, progress)
    except BaseException:
        database.close()
        raise
    connection = ibis.duckdb.from_connection(database.connection)
    return Opened(connection, str(path), database.close, _say_unread(outcome))


def _read(path: Path, database: Database, progress: Progress) -> Outcome:
    try:
        outcome = read_json_lines([path], database, progress=progress)
    except FilesError as error:
        raise UnknownSourceError(str(error)) from error
    except SinkError as error:
        raise SourceError(
            f"{path} does not fit into memory; put it into a store in a file first, or name fewer"
            " files"
        ) from error
    if not outcome.requests:
        raise UnknownSourceError(
            f"{path} holds no line of OTLP/JSON that can be read{_say_first(outcome)}; name the"
            " viewer's store, a file or folder of OTLP/JSON lines, or clickhouse://..."
        )
    return outcome


def _say_unread(outcome: Outcome) -> tuple[str, ...]:
    if not outcome.unread:
        return ()
    return (f"{outcome.unread:,} lines could not be read{_say_first(outcome)}",)


def _say_first(outcome: Outcome) -> str:
    return f", the first: {outcome.first_unread[0]}" if outcome.first_unread else ""
