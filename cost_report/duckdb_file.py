"""Opening the viewer's store, a DuckDB file, for reading only: the edge to DuckDB's errors."""

from pathlib import Path

import duckdb
import ibis

from cost_report.errors import SourceBusyError, UnknownSourceError
from cost_report.opening import Opened
from cost_report.reading import shorten
from otlp_viewer.database_file import EVICTED_TABLE, SCHEMA_VERSION, VERSION_TABLE

# After the checksum of the first block.
_MAGIC, _MAGIC_AT = b"DUCK", 8


def is_duckdb(path: Path) -> bool:
    """Return whether a file begins as a DuckDB does; False for what is no file."""
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_AT + len(_MAGIC))[_MAGIC_AT:] == _MAGIC
    except OSError:
        return False


def connect(path: Path) -> Opened:
    """Open a file for reading only.

    Raises:
        SourceBusyError: another process holds it.
        UnknownSourceError: it is damaged, of another version, or none of the viewer.
    """
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        # One in this process has it with another configuration, one elsewhere with a lock.
        if "Could not set lock" in str(error) or isinstance(error, duckdb.ConnectionException):
            raise SourceBusyError(
                f"{path} is open in another process, such as the viewer; look at its page of costs,"
                " or end it first"
            ) from error
        raise UnknownSourceError(f"{path} cannot be opened: {shorten(error)}") from error
    try:
        notes = _look_into(connection, path)
    except BaseException:
        connection.close()
        raise
    return Opened(ibis.duckdb.from_connection(connection), str(path), connection.close, notes)


def _look_into(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, ...]:
    """Return what to say about a store, once it is known to be one."""
    try:
        version = connection.execute(f"SELECT max(Version) FROM {VERSION_TABLE}").fetchone()  # noqa: S608  # nosec B608
        evicted = connection.execute(
            f"SELECT Signal, Rows FROM {EVICTED_TABLE} WHERE Rows > 0 ORDER BY Signal"  # noqa: S608  # nosec B608
        ).fetchall()
    except duckdb.Error as error:
        raise UnknownSourceError(f"{path} is a DuckDB, but not one of the viewer") from error
    if version != (SCHEMA_VERSION,):
        raise UnknownSourceError(
            f"{path} has tables of another version of this program; use the one that wrote it"
        )
    if not evicted:
        return ()
    told = ", ".join(f"{rows:,} {signal}" for signal, rows in evicted)
    return (f"the store was full: {told} had made room for newer ones and are in no figure",)
