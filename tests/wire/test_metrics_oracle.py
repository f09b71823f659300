"""The OpenTelemetry SDK's meters and encoder as oracle: the same measurements, the same points.

The SDK reads the clock itself, so the tests hold its clock still and move it between collections.
Levels are the SDK's observable instruments: reported when they were measured, and only then.

Where the SDK and we differ on purpose, the comparison says so: a cumulative point of the SDK starts
with the window that its attributes were first seen in, ours when the sandbox did; the SDK writes
empty exponential buckets after the last one that counts, we do not.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import (
    encode_metrics as sdk_encode_metrics,
)
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric as MetricMessage
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableUpDownCounter
from opentelemetry.sdk.metrics._internal import (
    _view_instrument_match,
    instrument,
    metric_reader_storage,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
)
from opentelemetry.sdk.resources import Resource

from logger_extension import __version__
from logger_extension.policy.aggregation import (
    Aggregator,
    Attributes,
    Instrument,
    Kind,
    Temporality,
)
from logger_extension.signals.metric_encoding import encode_metrics
from tests.support.laws import LAW

RESOURCE: dict[str, str | int] = {"service.name": "shop", "faas.max_memory": 134_217_728}
T0 = 1_795_427_494_000_000_000
WINDOW_NS = 60_000_000_000

COUNTER = Instrument("a.counter", Kind.COUNTER, "{thing}", "Things")
AMOUNT = Instrument("b.amount", Kind.COUNTER, "s", "Time")
LEVEL = Instrument("c.level", Kind.UP_DOWN_COUNTER, "By", "Level")
GAUGE = Instrument("d.gauge", Kind.GAUGE, "1", "Share")
DURATION = Instrument("e.duration", Kind.HISTOGRAM, "s", "Durations", (0.25, 1.0, 2.5))
INSTRUMENTS = (COUNTER, AMOUNT, LEVEL, GAUGE, DURATION)
ATTRIBUTES: tuple[Attributes, ...] = ((), (("k", "a"),), (("k", "a"), ("l", "b")), (("k", "c"),))

Measurement = tuple[Instrument, float, Attributes]

# Sums of these are exact in any order; the SDK adds up in another one than we do.
exact_floats = st.integers(0, 2**20).map(lambda n: n / 1024)


def _measurements(instrument: Instrument) -> st.SearchStrategy[Measurement]:
    values: st.SearchStrategy[float] = exact_floats
    if instrument in (COUNTER, LEVEL):
        values = st.integers(0, 2**40)
    return st.tuples(st.just(instrument), values, st.sampled_from(ATTRIBUTES))


windows = st.lists(
    st.lists(st.sampled_from(INSTRUMENTS).flatmap(_measurements), min_size=1, max_size=12),
    min_size=1,
    max_size=4,
)
positive_windows = st.lists(
    st.lists(
        st.tuples(
            st.just(DURATION),
            exact_floats.filter(lambda value: value > 0),
            st.sampled_from(ATTRIBUTES),
        ),
        min_size=1,
        max_size=40,
    ),
    min_size=1,
    max_size=4,
)


class SdkMeter:
    """The SDK's meter provider with one reader and a clock that stands still."""

    def __init__(
        self, patch: pytest.MonkeyPatch, temporality: Temporality, aggregation: Any
    ) -> None:
        self.now_unix_nano = T0
        for module in (_view_instrument_match, metric_reader_storage, instrument):
            patch.setattr(module, "time_ns", lambda: self.now_unix_nano, raising=False)
        preferred = AggregationTemporality(temporality)
        self._reader = InMemoryMetricReader(
            preferred_temporality={
                Counter: preferred,
                Histogram: preferred,
                ObservableUpDownCounter: AggregationTemporality.CUMULATIVE,
            },
            preferred_aggregation={Histogram: aggregation},
        )
        provider = MeterProvider([self._reader], Resource(RESOURCE), shutdown_on_exit=False)
        meter = provider.get_meter("logger_extension", __version__)
        self._levels: dict[Instrument, dict[Attributes, float]] = {LEVEL: {}, GAUGE: {}}
        described = {each: (each.name, each.unit, each.description) for each in INSTRUMENTS}
        self._counters = {
            each: meter.create_counter(*described[each]) for each in (COUNTER, AMOUNT)
        }
        self._duration = meter.create_histogram(
            *described[DURATION], explicit_bucket_boundaries_advisory=DURATION.bounds
        )
        for each, create in (
            (LEVEL, meter.create_observable_up_down_counter),
            (GAUGE, meter.create_observable_gauge),
        ):
            create(
                each.name,
                callbacks=[self._observe(each)],
                unit=each.unit,
                description=each.description,
            )

    def record(self, instrument: Instrument, value: float, attributes: Attributes) -> None:
        """Take one measurement."""
        if instrument in self._counters:
            self._counters[instrument].add(value, dict(attributes))
        elif instrument is DURATION:
            self._duration.record(value, dict(attributes))
        else:
            self._levels[instrument][attributes] = value

    def collect(self, now_unix_nano: int) -> ExportMetricsServiceRequest:
        """Return what the SDK would send now."""
        self.now_unix_nano = now_unix_nano
        data = self._reader.get_metrics_data()
        assert data is not None
        for levels in self._levels.values():
            levels.clear()
        return sdk_encode_metrics(data)

    def _observe(
        self, instrument: Instrument
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        levels = self._levels[instrument]
        return lambda _: [Observation(value, dict(key)) for key, value in levels.items()]


def _by_name(request: ExportMetricsServiceRequest) -> Mapping[str, MetricMessage]:
    """Return the metrics by name, their points in the order of their attributes."""
    [scope] = request.resource_metrics[0].scope_metrics
    for metric in scope.metrics:
        data = getattr(metric, metric.WhichOneof("data") or "")
        points = sorted(data.data_points, key=lambda point: str(point.attributes))
        for point in points:
            _level_differences(point, getattr(data, "aggregation_temporality", None))
        del data.data_points[:]
        data.data_points.extend(points)
    return {metric.name: metric for metric in scope.metrics}


def _level_differences(point: Any, temporality: int | None) -> None:
    """Take away what differs on purpose (see the head of this module)."""
    if temporality == Temporality.CUMULATIVE:
        assert point.start_time_unix_nano >= T0
        point.start_time_unix_nano = T0
    for side in ("positive", "negative"):
        if hasattr(point, side):
            counts = getattr(point, side).bucket_counts
            while counts and not counts[-1]:
                counts.pop()
            if not counts:
                point.ClearField(side)


def _compare(
    temporality: Temporality, aggregation: Any, all_windows: list[list[Measurement]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        theirs = SdkMeter(patch, temporality, aggregation)
        ours = Aggregator(
            start_unix_nano=T0,
            temporality=temporality,
            is_exponential=isinstance(aggregation, ExponentialBucketHistogramAggregation),
            cardinality_limit=2_000,
        )
        for number, measurements in enumerate(all_windows, 1):
            for measurement in measurements:
                theirs.record(*measurement)
                ours.record(*measurement)
            now_unix_nano = T0 + number * WINDOW_NS
            expected = theirs.collect(now_unix_nano)
            body = encode_metrics(RESOURCE, ours.collect(now_unix_nano))
            request = ExportMetricsServiceRequest.FromString(body)
            assert _by_name(request) == _by_name(expected)
            for each in (request, expected):
                del each.resource_metrics[0].scope_metrics[0].metrics[:]
            assert request == expected


@LAW
@given(all_windows=windows)
@pytest.mark.parametrize("temporality", list(Temporality))
def test_explicit_buckets(temporality: Temporality, all_windows: list[list[Measurement]]) -> None:
    """Counters, levels, gauges and explicit histograms over several collections."""
    _compare(temporality, ExplicitBucketHistogramAggregation(DURATION.bounds), all_windows)


@LAW
@given(all_windows=positive_windows)
def test_exponential_buckets_over_all_time(all_windows: list[list[Measurement]]) -> None:
    """Cumulative exponential histograms over several collections."""
    _compare(Temporality.CUMULATIVE, ExponentialBucketHistogramAggregation(), all_windows)


@LAW
@given(window=st.lists(_measurements(DURATION), min_size=1, max_size=60))
@pytest.mark.parametrize("temporality", list(Temporality))
def test_exponential_buckets_in_one_window(
    temporality: Temporality, window: list[Measurement]
) -> None:
    """Zeros too. One window: the SDK keeps a coarse scale for later ones, we begin anew."""
    _compare(temporality, ExponentialBucketHistogramAggregation(), [window])
