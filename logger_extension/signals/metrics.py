"""What is known of invocations to metrics.

State: the aggregator, the end of what it holds, when it was last collected, and what was lost so
far. Owns which figure goes into which metric. A value that Lambda did not tell is in no metric.
Must not know when a flush is due, nor queues.

Points end where the last invocation in them ended, not when they are collected: a frozen sandbox
collects minutes later.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from math import inf

from logger_extension.events import NANOS_PER_MS
from logger_extension.policy.aggregation import Aggregator, Attributes, Instrument, Metric
from logger_extension.policy.cost import Cost, Unpriced
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.usage import Levels, Usage
from logger_extension.settings.metrics import MetricsSettings
from logger_extension.signals import metric_instruments as of
from logger_extension.signals.cost import split_usd

MS_PER_S = 1_000
TMP = "/tmp"  # noqa: S108  (a name, not a file)  # nosec B108

# Statuses of an invocation that are not errors.
COUNTED_AS: Mapping[str, Instrument] = {"success": of.INVOCATIONS, "timeout": of.TIMEOUTS}

# A loss that is not one yet: what still waits in a queue.
WAITING = "undelivered"


class InvocationMetrics:
    """The metrics of a sandbox.

    Args:
        settings: how they are added up.
        start_unix_nano: when the sandbox was started, as far as known.
    """

    def __init__(self, settings: MetricsSettings, *, start_unix_nano: int) -> None:
        self._aggregator = Aggregator(
            start_unix_nano=start_unix_nano,
            temporality=settings.temporality,
            is_exponential=settings.is_exponential,
            cardinality_limit=settings.cardinality_limit,
        )
        self._interval_ns = settings.export_interval_ms * NANOS_PER_MS
        self._collected_unix_nano = start_unix_nano
        self._latest_unix_nano = start_unix_nano
        self._closed: list[Metric] = []
        self._lost: Counter[str] = Counter()
        self._observers: list[Callable[[], None]] = []

    def observe_with(self, observe: Callable[[], None]) -> None:
        """Call a function whenever metrics are due: it records levels as they are then."""
        self._observers.append(observe)

    def observe(
        self, facts: InvocationFacts, cost: Cost | Unpriced | None, usage: Usage | None
    ) -> None:
        """Take one invocation that is over, once.

        Args:
            facts: what Lambda told of it.
            cost: what it cost; nothing is counted without a figure.
            usage: what the sandbox used meanwhile, None where it was not measured or where several
                invocations ran at once.
        """
        self._count(facts)
        for instrument, value in _measure(facts):
            if value is not None and 0 <= value < inf:
                self._aggregator.record(instrument, value)
        if isinstance(cost, Cost):
            for part, usd in split_usd(cost).items():
                self._aggregator.record(of.COST, usd, (("aws.lambda.cost.part", part),))
        if usage is not None:
            self._observe_usage(usage)
        self._latest_unix_nano = max(self._latest_unix_nano, facts.end_unix_nano)
        if not self._interval_ns:
            self._close()

    def record(self, instrument: Instrument, value: float, attributes: Attributes = ()) -> None:
        """Take a measurement of another's metric, before `observe` of the same invocation."""
        self._aggregator.record(instrument, value, attributes)

    def observe_failed_init(self, status: str, time_unix_nano: int) -> None:
        """Count an init that failed, by the status of `platform.initReport`."""
        self._aggregator.record(of.TIMEOUTS if status == "timeout" else of.ERRORS, 1)
        self._latest_unix_nano = max(self._latest_unix_nano, time_unix_nano)

    def observe_logs_dropped(self, records: int, time_unix_nano: int) -> None:
        """Count what `platform.logsDropped` tells."""
        self._aggregator.record(of.LOGS_DROPPED, records)
        self._latest_unix_nano = max(self._latest_unix_nano, time_unix_nano)

    def observe_losses(self, totals: Mapping[str, int], time_unix_nano: int) -> None:
        """Count what this extension has lost since the last call.

        Args:
            totals: losses since the start, by `signal.reason`; what is only waiting is skipped.
            time_unix_nano: now.
        """
        increase = Counter(totals) - self._lost
        for name, count in increase.items():
            signal, _, reason = name.partition(".")
            if reason == WAITING:
                continue
            self._lost[name] += count
            attributes = (("reason", reason), ("signal", signal))
            self._aggregator.record(of.DROPPED, count, attributes)
            self._latest_unix_nano = max(self._latest_unix_nano, time_unix_nano)

    def collect(self, now_unix_nano: int, *, is_last: bool = False) -> list[Metric]:
        """Return what is due for export; none before the interval is over, unless it is the end."""
        if is_last or now_unix_nano - self._collected_unix_nano >= self._interval_ns:
            self._collected_unix_nano = now_unix_nano
            for observe in self._observers:
                observe()
            self._close()
        collected, self._closed = self._closed, []
        return collected

    def _close(self) -> None:
        self._closed += self._aggregator.collect(self._latest_unix_nano)

    def _count(self, facts: InvocationFacts) -> None:
        self._aggregator.record(COUNTED_AS.get(facts.status, of.ERRORS), 1)
        if facts.is_cold_start:
            self._aggregator.record(of.COLD_STARTS, 1)

    def _observe_usage(self, usage: Usage) -> None:
        record = self._aggregator.record
        if cpu := usage.cpu:
            by_mode = {"system": cpu.system_s, "user": cpu.user_s}
            busy_s = sum(by_mode.values())
            record(of.CPU_USAGE, busy_s)
            all_s = busy_s + max(0.0, cpu.other_s)
            for mode, seconds in by_mode.items():
                record(of.CPU_TIME, seconds, (("cpu.mode", mode),))
                if all_s:
                    record(of.CPU_UTILIZATION, seconds / all_s, (("cpu.mode", mode),))
        if network := usage.network:
            record(of.NETWORK_IO, network.received + network.sent)
            for direction, count in (("receive", network.received), ("transmit", network.sent)):
                record(of.NETWORK_BYTES, count, (("network.io.direction", direction),))
        self._observe_levels(usage.levels)

    def _observe_levels(self, levels: Levels) -> None:
        mount = ("system.filesystem.mountpoint", TMP)
        state = ("system.filesystem.state", "used")
        for instrument, level, attributes in (
            (of.STORAGE_USAGE, levels.tmp_used_bytes, (mount, state)),
            (of.STORAGE_LIMIT, levels.tmp_limit_bytes, (mount,)),
            (of.DESCRIPTORS, levels.descriptors, ()),
            (of.THREADS, levels.threads, ()),
        ):
            if level is not None:
                self._aggregator.record(instrument, level, attributes)


def _measure(facts: InvocationFacts) -> tuple[tuple[Instrument, float | None], ...]:
    """Return the distributions that an invocation belongs to, with its value or None."""
    used_mb, size_mb = facts.max_memory_used_mb, facts.memory_size_mb
    # Managed Instances have no runtimeDone: the report's duration is the runtime's there.
    invoke_ms = facts.runtime_duration_ms
    if invoke_ms is None:
        invoke_ms = facts.duration_ms
    init_ms = facts.init_duration_ms
    if init_ms is None:
        init_ms = facts.restore_duration_ms
    return (
        (of.INVOKE_DURATION, _seconds(invoke_ms)),
        (of.INIT_DURATION, _seconds(init_ms)),
        # Lambda's MB are MiB: 128 MB of memory are 134,217,728 bytes.
        (of.MEMORY_USAGE, None if used_mb is None else used_mb * of.MIB),
        (of.MEMORY_UTILIZATION, used_mb / size_mb if used_mb is not None and size_mb else None),
        (of.BILLED_DURATION, _seconds(facts.billed_duration_ms)),
        (of.EXTENSION_OVERHEAD, _seconds(facts.extension_overhead_ms)),
        (of.RESPONSE_SIZE, facts.produced_bytes),
    )


def _seconds(duration_ms: float | None) -> float | None:
    return None if duration_ms is None else duration_ms / MS_PER_S
