"""The store in DuckDB: what is in it, what makes room, and who may read meanwhile."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otlp_viewer import Counts, Limits, SinkError
from otlp_viewer.database import Database
from otlp_viewer.errors import QueryError
from tests.support.telemetry_story import make_story
from tests.support.viewer_rows import make_log, make_metric, make_span


@pytest.fixture
def database() -> Iterator[Database]:
    """In memory."""
    with Database() as opened:
        yield opened


def _bodies(database: Database) -> list[str]:
    return [row["Body"] for row in database.query("SELECT Body FROM otel_logs ORDER BY rowid")]


def test_rows_of_all_signals_are_in_their_tables(database: Database) -> None:
    """By the names of the exporter; metrics by their kind."""
    database.add_logs([make_log(body="hello")])
    database.add_spans([make_span(name="work"), make_span(name="rest")])
    database.add_metrics([make_metric(), make_metric(kind="gauge")])
    assert database.received == Counts(logs=1, spans=2, metrics=2)
    assert _bodies(database) == ["hello"]
    names = database.query("SELECT SpanName FROM otel_traces WHERE TraceId <> $none", {"none": ""})
    assert [row["SpanName"] for row in names] == ["work", "rest"]
    assert database.query("SELECT count(*) AS n FROM otel_metrics_gauge") == [{"n": 1}]


def test_a_story_is_found_again(database: Database) -> None:
    """Its cost, from the spans and from the metrics."""
    story = make_story(invocations=200, functions=5)
    database.add_spans(story.spans, 1_000)
    database.add_metrics(story.metrics, 1_000)
    [of_spans] = database.query(
        "SELECT sum(SpanAttributes['aws.lambda.cost_usd']::DOUBLE) AS usd FROM otel_traces"
    )
    [of_metrics] = database.query(
        "SELECT sum(Value) AS usd FROM otel_metrics_sum WHERE MetricName = 'aws.lambda.cost'"
    )
    known = sum(facts.cost_usd or 0 for facts in story.facts)
    assert of_spans["usd"] == pytest.approx(known)
    assert of_metrics["usd"] == pytest.approx(known)


def test_the_oldest_rows_make_room_and_are_counted() -> None:
    """By rows, over requests of any size."""
    with Database(limits=Limits(max_rows=3)) as database:
        database.add_logs([make_log(body=str(number)) for number in range(5)])
        assert _bodies(database) == ["2", "3", "4"]
        database.add_logs([make_log(body="5")])
        database.add_spans([make_span()])
        assert _bodies(database) == ["3", "4", "5"]
        assert database.evicted == Counts(logs=3)
        assert database.received == Counts(logs=6, spans=1)


def test_rows_make_room_by_the_size_of_their_requests() -> None:
    """One that is too large by itself is not kept either."""
    with Database(limits=Limits(max_bytes=1_000)) as database:
        database.add_logs([make_log(body="1")], size_bytes=800)
        database.add_logs([make_log(body="2")], size_bytes=500)
        assert _bodies(database) == ["2"]
        database.add_logs([make_log(body="3")], size_bytes=1_001)
        assert _bodies(database) == []
        assert database.evicted == Counts(logs=3)


def test_data_points_make_room_over_all_their_tables() -> None:
    """The oldest point goes, whatever its kind."""
    with Database(limits=Limits(max_rows=2)) as database:
        for kind in ("sum", "gauge", "sum", "gauge"):
            database.add_metrics([make_metric(kind=kind)])
        for table in ("otel_metrics_sum", "otel_metrics_gauge"):
            assert database.query(f"SELECT count(*) AS n FROM {table}") == [{"n": 1}]  # noqa: S608
        assert database.evicted == Counts(metrics=2)


def test_a_file_keeps_rows_and_counts(tmp_path: Path) -> None:
    """The next program goes on where this one ended, and makes room by its own limits."""
    path = tmp_path / "telemetry.duckdb"
    with Database(path, Limits(max_rows=4)) as database:
        for number in range(6):
            database.add_logs([make_log(body=str(number))], size_bytes=100)
        assert database.evicted == Counts(logs=2)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    with Database(path, Limits(max_rows=4)) as database:
        assert _bodies(database) == ["2", "3", "4", "5"]
        assert (database.received, database.evicted) == (Counts(logs=6), Counts(logs=2))
        database.add_logs([make_log(body="6")], size_bytes=100)
        assert _bodies(database) == ["3", "4", "5", "6"]
    with Database(path, Limits(max_bytes=250)) as database:
        assert _bodies(database) == ["5", "6"]
        assert (database.received, database.evicted) == (Counts(logs=7), Counts(logs=5))


def test_a_file_does_not_grow_while_rows_make_room(tmp_path: Path) -> None:
    """Room that was given back is used again; the file is as after the first rounds."""
    path = tmp_path / "telemetry.duckdb"
    rows = make_story(invocations=300).spans
    sizes = []
    with Database(path, Limits(max_rows=len(rows))) as database:
        for _ in range(12):
            # A size with which each request is followed by a checkpoint.
            database.add_spans(rows, size_bytes=16 * 1024**2)
            sizes.append(sum(each.stat().st_size for each in tmp_path.iterdir()))
        assert database.evicted.spans >= 11 * len(rows)
    assert max(sizes[4:]) <= 2 * max(sizes[:4])


async def test_each_request_is_a_change(database: Database) -> None:
    """Told to whoever waits, also when a thread wrote it."""
    seen = database.version
    waiting = asyncio.create_task(database.wait_for_change(seen))
    await asyncio.sleep(0)
    await asyncio.to_thread(database.add_logs, [make_log()])
    assert await waiting == database.version > seen
    database.add_logs([])
    assert database.version == seen + 1


def test_threads_read_while_others_write(database: Database) -> None:
    """Each sees whole requests only."""
    rows = [make_span(span_id=f"{number:016x}") for number in range(50)]

    def write(_: int) -> None:
        database.add_spans(rows)

    def read(_: int) -> int:
        return int(database.query("SELECT count(*) AS n FROM otel_traces")[0]["n"])

    with ThreadPoolExecutor(4) as pool:
        writes, counts = pool.map(write, range(20)), pool.map(read, range(40))
        assert all(count % 50 == 0 for count in counts)
        list(writes)
    assert read(0) == 1_000


def test_a_transaction_of_a_reader_sees_one_state(database: Database) -> None:
    """A page may ask several times and find the same rows."""
    database.add_logs([make_log()])
    with database.cursor() as cursor:
        cursor.begin()
        before = cursor.execute("SELECT count(*) FROM otel_logs").fetchone()
        database.add_logs([make_log()], size_bytes=16 * 1024**2)
        assert cursor.execute("SELECT count(*) FROM otel_logs").fetchone() == before == (1,)
        cursor.commit()


def test_a_wrong_query_says_so(database: Database) -> None:
    """With DuckDB's reason."""
    with pytest.raises(QueryError, match="nothing_like_it"):
        database.query("SELECT * FROM nothing_like_it")


def test_after_the_end_nothing_is_taken_or_found() -> None:
    """Closing twice does no harm."""
    database = Database()
    database.close()
    database.close()
    with pytest.raises(SinkError, match="closed"):
        database.add_logs([make_log()])
    with pytest.raises(QueryError):
        database.query("SELECT 1")


def test_a_database_in_memory_leaves_nothing_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what does not fit into memory."""
    monkeypatch.chdir(tmp_path)
    with Database() as database:
        database.add_logs([make_log()], size_bytes=16 * 1024**2)
        assert database.query("SELECT current_setting('temp_directory') AS d") == [{"d": ""}]
    assert list(tmp_path.iterdir()) == []
