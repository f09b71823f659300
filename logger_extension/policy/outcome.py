"""What became of one export, and what an answer of the collector means for the data.

Owns the specification's rules (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response and
#failures): which status may be tried again and when, which drops the data, what a partial success
is. Must not know the connection nor the queue that the data came from.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from google.protobuf.message import DecodeError as ProtobufDecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from logger_extension.policy.rpc_status import find_retry_info, read_message, read_retry_delay_ms

# "The client SHOULD limit the size of a request" before compression, and of an answer after it.
MAX_REQUEST_BYTES = 64 * 1024 * 1024
MAX_ANSWER_BYTES = 4 * 1024 * 1024

MAX_WORDS = 200
MS_PER_S = 1_000
INT64 = re.compile(r"[0-9]{1,19}")
SECONDS = re.compile(r"[0-9]{1,9}")

# "All other 4xx or 5xx response status codes MUST NOT be retried."
RETRYABLE_STATUS = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

# RESOURCE_EXHAUSTED is one of them only when the collector says with RetryInfo that it recovers.
RETRYABLE_GRPC = frozenset(
    {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
)

# What gRPC's libraries say of a message above the receiver's limit: those of C++ and Go, of Java
# and .NET, of Rust. The status is that of a quota, or of what may be tried again
# (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md). Words that begin with CLIENT are
# our own library's, about an answer.
TOO_LARGE_GRPC = frozenset({"RESOURCE_EXHAUSTED", "OUT_OF_RANGE"})
TOO_LARGE_WORDS = re.compile(
    r"(?<!CLIENT: )received message larger than max"
    r"|message exceeds (the )?maximum"
    r"|message length too large",
    re.IGNORECASE,
)


class Delivered(NamedTuple):
    """The collector has the data, but for `rejected` records that must not be sent again."""

    rejected: int = 0
    message: str = ""


class Undelivered(NamedTuple):
    """The collector may take the data later: keep it, for `retry_after_ms` at least if given."""

    reason: str
    retry_after_ms: int | None = None


class Refused(NamedTuple):
    """The collector will never take this data: drop and count it."""

    reason: str


class TooLarge(NamedTuple):
    """The collector does not take so much at once: the same in smaller requests it may."""

    reason: str


Outcome = Delivered | Undelivered | Refused | TooLarge


def is_success(status: int) -> bool:
    """Return whether an HTTP status says that the collector has the data: 3xx does not."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def read_answer(status: int, headers: Mapping[str, str], body: bytes, now_ms: float) -> Outcome:
    """Return what an answer over HTTP means.

    Args:
        status: the HTTP status.
        headers: the answer's headers; asked for names in lower case.
        body: the body, cut by the caller: on success an `Export…ServiceResponse`, else a `Status`.
        now_ms: the time, in milliseconds since 1970; Retry-After may be a date.
    """
    is_json = headers.get("content-type", "").startswith("application/json")
    if status == HTTPStatus.OK:
        return _read_json_success(body) if is_json else read_success(body)
    if is_success(status):
        return Delivered()
    reason = _explain(f"HTTP {status}", _read_words(headers, body))
    if status in RETRYABLE_STATUS:
        return Undelivered(reason, read_retry_after_ms(headers.get("retry-after", ""), now_ms))
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TooLarge(reason)
    if location := headers.get("location", ""):
        # A query may hold a key.
        reason += f", redirected to {location.partition('?')[0][:120]}: set that endpoint"
    return Refused(reason)


def read_status(name: str, words: str, trailers: Iterable[tuple[str, str | bytes]]) -> Outcome:
    """Return what a status of gRPC other than OK means.

    Args:
        name: of the status code, for example `UNAVAILABLE`.
        words: what the collector says beside it.
        trailers: name and value of the trailing metadata, binary values decoded.
    """
    reason = _explain(f"gRPC {name}", words)
    retry_info = _find_retry_info(dict(trailers))
    if name in TOO_LARGE_GRPC and TOO_LARGE_WORDS.search(words):
        return TooLarge(reason)
    is_throttled = name == "RESOURCE_EXHAUSTED" and retry_info is not None
    if name in RETRYABLE_GRPC or is_throttled:
        delay_ms = None if retry_info is None else read_retry_delay_ms(retry_info)
        return Undelivered(reason, delay_ms)
    return Refused(reason)


def read_success(body: bytes) -> Delivered:
    """Return what a serialized `Export…ServiceResponse` of any signal says.

    Those of logs, traces and metrics have the same fields: 1 partial_success, and in it
    1 rejected_…, 2 error_message. Words that are no such message do not matter: some collectors
    answer with text, and the status alone says that they have the data.
    """
    try:
        partial = ExportLogsServiceResponse.FromString(body).partial_success
    except ProtobufDecodeError:
        return Delivered()
    return Delivered(max(partial.rejected_log_records, 0), _shorten(partial.error_message))


def read_retry_after_ms(text: str, now_ms: float) -> int | None:
    """Return the pause that Retry-After asks for: seconds, or a date (RFC 9110 section 10.2.3)."""
    text = text.strip()
    if SECONDS.fullmatch(text):
        return int(text) * MS_PER_S
    try:
        date = parsedate_to_datetime(text)
        # A date of the form that ends in -0000 comes without a zone; it is UTC all the same.
        date_ms = date.replace(tzinfo=date.tzinfo or UTC).timestamp() * MS_PER_S
    except (ValueError, OverflowError):
        return None
    return max(round(date_ms - now_ms), 0)


def _read_json_success(body: bytes) -> Delivered:
    partial = _read_object(body).get("partialSuccess")
    if not isinstance(partial, dict):
        return Delivered()
    # 64-bit integers are decimal strings in OTLP/JSON, or numbers.
    figures = [str(value) for key, value in partial.items() if key.startswith("rejected")]
    rejected = sum(int(figure) for figure in figures if INT64.fullmatch(figure))
    return Delivered(rejected, _shorten(partial.get("errorMessage")))


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _read_words(headers: Mapping[str, str], body: bytes) -> str:
    """Return what the collector says of an error; other bodies are pages of something between."""
    content_type = headers.get("content-type", "")
    if content_type.startswith("application/json"):
        return str(_read_object(body).get("message", ""))
    if content_type.startswith("application/x-protobuf"):
        return read_message(body)
    return body.decode("utf-8", "replace") if content_type.startswith("text/plain") else ""


def _find_retry_info(trailers: Mapping[str, str | bytes]) -> bytes | None:
    # By gRPC's custom details travel in a Status; the official Python exporter looks for the other.
    own = trailers.get("google.rpc.retryinfo-bin")
    if isinstance(own, bytes):
        return own
    details = trailers.get("grpc-status-details-bin", b"")
    return find_retry_info(details) if isinstance(details, bytes) else None


def _explain(status: str, words: str) -> str:
    return f"{status}: {shortened}" if (shortened := _shorten(words)) else status


def _shorten(words: Any) -> str:
    """Return one line of at most 200 characters; empty for what is no text."""
    if not isinstance(words, str):
        return ""
    line = " ".join(words[: 4 * MAX_WORDS].split())
    return "".join(c if c.isprintable() else "?" for c in line)[:MAX_WORDS]
