"""Loading OTLP/JSON lines, of the collector's file exporter or our own fallback, into memory."""

from pathlib import Path

import ibis

from cost_report.errors import SourceError, UnknownSourceError
from cost_report.opening import Opened
from otlp_viewer.database import Database
from otlp_viewer.errors import FilesError, SinkError
from otlp_viewer.json_lines import Outcome, read_json_lines
from otlp_viewer.store import Limits

# A report of half of the files would be none: nothing makes room.
_NO_LIMITS = Limits(max_rows=2**62, max_bytes=2**62)


def load(path: Path) -> Opened:
    """Load a file or a folder.

    Raises:
        UnknownSourceError: there is no such file or folder, or nothing to read in it.
        SourceError: it is more than fits into memory.
    """
    database = Database(limits=_NO_LIMITS)
    try:
        outcome = _read(path, database)
    except BaseException:
        database.close()
        raise
    connection = ibis.duckdb.from_connection(database.connection)
    return Opened(connection, str(path), database.close, _say_unread(outcome))


def _read(path: Path, database: Database) -> Outcome:
    try:
        outcome = read_json_lines([path], database)
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
