"""Collected metrics as one request; the messages themselves are compared with the SDK's."""

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from logger_extension import __version__
from logger_extension.policy.aggregation import Aggregator, Instrument, Kind, Metric, Temporality
from logger_extension.signals.metric_encoding import encode_metrics, measure_metric

COUNTER = Instrument("counter", Kind.COUNTER, "{thing}", "Things")
HISTOGRAM = Instrument("histogram", Kind.HISTOGRAM, "s", "Durations", (0.1, 0.5, 1.0))


def _collections(*, is_exponential: bool = False) -> list[Metric]:
    """Return the metrics of two collections."""
    aggregator = Aggregator(
        start_unix_nano=100,
        temporality=Temporality.DELTA,
        is_exponential=is_exponential,
        cardinality_limit=10,
    )
    collected: list[Metric] = []
    for time in (200, 300):
        for value in range(40):
            aggregator.record(COUNTER, time, (("reason", "a longer reason than most"),))
            aggregator.record(HISTOGRAM, value / 10)
        collected += aggregator.collect(time)
    return collected


def test_several_collections_are_one_request() -> None:
    """A metric is there once, with the points of all collections in order."""
    request = ExportMetricsServiceRequest.FromString(encode_metrics({"a": "b"}, _collections()))
    [resource_metrics] = request.resource_metrics
    assert resource_metrics.resource.attributes[0].key == "a"
    [scope_metrics] = resource_metrics.scope_metrics
    assert scope_metrics.scope.name == "logger_extension"
    assert scope_metrics.scope.version == __version__
    counter, histogram = scope_metrics.metrics
    assert (counter.name, counter.unit, counter.description) == ("counter", "{thing}", "Things")
    assert [point.as_int for point in counter.sum.data_points] == [40 * 200, 40 * 300]
    assert [point.time_unix_nano for point in histogram.histogram.data_points] == [200, 300]


@pytest.mark.parametrize("is_exponential", [False, True])
def test_the_size_of_a_metric_is_never_too_small(*, is_exponential: bool) -> None:
    """What the queue counts is at least what goes over the wire, and not many times as much."""
    metrics = _collections(is_exponential=is_exponential)
    estimate = sum(measure_metric(metric) for metric in metrics)
    assert len(encode_metrics({}, metrics)) <= estimate <= 8 * len(encode_metrics({}, metrics))
