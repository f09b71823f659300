"""What is measured of a fault, and what is required of it.

Pure values and arithmetic. It must not know how a fault is played.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

BYTES_PER_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one play of a fault came to.

    Attributes:
        invocations: how many there were.
        succeeded: how many ended as the function itself wanted.
        records: how many log lines and invocations must be told of, each by its own id.
        missing: ids that are neither at the collector nor in the fallback.
        doubled: how often an id is there once more than it should be.
        unanswered: how many records the collector took and could not say so.
        fallback: how many ids are only in the fallback's lines.
        told: what the extension said on stderr, each message once.
        peak_rss_bytes: the most that the extension's Python had, over all its processes.
        overheads_ms: what extensions added to each invocation during the fault.
    """

    invocations: int
    succeeded: int
    records: int
    missing: frozenset[str]
    doubled: int
    unanswered: int
    fallback: int
    told: tuple[str, ...]
    peak_rss_bytes: int
    overheads_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """Median of what was added, 0 where nothing was measured."""
        return statistics.median(self.overheads_ms) if self.overheads_ms else 0.0

    @property
    def most_ms(self) -> float:
        """Most of what was added."""
        return max(self.overheads_ms, default=0.0)

    def __add__(self, other: Figures) -> Figures:
        """Two plays as one: counts add up, the larger peak stays."""
        return Figures(
            invocations=self.invocations + other.invocations,
            succeeded=self.succeeded + other.succeeded,
            records=self.records + other.records,
            # The same ids come in every life: they are told apart by a mark.
            missing=self.missing | {f"{id_}'" for id_ in other.missing},
            doubled=self.doubled + other.doubled,
            unanswered=self.unanswered + other.unanswered,
            fallback=self.fallback + other.fallback,
            told=tuple(dict.fromkeys(self.told + other.told)),
            peak_rss_bytes=max(self.peak_rss_bytes, other.peak_rss_bytes),
            overheads_ms=self.overheads_ms + other.overheads_ms,
        )


def count(
    expected: Iterable[str], delivered: Counter[str], spilled: Counter[str]
) -> tuple[frozenset[str], int, int]:
    """Compare what must be there with what is.

    Args:
        expected: ids.
        delivered: how often an id is at the collector.
        spilled: how often it is in the fallback.

    Returns ids that are missing, surplus copies, and ids that only the fallback has.
    """
    wanted = set(expected)
    both = delivered + spilled
    doubled = sum(number - 1 for id_, number in both.items() if id_ in wanted)
    return (
        frozenset(wanted - both.keys()),
        doubled,
        len((spilled.keys() - delivered.keys()) & wanted),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """The bounds of a fault.

    Attributes:
        lost: the most records that may be missing; None where nobody can promise any.
        doubled: the most surplus copies, beside those of requests whose answer was lost.
        median_ms: the most that the extension may add, with slack: machines are noisy.
        peak_mib: the most memory of the extension's Python.
        succeeded: whether every invocation must succeed.
    """

    lost: int | None = 0
    doubled: int = 0
    median_ms: float = 600
    peak_mib: float = 96
    succeeded: bool = True

    def find_breaches(self, figures: Figures) -> list[str]:
        """Return what is not as required, a sentence each."""
        breaches = []
        if self.succeeded and figures.succeeded < figures.invocations:
            breaches.append(f"{figures.invocations - figures.succeeded} invocations failed")
        if self.lost is not None and len(figures.missing) > self.lost:
            breaches.append(f"{len(figures.missing)} lost, such as {sorted(figures.missing)[:5]}")
        if figures.doubled > self.doubled + figures.unanswered:
            breaches.append(f"{figures.doubled} doubled, {figures.unanswered} unanswered")
        if figures.median_ms > self.median_ms:
            breaches.append(f"{figures.median_ms:.0f} ms added (median)")
        if figures.peak_rss_bytes > self.peak_mib * BYTES_PER_MIB:
            breaches.append(f"peak of {figures.peak_rss_bytes / BYTES_PER_MIB:.0f} MiB")
        return breaches


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that can be played, in an empty folder.

    Attributes:
        name: as the table says it.
        play: plays it once.
        required: its bounds.
        is_slow: takes more than a few seconds.
        needs_root: cannot be played without.
    """

    name: str
    play: Callable[[Path], Awaitable[Figures]]
    required: Required = field(default_factory=Required)
    is_slow: bool = False
    needs_root: bool = False
