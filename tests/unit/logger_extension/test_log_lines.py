"""Lines as functions print them: text, prefixes of runtimes, and what is inside them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.signals.log_lines import find_request_id, read_line, read_plain
from logger_extension.signals.log_reading import Reading
from tests.support.laws import LAW
from tests.support.log_shapes import LINES, NEAR_UNIX_NANO, REQUEST_ID
from tests.support.telemetry_bodies import json_objects

OTHER_ID = "00000000-0000-4000-8000-000000000001"
PYTHON = f"[INFO]\t2026-11-23T09:51:34.250Z\t{REQUEST_ID}\t"
NODE = f"2026-11-23T09:51:34.250Z\t{REQUEST_ID}\tINFO\t"
TIME = NEAR_UNIX_NANO - 370_000_000


def _read(record: str | dict[str, Any], known_id: str = REQUEST_ID) -> Reading:
    return read_line(record, NEAR_UNIX_NANO, known_id)


@pytest.mark.parametrize("prefix", [PYTHON, NODE], ids=["python", "node"])
def test_a_prefix_of_a_runtime(prefix: str) -> None:
    """Level, time and request id are taken; the message is the body."""
    reading = _read(prefix + "paid\n")
    assert reading.body == "paid"
    assert (reading.severity_number, reading.severity_text) == (9, "INFO")
    assert reading.time_unix_nano == TIME
    assert (reading.request_id, reading.attributes) == ("", {})


@pytest.mark.parametrize(("level", "number"), [("WARN", 13), ("fail", 17), ("dbug", 5)])
def test_the_prefix_of_dotnet(level: str, number: int) -> None:
    """As Node's, with the level names of .NET."""
    reading = _read(f"2026-11-23T09:51:34.250Z\t{REQUEST_ID}\t{level}\tpaid\n")
    assert (reading.severity_number, reading.severity_text, reading.body) == (number, level, "paid")


@pytest.mark.parametrize("request_id", ["", "undefined"])
@pytest.mark.parametrize("order", [0, 1], ids=["python", "node"])
def test_during_init_there_is_no_request(request_id: str, order: int) -> None:
    """Python leaves the id empty, Node calls it undefined."""
    time = "2026-11-23T09:51:34.250Z"
    head = (f"[INFO]\t{time}\t{request_id}\t", f"{time}\t{request_id}\tINFO\t")[order]
    reading = _read(head + "loading", known_id="")
    assert (reading.body, reading.severity_number, reading.request_id) == ("loading", 9, "")


@pytest.mark.parametrize("prefix", [PYTHON, NODE], ids=["python", "node"])
def test_a_prefix_that_names_another_request(prefix: str) -> None:
    """The runtime knows best: the line is that request's, whatever invocation is current."""
    assert _read(prefix + "late", known_id=OTHER_ID).request_id == REQUEST_ID


def test_milliseconds_without_zeros() -> None:
    """Older runtimes for Python write `.5Z` for five milliseconds."""
    reading = _read(f"[INFO]\t2026-11-23T09:51:34.5Z\t{REQUEST_ID}\tpaid")
    assert reading.time_unix_nano == NEAR_UNIX_NANO - 615_000_000


@pytest.mark.parametrize(
    "text",
    [
        "[INFO]\tnot a time\t" + REQUEST_ID + "\tpaid",
        "[INFO]\t2026-11-23T09:51:34.250Z\tno id\tpaid",
        "[INFO]\t2026-11-23T09:51:34.250Z\t" + REQUEST_ID,
        "[INFO]\t1999-11-23T09:51:34.250Z\t" + REQUEST_ID + "\tpaid",
        "[LOUD]\t2026-11-23T09:51:34.250Z\t" + REQUEST_ID + "\tpaid",
        "2026-11-23T09:51:34.250Z\t" + REQUEST_ID + "\tLOUD\tpaid",
        "2026-11-23T09:51:34.250Z\t" + REQUEST_ID + "\tpaid",
        "2026-11-23T09:51:34.250Z " + REQUEST_ID + " INFO paid",
        "2026\tis\ta\tyear",
    ],
)
def test_a_broken_prefix_is_text(text: str) -> None:
    """Whole and unchanged; at most a level in brackets is still one."""
    reading = _read(text + "\n")
    assert (reading.body, reading.time_unix_nano, reading.attributes) == (text, 0, {})
    assert bool(reading.severity_number) == text.startswith("[INFO]")


def test_a_level_in_brackets_leaves_the_text_alone() -> None:
    """A habit of many: `[WARN] …`."""
    reading = _read("[WARN] stock is low\n")
    assert (reading.body, reading.severity_number) == ("[WARN] stock is low", 13)
    assert _read("[cart] empty").severity_number == 0


@pytest.mark.parametrize("prefix", [PYTHON, NODE], ids=["python", "node"])
def test_json_behind_a_prefix(prefix: str) -> None:
    """`console.log(JSON.stringify(…))`: the fields count, and the prefix for what they lack."""
    reading = _read(prefix + '{"message": "paid", "sku": "A-1"}')
    assert (reading.body, reading.attributes) == ("paid", {"sku": "A-1"})
    assert (reading.severity_number, reading.time_unix_nano) == (9, TIME)
    own = _read(prefix + '{"message": "x", "level": "error"}')
    assert (own.severity_number, own.severity_text) == (17, "error")


@pytest.mark.parametrize("prefix", ["", PYTHON, NODE], ids=["bare", "python", "node"])
def test_a_trace_of_several_lines(prefix: str) -> None:
    """The body keeps it, the attributes name it."""
    text = (
        'failed\nTraceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: boom'
    )
    reading = _read(prefix + text + "\n")
    assert reading.body == text
    assert reading.attributes == {
        "exception.type": "ValueError",
        "exception.message": "boom",
        "exception.stacktrace": text.removeprefix("failed\n"),
    }


def test_an_unhandled_error_of_the_python_runtime() -> None:
    """Severity from its brackets, lines ended by carriage returns."""
    text = "[ERROR] ValueError: boom\rTraceback (most recent call last):\r\xa0\xa0File a"
    reading = _read(text + "\n")
    assert (reading.body, reading.severity_number) == (text, 17)
    assert reading.attributes["exception.type"] == "ValueError"


def test_an_unhandled_error_of_the_node_runtime() -> None:
    """The error is an object behind a tab."""
    error = {
        "errorType": "TypeError",
        "errorMessage": "boom",
        "stack": ["TypeError: boom", " at x"],
    }
    text = f"Invoke Error \t{json.dumps(error)}"
    reading = _read(NODE.replace("INFO", "ERROR") + text + "\n")
    assert (reading.body, reading.severity_number) == (text, 17)
    assert reading.attributes == {
        "exception.type": "TypeError",
        "exception.message": "boom",
        "exception.stacktrace": "TypeError: boom\n at x",
    }


@pytest.mark.parametrize(
    "text",
    [
        f"START RequestId: {REQUEST_ID} Version: $LATEST",
        f"END RequestId: {REQUEST_ID}",
        f"REPORT RequestId: {REQUEST_ID}\tDuration: 1.0 ms\tBilled Duration: 2 ms",
        "INIT_START Runtime Version: python:3.13.v1",
    ],
)
def test_what_looks_like_lambdas_own_text_is_the_functions(text: str) -> None:
    """Lambda tells of itself in `platform.*` events; such a line was printed by the function."""
    assert read_plain(text + "\n") == text
    assert _read(text + "\n").body == text


@pytest.mark.parametrize(
    ("record", "request_id"),
    [
        (PYTHON + "x", REQUEST_ID),
        (NODE + "x", REQUEST_ID),
        (NODE.replace(REQUEST_ID, "undefined") + "x", ""),
        ({"requestId": "a"}, "a"),
        ({"AWSRequestId": "b"}, "b"),
        ({"function_request_id": "c"}, "c"),
        ({"faas.invocation_id": "d", "requestId": "a"}, "d"),
        ({"requestId": ""}, ""),
        ({"requestId": 5}, ""),
        ('{"requestId": "a", "message": "x"}\n', "a"),
        ('{"message": "my requestId"}', ""),
        ('{"requestId": "a"', ""),
        ("requestId: a", ""),
        ("", ""),
    ],
)
def test_the_request_that_a_line_names(record: str | dict[str, Any], request_id: str) -> None:
    """By a prefix or a field, in text or parsed: on Managed Instances nothing else tells."""
    assert find_request_id(record) == request_id


@LAW
@given(st.text(max_size=60))
def test_a_plain_line_says_only_itself(text: str) -> None:
    """The short way and the long way come to the same."""
    plain = read_plain(text)
    if plain is not None:
        reading = _read(text)
        assert vars(reading) == vars(Reading(plain, {}))


@LAW
@given(data=st.data())
def test_a_shape_that_is_broken_anywhere_is_its_text(data: st.DataObject) -> None:
    """Cut, doubled or overwritten in any place: a reading, and nothing of the line is lost."""
    line = data.draw(st.sampled_from(LINES))
    at = data.draw(st.integers(0, len(line)))
    until = data.draw(st.integers(at, len(line)))
    broken = line[:at] + data.draw(st.text(max_size=3)) + line[until:]
    reading = _read(broken)
    text = broken.removesuffix("\n")
    if reading.body == text:
        return
    # Then it still is a shape in full: JSON, or a prefix with a message behind it.
    try:
        assert isinstance(json.loads(text), dict)
    except ValueError:
        head, _, message = text.rpartition(text.split("\t", 3)[-1])
        assert message == ""
        assert head.count("\t") == 3
        assert reading.time_unix_nano
        assert reading.severity_number


@LAW
@given(st.text() | json_objects | json_objects.map(json.dumps), st.text(max_size=3))
def test_any_line_is_read(record: str | dict[str, Any], known_id: str) -> None:
    """Whatever a function prints."""
    reading = read_line(record, NEAR_UNIX_NANO, known_id)
    assert 0 <= reading.severity_number <= 24
    assert len(reading.trace_id) in (0, 16)
    find_request_id(record)
