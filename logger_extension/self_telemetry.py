"""What the extension tells of itself: metrics, bounded in number, read only when they are due.

State: what was counted up to the last collection. Counters are added to where things happen, levels
are read when metrics are collected. Must not know OTLP, nor how anything is sent.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from logger_extension.channel import Channel
from logger_extension.delivery import Reporting
from logger_extension.policy.aggregation import Attributes, Instrument
from logger_extension.policy.flush import Decision
from logger_extension.process_usage import OwnUsage
from logger_extension.signals import metric_instruments as of


class Record(Protocol):
    """Takes a measurement."""

    def __call__(
        self, instrument: Instrument, value: float, attributes: Attributes = (), /
    ) -> None:
        """Add one value to an instrument."""


class SelfTelemetry:
    """Watches the parts of the extension.

    Args:
        record: takes a measurement.
        read_usage: reads CPU time and memory of this process.
        start_up_s: seconds from the start of the interpreter to the end of each phase.
    """

    def __init__(
        self,
        record: Record,
        read_usage: Callable[[], OwnUsage],
        start_up_s: Mapping[str, float],
    ) -> None:
        self._record = record
        self._read_usage = read_usage
        self._start_up_s = dict(start_up_s)
        self._cpu_s = 0.0
        self._written: dict[str, int] = {}
        self._channels: dict[str, Channel[Any]] = {}

    def watch(self, signal: str, channel: Channel[Any]) -> None:
        """Read a channel's levels from now on."""
        self._channels[signal] = channel

    def report_on(self, signal: str) -> Reporting:
        """Return where a delivery of this signal tells of its tries."""
        attributes = (("otel.component.type", f"{signal}_exporter"),)

        def took(duration_s: float, error_type: str) -> None:
            failed = (("error.type", error_type),) if error_type else ()
            self._record(of.EXPORT_DURATION, duration_s, failed + attributes)

        return Reporting(took, lambda: self._record(of.RETRIES, 1, (("signal", signal),)))

    def count_exported(self, signal: str, count: int) -> None:
        """Count what a collector took."""
        self._record(of.EXPORTED[signal], count)

    def note_decision(self, decision: Decision) -> None:
        """Count a decision, with its reason."""
        attributes = (("decision", decision.action.value), ("reason", decision.reason.value))
        self._record(of.FLUSH_DECISIONS, 1, attributes)

    def note_flush(self, duration_s: float) -> None:
        """Take the duration of a flush."""
        self._record(of.FLUSH_DURATION, duration_s)

    def note_added(self, duration_s: float) -> None:
        """Take the time that an invocation lasted for our sake after its handler."""
        self._record(of.ADDED_TIME, duration_s)

    def observe(self) -> None:
        """Record the levels of now."""
        for signal, channel in self._channels.items():
            self._observe_channel(signal, channel)
        usage = self._read_usage()
        self._record(of.OWN_CPU, max(0.0, usage.cpu_s - self._cpu_s))
        self._cpu_s = usage.cpu_s
        if usage.resident_bytes:
            self._record(of.OWN_MEMORY, usage.resident_bytes)
        while self._start_up_s:
            phase, duration_s = self._start_up_s.popitem()
            self._record(of.START_UP, duration_s, (("phase", phase),))

    def _observe_channel(self, signal: str, channel: Channel[Any]) -> None:
        if signal in of.QUEUE_SIZE:
            self._record(of.QUEUE_SIZE[signal], len(channel))
            self._record(of.QUEUE_CAPACITY[signal], channel.capacity)
        if increase := channel.written - self._written.get(signal, 0):
            self._record(of.FALLBACK, increase, (("signal", signal),))
            self._written[signal] = channel.written
