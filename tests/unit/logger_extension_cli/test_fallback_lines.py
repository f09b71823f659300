"""Requests found in what CloudWatch's tools print."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.signals.otlp_lines import encode_lines
from logger_extension_cli import fallback_lines
from logger_extension_cli.fallback_lines import (
    Found,
    Request,
    Unreadable,
    find_requests,
    read_stream,
)
from tests.support.export_targets import make_request
from tests.support.laws import LAW

SIGNALS = ("logs", "traces", "metrics")
# Text with what might end a line or a string: of Python's, of JSON's and of terminals.
TEXT = 'a "quoted" \\ {"resourceLogs": [\u2028\x85\x0b\r\n\ttail'


def make_found(signal: str = "logs", text: str = TEXT) -> Request:
    """Return a request as it is to be found."""
    return Request(signal, make_request(signal, text).SerializeToString())


def write_line(request: Request) -> str:
    """Return a request as the fallback writes it."""
    (line,) = encode_lines(request.signal, request.body)
    return line.text.decode()


FOUND = [make_found(signal) for signal in SIGNALS]
LINES = [write_line(request) for request in FOUND]


def read(text: str | bytes) -> list[Found]:
    """Return all that is found in a stream."""
    data = text if isinstance(text, bytes) else text.encode()
    return [one for found in read_stream(io.BytesIO(data)) for one in found]


def make_events(*messages: str) -> dict[str, Any]:
    """Return what `aws logs filter-log-events` answers."""
    return {
        "events": [
            {
                "logStreamName": "2026/11/23/[$LATEST]0123",
                "timestamp": 1_795_427_494_000 + n,
                "message": message + "\n",
                "ingestionTime": 1_795_427_499_000,
                "eventId": str(n),
            }
            for n, message in enumerate(messages)
        ],
        "searchedLogStreams": [],
    }


@pytest.mark.parametrize(
    "form",
    [
        "{}\n",
        "{}\r\n",
        "2026-11-23T10:51:34 {}\n",
        "2026-11-23T10:51:34.000000+00:00 2026/11/23/[$LATEST]0123 {}\n",
        "\x1b[32m2026-11-23\x1b[0m stream {}\n",
        "EVENTS\t1\t2\tstream\t{}\t1795427494000\n",
    ],
    ids=["plain", "crlf", "tail short", "tail detailed", "colours", "text output"],
)
def test_text_around_a_line(form: str) -> None:
    """What stands before and after it does not matter."""
    assert read("".join(form.replace("{}", line) for line in LINES)) == FOUND


@pytest.mark.parametrize("indent", [None, 4])
def test_events_as_json(indent: int | None) -> None:
    """A document on one line, or printed over many."""
    document = make_events("START RequestId: 1", *LINES, "END RequestId: 1")
    assert read(json.dumps(document, indent=indent)) == FOUND


@pytest.mark.parametrize("indent", [None, 2])
def test_messages_alone(indent: int | None) -> None:
    """What `--query 'events[].message'` leaves of it."""
    assert read(json.dumps(["START", *LINES], indent=indent)) == FOUND
    assert read("\t".join(["START", *LINES])) == FOUND


def test_one_json_object_a_line() -> None:
    """As jq and other tools print events; also where an event is in the JSON of another."""
    objects = [json.dumps({"timestamp": 1, "message": line}) for line in LINES]
    assert read("\n".join(objects)) == FOUND
    assert read(json.dumps({"message": objects[0]})) == FOUND[:1]
    assert read(f"2026-11-23 stream {objects[1]}") == FOUND[1:2]


def test_several_requests_in_one_message() -> None:
    """Each is found, in order."""
    assert read(json.dumps({"message": "\n".join(LINES)})) == FOUND


def test_other_lines_hold_nothing() -> None:
    """The function's own logs, of whatever form."""
    own = ["hello", '{"level":"INFO","resource":"r"}', '{"message":"resourceLogs"}', "", "{"]
    found = list(read_stream(io.BytesIO("\n".join([*own, LINES[0], *own]).encode())))
    assert found == [[]] * 5 + [[FOUND[0]]] + [[]] * 5


@pytest.mark.parametrize(
    "text",
    [
        LINES[0][:-20],
        LINES[0][:20],
        LINES[0]
        .replace("resourceLogs", "resourceSpans")
        .replace("scopeLogs", "scopeSpans", 1)[:-4],
        '{"resourceSpans":{}}',
        '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}',
        json.dumps({"message": LINES[0]})[:-20],
        json.dumps({"message": LINES[0][:-20]}),
        '{"resourceLogs":' + "[" * 100_000,
        '{"a":"{\\"resourceLogs\\":' + "[" * 100_000,
    ],
)
def test_what_is_cut_or_broken(text: str) -> None:
    """One that cannot be read, and the next lines are read all the same."""
    assert read(f"{text}\n{LINES[1]}\n") == [Unreadable(), FOUND[1]]


def test_a_torn_line_with_another_behind_it() -> None:
    """A process that was killed has written no line feed."""
    assert read(LINES[0][:99] + LINES[1] + "\n") == [Unreadable(), FOUND[1]]


def test_nested_without_end() -> None:
    """Strings in strings are not followed for ever."""
    text = LINES[0]
    for _ in range(6):
        text = json.dumps({"m": text})
    assert read(text) == [Unreadable()]


def test_bytes_that_are_no_text() -> None:
    """Around a request they do not matter, in it they make it unreadable."""
    line = LINES[0].encode()
    assert read(b"\xff\xfe " + line + b" \xff\n") == FOUND[:1]
    assert read(line.replace(b"tail", b"\xff")) == [Unreadable()]


def test_lines_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line beyond the bound is not kept in memory; a request in it is told."""
    monkeypatch.setattr(fallback_lines, "MAX_LINE_BYTES", 1_000)
    long = "x" * 5_000
    text = f"{long}\n{LINES[0]}\n{LINES[1][:300]}{long}\n{LINES[2]}\n{long}"
    found = list(read_stream(io.BytesIO(text.encode())))
    assert found == [[], [FOUND[0]], [Unreadable()], [FOUND[2]], []]


@LAW
@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(0, len(LINES[0])))
def test_any_bytes_around_any_part(before: bytes, after: bytes, size: int) -> None:
    """Nothing but requests and unreadable ones comes out, and never an exception."""
    for one in find_requests(before + LINES[0].encode()[:size] + after):
        assert one == Unreadable() or one == FOUND[0]
