"""The metrics of the synthetic telemetry: delta points, some invocations of a sandbox in each."""

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from otlp_viewer import Distribution, MetricRow
from tests.support.telemetry_facts import PICO, TIMEOUT, Facts
from tests.support.telemetry_spans import SCOPE, SCOPE_VERSION

# How many invocations one export holds.
_BATCH = 10
_MIB = 1024 * 1024
_DELTA = 1
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_BYTES = tuple(float(n * _MIB) for n in (16, 32, 64, 128, 256, 512, 768, 1024, 2048, 3072, 4096))
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_COSTS = "aws.lambda.feature.cost"


class _Batch:
    """Makes the points of one export."""

    def __init__(self, facts: Sequence[Facts], resource: Mapping[str, Any], start: int) -> None:
        self.facts = facts
        self._resource = resource
        self._start_unix_nano = start
        self._end_unix_nano = facts[-1].end_unix_nano

    def count(self, name: str, unit: str, value: float, **attributes: Any) -> MetricRow:
        return self._make(name, unit, "sum", value, attributes)

    def level(self, name: str, unit: str, value: float, **attributes: Any) -> MetricRow:
        return self._make(name, unit, "sum", value, attributes, is_monotonic=False)

    def gauge(self, name: str, unit: str, value: float, **attributes: Any) -> MetricRow:
        return self._make(name, unit, "gauge", value, attributes, temporality=0)

    def histogram(
        self, name: str, unit: str, bounds: tuple[float, ...], values: Sequence[float]
    ) -> MetricRow:
        counts = [0] * (len(bounds) + 1)
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        distribution = Distribution(
            count=len(values),
            sum=sum(values),
            min=min(values),
            max=max(values),
            explicit_bounds=bounds,
            bucket_counts=tuple(counts),
        )
        return self._make(name, unit, "histogram", distribution, {})

    def _make(  # noqa: PLR0913
        self,
        name: str,
        unit: str,
        kind: str,
        value: float | Distribution,
        attributes: Mapping[str, Any],
        *,
        temporality: int = _DELTA,
        is_monotonic: bool | None = None,
    ) -> MetricRow:
        # Names of attributes have dots, those of parameters have none.
        named = {key.replace("__", "."): each for key, each in attributes.items()}
        return MetricRow(
            name=name,
            description="",
            unit=unit,
            kind=kind,
            value=value,
            temporality=temporality,
            is_monotonic=kind == "sum" if is_monotonic is None else is_monotonic,
            start_unix_nano=self._start_unix_nano,
            time_unix_nano=self._end_unix_nano,
            attributes=named,
            resource=self._resource,
            scope=SCOPE,
            scope_version=SCOPE_VERSION,
        )


def make_metrics(
    rng: random.Random, facts: Sequence[Facts], resource: Mapping[str, Any]
) -> Iterator[MetricRow]:
    """Yield the points of a sandbox, in order of their time."""
    start_unix_nano = facts[0].start_unix_nano
    for begin in range(0, len(facts), _BATCH):
        batch = _Batch(facts[begin : begin + _BATCH], resource, start_unix_nano)
        yield from _tell_invocations(rng, batch)
        yield from _tell_costs(batch)
        yield from _tell_itself(rng, batch, is_first=begin == 0)
        start_unix_nano = batch.facts[-1].end_unix_nano


def _tell_invocations(rng: random.Random, batch: _Batch) -> Iterator[MetricRow]:
    facts = batch.facts
    timeouts = sum(each.error_type == TIMEOUT for each in facts)
    errors = sum(bool(each.error_type) for each in facts) - timeouts
    counts = {
        ("faas.invocations", "{invocation}"): len(facts) - errors - timeouts,
        ("faas.errors", "{error}"): errors,
        ("faas.timeouts", "{timeout}"): timeouts,
        ("faas.coldstarts", "{coldstart}"): sum(each.is_cold_start for each in facts),
    }
    for (name, unit), value in counts.items():
        if value:
            yield batch.count(name, unit, value)
    durations_s = [each.runtime_ms / 1000 for each in facts]
    yield batch.histogram("faas.invoke_duration", "s", _SECONDS, durations_s)
    inits_s = [each.init_ms / 1000 for each in facts if each.is_cold_start]
    if inits_s:
        yield batch.histogram("faas.init_duration", "s", _SECONDS, inits_s)
    cpu_s = [each * rng.uniform(0.2, 0.7) for each in durations_s]
    yield batch.histogram("faas.cpu_usage", "s", _SECONDS, cpu_s)
    for mode, share in (("user", 0.8), ("system", 0.2)):
        yield batch.count("system.cpu.time", "s", sum(cpu_s) * share, cpu__mode=mode)
        yield batch.gauge("system.cpu.utilization", "1", share / 2, cpu__mode=mode)
    reported = [each for each in facts if each.billed_ms is not None]
    if reported:
        used = [float(each.max_memory_used_mb * _MIB) for each in reported]
        shares = [each.max_memory_used_mb / each.version.memory_mb for each in reported]
        billed_s = [(each.billed_ms or 0) / 1000 for each in reported]
        extension_s = [each.extension_ms / 1000 for each in reported]
        yield batch.histogram("faas.mem_usage", "By", _BYTES, used)
        yield batch.histogram("aws.lambda.memory.utilization", "1", _SHARES, shares)
        yield batch.histogram("aws.lambda.billed_duration", "s", _SECONDS, billed_s)
        yield batch.histogram("aws.lambda.extension.overhead", "s", _SECONDS, extension_s)


def _tell_costs(batch: _Batch) -> Iterator[MetricRow]:
    """Costs by part and, where the function's SDK names features, by feature."""
    priced = [each for each in batch.facts if each.pico_usd]
    if not priced:
        return
    for index, part in enumerate(("handler", "init", "extension")):
        pico = sum(each.pico_usd[index] for each in priced)
        yield batch.count("aws.lambda.cost", "{USD}", pico / PICO, aws__lambda__cost__part=part)
    by_feature: Counter[str] = Counter()
    for each in priced:
        for feature, pico in divide_by_feature(each).items():
            by_feature[feature] += pico
    for feature, pico in by_feature.items():
        yield batch.count(_COSTS, "{USD}", pico / PICO, feature=feature)


def divide_by_feature(facts: Facts) -> dict[str, int]:
    """Return an invocation's cost in picodollars by feature; {} where no SDK names any."""
    if not facts.feature or not facts.pico_usd:
        return {}
    total = sum(facts.pico_usd)
    of_feature = facts.pico_usd[0] * 88 // 100
    return {facts.feature: of_feature, "(unattributed)": total - of_feature}


def _tell_itself(rng: random.Random, batch: _Batch, *, is_first: bool) -> Iterator[MetricRow]:
    """What the extension tells of itself (docs/self-telemetry.md)."""
    invocations = len(batch.facts)
    yield batch.count("otel.sdk.exporter.log.exported", "{log_record}", 2 * invocations)
    yield batch.count("otel.sdk.exporter.span.exported", "{span}", 7 * invocations)
    yield batch.count("otel.sdk.exporter.metric_data_point.exported", "{data_point}", 30)
    took_s = [rng.uniform(0.002, 0.09) for _ in range(3)]
    yield batch.histogram("otel.sdk.exporter.operation.duration", "s", _SECONDS, took_s)
    for signal, unit in (("log", "{log_record}"), ("span", "{span}")):
        waiting = rng.randrange(20)
        yield batch.level(f"otel.sdk.processor.{signal}.queue.size", unit, waiting)
        yield batch.level(f"otel.sdk.processor.{signal}.queue.capacity", unit, 4096)
    beside = invocations // 2
    decisions = {
        ("beside", "spare_cpu"): beside,
        ("end", "rare_invocations"): 1,
        ("later", "young"): invocations - beside - 1,
    }
    for (decision, reason), count in decisions.items():
        if count > 0:
            attributes = {"decision": decision, "reason": reason}
            yield batch.count("logger_extension.flush.decisions", "{decision}", count, **attributes)
    if rng.random() < 0.1:
        yield batch.count("logger_extension.retries", "{try}", 1, signal="logs")
        yield batch.count("logger_extension.fallback", "{item}", 12, signal="logs")
    if rng.random() < 0.05:
        lost = {"signal": "spans", "reason": "queue_full"}
        yield batch.count("logger_extension.dropped", "{item}", rng.randint(1, 9), **lost)
    yield batch.histogram("logger_extension.flush.duration", "s", _SECONDS, took_s)
    yield batch.count("logger_extension.cpu.time", "s", 0.004 * invocations)
    yield batch.level("logger_extension.memory.usage", "By", 41 * _MIB)
    if is_first:
        for phase, duration_s in (("subscribed", 0.031), ("imported", 0.142)):
            yield batch.gauge("logger_extension.startup.duration", "s", duration_s, phase=phase)
