"""Settings of traces: which are exported, and when an invocation's span is sent."""

from dataclasses import dataclass
from typing import Self

from logger_extension.environment import Environment
from logger_extension.policy.sampler import SAMPLERS, Sampler, choose_sampler


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesSettings:
    """How spans are chosen and when they go.

    Attributes:
        sampler: decides which traces are exported (`OTEL_TRACES_SAMPLER`, `…_ARG`).
        awaits_report: send an invocation's span when its report has come, with billed duration,
            memory and cost on it, instead of when the handler is done.
    """

    sampler: Sampler
    awaits_report: bool

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read the variables; what cannot be used is a complaint, and its default is taken."""
        timing = env.choice("LOGGER_EXTENSION_SPAN_TIMING", ("runtime_done", "report"))
        name = env.choice("OTEL_TRACES_SAMPLER", tuple(SAMPLERS))
        return cls(sampler=choose_sampler(name, _read_ratio(env)), awaits_report=timing == "report")


def _read_ratio(env: Environment) -> float:
    text = env.text("OTEL_TRACES_SAMPLER_ARG")
    try:
        ratio = float(text or 1.0)
    except ValueError:
        ratio = -1.0
    if 0.0 <= ratio <= 1.0:
        return ratio
    env.complaints.append(f"OTEL_TRACES_SAMPLER_ARG={text[:40]!r} is not from 0 to 1: 1 is used")
    return 1.0
