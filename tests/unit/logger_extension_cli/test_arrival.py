"""What must have arrived, against what has."""

import time

import pytest

from lambda_sandbox import InvokeResult
from logger_extension_cli.arrival import await_arrival, find_missing
from otlp_viewer import Store
from tests.support.viewer_rows import REQUEST_ID, make_log, make_server_span


def _result(status: str = "success", error_type: str | None = None) -> InvokeResult:
    return InvokeResult(
        request_id=REQUEST_ID, status=status, payload=b"", error_type=error_type, response_ms=1.0
    )


def _store(*, bodies: list[object] | None = None, spans: int = 1, status_code: int = 0) -> Store:
    store = Store()
    store.add_spans([make_server_span(status_code=status_code)] * spans)
    store.add_logs([make_log(body=body) for body in bodies or []])
    return store


def test_all_is_well_when_each_thing_is_there_once() -> None:
    """A text line is itself; of a JSON line the message is the body, or else the whole object."""
    printed = ["text", "text", '{"level": "INFO", "message": "hello", "n": 1}', '{"b":1,"a":2}', ""]
    bodies: list[object] = ["hello", "text", {"a": 2, "b": 1}, "", "text"]
    assert find_missing(_store(bodies=bodies), [_result()], printed) == []


@pytest.mark.parametrize(
    ("spans", "sentence"), [(0, "no span arrived"), (2, "its span arrived 2 times")]
)
def test_a_span_is_there_exactly_once(spans: int, sentence: str) -> None:
    """Neither lost nor doubled."""
    assert find_missing(_store(spans=spans), [_result()], []) == [
        f"invocation {REQUEST_ID}: {sentence}"
    ]


@pytest.mark.parametrize(
    ("status", "error_type", "span_status", "is_right"),
    [
        ("success", None, 0, True),
        ("success", None, 2, False),
        ("error", "ValueError", 0, True),  # for Lambda a success, for a cleverer sender not
        ("error", "ValueError", 2, True),
        ("error", "Runtime.ExitError", 0, False),
        ("error", "Runtime.ExitError", 2, True),
        ("timeout", "Sandbox.Timedout", 0, False),
        ("timeout", "Sandbox.Timedout", 2, True),
    ],
)
def test_a_span_tells_how_its_invocation_ended(
    status: str, error_type: str | None, span_status: int, *, is_right: bool
) -> None:
    """By Lambda's own idea of failure."""
    missing = find_missing(_store(status_code=span_status), [_result(status, error_type)], [])
    assert (missing == []) is is_right


def test_lines_are_named_when_lost_doubled_or_invented() -> None:
    """Some of them: a flood of names would hide the rest."""
    assert find_missing(_store(bodies=["a", "a"]), [_result()], ["a", "b"]) == [
        "1 x a line was printed and did not arrive: b",
        "1 x a line arrived and was not printed: a",
    ]
    lost = find_missing(_store(), [_result()], [f"line {n}" for n in range(9)])
    assert lost[-1] == "and 4 more, each of which was printed and did not arrive"
    assert len(lost) == 6


async def test_waiting_ends_as_soon_as_everything_is_there() -> None:
    """Not only when the time is up."""
    began = time.monotonic()
    assert await await_arrival(_store(), [_result()], []) == []
    assert time.monotonic() - began < 1
