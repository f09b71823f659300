"""What is known of invocations as metrics."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.environment import Environment
from logger_extension.policy.aggregation import Attributes, Instrument, Kind, Metric, Temporality
from logger_extension.policy.cost import Cost, Missing, Unpriced
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.histogram import ExplicitHistogram
from logger_extension.policy.usage import CpuTimes, Levels, NetworkBytes, Usage
from logger_extension.settings.metrics import MetricsSettings
from logger_extension.signals import metric_instruments
from logger_extension.signals.metrics import InvocationMetrics
from tests.support.laws import LAW

T0 = 1_795_427_494_000_000_000
MS = 1_000_000
MINUTE = 60_000 * MS
MIB = 1024 * 1024

# Name, unit and bounds as telemetryapireceiver of opentelemetry-lambda sends them.
RECEIVER = {
    "faas.coldstarts": ("{coldstart}", 0),
    "faas.errors": ("{error}", 0),
    "faas.invocations": ("{invocation}", 0),
    "faas.timeouts": ("{timeout}", 0),
    "faas.init_duration": ("s", 14),
    "faas.invoke_duration": ("s", 14),
    "faas.mem_usage": ("By", 13),
}


def _metrics(**variables: str) -> InvocationMetrics:
    settings = MetricsSettings.read(Environment(variables))
    return InvocationMetrics(settings, start_unix_nano=T0)


def _facts(**known: Any) -> InvocationFacts:
    """Return a cold start of 128 MB, as Lambda tells of one."""
    return InvocationFacts(
        **{
            "request_id": "r",
            "end_unix_nano": T0 + 2_000 * MS,
            "status": "success",
            "is_cold_start": True,
            "is_reported": True,
            "duration_ms": 17.5,
            "runtime_duration_ms": 17.0,
            "billed_duration_ms": 253,
            "memory_size_mb": 128,
            "max_memory_used_mb": 75,
            "init_duration_ms": 235.25,
            "produced_bytes": 50,
            "extension_overhead_ms": 0.5,
            **known,
        }
    )


def _read(metrics: list[Metric]) -> dict[str, dict[Attributes, Any]]:
    """Return each metric's values by attributes; of a histogram its sum."""
    return {
        metric.instrument.name: {
            point.attributes: (
                point.value.sum if isinstance(point.value, ExplicitHistogram) else point.value
            )
            for point in metric.points
        }
        for metric in metrics
    }


def _collect(metrics: InvocationMetrics) -> dict[str, dict[Attributes, Any]]:
    return _read(metrics.collect(T0 + MINUTE))


def test_a_cold_start() -> None:
    """All that Lambda told of it, in the units of the conventions."""
    metrics = _metrics()
    metrics.observe(_facts(), None, None)
    assert _collect(metrics) == {
        "faas.invocations": {(): 1},
        "faas.coldstarts": {(): 1},
        "faas.invoke_duration": {(): 0.017},
        "faas.init_duration": {(): 0.23525},
        "faas.mem_usage": {(): 75 * MIB},
        "aws.lambda.memory.utilization": {(): 75 / 128},
        "aws.lambda.billed_duration": {(): 0.253},
        "aws.lambda.extension.overhead": {(): 0.0005},
        "aws.lambda.response.size": {(): 50},
    }


@pytest.mark.parametrize(
    ("status", "counted"),
    [
        ("success", "faas.invocations"),
        ("error", "faas.errors"),
        ("failure", "faas.errors"),
        ("timeout", "faas.timeouts"),
        ("", "faas.errors"),
    ],
)
def test_each_invocation_is_counted_once(status: str, counted: str) -> None:
    """As success, error or timeout; `faas.invocations` are the successful ones only."""
    metrics = _metrics()
    metrics.observe(InvocationFacts(request_id="r", status=status), None, None)
    assert _collect(metrics) == {counted: {(): 1}}


def test_managed_instances() -> None:
    """Only a duration is known there: it is the runtime's, and there is no billed one."""
    metrics = _metrics()
    facts = InvocationFacts(request_id="r", status="success", is_reported=True, duration_ms=51.25)
    metrics.observe(facts, Unpriced(Missing.MANAGED_INSTANCES, ""), None)
    assert _collect(metrics) == {
        "faas.invocations": {(): 1},
        "faas.invoke_duration": {(): 0.05125},
    }


def test_a_restore_is_an_init() -> None:
    """SnapStart tells of a restore in its place."""
    metrics = _metrics()
    metrics.observe(_facts(init_duration_ms=None, restore_duration_ms=70.0), None, None)
    assert _collect(metrics)["faas.init_duration"] == {(): 0.07}


def test_a_failed_init() -> None:
    """Counts as an error or a timeout of its own."""
    metrics = _metrics()
    metrics.observe_failed_init("error", T0 + MS)
    metrics.observe_failed_init("timeout", T0 + MS)
    assert _collect(metrics) == {"faas.errors": {(): 1}, "faas.timeouts": {(): 1}}


def test_cost_by_part() -> None:
    """The parts add up to the whole; without a figure there is no metric."""
    metrics = _metrics()
    metrics.observe(_facts(), Cost(200_000, 50_000, 1_500), None)
    metrics.observe(_facts(), Unpriced(Missing.PRICE, ""), None)
    assert _collect(metrics)["aws.lambda.cost"] == {
        (("aws.lambda.cost.part", "handler"),): 2e-7,
        (("aws.lambda.cost.part", "init"),): 5e-8,
        (("aws.lambda.cost.part", "extension"),): 1.5e-9,
    }


def test_usage() -> None:
    """The sandbox's CPU, network, storage, descriptors and threads."""
    metrics = _metrics()
    usage = Usage(CpuTimes(0.5, 0.25, 0.25), NetworkBytes(100, 20), Levels(7, 512, 40, 9))
    metrics.observe(_facts(), None, usage)
    told = _collect(metrics)
    mount = ("system.filesystem.mountpoint", "/tmp")  # noqa: S108  (a name, not a file)
    assert told["faas.cpu_usage"] == {(): 0.75}
    assert told["faas.net_io"] == {(): 120}
    assert told["system.cpu.time"] == {
        (("cpu.mode", "system"),): 0.25,
        (("cpu.mode", "user"),): 0.5,
    }
    assert told["system.cpu.utilization"] == told["system.cpu.time"]
    assert told["system.network.io"] == {
        (("network.io.direction", "receive"),): 100,
        (("network.io.direction", "transmit"),): 20,
    }
    assert told["system.filesystem.usage"] == {(mount, ("system.filesystem.state", "used")): 7}
    assert told["system.filesystem.limit"] == {(mount,): 512}
    assert told["process.unix.file_descriptor.count"] == {(): 40}
    assert told["process.thread.count"] == {(): 9}


def test_usage_that_could_not_be_read() -> None:
    """Is in no metric; nor is a share of no time at all."""
    metrics = _metrics()
    metrics.observe(_facts(), None, Usage(None, None, Levels()))
    metrics.observe(_facts(), None, Usage(CpuTimes(0.0, 0.0, 0.0), None, Levels()))
    names = _collect(metrics).keys()
    assert {name for name in names if name.startswith(("system.", "process."))} == {
        "system.cpu.time"
    }


def test_losses_are_counted_once() -> None:
    """Totals come in, increases go out; what only waits is not lost."""
    metrics = _metrics()
    totals = {"logs.queue_full": 3, "telemetry.bad_body": 1, "traces.undelivered": 9}
    metrics.observe_losses(totals, T0 + MS)
    metrics.observe_losses({**totals, "logs.queue_full": 5}, T0 + MS)
    metrics.observe_logs_dropped(12, T0 + MS)
    assert _collect(metrics) == {
        "logger_extension.dropped": {
            (("reason", "queue_full"), ("signal", "logs")): 5,
            (("reason", "bad_body"), ("signal", "telemetry")): 1,
        },
        "aws.lambda.logs.dropped": {(): 12},
    }
    metrics.observe_losses({**totals, "logs.queue_full": 5}, T0 + MS)
    assert metrics.collect(T0 + 2 * MINUTE) == []


def test_invocations_are_added_up_until_the_interval_is_over() -> None:
    """One point for all of them, not before a minute, and at the end in any case."""
    metrics = _metrics()
    for number in range(5):
        metrics.observe(_facts(end_unix_nano=T0 + number * MS), None, None)
        assert metrics.collect(T0 + number * MS) == []
    assert _read(metrics.collect(T0 + MINUTE))["faas.invocations"] == {(): 5}
    metrics.observe(_facts(end_unix_nano=T0 + MINUTE + 5 * MS), None, None)
    assert metrics.collect(T0 + MINUTE + 9 * MS) == []
    last = metrics.collect(T0 + MINUTE + 10 * MS, is_last=True)
    assert _read(last)["faas.invocations"] == {(): 1}
    assert metrics.collect(T0 + MINUTE + 10 * MS, is_last=True) == []


def test_a_point_for_each_invocation_if_asked_for() -> None:
    """With an interval of 0, each has its own, though they are collected together."""
    metrics = _metrics(OTEL_METRIC_EXPORT_INTERVAL="0")
    for number in (1, 2):
        metrics.observe(_facts(end_unix_nano=T0 + number * MS), None, None)
    points = [
        point
        for metric in metrics.collect(T0 + 5 * MS)
        if metric.instrument is metric_instruments.INVOCATIONS
        for point in metric.points
    ]
    assert [(point.start_unix_nano, point.time_unix_nano) for point in points] == [
        (T0, T0 + MS),
        (T0 + MS, T0 + 2 * MS),
    ]


def test_a_metric_of_another() -> None:
    """What is recorded before an invocation is observed belongs to its point."""
    feature = Instrument("feature", Kind.COUNTER, "{USD}", "Cost of a feature")
    metrics = _metrics(OTEL_METRIC_EXPORT_INTERVAL="0")
    for number in (1, 2):
        metrics.record(feature, 0.5, (("feature", "pay"),))
        metrics.observe(_facts(end_unix_nano=T0 + number * MS), None, None)
    assert [
        (metric.points[0].time_unix_nano, metric.points[0].value)
        for metric in metrics.collect(T0 + 9 * MS)
        if metric.instrument is feature
    ] == [(T0 + MS, 0.5), (T0 + 2 * MS, 0.5)]


def test_levels_are_read_when_they_are_due() -> None:
    """Not before: reading them costs. Each observer once a collection, also for the last one."""
    level = Instrument("level", Kind.UP_DOWN_COUNTER, "{item}", "What is there now")
    metrics = _metrics()
    readings = iter(range(10))
    metrics.observe_with(lambda: metrics.record(level, next(readings)))
    metrics.observe_with(lambda: metrics.record(level, next(readings), (("other", "yes"),)))
    metrics.observe(_facts(end_unix_nano=T0 + MS), None, None)
    assert metrics.collect(T0 + MINUTE - 1) == []
    assert _collect(metrics)["level"] == {(): 0, (("other", "yes"),): 1}
    assert metrics.collect(T0 + MINUTE + 1) == []
    last = _read(metrics.collect(T0 + MINUTE + 2, is_last=True))
    assert last["level"] == {(): 2, (("other", "yes"),): 3}


def test_points_end_with_the_last_invocation_in_them() -> None:
    """The sandbox was frozen for an hour: the report came with the thaw, its time is its own."""
    metrics = _metrics()
    metrics.observe(_facts(end_unix_nano=T0 + 7 * MS), None, None)
    for metric in metrics.collect(T0 + 60 * MINUTE):
        assert [point.time_unix_nano for point in metric.points] == [T0 + 7 * MS]


def test_temporality_is_the_user_s() -> None:
    """Cumulative if asked for: a second collection tells all since the start."""
    metrics = _metrics(OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="cumulative")
    for number in (1, 2):
        metrics.observe(_facts(), None, None)
        collected = metrics.collect(T0 + number * MINUTE)
        assert _read(collected)["faas.invocations"] == {(): number}
        assert {metric.temporality for metric in collected} == {Temporality.CUMULATIVE}


def test_the_receiver_s_names_units_and_buckets() -> None:
    """Dashboards that were made for telemetryapireceiver find what they ask for."""
    metrics = _metrics()
    for status in ("success", "error", "timeout"):
        metrics.observe(_facts(status=status), None, None)
    sent = {metric.instrument.name: metric for metric in metrics.collect(T0 + MINUTE)}
    for name, (unit, bounds) in RECEIVER.items():
        assert sent[name].instrument.unit == unit
        assert len(sent[name].instrument.bounds) == bounds
        assert [point.attributes for point in sent[name].points] == [()]
    assert metric_instruments.MEMORY_BYTES[0] == 16 * MIB
    assert metric_instruments.MEMORY_BYTES[-1] == 8 * 1024 * MIB


some_number = st.none() | st.floats() | st.integers(-(2**63), 2**64 - 1)


@LAW
@given(
    figures=st.fixed_dictionaries(
        dict.fromkeys(
            (
                "duration_ms",
                "runtime_duration_ms",
                "billed_duration_ms",
                "memory_size_mb",
                "max_memory_used_mb",
                "init_duration_ms",
                "produced_bytes",
                "extension_overhead_ms",
            ),
            some_number,
        )
    ),
    is_exponential=st.booleans(),
)
def test_any_figures(figures: dict[str, Any], *, is_exponential: bool) -> None:
    """Whatever stands in a report, observing it raises nothing and counts the invocation."""
    aggregation = "base2_exponential_bucket_histogram" if is_exponential else ""
    metrics = _metrics(OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=aggregation)
    metrics.observe(_facts(**figures), None, None)
    assert _collect(metrics)["faas.invocations"] == {(): 1}
