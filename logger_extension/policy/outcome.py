"""What became of one export, and what an HTTP answer means for the data.

Owns the specification's rules (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response): which
status may be tried again, which drops the data, what a partial success is. Must not know the
connection nor the queue that the data came from.
"""

from dataclasses import dataclass
from http import HTTPStatus

from google.protobuf.message import DecodeError as ProtobufDecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

# "All other 4xx or 5xx response status codes MUST NOT be retried."
RETRYABLE_STATUS = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The collector has the data, but for `rejected` records that must not be sent again."""

    rejected: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The collector may take the data later: keep it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The collector will never take this data: drop and count it."""

    reason: str


Outcome = Delivered | Undelivered | Refused


def read_answer(signal: str, status: int, body: bytes, location: str = "") -> Outcome:
    """Return what an answer of a collector means.

    Args:
        signal: `logs` or `traces`.
        status: the HTTP status.
        body: the body, a serialized `Export…ServiceResponse` on success; cut by the caller.
        location: the Location header; redirects are not followed, OTLP has none.
    """
    if status in RETRYABLE_STATUS:
        return Undelivered(f"HTTP {status}")
    if status == HTTPStatus.OK:
        return _read_success(signal, body)
    if HTTPStatus.OK < status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered()
    hint = f", redirected to {location[:120]}: set that endpoint" if location else ""
    return Refused(f"HTTP {status}{hint}")


def _read_success(signal: str, body: bytes) -> Delivered:
    try:
        if signal == "logs":
            logs = ExportLogsServiceResponse.FromString(body).partial_success
            return Delivered(logs.rejected_log_records, logs.error_message[:200])
        spans = ExportTraceServiceResponse.FromString(body).partial_success
        return Delivered(spans.rejected_spans, spans.error_message[:200])
    except ProtobufDecodeError:
        # Some collectors answer 200 with text. The status alone says that they have the data.
        return Delivered()
