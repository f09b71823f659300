"""Where telemetry is read from."""

import subprocess
import sys
from pathlib import Path

import duckdb
import ibis
import pytest

from cost_report.breakdown import break_down
from cost_report.errors import DatabaseError, SourceBusyError, SourceError, UnknownSourceError
from cost_report.invocations import find_invocations
from cost_report.sources import TableNames, open_source, read_tables
from otlp_viewer.database import Database
from otlp_viewer.store import Limits
from tests.support.clickhouse_front import USER, ClickHouseFront
from tests.support.cost_tables import spans_of
from tests.support.telemetry_lines import write_story
from tests.support.telemetry_story import make_story

STORY = make_story(4, functions=2, invocations=40)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return the viewer's store with the story in it."""
    path = tmp_path / "store.duckdb"
    with Database(path) as database:
        database.add_spans(STORY.spans)
        database.add_metrics(STORY.metrics)
        database.add_logs(STORY.logs)
    return path


def test_every_kind_of_source_gives_the_same_report(store: Path, tmp_path: Path) -> None:
    """A store, a folder of lines and a ClickHouse, with spans, logs and metrics."""
    write_story(STORY, tmp_path / "lines")
    costs = []
    with ClickHouseFront() as server:
        server.add_spans(STORY.spans)
        server.add_metrics(STORY.metrics)
        server.add_logs(STORY.logs)
        for where in (str(store), str(tmp_path / "lines"), server.url):
            with open_source(where) as source:
                [group] = break_down(find_invocations(spans_of(source)))
                costs.append(group.cost_usd)
                assert source.notes == ()
                assert source.logs is not None
                assert source.logs.count().to_pyarrow().as_py() == len(STORY.logs)
                assert source.sums is not None
                assert source.histograms is not None
    assert costs == pytest.approx([sum(facts.cost_usd or 0.0 for facts in STORY.facts)] * 3)


def test_reading_files_tells_how_far_it_is(tmp_path: Path) -> None:
    """In bytes of all files; the last that is told is all."""
    paths = write_story(STORY, tmp_path)
    told: list[tuple[int, int]] = []
    with open_source(str(tmp_path), progress=lambda *bytes_: told.append(bytes_)):
        pass
    size_bytes = sum(path.stat().st_size for path in paths)
    assert told[-1] == (size_bytes, size_bytes)
    assert told == sorted(told)


def test_a_file_of_lines_is_a_source_of_its_own(tmp_path: Path) -> None:
    """Our fallback's, for example; what it cannot read is told."""
    [traces, *_] = write_story(STORY, tmp_path)
    traces.write_bytes(b"no request\n" + traces.read_bytes())
    with open_source(str(traces)) as source:
        [group] = break_down(find_invocations(spans_of(source)))
        assert group.invocations == len(STORY.facts)
        assert source.title == str(traces)
        [note] = source.notes
    assert note.startswith(f"1 lines could not be read, the first: {traces}:1: ")


def test_what_made_room_in_the_store_is_told(tmp_path: Path) -> None:
    """Figures of a store that was full are not those of the whole time."""
    path = tmp_path / "small.duckdb"
    with Database(path, Limits(max_rows=10)) as database:
        for span in STORY.spans[:15]:
            database.add_spans([span])
    with open_source(str(path)) as source:
        assert source.notes == (
            "the store was full: 5 spans had made room for newer ones and are in no figure",
        )


def test_a_store_that_is_open_elsewhere_says_what_to_do(store: Path) -> None:
    """In another process, or in this one."""
    with Database(store), pytest.raises(SourceBusyError, match="look at its page of costs"):
        open_source(str(store))
    program = (
        "import sys; from pathlib import Path; from otlp_viewer.database import Database\n"
        "with Database(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as viewer:
        assert viewer.stdout is not None
        viewer.stdout.readline()
        with pytest.raises(SourceBusyError, match="is open in another process"):
            open_source(str(store))
        viewer.communicate()


def test_reading_does_not_change_the_store(store: Path) -> None:
    """It is opened for reading only."""
    before = store.read_bytes()
    with open_source(str(store)) as source:
        break_down(find_invocations(spans_of(source)))
    assert store.read_bytes() == before


def test_another_duckdb_is_refused(tmp_path: Path) -> None:
    """So is one of another version of the viewer, and a damaged one."""
    foreign = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("CREATE TABLE t (x INTEGER)")
    with pytest.raises(UnknownSourceError, match="not one of the viewer"):
        open_source(str(foreign))
    newer = tmp_path / "newer.duckdb"
    Database(newer).close()
    with duckdb.connect(str(newer)) as connection:
        connection.execute("UPDATE otlp_viewer_version SET Version = 1000000")
    with pytest.raises(UnknownSourceError, match="another version"):
        open_source(str(newer))
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(newer.read_bytes()[:12] + bytes(5_000))
    with pytest.raises(UnknownSourceError, match="cannot be opened"):
        open_source(str(damaged))


@pytest.mark.parametrize(
    ("where", "advice"),
    [
        ("nowhere", "name a file or a folder"),
        ("http://localhost:8123", "begins with clickhouse://"),
        ("clickhouse://", "write it as clickhouse://user@host"),
    ],
)
def test_what_is_no_source_says_what_is(tmp_path: Path, where: str, advice: str) -> None:
    """A path that is not there, another kind of address."""
    place = where if ":" in where else str(tmp_path / where)
    with pytest.raises(UnknownSourceError, match=advice):
        open_source(place)


def test_a_folder_without_a_request_is_none(tmp_path: Path) -> None:
    """Empty, or full of something else."""
    with pytest.raises(UnknownSourceError):
        open_source(str(tmp_path))
    (tmp_path / "notes.json").write_text('{"hello": 1}\n')
    with pytest.raises(
        UnknownSourceError, match="no line of OTLP/JSON that can be read, the first"
    ):
        open_source(str(tmp_path))


def test_tables_that_are_not_there_yet_are_none() -> None:
    """A collector makes a table with the first rows for it."""
    with ClickHouseFront(tables=["otel_traces"]) as server:
        server.add_spans(STORY.spans)
        with open_source(server.url) as source:
            assert (source.logs, source.sums, source.histograms) == (None, None, None)
            assert len(break_down(find_invocations(spans_of(source)))) == 1


def test_tables_may_have_other_names() -> None:
    """The exporter lets one choose, and so do we."""
    names = {
        "otel_traces": "spans",
        "otel_metrics_sum": "counters",
        "otel_metrics_exponential_histogram": "exponential",
    }
    tables = TableNames(traces="spans", sums="counters", exponential_histograms="exponential")
    with (
        ClickHouseFront(names=names) as server,
        open_source(server.url, names=tables) as source,
        open_source(server.url) as usual,
    ):
        assert source.traces is not None
        assert source.sums is not None
        assert (usual.traces, usual.sums) == (None, None)


def test_the_password_may_come_apart_and_is_never_shown() -> None:
    """Not in the title, not in a message."""
    with ClickHouseFront() as server:
        place = f"{USER}@{server.address}/{server.database}"
        with open_source(f"clickhouse://{place}", password=server.password) as source:
            assert source.title == f"clickhouse://{server.address}/{server.database}"
        secret = "hunter2%40"  # noqa: S105 - a wrong one
        for where in (
            f"clickhouse://{USER}:{secret}@{server.address}/otel",
            f"clickhouse://{USER}:{secret}@127.0.0.1:1/otel",
            f"clickhouse://{USER}:{secret}@{server.address}/otel?secure=maybe",
            f"clickhouse://{USER}:{secret}@host:port/otel",
        ):
            with pytest.raises(SourceError) as caught:
                open_source(where)
            told = f"{caught.value} {caught.value.__cause__}"
            assert "hunter2" not in told


def test_a_server_that_refuses_is_one_error_of_ours() -> None:
    """Wrong database, and a query that fails later."""
    with ClickHouseFront() as server:
        with pytest.raises(DatabaseError, match="look at host, port"):
            open_source(server.url + "x")
        with open_source(server.url) as source:
            server.run(f"DROP TABLE {server.database}.otel_traces")
            with pytest.raises(DatabaseError, match="the query failed"):
                break_down(find_invocations(spans_of(source)))


def test_tables_that_are_made_otherwise_are_told_and_left_out() -> None:
    """The exporter has JSON columns as an option, and an old one lacks some; the rest is read."""
    with Database() as database:
        connection = database.connection
        connection.execute("ALTER TABLE otel_metrics_sum ALTER ResourceAttributes TYPE JSON")
        connection.execute(
            "ALTER TABLE otel_metrics_histogram RENAME AggregationTemporality TO AggTemp"
        )
        source = read_tables(ibis.duckdb.from_connection(connection), "memory")
    assert source.sums is None
    assert source.traces is not None
    assert source.histograms is not None  # the exponential ones
    assert source.notes == (
        (
            "otel_metrics_histogram is not read: it has no AggregationTemporality, as the"
            " collector's ClickHouse exporter makes"
        ),
        (
            "otel_metrics_sum is not read: its ResourceAttributes are no maps of text (the"
            " exporter's JSON columns are not read)"
        ),
    )
