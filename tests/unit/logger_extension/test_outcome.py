"""What an answer means for the data: the specification's tables."""

import json
from datetime import UTC, datetime

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]  # it has no stubs
    ErrorInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no stubs
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from logger_extension.policy.outcome import (
    Delivered,
    Outcome,
    Refused,
    TooLarge,
    Undelivered,
    is_success,
    read_answer,
    read_retry_after_ms,
    read_status,
    read_success,
)
from tests.support.laws import LAW

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
NOW_MS = NOW.timestamp() * 1000

JSON = {"content-type": "application/json; charset=utf-8"}
PROTOBUF = {"content-type": "application/x-protobuf"}

RESPONSES: list[tuple[Message, str]] = [
    (
        ExportLogsServiceResponse(
            partial_success=ExportLogsPartialSuccess(rejected_log_records=3, error_message="old")
        ),
        "rejectedLogRecords",
    ),
    (
        ExportTraceServiceResponse(
            partial_success=ExportTracePartialSuccess(rejected_spans=3, error_message="old")
        ),
        "rejectedSpans",
    ),
    (
        ExportMetricsServiceResponse(
            partial_success=ExportMetricsPartialSuccess(rejected_data_points=3, error_message="old")
        ),
        "rejectedDataPoints",
    ),
]


def _read(status: int, body: bytes = b"", **headers: str) -> Outcome:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(status, names, body, NOW_MS)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_delivers(status: int) -> None:
    """Any 2xx with an empty body is a full success."""
    assert _read(status) == Delivered()


@pytest.mark.parametrize("response", [r for r, _ in RESPONSES], ids=lambda r: r.DESCRIPTOR.name)
def test_a_partial_success_tells_how_much_was_rejected(response: Message) -> None:
    """Rejected records of any signal are counted and never sent again: the outcome is delivered."""
    body = response.SerializeToString()
    assert read_answer(200, PROTOBUF, body, NOW_MS) == Delivered(3, "old")
    assert read_success(body) == Delivered(3, "old")


@pytest.mark.parametrize("key", [key for _, key in RESPONSES])
@pytest.mark.parametrize("figure", ["3", 3])
def test_a_partial_success_in_json_is_read_too(key: str, figure: object) -> None:
    """64-bit integers are decimal strings there, or numbers."""
    body = json.dumps({"partialSuccess": {key: figure, "errorMessage": "old"}}).encode()
    assert read_answer(200, JSON, body, NOW_MS) == Delivered(3, "old")


def test_a_message_without_rejections_is_a_warning() -> None:
    """All was taken, and the collector has something to say."""
    partial = ExportLogsPartialSuccess(error_message="deprecated")
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    assert read_answer(200, PROTOBUF, body, NOW_MS) == Delivered(0, "deprecated")
    body = b'{"partialSuccess": {"errorMessage": "deprecated"}}'
    assert read_answer(200, JSON, body, NOW_MS) == Delivered(0, "deprecated")


@pytest.mark.parametrize("headers", [{}, JSON, PROTOBUF])
@pytest.mark.parametrize(
    "body",
    [
        b"ok",
        b'{"partialSuccess":{}}',
        b'{"partialSuccess":[]}',
        b'{"partialSuccess":{"rejectedSpans":"many","errorMessage":1}}',
        b"[]",
        b"\xff" * 50,
    ],
)
def test_a_success_in_other_words_is_a_success(headers: dict[str, str], body: bytes) -> None:
    """Some collectors answer 200 with text: the status alone says that they have the data."""
    assert read_answer(200, headers, body, NOW_MS) == Delivered()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_only_these_may_be_tried_again(status: int) -> None:
    """Data that the collector may take later is kept."""
    assert _read(status) == Undelivered(f"HTTP {status}")


@pytest.mark.parametrize(
    "status", [100, 300, 304, 400, 401, 403, 404, 405, 408, 415, 500, 501, 505, 599]
)
def test_all_others_refuse_the_data(status: int) -> None:
    """Also 408 and 500: the specification says that they must not be tried again."""
    assert _read(status) == Refused(f"HTTP {status}")
    assert _read(status, retry_after="1") == Refused(f"HTTP {status}")


def test_a_request_that_is_too_large_is_not_its_data() -> None:
    """It must not be tried again as it is; in smaller requests it is another matter."""
    assert _read(413) == TooLarge("HTTP 413")
    assert _read(413, retry_after="1") == TooLarge("HTTP 413")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_says_where_to(status: int) -> None:
    """OTLP has no redirects; what to set instead is told."""
    outcome = _read(status, location="https://collector.example/v1/logs?key=hunter2")
    assert isinstance(outcome, Refused)
    assert "https://collector.example/v1/logs" in outcome.reason
    assert "hunter2" not in outcome.reason


@pytest.mark.parametrize(
    ("text", "after_ms"),
    [
        ("0", 0),
        ("120", 120_000),
        (" 7 ", 7_000),
        ("Mon, 23 Nov 2026 09:00:30 GMT", 30_000),
        ("Mon, 23 Nov 2026 09:00:30 -0000", 30_000),
        ("Mon, 23 Nov 2026 10:00:30 +0100", 30_000),
        ("Monday, 23-Nov-26 09:00:30 GMT", 30_000),
        ("Mon Nov 23 09:00:30 2026", 30_000),
        ("Mon, 23 Nov 2026 08:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("9" * 5_000, None),
        ("Mon, 99 Nov 2026 09:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, after_ms: int | None) -> None:
    """In all three forms of a date that HTTP has; one that has passed is no pause."""
    assert read_retry_after_ms(text, NOW_MS) == after_ms
    assert _read(503, retry_after=text) == Undelivered("HTTP 503", after_ms)


@LAW
@given(st.text(), st.floats(0, 1e14))
def test_any_retry_after_is_a_pause_or_none(text: str, now_ms: float) -> None:
    """Never an exception, never a negative pause."""
    pause = read_retry_after_ms(text, now_ms)
    assert pause is None or pause >= 0


@LAW
@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)), st.integers(0, 2**45))  # noqa: DTZ001  (hypothesis takes naive bounds)
def test_any_date_is_a_pause(date: datetime, now_ms: int) -> None:
    """To the second, as HTTP's dates are."""
    date = date.replace(microsecond=0, tzinfo=UTC)
    text = f"{date:%a, %d %b} {date.year:04} {date:%H:%M:%S} GMT"
    assert read_retry_after_ms(text, now_ms) == max(round(date.timestamp() * 1000) - now_ms, 0)


@pytest.mark.parametrize("status", [400, 401, 413, 503])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (PROTOBUF, Status(code=3, message="bad\r\n key").SerializeToString()),
        (JSON, b'{"code": 3, "message": "bad  key"}'),
        ({"content-type": "text/plain"}, b"bad key\n"),
    ],
    ids=["protobuf", "json", "text"],
)
def test_the_collectors_words_are_told(status: int, headers: dict[str, str], body: bytes) -> None:
    """The message of a Status, on one line; it says what is wrong with the settings."""
    outcome = read_answer(status, headers, body, NOW_MS)
    assert not isinstance(outcome, Delivered)
    assert outcome.reason == f"HTTP {status}: bad key"


@pytest.mark.parametrize("headers", [{}, JSON, PROTOBUF, {"content-type": "text/html"}])
def test_pages_and_rubbish_are_not_told(headers: dict[str, str]) -> None:
    """What something between us and the collector shows to people."""
    assert read_answer(400, headers, b"<html>\xff", NOW_MS) == Refused("HTTP 400")


def test_long_words_of_a_collector_are_cut() -> None:
    """A collector's message or Location cannot fill the function's log."""
    partial = ExportLogsPartialSuccess(error_message="x" * 10_000)
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    delivered = read_answer(200, PROTOBUF, body, NOW_MS)
    assert isinstance(delivered, Delivered)
    assert len(delivered.message) <= 200
    for outcome in (
        _read(302, location="https://" + "x" * 10_000),
        _read(400, b"x" * 10_000, content_type="text/plain"),
        read_status("INTERNAL", "x" * 10_000, ()),
    ):
        assert isinstance(outcome, Refused)
        assert len(outcome.reason) <= 220


@LAW
@given(
    st.integers(100, 999),
    st.binary(),
    st.sampled_from([{}, JSON, PROTOBUF, {"content-type": "text/plain"}]),
    st.text(),
)
def test_every_answer_has_one_meaning(
    status: int, body: bytes, headers: dict[str, str], text: str
) -> None:
    """No status, no body and no header raises."""
    outcome = read_answer(status, headers | {"location": text, "retry-after": text}, body, NOW_MS)
    assert isinstance(outcome, Delivered) == (200 <= status < 300) == is_success(status)


RETRYABLE = {
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNAVAILABLE",
    "DATA_LOSS",
}
FINAL = {
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "FAILED_PRECONDITION",
    "UNIMPLEMENTED",
    "INTERNAL",
    "RESOURCE_EXHAUSTED",
}


@pytest.mark.parametrize("name", sorted(RETRYABLE))
def test_these_codes_may_be_tried_again(name: str) -> None:
    """The table of OTLP/gRPC."""
    assert read_status(name, "busy", ()) == Undelivered(f"gRPC {name}: busy")


@pytest.mark.parametrize("name", sorted(FINAL))
def test_these_codes_refuse_the_data(name: str) -> None:
    """The rest of the table; RESOURCE_EXHAUSTED is one of them while it names no pause."""
    assert read_status(name, "", ()) == Refused(f"gRPC {name}")


# What the libraries of C++ and Python, Go, Java, .NET and Rust say of a message above their limit.
TOO_LARGE = [
    ("RESOURCE_EXHAUSTED", "SERVER: Received message larger than max (200 vs. 100)"),
    ("RESOURCE_EXHAUSTED", "grpc: received message larger than max (5242890 vs. 4194304)"),
    ("RESOURCE_EXHAUSTED", "gRPC message exceeds maximum size 4194304: 5242890"),
    ("RESOURCE_EXHAUSTED", "Received message exceeds the maximum configured message size."),
    (
        "OUT_OF_RANGE",
        "Error, decoded message length too large: found 9 bytes, the limit is: 4",
    ),
]


@pytest.mark.parametrize(("name", "words"), TOO_LARGE, ids=["C++", "Go", "Java", ".NET", "Rust"])
def test_a_message_above_the_limit_is_too_large(name: str, words: str) -> None:
    """The codes say nothing of it: one is a quota's, the other would be tried again for ever."""
    assert read_status(name, words, ()) == TooLarge(f"gRPC {name}: {words}")
    assert not isinstance(read_status("UNAVAILABLE", words, ()), TooLarge)


@pytest.mark.parametrize(
    "words",
    [
        "CLIENT: Received message larger than max (4194305 vs. 4194304)",
        "Stream removed (CLIENT: Received message larger than max (4194305 vs. 4194304))",
        "grpc: trying to send message larger than max (4194305 vs. 4194304)",
        "quota exceeded",
    ],
)
def test_an_answer_above_the_limit_is_no_request_above_it(words: str) -> None:
    """The collector has the data: smaller requests would only double it."""
    assert read_status("RESOURCE_EXHAUSTED", words, ()) == Refused(
        f"gRPC RESOURCE_EXHAUSTED: {words}"
    )


def _details(*details: Message) -> tuple[str, bytes]:
    status = Status(code=8, message="slow down")
    for detail in details:
        status.details.add().Pack(detail)
    return "grpc-status-details-bin", status.SerializeToString()


def _retry_info(seconds: int = 1, nanos: int = 500_000_000) -> RetryInfo:
    return RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos))


RETRY_TRAILERS = [
    _details(_retry_info()),
    _details(ErrorInfo(reason="QUOTA"), _retry_info()),
    ("google.rpc.retryinfo-bin", _retry_info().SerializeToString()),
]


@pytest.mark.parametrize("trailer", RETRY_TRAILERS, ids=["details", "second detail", "own"])
@pytest.mark.parametrize("name", ["RESOURCE_EXHAUSTED", "UNAVAILABLE"])
def test_retry_info_names_the_pause(name: str, trailer: tuple[str, bytes]) -> None:
    """Under both names it travels by; RESOURCE_EXHAUSTED may then be tried again."""
    outcome = read_status(name, "", [("x-other", "1"), trailer])
    assert outcome == Undelivered(f"gRPC {name}", 1_500)


@pytest.mark.parametrize("trailer", RETRY_TRAILERS)
@pytest.mark.parametrize("name", sorted(FINAL - {"RESOURCE_EXHAUSTED"}))
def test_retry_info_makes_no_other_code_retryable(name: str, trailer: tuple[str, bytes]) -> None:
    """INVALID_ARGUMENT stays what it is."""
    assert read_status(name, "", [trailer]) == Refused(f"gRPC {name}")


@pytest.mark.parametrize(
    ("info", "after_ms"),
    [
        (RetryInfo(), 0),
        (_retry_info(0, 0), 0),
        (_retry_info(-1, 0), 0),
        (_retry_info(0, -5), 0),
        (_retry_info(0, 999_999), 0),
        (_retry_info(86_400, 0), 86_400_000),
    ],
)
def test_a_pause_of_any_size(info: RetryInfo, after_ms: int) -> None:
    """No pause and a negative one are none: RetryInfo alone says that it may be tried again."""
    for trailer in (_details(info), ("google.rpc.retryinfo-bin", info.SerializeToString())):
        outcome = read_status("RESOURCE_EXHAUSTED", "", [trailer])
        assert outcome == Undelivered("gRPC RESOURCE_EXHAUSTED", after_ms)


@pytest.mark.parametrize(
    "trailer",
    [
        _details(ErrorInfo(reason="QUOTA")),
        ("grpc-status-details-bin", b""),
        ("grpc-status-details-bin", b"\xff\xff"),
        ("grpc-status-details-bin", "text"),
        ("google.rpc.retryinfo-bin", "text"),
        ("retry-after", "1"),
    ],
)
def test_no_retry_info_no_second_try(trailer: tuple[str, str | bytes]) -> None:
    """Other details, and details that cannot be read."""
    outcome = read_status("RESOURCE_EXHAUSTED", "", [trailer])
    assert outcome == Refused("gRPC RESOURCE_EXHAUSTED")


@LAW
@given(
    st.sampled_from(sorted(RETRYABLE | FINAL)),
    st.text(),
    st.sampled_from(["grpc-status-details-bin", "google.rpc.retryinfo-bin", "x"]),
    st.binary() | st.text(),
)
def test_every_status_has_one_meaning(
    name: str, words: str, key: str, trailer: str | bytes
) -> None:
    """No words and no trailer raise, and none makes a final code retryable."""
    outcome = read_status(name, words, [(key, trailer)])
    if name != "RESOURCE_EXHAUSTED":
        assert isinstance(outcome, Undelivered) == (name in RETRYABLE)
    if isinstance(outcome, Undelivered) and outcome.retry_after_ms is not None:
        assert outcome.retry_after_ms >= 0
