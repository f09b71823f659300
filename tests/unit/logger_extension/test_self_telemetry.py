"""What the extension tells of itself: measurements as they come, and levels when they are due."""

from collections.abc import Sequence
from typing import Any

import pytest

from logger_extension.channel import Channel
from logger_extension.delivery import Window
from logger_extension.environment import Environment
from logger_extension.policy.aggregation import Attributes, Instrument
from logger_extension.policy.flush import Action, Decision, Reason
from logger_extension.policy.outcome import Delivered, Outcome, Refused
from logger_extension.policy.queue import Queue
from logger_extension.process_usage import OwnUsage
from logger_extension.route import Limits, Route
from logger_extension.self_telemetry import SelfTelemetry
from logger_extension.settings.metrics import MetricsSettings
from logger_extension.signals import metric_instruments as of
from logger_extension.signals.metrics import InvocationMetrics

T0 = 1_795_427_494_000_000_000
MINUTE = 60_000_000_000
Measurement = tuple[str, float, Attributes]


class Sender:
    """A collector that answers always the same."""

    is_slow = False
    is_away = False

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def measure_patience_s(self, _budget_s: float) -> float:
        """Return how much longer it may be silent: it is not."""
        return float("inf")

    def give_up_silent(self, _budget_s: float) -> None:
        """Do nothing: it is never silent."""

    async def send(self, _body: bytes, _window: Window) -> Outcome:
        """Answer."""
        return self._outcome


class Fallback:
    """Takes everything but so many records of each request."""

    def __init__(self, unwritten: int = 0) -> None:
        self._unwritten = unwritten

    async def write(self, _signal: str, _body: bytes) -> int:
        """Take a request."""
        return self._unwritten


class Scene:
    """Self-telemetry whose measurements are kept, and a process whose usage is told.

    Attributes:
        measured: name, value and attributes of each measurement.
        usage: what this process uses.
    """

    def __init__(self, **start_up_s: float) -> None:
        self.measured: list[Measurement] = []
        self.usage = OwnUsage(0.0, 0)
        self.itself = SelfTelemetry(self._record, lambda: self.usage, start_up_s)

    def _record(self, instrument: Instrument, value: float, attributes: Attributes = ()) -> None:
        self.measured.append((instrument.name, value, attributes))

    def observe(self) -> list[Measurement]:
        """Return what one observation measures, by name."""
        self.measured.clear()
        self.itself.observe()
        return sorted(self.measured)


def _make_channel(outcome: Outcome, fallback: Fallback | None) -> Channel[bytes]:
    return Channel(
        "logs",
        Queue[bytes](1_000, 50),
        Route(signal="logs", encode=b"".join, sender=Sender(outcome), fallback=fallback),
        Limits(1_000, 50),
        lambda _message, _reason: None,
        lambda _items: None,
    )


def test_events_are_measured_as_they_come() -> None:
    """Each with the attributes that say what it was."""
    scene = Scene()
    scene.itself.count_exported("logs", 17)
    scene.itself.note_decision(Decision(Action.LATER, Reason.COLLECTOR_AWAY))
    scene.itself.note_flush(0.25)
    scene.itself.note_added(0.03)
    reporting = scene.itself.report_on("traces")
    reporting.took(0.02, "")
    reporting.took(0.1, "timeout")
    reporting.retried()
    component: Attributes = (("otel.component.type", "traces_exporter"),)
    assert scene.measured == [
        ("otel.sdk.exporter.log.exported", 17, ()),
        (
            "logger_extension.flush.decisions",
            1,
            (("decision", "later"), ("reason", "collector_away")),
        ),
        ("logger_extension.flush.duration", 0.25, ()),
        ("logger_extension.added_time", 0.03, ()),
        ("otel.sdk.exporter.operation.duration", 0.02, component),
        ("otel.sdk.exporter.operation.duration", 0.1, (("error.type", "timeout"), *component)),
        ("logger_extension.retries", 1, (("signal", "traces"),)),
    ]


@pytest.mark.parametrize("signal", ["logs", "traces", "metrics"])
def test_what_is_exported_is_counted_by_signal(signal: str) -> None:
    """In the unit of the signal, under the conventions' name."""
    scene = Scene()
    scene.itself.count_exported(signal, 3)
    assert scene.measured == [(of.EXPORTED[signal].name, 3, ())]


def test_levels_are_read_when_they_are_due() -> None:
    """CPU time is what was used since the last time, memory what is used now."""
    scene = Scene()
    scene.usage = OwnUsage(1.5, 40_000_000)
    assert scene.observe() == [
        ("logger_extension.cpu.time", 1.5, ()),
        ("logger_extension.memory.usage", 40_000_000, ()),
    ]
    scene.usage = OwnUsage(1.75, 41_000_000)
    assert scene.observe() == [
        ("logger_extension.cpu.time", 0.25, ()),
        ("logger_extension.memory.usage", 41_000_000, ()),
    ]


def test_a_memory_that_is_not_known_is_not_told() -> None:
    """Outside of Linux there is no /proc; a counter never goes back."""
    scene = Scene()
    scene.usage = OwnUsage(2.0, 0)
    scene.observe()
    scene.usage = OwnUsage(1.0, 0)
    assert scene.observe() == [("logger_extension.cpu.time", 0.0, ())]


def test_how_long_the_start_took_is_told_once() -> None:
    """By phase."""
    scene = Scene(bootstrap=0.03, imports=0.2)
    started = [each for each in scene.observe() if each[0] == "logger_extension.startup.duration"]
    assert started == [
        ("logger_extension.startup.duration", 0.03, (("phase", "bootstrap"),)),
        ("logger_extension.startup.duration", 0.2, (("phase", "imports"),)),
    ]
    assert "logger_extension.startup.duration" not in [name for name, _, _ in scene.observe()]


@pytest.mark.parametrize(
    ("signal", "name"), [("logs", "log"), ("traces", "span")], ids=["logs", "traces"]
)
def test_a_queue_has_a_size_and_a_capacity(signal: str, name: str) -> None:
    """Under the conventions' names."""
    scene = Scene()
    channel = _make_channel(Delivered(), None)
    channel.put(b"1", 10)
    channel.put(b"2", 10)
    scene.itself.watch(signal, channel)
    observed = scene.observe()
    assert (f"otel.sdk.processor.{name}.queue.size", 2, ()) in observed
    assert (f"otel.sdk.processor.{name}.queue.capacity", 50, ()) in observed


async def test_what_the_fallback_took_is_counted_once() -> None:
    """And only what it could write."""
    scene = Scene()
    channel = _make_channel(Refused("no"), Fallback(unwritten=1))
    scene.itself.watch("logs", channel)
    for item in (b"1", b"2", b"3"):
        channel.put(item, 10)
    await channel.flush(Window(float("inf")))
    taken: Measurement = ("logger_extension.fallback", 2, (("signal", "logs"),))
    assert taken in scene.observe()
    assert "logger_extension.fallback" not in [name for name, _, _ in scene.observe()]


def test_metrics_have_no_queue_of_their_own_to_tell_of() -> None:
    """The conventions know none, and it is emptied with each collection."""
    scene = Scene()
    scene.itself.watch("metrics", _make_channel(Delivered(), None))
    assert scene.observe() == [("logger_extension.cpu.time", 0.0, ())]


def test_however_much_happens_few_series_come_of_it() -> None:
    """What is told of ourselves costs a bounded number of data points, whatever goes on."""
    metrics = InvocationMetrics(MetricsSettings.read(Environment({})), start_unix_nano=T0)
    itself = SelfTelemetry(metrics.record, lambda: OwnUsage(1.0, 1), {"imports": 0.2})
    metrics.observe_with(itself.observe)
    for _ in range(20):
        for signal in ("logs", "traces", "metrics"):
            itself.watch(signal, _make_channel(Delivered(), None))
            itself.count_exported(signal, 1)
            reporting = itself.report_on(signal)
            for kind in ("", "timeout", "Undelivered", "Refused", "TooLarge"):
                reporting.took(0.1, kind)
            reporting.retried()
        for action in Action:
            for reason in Reason:
                itself.note_decision(Decision(action, reason))
    collected = metrics.collect(T0 + MINUTE)
    assert sum(len(metric.points) for metric in collected) < 100
    assert all(_is_sorted(point.attributes) for metric in collected for point in metric.points)


def _is_sorted(attributes: Sequence[Any]) -> bool:
    return list(attributes) == sorted(attributes)
