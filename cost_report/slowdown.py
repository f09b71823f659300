"""How much longer a handler takes with another memory size. Pure.

Lambda gives CPU by memory, one vCPU at 1,769 MB
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). The model: what a handler
computes takes as much longer as it has less CPU, the rest of its time (waiting for others) stays.
Owns that model and its assumptions. Must not know costs.
"""

from dataclasses import dataclass

from cost_report.values import Interval
from cost_report.wording import say_percent

MB_PER_VCPU = 1769

# Measured CPU time is that of the whole sandbox, ours included, and a mean: the share of the time
# that the handler computes may be that much less or more.
SHARE_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Slowdown:
    """What the handler's time is multiplied by, and the sentences that it rests on."""

    factor: Interval
    assumptions: tuple[str, ...]


def model_slowdown(now_mb: int, then_mb: int, cpu_s: float | None, duration_s: float) -> Slowdown:
    """Return how much longer a handler takes; below 1 is shorter.

    Args:
        now_mb: the present memory size.
        then_mb: the other one.
        cpu_s: CPU seconds of an invocation, None where they are not known.
        duration_s: how long it takes.
    """
    used = cpu_s / duration_s if cpu_s is not None and duration_s > 0 else None
    # One thread uses one vCPU at most; more only where more was seen.
    most = max(1.0, used or 0.0)
    now_vcpus = min(now_mb / MB_PER_VCPU, most)
    change = now_vcpus / min(then_mb / MB_PER_VCPU, most)
    shares, told = _find_shares(used, now_vcpus)
    factors = [1 - share + share * change for share in shares]
    return Slowdown(
        Interval(factors[0], min(factors), max(factors)),
        (
            told,
            (
                f"computing is as fast as the memory's share of a vCPU ({MB_PER_VCPU:,} MB are 1),"
                f" up to {most:.2g}; all else takes as long as now"
            ),
        ),
    )


def _find_shares(used: float | None, vcpus: float) -> tuple[tuple[float, float, float], str]:
    """Return the share of its time that a handler computes, the least and the most, and why."""
    if used is None:
        return (0.5, 0.0, 1.0), (
            "how much of its time the handler computes is not measured: the range is for nothing to"
            " all of it, the figure for half"
        )
    share = min(used / vcpus, 1.0)
    return (share, max(share - SHARE_MARGIN, 0.0), min(share + SHARE_MARGIN, 1.0)), (
        f"the handler computes {say_percent(share)} of its time, by CPU time of the whole sandbox;"
        f" the range is for {say_percent(SHARE_MARGIN)} of the time less or more"
    )
