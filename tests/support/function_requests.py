"""Requests as the function's own SDK sends them, and how the SDKs' ids look."""

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

START_UNIX_NANO = 1_795_427_494_000_000_000
SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
LOCAL, REMOTE = 0x101, 0x301
SDK_TRACE = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
ROOT = bytes.fromhex("b7ad6b7169203331")


def make_span(span_id: bytes = ROOT, *, trace_id: bytes = SDK_TRACE, **fields: Any) -> Span:
    """Return a span of 10 ms; attributes as a mapping of texts."""
    attributes = fields.pop("attributes", {})
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        start_time_unix_nano=fields.pop("start", START_UNIX_NANO),
        end_time_unix_nano=fields.pop("end", START_UNIX_NANO + 10_000_000),
        **fields,
    )
    for key, value in attributes.items():
        span.attributes.add(key=key, value={"string_value": value})
    return span


def make_traces(*spans: Span, **resource: str) -> bytes:
    """Return a serialized request with these spans; resource names with `_` for `.`."""
    request = ExportTraceServiceRequest()
    entry = request.resource_spans.add()
    for key, value in resource.items():
        entry.resource.attributes.add(key=key.replace("_", "."), value={"string_value": value})
    entry.scope_spans.add(spans=spans).scope.name = "sdk"
    return request.SerializeToString()


def make_logs(*trace_ids: bytes) -> bytes:
    """Return a serialized request with a record of each trace."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for trace_id in trace_ids:
        records.add(trace_id=trace_id, span_id=ROOT, body={"string_value": "hello"})
    return request.SerializeToString()


def make_metrics(*trace_ids: bytes) -> bytes:
    """Return a serialized request: a sum and a histogram with an exemplar of each trace."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    total = metrics.add(name="total").sum.data_points.add(as_int=1)
    spread = metrics.add(name="spread").histogram.data_points.add(count=1)
    metrics.add(name="summary").summary.data_points.add(count=1)
    metrics.add(name="empty")
    for trace_id in trace_ids:
        total.exemplars.add(trace_id=trace_id)
        spread.exemplars.add(trace_id=trace_id)
    return request.SerializeToString()


MAKERS = {"logs": make_logs, "metrics": make_metrics}


def make_request(signal: str) -> bytes:
    """Return a small valid request of a signal: one span, one record, or three points."""
    return make_traces(make_span()) if signal == "traces" else MAKERS[signal](SDK_TRACE)
