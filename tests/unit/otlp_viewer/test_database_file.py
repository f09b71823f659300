"""Opening a database: what stands in the way, and what a user can do about it."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from otlp_viewer.database import Database
from otlp_viewer.errors import DatabaseOpenError, DatabaseVersionError
from tests.support.viewer_rows import make_log

_HOLD = """
import sys
import duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_a_file_that_another_process_has_open_is_named(tmp_path: Path) -> None:
    """With that process, and what to do."""
    path = tmp_path / "telemetry.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(DatabaseOpenError, match=rf"PID {other.pid}.*name another file"):
            Database(path)
        other.communicate()
    Database(path).close()


@pytest.mark.parametrize("content", [b"", b"{}", b"SQLite format 3\x00" + b"x" * 20_000])
def test_a_file_of_something_else_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    """It is no DuckDB."""
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(DatabaseOpenError, match="is no DuckDB database; name another file"):
        Database(path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    """It is a DuckDB, but not ours."""
    path = tmp_path / "sales.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE sales (amount DOUBLE)")
    with pytest.raises(DatabaseOpenError, match="DuckDB of something else"):
        Database(path)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [
            ("sales",)
        ]


def test_a_database_of_another_version_is_not_touched(tmp_path: Path) -> None:
    """Which versions they are is said."""
    path = tmp_path / "telemetry.duckdb"
    Database(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE otlp_viewer_version SET Version = 99")
    with pytest.raises(DatabaseVersionError, match=r"version 99.*name another file"):
        Database(path)


def test_a_damaged_database_is_not_said_to_be_in_use(tmp_path: Path) -> None:
    """DuckDB names the damaged block, which has "lock" in it."""
    path = tmp_path / "telemetry.duckdb"
    Database(path).close()
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    content[8192:12288] = bytes(4096)
    path.write_bytes(content)
    with pytest.raises(DatabaseOpenError, match="cannot be opened") as raised:
        Database(path)
    assert "block" in str(raised.value)


def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path) -> None:
    """A folder, or one that is not there."""
    with pytest.raises(DatabaseOpenError, match="directory"):
        Database(tmp_path)
    with pytest.raises(DatabaseOpenError, match="No such file or directory"):
        Database(tmp_path / "missing" / "telemetry.duckdb")


def test_a_database_with_our_tables_may_hold_others(tmp_path: Path) -> None:
    """Views of reports, for one."""
    path = tmp_path / "telemetry.duckdb"
    with Database(path) as database:
        database.connection.execute("CREATE VIEW texts AS SELECT Body FROM otel_logs")
        database.add_logs([make_log(body="hello")])
    with Database(path) as database:
        assert database.query("SELECT * FROM texts") == [{"Body": "hello"}]
