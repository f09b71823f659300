"""Opening a DuckDB, in memory or in a file, with our tables in it: the edge to DuckDB's errors.

Beside the tables of `tables` it holds three of our own: which form they have, which rows came
together (so that the oldest can make room), and how many made room. Must not know rows.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from otlp_viewer.errors import DatabaseOpenError, DatabaseVersionError
from otlp_viewer.tables import TABLES

# Raised whenever a column is added or means something else.
SCHEMA_VERSION = 1

VERSION_TABLE, EVICTED_TABLE = "otlp_viewer_version", "otlp_viewer_evicted"

_CONFIG: Mapping[str, str | bool | int | float | list[str]] = {
    # Nothing is fetched from anywhere: all that is used is in DuckDB's wheel.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # `Database` makes its own: a checkpoint that fails within a commit leaves the rows stored, and
    # looks to the caller as if they were not.
    "wal_autocheckpoint": "1TB",
}
_OURS = (
    "CREATE TABLE otlp_viewer_version (Version INTEGER NOT NULL)",
    """CREATE TABLE otlp_viewer_entries (Signal VARCHAR NOT NULL, Number BIGINT NOT NULL,
        TableName VARCHAR NOT NULL, Rows BIGINT NOT NULL, Bytes DOUBLE NOT NULL)""",
    "CREATE TABLE otlp_viewer_evicted (Signal VARCHAR NOT NULL, Rows BIGINT NOT NULL)",
)


def open_database(path: Path | None) -> duckdb.DuckDBPyConnection:
    """Return a connection to the database in `path` (None: in memory), with all tables in it.

    Raises:
        DatabaseOpenError: the file is in use, cannot be read or written, or is none of ours.
        DatabaseVersionError: it is of another version of this package.
    """
    # Absolute, or DuckDB would take `md:x` and its like for a service or another format.
    place = ":memory:" if path is None else str(path.absolute())
    try:
        connection = duckdb.connect(place, config=dict(_CONFIG))
        try:
            if path is None:
                # Else what does not fit into memory would go to a directory where we stand.
                connection.execute("SET temp_directory = ''")
            _prepare(connection, place)
        except BaseException:
            connection.close()
            raise
    except duckdb.Error as error:
        raise _explain(error, place) from error
    return connection


def _prepare(connection: duckdb.DuckDBPyConnection, place: str) -> None:
    names = {
        name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    }
    if not names:
        _create(connection)
        return
    if VERSION_TABLE not in names:
        raise DatabaseOpenError(f"{place} is a DuckDB of something else; name another file")
    version = connection.execute("SELECT max(Version) FROM otlp_viewer_version").fetchone()
    if version != (SCHEMA_VERSION,):
        found = version[0] if version else None
        raise DatabaseVersionError(
            f"{place} has tables of version {found}, this program writes version {SCHEMA_VERSION};"
            " name another file, or use the program that wrote it"
        )


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    for statement in _OURS:
        connection.execute(statement)
    for signal, tables in TABLES.items():
        connection.execute("INSERT INTO otlp_viewer_evicted VALUES (?, 0)", [signal])
        for table in tables:
            connection.execute(table.ddl)
    connection.execute("INSERT INTO otlp_viewer_version VALUES (?)", [SCHEMA_VERSION])
    connection.commit()


def _explain(error: duckdb.Error, place: str) -> DatabaseOpenError:
    text = str(error).splitlines()[0]
    if "Could not set lock" in text:
        return DatabaseOpenError(
            f"{place} is open in another process ({text}); end that one, or name another file"
        )
    # The files of some other databases it knows, and asks for an extension that reads them.
    if "not a valid DuckDB" in text or "Extension" in text:
        return DatabaseOpenError(f"{place} is no DuckDB database; name another file")
    return DatabaseOpenError(f"{place} cannot be opened ({text}); name another file")
