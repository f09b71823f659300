"""Files of OTLP/JSON lines: all that can be read is in the store, and the rest is told."""

import gzip
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otlp_viewer import Counts, FilesError, Store, json_lines
from otlp_viewer.json_lines import read_json_lines
from tests.support.telemetry_lines import encode_logs, encode_metrics, encode_spans, write_story
from tests.support.telemetry_story import make_story
from tests.support.viewer_rows import make_log, make_metric, make_span

_LOG, _SPAN, _POINT = (
    encode_logs([make_log()]),
    encode_spans([make_span()]),
    encode_metrics([make_metric()]),
)
_ONE_OF_EACH = Counts(logs=1, spans=1, metrics=1)


def test_a_story_is_read_as_it_was_told(tmp_path: Path) -> None:
    """Through OTLP/JSON and back: the same rows in the same order."""
    story = make_story(invocations=100)
    write_story(story, tmp_path)
    store = Store()
    outcome = read_json_lines([tmp_path], store)
    assert list(store.spans) == story.spans
    assert list(store.logs) == story.logs
    assert list(store.metrics) == story.metrics
    assert (outcome.files, outcome.unread) == (3, 0)
    assert outcome.rows == store.received


def test_a_folder_is_read_with_all_below_it(tmp_path: Path) -> None:
    """Rotated files, packed ones, those of other exporters; what is named otherwise is counted."""
    (tmp_path / "year=2026").mkdir()
    (tmp_path / "data-2026-11-14T05-02-14.173.json").write_bytes(_LOG)
    (tmp_path / "year=2026" / "a.json.gz").write_bytes(gzip.compress(_SPAN + b"\n"))
    (tmp_path / "1795427494000-1-1.metrics.jsonl").write_bytes(_POINT + b"\n")
    (tmp_path / "notes.txt").write_text("not telemetry")
    store = Store()
    outcome = read_json_lines([tmp_path], store)
    assert store.received == outcome.rows == _ONE_OF_EACH
    assert (outcome.files, outcome.passed_over, outcome.requests) == (3, 1, 3)


def test_a_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    """With all signals, empty lines and the line ends of Windows; gzip is told by its bytes."""
    file = tmp_path / "out.txt"
    file.write_bytes(gzip.compress(b"\xef\xbb\xbf" + b"\r\n\r\n".join((_LOG, _SPAN, _POINT))))
    store = Store()
    outcome = read_json_lines([file], store)
    assert (store.received, outcome.requests, outcome.unread) == (_ONE_OF_EACH, 3, 0)


def test_a_line_that_cannot_be_read_costs_itself(tmp_path: Path) -> None:
    """The first ones are told with file and number, all are counted."""
    file = tmp_path / "data.json"
    broken = [b"{", b"[]", b'{"other":1}', b'{"resourceLogs":[{"scopeLogs":7}]}', b"\xff", b"null"]
    file.write_bytes(b"\n".join([_LOG, *broken, _SPAN[:-5], b"", _POINT]))
    store = Store()
    outcome = read_json_lines([file], store)
    assert store.received == Counts(logs=1, metrics=1)
    assert (outcome.requests, outcome.unread) == (2, 7)
    assert [unread.line for unread in outcome.first_unread] == [2, 3, 4, 5, 6]
    assert str(outcome.first_unread[2]).startswith(f"{file}:4: the line holds none of resource")


def test_of_a_line_with_two_requests_both_are_read_or_none(tmp_path: Path) -> None:
    """No exporter is known to write such lines, but they are well-formed."""
    file = tmp_path / "data.json"
    good = _LOG[:-1] + b"," + _SPAN[1:]
    bad = _LOG[:-1] + b',"resourceSpans":7}'
    file.write_bytes(good + b"\n" + bad)
    store = Store()
    assert read_json_lines([file], store).unread == 1
    assert store.received == Counts(logs=1, spans=1)


def test_a_packed_file_that_is_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    """As a crash leaves it; the files beside it are read as well."""
    (tmp_path / "b.json").write_bytes(_SPAN)
    text = gzip.compress(b"".join(_LOG + b"\n" for _ in range(2_000)), compresslevel=0)
    (tmp_path / "a.json.gz").write_bytes(text[: len(text) // 2])
    store = Store()
    outcome = read_json_lines([tmp_path], store)
    assert store.received.spans == 1
    assert 500 < store.received.logs < 1_500
    assert outcome.unread == 1
    assert "cannot be read from here on" in outcome.first_unread[0].reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x1f\x8bnot gzip at all", "cannot be read from here on"),
        (b"\x28\xb5\x2f\xfd....", "unpack it with `zstd -d`"),
        (b"\x00\x00\x01\x10{}", "the body is not JSON"),
    ],
)
def test_a_file_of_another_form_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    """Once, not line by line."""
    (tmp_path / "a.json").write_bytes(content)
    (tmp_path / "b.json").write_bytes(_LOG)
    outcome = read_json_lines([tmp_path], Store())
    assert (outcome.rows, outcome.unread) == (Counts(logs=1), 1)
    assert reason in outcome.first_unread[0].reason


def test_a_line_without_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is passed over in pieces; the next line is read."""
    monkeypatch.setattr(json_lines, "MAX_LINE_BYTES", len(_LOG))
    file = tmp_path / "data.json"
    file.write_bytes(b"\n".join([_LOG, _LOG + b" " * 10 * len(_LOG), _LOG]))
    store = Store()
    outcome = read_json_lines([file], store)
    assert (store.received, outcome.unread) == (Counts(logs=2), 1)
    assert "more than" in outcome.first_unread[0].reason


def test_a_pipe_is_read_as_a_file(tmp_path: Path) -> None:
    """`zstd -dc data.json.zst | ... /dev/stdin`; it has no size, so there is no progress."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    store = Store()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_json_lines, [pipe], store)
        pipe.write_bytes(gzip.compress(_LOG + b"\n" + _LOG))
        assert reading.result().unread == 0
    assert store.received == Counts(logs=2)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    """With what can be named instead."""
    with pytest.raises(FilesError, match="missing is not there"):
        read_json_lines([tmp_path / "missing"], Store())
    (tmp_path / "notes.txt").write_text("not telemetry")
    with pytest.raises(FilesError, match=r"no file there ends in \.json"):
        read_json_lines([tmp_path], Store())


def test_progress_ends_with_all_bytes(tmp_path: Path) -> None:
    """And never goes back, over plain and packed files."""
    (tmp_path / "a.json").write_bytes(b"\n".join([_LOG] * 50))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(b"\n".join([_SPAN] * 50)))
    told: list[tuple[int, int]] = []
    read_json_lines([tmp_path], Store(), progress=lambda read, size: told.append((read, size)))
    all_bytes = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert {size for _, size in told} == {all_bytes}
    assert [read for read, _ in told] == sorted(read for read, _ in told)
    assert told[-1] == (all_bytes, all_bytes)


def test_the_store_gets_many_rows_at_once(tmp_path: Path) -> None:
    """An insertion costs most per request."""

    class Requests(Store):
        def add_logs(self, rows: object, size_bytes: int = 0) -> None:
            sizes.append((len(rows), size_bytes))  # type: ignore[arg-type]

    sizes: list[tuple[int, int]] = []
    (tmp_path / "a.json").write_bytes(b"\n".join([_LOG] * 50))
    (tmp_path / "b.json").write_bytes(b"\n".join([_LOG] * 50))
    read_json_lines([tmp_path], Requests())
    assert sizes == [(100, 100 * len(_LOG))]
