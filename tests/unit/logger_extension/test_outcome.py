"""What an HTTP answer means for the data: the specification's table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from logger_extension.policy.outcome import Delivered, Refused, Undelivered, read_answer
from tests.support.laws import LAW

SIGNALS = pytest.mark.parametrize("signal", ["logs", "traces"])


@SIGNALS
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_delivers(signal: str, status: int) -> None:
    """Any 2xx with an empty body is a full success."""
    assert read_answer(signal, status, b"") == Delivered()


def test_a_partial_success_tells_how_many_logs_were_rejected() -> None:
    """They are counted and never sent again."""
    partial = ExportLogsPartialSuccess(rejected_log_records=3, error_message="too old")
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    assert read_answer("logs", 200, body) == Delivered(3, "too old")


def test_a_partial_success_tells_how_many_spans_were_rejected() -> None:
    """The same for traces."""
    partial = ExportTracePartialSuccess(rejected_spans=2, error_message="no")
    body = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    assert read_answer("traces", 200, body) == Delivered(2, "no")


@SIGNALS
def test_a_message_without_rejections_is_a_warning(signal: str) -> None:
    """All was taken, and the collector has something to say."""
    partial = ExportLogsPartialSuccess(error_message="deprecated")
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    assert read_answer(signal, 200, body) == Delivered(0, "deprecated")


@SIGNALS
@pytest.mark.parametrize("body", [b"ok", b'{"partialSuccess":{}}', b"\xff" * 50])
def test_a_success_in_other_words_is_a_success(signal: str, body: bytes) -> None:
    """Some collectors answer 200 with text: the status alone says that they have the data."""
    assert read_answer(signal, 200, body) == Delivered()


@SIGNALS
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_only_these_may_be_tried_again(signal: str, status: int) -> None:
    """Data that the collector may take later is kept."""
    assert read_answer(signal, status, b"") == Undelivered(f"HTTP {status}")


@SIGNALS
@pytest.mark.parametrize(
    "status", [100, 300, 304, 400, 401, 403, 404, 405, 408, 413, 415, 500, 501, 505, 599]
)
def test_all_others_refuse_the_data(signal: str, status: int) -> None:
    """Also 408, 413 and 500: the specification says that they must not be tried again."""
    assert read_answer(signal, status, b"") == Refused(f"HTTP {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_says_where_to(status: int) -> None:
    """OTLP has no redirects; what to set instead is told."""
    outcome = read_answer("logs", status, b"", "https://collector.example/v1/logs")
    assert isinstance(outcome, Refused)
    assert "https://collector.example/v1/logs" in outcome.reason


def test_long_words_of_a_collector_are_cut() -> None:
    """A collector's message or Location cannot fill the function's log."""
    partial = ExportLogsPartialSuccess(error_message="x" * 10_000)
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    outcome = read_answer("logs", 200, body)
    assert isinstance(outcome, Delivered)
    assert len(outcome.message) <= 200
    redirect = read_answer("logs", 302, b"", "https://" + "x" * 10_000)
    assert isinstance(redirect, Refused)
    assert len(redirect.reason) <= 200


@LAW
@given(st.sampled_from(["logs", "traces"]), st.integers(100, 999), st.binary(), st.text())
def test_every_answer_has_one_meaning(signal: str, status: int, body: bytes, location: str) -> None:
    """No status, no body and no header raises."""
    outcome = read_answer(signal, status, body, location)
    assert isinstance(outcome, Delivered) == (200 <= status < 300)
