"""Messages to rows, where the SDK's exporters cannot be the oracle."""

from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Summary,
    SummaryDataPoint,
)

from otlp_viewer import Distribution
from otlp_viewer.mapping import map_attributes, map_logs, map_metrics, map_value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (AnyValue(), None),
        (AnyValue(string_value=""), ""),
        (AnyValue(bool_value=False), False),
        (AnyValue(int_value=-1), -1),
        (AnyValue(double_value=0.5), 0.5),
        (AnyValue(bytes_value=b"\xff"), b"\xff"),
        (AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue()])), [1, None]),
        (
            AnyValue(
                kvlist_value=KeyValueList(
                    values=[KeyValue(key="a", value=AnyValue(string_value="b"))]
                )
            ),
            {"a": "b"},
        ),
    ],
)
def test_each_kind_of_value_maps_to_its_python_one(value: AnyValue, expected: object) -> None:
    """A value of zero length or false is not the same as none."""
    mapped = map_value(value)
    assert mapped == expected
    assert type(mapped) is type(expected)


def test_of_a_key_that_comes_twice_the_last_value_stays() -> None:
    """Against the specification, but it does come."""
    pairs = [KeyValue(key="a", value=AnyValue(int_value=n)) for n in (1, 2)]
    assert map_attributes(pairs) == {"a": 2}


def test_empty_envelopes_have_no_rows() -> None:
    """A request without records is legal."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add()
    assert map_logs(request) == []


def _points(**metric: Any) -> list[object]:
    scope = ScopeMetrics(metrics=[Metric(name="m", **metric)])
    resource = ResourceMetrics(scope_metrics=[scope])
    rows = map_metrics(ExportMetricsServiceRequest(resource_metrics=[resource]))
    return [row.value for row in rows]


def test_points_without_buckets_keep_their_count_and_sum() -> None:
    """Exponential histograms and summaries; a sum of None was not sent."""
    point = ExponentialHistogramDataPoint(count=2, sum=3.0, min=1.0, max=2.0)
    assert _points(exponential_histogram=ExponentialHistogram(data_points=[point])) == [
        Distribution(count=2, sum=3.0, min=1.0, max=2.0)
    ]
    bare = ExponentialHistogramDataPoint(count=2)
    assert _points(exponential_histogram=ExponentialHistogram(data_points=[bare])) == [
        Distribution(count=2, sum=None, min=None, max=None)
    ]
    summary = Summary(data_points=[SummaryDataPoint(count=4, sum=5.0)])
    assert _points(summary=summary) == [Distribution(count=4, sum=5.0, min=None, max=None)]


def test_a_point_may_have_no_value_and_a_metric_no_points() -> None:
    """The no-recorded-value flag, and a metric whose kind is newer than we are."""
    assert _points(gauge=Gauge(data_points=[NumberDataPoint(flags=1)])) == [None]
    assert _points() == []
