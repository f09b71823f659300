"""The official OTel exporters as oracle: what the SDK holds is what arrives in the store."""

import asyncio

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    LogRecordExportResult,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, format_span_id, format_trace_id

from otlp_viewer import Collector, Distribution, LogRow, SpanEvent, SpanRow

_RESOURCE = Resource({"service.name": "oracle", "faas.max_memory": 134_217_728})
_COMPRESSIONS = pytest.mark.parametrize(
    "compression", [Compression.Gzip, Compression.NoCompression]
)


@_COMPRESSIONS
async def test_spans_arrive_as_the_sdk_holds_them(compression: Compression) -> None:
    """Ids, times, attributes, events and status of a small trace."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=_RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("scope")
    with tracer.start_as_current_span("parent", kind=SpanKind.SERVER) as parent:
        parent.set_attributes({"text": "ü", "whole": 2**62, "part": 0.1, "yes": True, "many": [1]})
        with tracer.start_as_current_span("child") as child:
            child.add_event("happened", {"how": "so"})
            child.set_status(Status(StatusCode.ERROR, "boom"))
    spans = memory.get_finished_spans()
    async with Collector() as collector:
        exporter = OTLPSpanExporter(f"{collector.endpoint}/v1/traces", compression=compression)
        assert await asyncio.to_thread(exporter.export, spans) is SpanExportResult.SUCCESS
        exporter.shutdown()  # type: ignore[no-untyped-call]  # untyped in the SDK
        assert list(collector.store.spans) == [_span_row(span) for span in spans]
    provider.shutdown()


def _span_row(span: ReadableSpan) -> SpanRow:
    assert span.context is not None
    assert span.instrumentation_scope is not None
    return SpanRow(
        trace_id=format_trace_id(span.context.trace_id),
        span_id=format_span_id(span.context.span_id),
        parent_span_id=format_span_id(span.parent.span_id) if span.parent else "",
        name=span.name,
        kind=span.kind.value + 1,  # the API counts from INTERNAL, OTLP from UNSPECIFIED
        start_unix_nano=span.start_time or 0,
        end_unix_nano=span.end_time or 0,
        attributes=_lists(dict(span.attributes or {})),
        status_code=span.status.status_code.value,
        status_message=span.status.description or "",
        events=tuple(
            SpanEvent(
                name=event.name,
                time_unix_nano=event.timestamp,
                attributes=dict(event.attributes or {}),
            )
            for event in span.events
        ),
        resource=dict(_RESOURCE.attributes),
        scope=span.instrumentation_scope.name,
    )


def _lists(attributes: dict[str, object]) -> dict[str, object]:
    """Turn the tuples, in which the SDK keeps arrays, into lists."""
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in attributes.items()
    }


@_COMPRESSIONS
async def test_logs_arrive_as_the_sdk_holds_them(compression: Compression) -> None:
    """Text and structured bodies, in order."""
    memory = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # untyped in the SDK
    provider = LoggerProvider(resource=_RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    logger = provider.get_logger("scope")
    for body in ("text\n", {"nested": {"list": [1, 2.5, None, b"\x00"]}}, None):
        logger.emit(
            timestamp=1_700_000_000_123_456_789,
            observed_timestamp=1_700_000_000_223_456_789,
            severity_number=SeverityNumber.WARN,
            severity_text="WARNING",
            body=body,
            attributes={"faas.invocation_id": "r"},
        )
    records = memory.get_finished_logs()
    async with Collector() as collector:
        exporter = OTLPLogExporter(f"{collector.endpoint}/v1/logs", compression=compression)
        assert await asyncio.to_thread(exporter.export, records) is LogRecordExportResult.SUCCESS
        exporter.shutdown()  # type: ignore[no-untyped-call]  # untyped in the SDK
        assert list(collector.store.logs) == [
            LogRow(
                time_unix_nano=1_700_000_000_123_456_789,
                observed_time_unix_nano=1_700_000_000_223_456_789,
                severity_number=13,
                severity_text="WARNING",
                body=record.log_record.body,
                attributes={"faas.invocation_id": "r"},
                trace_id="",
                span_id="",
                resource=dict(_RESOURCE.attributes),
                scope="scope",
            )
            for record in records
        ]
        assert len(collector.store.logs) == 3
    provider.shutdown()


@_COMPRESSIONS
async def test_metrics_arrive_as_the_sdk_holds_them(compression: Compression) -> None:
    """A counter, a gauge and a histogram with its buckets."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], _RESOURCE, shutdown_on_exit=False)
    meter = provider.get_meter("scope")
    meter.create_counter("calls", unit="{call}", description="how often").add(3, {"a": "b"})
    meter.create_gauge("level").set(0.5)
    histogram = meter.create_histogram("time", explicit_bucket_boundaries_advisory=[1.0, 2.0])
    for value in (0.5, 1.5, 1.75):
        histogram.record(value)
    data = reader.get_metrics_data()
    assert data is not None
    async with Collector() as collector:
        exporter = OTLPMetricExporter(f"{collector.endpoint}/v1/metrics", compression=compression)
        assert await asyncio.to_thread(exporter.export, data) is MetricExportResult.SUCCESS
        exporter.shutdown()
        counter, gauge, times = collector.store.metrics
    provider.shutdown()
    assert (counter.name, counter.unit, counter.description) == ("calls", "{call}", "how often")
    assert (counter.kind, counter.value, counter.is_monotonic) == ("sum", 3, True)
    assert (counter.temporality, counter.attributes) == (2, {"a": "b"})
    assert (counter.resource, counter.scope) == (dict(_RESOURCE.attributes), "scope")
    assert (gauge.kind, gauge.value, gauge.temporality) == ("gauge", 0.5, 0)
    assert times.value == Distribution(
        count=3,
        sum=3.75,
        min=0.5,
        max=1.75,
        explicit_bounds=(1.0, 2.0),
        bucket_counts=(1, 2, 0),
    )
