"""Collected metrics to one OTLP request.

Owns the mapping of values to messages
(https://opentelemetry.io/docs/specs/otel/metrics/data-model/). Several collections may go in one
request: the points of a metric then stand together. Must not know what is measured, nor queues.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    NumberDataPoint,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric as MetricMessage

from logger_extension.policy.aggregation import Instrument, Kind, Metric, Point, Temporality
from logger_extension.policy.histogram import ExplicitHistogram, ExponentialHistogram
from logger_extension.signals.resource import SCOPE_NAME, SCOPE_VERSION
from logger_extension.signals.values import set_attributes

TEMPORALITIES: Mapping[Temporality, AggregationTemporality.ValueType] = {
    Temporality.DELTA: AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA,
    Temporality.CUMULATIVE: AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE,
}

# What a metric takes beside its points (name, unit, description), and a point beside its buckets.
METRIC_OVERHEAD_BYTES = 128
POINT_OVERHEAD_BYTES = 96
BUCKET_BYTES = 16


def encode_metrics(resource: Mapping[str, Any], metrics: Iterable[Metric]) -> bytes:
    """Return a serialized `ExportMetricsServiceRequest`, one metric message an instrument."""
    request = ExportMetricsServiceRequest()
    resource_metrics = request.resource_metrics.add()
    set_attributes(resource_metrics.resource.attributes, resource)
    scope_metrics = resource_metrics.scope_metrics.add()
    scope_metrics.scope.name = SCOPE_NAME
    scope_metrics.scope.version = SCOPE_VERSION
    messages: dict[Instrument, MetricMessage] = {}
    for metric in metrics:
        message = messages.get(metric.instrument)
        if message is None:
            message = messages[metric.instrument] = scope_metrics.metrics.add()
            message.name = metric.instrument.name
            message.unit = metric.instrument.unit
            message.description = metric.instrument.description
        for point in metric.points:
            _add(message, metric, point)
    return request.SerializeToString()


def measure_metric(metric: Metric) -> int:
    """Return about how many bytes a metric takes in memory and on the wire."""
    return METRIC_OVERHEAD_BYTES + sum(
        POINT_OVERHEAD_BYTES + BUCKET_BYTES * _count_buckets(point) for point in metric.points
    )


def _count_buckets(point: Point) -> int:
    if isinstance(point.value, ExplicitHistogram | ExponentialHistogram):
        return len(point.value.counts)
    return 0


def _add(message: MetricMessage, metric: Metric, point: Point) -> None:
    temporality = TEMPORALITIES[metric.temporality]
    match point.value:
        case ExplicitHistogram() as histogram:
            message.histogram.aggregation_temporality = temporality
            _fill_explicit(message.histogram.data_points.add(), point, histogram)
        case ExponentialHistogram() as histogram:
            message.exponential_histogram.aggregation_temporality = temporality
            added = message.exponential_histogram.data_points.add()
            _fill_exponential(added, point, histogram)
        case value if metric.instrument.kind is Kind.GAUGE:
            _fill_number(message.gauge.data_points.add(), point, value)
        case value:
            message.sum.aggregation_temporality = temporality
            message.sum.is_monotonic = metric.instrument.kind is Kind.COUNTER
            _fill_number(message.sum.data_points.add(), point, value)


def _fill_number(message: NumberDataPoint, point: Point, value: float) -> None:
    _fill_head(message, point)
    if isinstance(value, int):
        message.as_int = value
    else:
        message.as_double = value


def _fill_explicit(message: HistogramDataPoint, point: Point, value: ExplicitHistogram) -> None:
    _fill_head(message, point)
    _fill_summary(message, value)
    message.bucket_counts.extend(value.counts)
    message.explicit_bounds.extend(value.bounds)


def _fill_exponential(
    message: ExponentialHistogramDataPoint, point: Point, value: ExponentialHistogram
) -> None:
    _fill_head(message, point)
    _fill_summary(message, value)
    message.scale = value.scale
    message.zero_count = value.zero_count
    if value.buckets:
        message.positive.offset = value.offset
        message.positive.bucket_counts.extend(value.counts)


def _fill_head(
    message: NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint, point: Point
) -> None:
    set_attributes(message.attributes, dict(point.attributes))
    message.start_time_unix_nano = point.start_unix_nano
    message.time_unix_nano = point.time_unix_nano


def _fill_summary(
    message: HistogramDataPoint | ExponentialHistogramDataPoint,
    value: ExplicitHistogram | ExponentialHistogram,
) -> None:
    message.count = value.count
    message.sum = value.sum
    message.min = value.min
    message.max = value.max
