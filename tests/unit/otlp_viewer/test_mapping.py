"""Messages to rows, where the SDK's exporters cannot be the oracle."""

from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
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

from otlp_viewer import Buckets, Distribution, Exemplar, SpanLink
from otlp_viewer.mapping import map_attributes, map_logs, map_metrics, map_spans, map_value


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


def test_a_span_keeps_what_it_says_of_others() -> None:
    """Its trace state and links, and the version of its scope."""
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.version = "1.2"
    span = scope_spans.spans.add(trace_state="a=b")
    link = span.links.add(trace_id=b"\xaa" * 16, span_id=b"\xbb" * 8, trace_state="c=d")
    link.attributes.add(key="n").value.int_value = 1
    [row] = map_spans(request)
    assert (row.trace_state, row.scope_version) == ("a=b", "1.2")
    assert row.links == (
        SpanLink(trace_id="aa" * 16, span_id="bb" * 8, trace_state="c=d", attributes={"n": 1}),
    )


def test_a_log_keeps_where_it_comes_from() -> None:
    """Flags, the event's name, schemas, and the scope's version and attributes."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add(schema_url="https://of.resource")
    scope_logs = resource_logs.scope_logs.add(schema_url="https://of.scope")
    scope_logs.scope.version = "3"
    scope_logs.scope.attributes.add(key="k").value.string_value = "v"
    scope_logs.log_records.add(flags=1, event_name="session.start")
    [row] = map_logs(request)
    assert (row.flags, row.event_name, row.scope_version) == (1, "session.start", "3")
    assert row.scope_attributes == {"k": "v"}
    assert (row.resource_schema_url, row.scope_schema_url) == (
        "https://of.resource",
        "https://of.scope",
    )


def test_a_point_keeps_its_buckets_and_exemplars() -> None:
    """Those of an exponential histogram, on both sides of zero."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    point = metric.exponential_histogram.data_points.add(scale=2, zero_count=3, flags=1)
    point.positive.offset = -1
    point.positive.bucket_counts.extend([4, 5])
    exemplar = point.exemplars.add(time_unix_nano=9, as_int=7, trace_id=b"\xaa" * 16)
    exemplar.filtered_attributes.add(key="k").value.bool_value = True
    [row] = map_metrics(request)
    assert isinstance(row.value, Distribution)
    assert (row.value.scale, row.value.zero_count, row.flags) == (2, 3, 1)
    assert (row.value.positive, row.value.negative) == (
        Buckets(offset=-1, counts=(4, 5)),
        Buckets(),
    )
    assert row.exemplars == (
        Exemplar(time_unix_nano=9, value=7, trace_id="aa" * 16, span_id="", attributes={"k": True}),
    )
