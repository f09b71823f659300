"""Synthetic telemetry as the extension sends it, with the truth that reports must find.

`make_story` plays functions in several versions, memory sizes and architectures over some days:
cold and warm starts, errors, timeouts, lack of memory, reports that come late or never, spans of
the functions' own SDKs, logs, and metrics. The same arguments give the same rows. Names of spans
and attributes are those of logger_extension/signals; nothing is imported from there, or a
misunderstanding would hide in both.
"""

import math
import random
from dataclasses import dataclass, field
from typing import Any

from otlp_viewer import LogRow, MetricRow, SpanRow
from tests.support.telemetry_facts import NANOS_PER_MS, PROFILES, Facts, Profile, draw_sandbox
from tests.support.telemetry_logs import make_logs
from tests.support.telemetry_metrics import make_metrics
from tests.support.telemetry_spans import make_late_spans, make_spans

# 2026-11-23, a Monday.
START_UNIX_NANO = 1_795_392_000 * 10**9
_INVOCATIONS_PER_SANDBOX = 30
_MS_PER_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Story:
    """All rows in about the order of their arrival, and the facts that they tell of."""

    facts: list[Facts] = field(default_factory=list)
    spans: list[SpanRow] = field(default_factory=list)
    logs: list[LogRow] = field(default_factory=list)
    metrics: list[MetricRow] = field(default_factory=list)


def make_story(
    seed: int = 0,
    *,
    functions: int = 3,
    invocations: int = 300,
    days: float = 3.0,
    start_unix_nano: int = START_UNIX_NANO,
) -> Story:
    """Return the telemetry of `invocations`, spread over `functions` and `days`.

    The functions are the first ones of PROFILES (at most all of them); the first is invoked most.
    """
    rng = random.Random(seed)  # noqa: S311 - the same each time is what is asked for
    story = Story()
    for sandbox in _plan_sandboxes(rng, PROFILES[:functions], invocations, days):
        at_unix_nano = start_unix_nano + sandbox.start_ms * NANOS_PER_MS
        version = sandbox.profile.versions[sandbox.version]
        facts = list(draw_sandbox(rng, sandbox.profile, version, at_unix_nano, sandbox.count))
        _tell(rng, facts, story)
    return story


@dataclass(frozen=True, slots=True)
class _Sandbox:
    start_ms: int
    profile: Profile
    version: int
    count: int


def _plan_sandboxes(
    rng: random.Random, profiles: tuple[Profile, ...], invocations: int, days: float
) -> list[_Sandbox]:
    """Return the sandboxes of all functions in order of their start."""
    weights = [1 / rank for rank in range(1, len(profiles) + 1)]
    shares = [int(invocations * weight / sum(weights)) for weight in weights]
    shares[0] += invocations - sum(shares)
    planned = []
    for profile, share in zip(profiles, shares, strict=True):
        sandboxes = max(1, math.ceil(share / _INVOCATIONS_PER_SANDBOX))
        for index in range(sandboxes):
            count = share * (index + 1) // sandboxes - share * index // sandboxes
            begun = (index + rng.random()) / sandboxes
            # Versions follow each other, each for the same time.
            version = int(begun * len(profile.versions))
            start_ms = int(begun * days * _MS_PER_DAY)
            planned.append(_Sandbox(start_ms, profile, version, count))
    return sorted(planned, key=lambda sandbox: sandbox.start_ms)


def _tell(rng: random.Random, all_facts: list[Facts], story: Story) -> None:
    """Add the rows of one sandbox; what a report tells comes with the next invocation."""
    if not all_facts:
        return
    resource = describe_resource(all_facts[0])
    late: list[SpanRow] = []
    for facts in all_facts:
        story.spans.extend(make_spans(rng, facts, resource))
        story.spans.extend(late)
        late = list(make_late_spans(facts, resource))
        story.logs.extend(make_logs(rng, facts, resource))
    story.spans.extend(late)
    story.metrics.extend(make_metrics(rng, all_facts, resource))
    story.facts.extend(all_facts)


def describe_resource(facts: Facts) -> dict[str, Any]:
    """Return the resource of an invocation's sandbox."""
    profile, version = facts.profile, facts.version
    return {
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": profile.region,
        "cloud.account.id": "123456789012",
        "faas.name": profile.name,
        "faas.version": version.number,
        "host.arch": {"x86_64": "amd64", "arm64": "arm64"}[version.architecture],
        "faas.max_memory": version.memory_mb * 1024 * 1024,
        "faas.invoked_provider": "aws",
        "faas.invoked_region": profile.region,
        "telemetry.distro.name": "logger_extension",
        "telemetry.distro.version": "0.9.0",
        "service.name": profile.name,
        "faas.instance": facts.instance,
        "service.instance.id": facts.instance,
        "aws.log.stream.names": [facts.instance],
    }
