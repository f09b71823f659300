"""What exporters are given in tests: a target with all at rest, and a request of each signal."""

from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

from logger_extension.settings.export import Target
from logger_extension.signals.otlp_json import REQUESTS

TRACE_ID, SPAN_ID = bytes(range(1, 17)), bytes(range(1, 9))
TIME = 1_795_427_490_250_000_000


def make_target(**fields: Any) -> Target:
    """Return a target for logs over plain http/protobuf, uncompressed, without a time limit."""
    defaults: dict[str, Any] = {
        "signal": "logs",
        "protocol": "http/protobuf",
        "url": "http://127.0.0.1:1/v1/logs",
        "headers": {},
        "compression": "none",
        "timeout_ms": 0,
        "ca_file": "",
        "client_certificate_file": "",
        "client_key_file": "",
        "insecure": True,
    }
    return Target(**defaults | fields)


def make_request(signal: str, text: str) -> Message:
    """Return a request with one record, span or data point that has a text in it."""
    request: Any = REQUESTS[signal]()
    if signal == "logs":
        record = request.resource_logs.add().scope_logs.add().log_records.add()
        record.trace_id, record.span_id = TRACE_ID, SPAN_ID
        record.time_unix_nano = TIME
        record.severity_number = 9
        record.body.string_value = text
    elif signal == "traces":
        span = request.resource_spans.add().scope_spans.add().spans.add()
        span.trace_id, span.span_id = TRACE_ID, SPAN_ID
        span.name = text
        span.kind = 2
        span.start_time_unix_nano = TIME
        span.end_time_unix_nano = TIME + 10**6
    else:
        metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
        metric.name = text
        metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_DELTA
        metric.sum.data_points.add(time_unix_nano=TIME, as_int=17)
    return request  # type: ignore[no-any-return]
