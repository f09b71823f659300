"""Requests as lines: what is written can be read again, and no line is too long."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.errors import ProtocolError
from logger_extension.signals.otlp_lines import MAX_LINE_BYTES, encode_lines, read_line
from logger_extension.signals.requests import SIGNALS, parse
from tests.support.export_targets import make_request as make_one
from tests.support.function_requests import make_request
from tests.support.laws import LAW
from tests.support.otlp_requests import SIGNAL_NAMES, list_all, list_items, requests

any_requests = st.sampled_from(SIGNAL_NAMES).flatmap(
    lambda signal: st.tuples(st.just(signal), requests(signal))
)


@LAW
@given(any_requests, st.integers(1, 1_500))
def test_lines_are_read_as_what_was_written(case: tuple[str, Any], max_bytes: int) -> None:
    """Any request comes back item by item, in order, from lines that keep the limit."""
    signal, request = case
    lines = list(encode_lines(signal, request.SerializeToString(), max_bytes))
    read = [read_line(line.text) for line in lines]
    assert {found for found, _ in read} <= {signal}
    assert list_all(signal, [body for _, body in read]) == list_items(signal, request)
    for line, (_, body) in zip(lines, read, strict=True):
        assert len(list_all(signal, [body])) == line.items
        assert len(line.text) <= max_bytes or line.items == 1
        assert b"\n" not in line.text


@pytest.mark.parametrize(
    ("signal", "key"),
    [("logs", "resourceLogs"), ("traces", "resourceSpans"), ("metrics", "resourceMetrics")],
)
def test_a_line_is_one_request(signal: str, key: str) -> None:
    """An object with one key, as the collector's file exporter writes it."""
    (line,) = encode_lines(signal, make_request(signal))
    assert list(orjson.loads(line.text)) == [key]
    assert line.text.startswith(b'{"%s":[' % key.encode())


def test_a_long_item_is_written_whole() -> None:
    """It is longer than the limit; cutting it would lose it."""
    body = make_one("logs", "x" * (2 * MAX_LINE_BYTES)).SerializeToString()
    (line,) = encode_lines("logs", body)
    assert len(line.text) > 2 * MAX_LINE_BYTES
    assert read_line(line.text) == ("logs", body)


def test_escaped_text_is_cut_once_more() -> None:
    """Characters that JSON writes as six do not make a line too long."""
    request: Any = make_one("logs", "\x01" * 1_000)
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    for _ in range(199):
        request.resource_logs[0].scope_logs[0].log_records.append(record)
    lines = list(encode_lines("logs", request.SerializeToString()))
    assert sum(line.items for line in lines) == 200
    assert max(len(line.text) for line in lines) <= MAX_LINE_BYTES
    # 1.2 MB of JSON in lines that are at least half full, but for some last ones.
    assert len(lines) <= 16


@pytest.mark.parametrize("signal", SIGNALS)
def test_nothing_is_no_line(signal: str) -> None:
    """A request without items is not worth one."""
    assert list(encode_lines(signal, b"")) == []


def test_bytes_that_are_no_request() -> None:
    """One error, as everywhere."""
    with pytest.raises(ProtocolError):
        list(encode_lines("logs", b"\xff\xff"))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"{}",
        b'{"resourceLogs":[',
        b'{"resourceLogs":{}}',
        b' {"resourceLogs":[]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}',
        b'{"resourceLogs":[]}{"resourceLogs":[]}',
    ],
)
def test_lines_that_are_no_request(line: bytes) -> None:
    """Torn, foreign or forged: an error, never something else."""
    with pytest.raises(ProtocolError):
        read_line(line)


def test_a_line_may_be_empty_of_items() -> None:
    """It is a request all the same."""
    signal, body = read_line(b'{"resourceMetrics":[]}')
    assert not parse(signal, body).resource_metrics
