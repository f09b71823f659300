"""A disk without room: the sender is told, nothing is half stored, and all goes on with room again.

Played with the kernel's limit on the size of a file.
"""

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otlp_viewer import Counts, LogRow, SinkError
from otlp_viewer.database import Database
from tests.support.viewer_rows import make_log

if sys.platform == "win32":
    pytest.skip("the limit is POSIX's", allow_module_level=True)
import resource

# With this size a request is followed by a checkpoint.
_CHECKPOINT_BYTES = 16 * 1024**2


@pytest.fixture
def limit_files() -> Iterator[Callable[[int], None]]:
    """Return what sets the largest size of a file that this process may write; -1 for none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(max_bytes: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if max_bytes < 0 else max_bytes, hard))

    yield limit
    limit(-1)


def _make_rows(rng: random.Random) -> list[LogRow]:
    """Return 1 MB that cannot be compressed to less than half."""
    return [make_log(body=rng.randbytes(5_000).hex()) for _ in range(100)]


def _count(database: Database) -> int:
    return int(database.query("SELECT count(*) AS n FROM otel_logs")[0]["n"])


def test_a_request_that_finds_no_room_is_not_stored(
    tmp_path: Path, limit_files: Callable[[int], None]
) -> None:
    """Not a row of it; the one before is, and the next one when there is room."""
    rows = _make_rows(random.Random(1))  # noqa: S311
    path = tmp_path / "telemetry.duckdb"
    with Database(path) as database:
        database.add_logs(rows)
        version = database.version
        limit_files(1_500_000)
        for _ in range(3):
            with pytest.raises(SinkError, match="File too large"):
                database.add_logs(rows)
        assert (_count(database), database.received) == (100, Counts(logs=100))
        assert database.version == version
        limit_files(-1)
        database.add_logs(rows)
        assert _count(database) == 200
    with Database(path) as database:
        assert (_count(database), database.received) == (200, Counts(logs=200))


def test_a_checkpoint_that_finds_no_room_loses_nothing(
    tmp_path: Path, limit_files: Callable[[int], None]
) -> None:
    """The request is stored, so it is not refused; readers and the next request go on."""
    rng = random.Random(1)  # noqa: S311
    path = tmp_path / "telemetry.duckdb"
    with Database(path) as database:
        for _ in range(3):
            database.add_logs(_make_rows(rng), size_bytes=_CHECKPOINT_BYTES)
        before = database.connection
        limit_files(path.stat().st_size + 100_000)
        database.add_logs(_make_rows(rng), size_bytes=_CHECKPOINT_BYTES)
        assert database.connection is not before, "the checkpoint had room: this tests nothing"
        assert (_count(database), database.received) == (400, Counts(logs=400))
        limit_files(-1)
        database.add_logs(_make_rows(rng), size_bytes=_CHECKPOINT_BYTES)
    with Database(path) as database:
        assert (_count(database), database.received) == (500, Counts(logs=500))
