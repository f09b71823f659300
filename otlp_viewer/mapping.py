"""Export requests to rows: pure mapping, in the order of the message.

Must not refuse anything: a well-formed message always maps, whatever its values, because a viewer
that hides what is odd hides what one looks for.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otlp_viewer.rows import (
    Buckets,
    Distribution,
    Exemplar,
    LogRow,
    MetricRow,
    SpanEvent,
    SpanLink,
    SpanRow,
)


def map_logs(request: ExportLogsServiceRequest) -> list[LogRow]:
    """Return one row for each log record."""
    return [
        LogRow(
            time_unix_nano=record.time_unix_nano,
            observed_time_unix_nano=record.observed_time_unix_nano,
            severity_number=record.severity_number,
            severity_text=record.severity_text,
            body=map_value(record.body),
            attributes=map_attributes(record.attributes),
            trace_id=record.trace_id.hex(),
            span_id=record.span_id.hex(),
            resource=resource,
            scope=scope_logs.scope.name,
            flags=record.flags,
            event_name=record.event_name,
            scope_version=scope_logs.scope.version,
            scope_attributes=scope_attributes,
            resource_schema_url=resource_logs.schema_url,
            scope_schema_url=scope_logs.schema_url,
        )
        for resource_logs in request.resource_logs
        for resource in (map_attributes(resource_logs.resource.attributes),)
        for scope_logs in resource_logs.scope_logs
        for scope_attributes in (map_attributes(scope_logs.scope.attributes),)
        for record in scope_logs.log_records
    ]


def map_spans(request: ExportTraceServiceRequest) -> list[SpanRow]:
    """Return one row for each span."""
    return [
        SpanRow(
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_span_id=span.parent_span_id.hex(),
            name=span.name,
            kind=span.kind,
            start_unix_nano=span.start_time_unix_nano,
            end_unix_nano=span.end_time_unix_nano,
            attributes=map_attributes(span.attributes),
            status_code=span.status.code,
            status_message=span.status.message,
            events=tuple(map(_map_event, span.events)),
            resource=resource,
            scope=scope_spans.scope.name,
            trace_state=span.trace_state,
            links=tuple(map(_map_link, span.links)),
            scope_version=scope_spans.scope.version,
        )
        for resource_spans in request.resource_spans
        for resource in (map_attributes(resource_spans.resource.attributes),)
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


def map_metrics(request: ExportMetricsServiceRequest) -> list[MetricRow]:
    """Return one row for each data point."""
    return [
        row
        for resource_metrics in request.resource_metrics
        for resource in (map_attributes(resource_metrics.resource.attributes),)
        for scope_metrics in resource_metrics.scope_metrics
        for source in (_map_source(resource_metrics, resource, scope_metrics),)
        for metric in scope_metrics.metrics
        for row in _map_points(metric, source)
    ]


def map_attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Return attributes as a dict; of a key that comes twice the last value stays."""
    return {pair.key: map_value(pair.value) for pair in pairs}


def map_value(value: AnyValue) -> Any:
    """Return str, bool, int, float, bytes, list, dict, or None for a value that is not set."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [map_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return map_attributes(value.kvlist_value.values)
        case name:
            return getattr(value, name)


def _map_event(event: Span.Event) -> SpanEvent:
    return SpanEvent(
        name=event.name,
        time_unix_nano=event.time_unix_nano,
        attributes=map_attributes(event.attributes),
    )


def _map_link(link: Span.Link) -> SpanLink:
    return SpanLink(
        trace_id=link.trace_id.hex(),
        span_id=link.span_id.hex(),
        trace_state=link.trace_state,
        attributes=map_attributes(link.attributes),
    )


def _map_source(
    of_resource: ResourceMetrics, resource: Mapping[str, Any], of_scope: ScopeMetrics
) -> dict[str, Any]:
    """Return what all points of a scope have in common, by the names of the row's fields."""
    return {
        "resource": resource,
        "resource_schema_url": of_resource.schema_url,
        "scope": of_scope.scope.name,
        "scope_version": of_scope.scope.version,
        "scope_attributes": map_attributes(of_scope.scope.attributes),
        "scope_schema_url": of_scope.schema_url,
    }


def _map_points(metric: Metric, source: Mapping[str, Any]) -> Iterator[MetricRow]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    for point in data.data_points:
        yield MetricRow(
            name=metric.name,
            description=metric.description,
            unit=metric.unit,
            kind=kind,
            value=_map_point_value(kind, point),
            temporality=getattr(data, "aggregation_temporality", 0),
            is_monotonic=getattr(data, "is_monotonic", False),
            start_unix_nano=point.start_time_unix_nano,
            time_unix_nano=point.time_unix_nano,
            attributes=map_attributes(point.attributes),
            flags=point.flags,
            exemplars=tuple(map(_map_exemplar, getattr(point, "exemplars", ()))),
            **source,
        )


def _map_exemplar(exemplar: Any) -> Exemplar:
    return Exemplar(
        time_unix_nano=exemplar.time_unix_nano,
        value=_number(exemplar),
        trace_id=exemplar.trace_id.hex(),
        span_id=exemplar.span_id.hex(),
        attributes=map_attributes(exemplar.filtered_attributes),
    )


def _map_point_value(kind: str, point: Any) -> float | Distribution | None:
    if kind in {"gauge", "sum"}:
        return _number(point)
    if kind == "summary":
        return Distribution(
            count=point.count,
            sum=point.sum,
            min=None,
            max=None,
            quantiles=tuple((each.quantile, each.value) for each in point.quantile_values),
        )
    total = {
        "count": point.count,
        "sum": point.sum if point.HasField("sum") else None,
        "min": point.min if point.HasField("min") else None,
        "max": point.max if point.HasField("max") else None,
    }
    if kind == "histogram":
        return Distribution(
            explicit_bounds=tuple(point.explicit_bounds),
            bucket_counts=tuple(point.bucket_counts),
            **total,
        )
    return Distribution(
        scale=point.scale,
        zero_count=point.zero_count,
        positive=_map_buckets(point.positive),
        negative=_map_buckets(point.negative),
        **total,
    )


def _map_buckets(buckets: Any) -> Buckets:
    return Buckets(offset=buckets.offset, counts=tuple(buckets.bucket_counts))


def _number(point: Any) -> float | None:
    name = point.WhichOneof("value")
    return None if name is None else getattr(point, name)
