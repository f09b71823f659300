"""How an interval's time divides among spans: each span's self time.

A span's self time is when it is active and none of its children is. What several spans spend at the
same time is shared between them equally, so the self times of all spans and the time that none
covers add up to the interval. Must not know money, features, nor where spans come from.
"""

from collections.abc import Sequence
from typing import NamedTuple


class TimedSpan(NamedTuple):
    """The time of one span, in nanoseconds since the epoch.

    Attributes:
        parent_span_id: empty for a root; may name a span that is not known.
        feature: what the span says it works for, None when it says nothing.
    """

    span_id: bytes
    parent_span_id: bytes
    start_unix_nano: int
    end_unix_nano: int
    feature: str | None = None


def find_parents(spans: Sequence[TimedSpan]) -> list[int | None]:
    """Return for each span the position of its parent, None when that is not among them."""
    positions = {span.span_id: position for position, span in enumerate(spans)}
    parents = [positions.get(span.parent_span_id) for span in spans]
    # A span that calls itself its parent is a root.
    return [None if parent == position else parent for position, parent in enumerate(parents)]


def measure_self_times(
    spans: Sequence[TimedSpan], start_unix_nano: int, end_unix_nano: int
) -> list[float]:
    """Return each span's self time within the interval, in nanoseconds, in the spans' order.

    One sweep over starts and ends, O(n log n). Whatever the ids claim (unknown parents, circles,
    the same id twice), the sum never exceeds the interval.
    """
    sweep = _Sweep(find_parents(spans))
    events: list[tuple[int, bool, int]] = []
    for position, span in enumerate(spans):
        start = max(span.start_unix_nano, start_unix_nano)
        end = min(span.end_unix_nano, end_unix_nano)
        if start < end:
            # At the same instant ends come before starts: False sorts before True.
            events += ((start, True, position), (end, False, position))
    now = start_unix_nano
    for time, is_start, position in sorted(events):
        sweep.pass_time(time - now)
        now = time
        if is_start:
            sweep.start(position)
        else:
            sweep.end(position)
    return sweep.self_times


class _Sweep:
    """State: which spans are active, and how much each has been given.

    `_given` is what a span has got that was self-active all along; so a span's own part is the
    difference between leaving and entering, and no instant costs more than the spans it concerns.
    """

    def __init__(self, parents: Sequence[int | None]) -> None:
        self._parents = parents
        self._active = [False] * len(parents)
        self._active_children = [0] * len(parents)
        self._given_at_entry = [0.0] * len(parents)
        self._given = 0.0
        self._sharing = 0
        self.self_times = [0.0] * len(parents)

    def pass_time(self, nanos: int) -> None:
        if self._sharing:
            self._given += nanos / self._sharing

    def start(self, position: int) -> None:
        self._active[position] = True
        if not self._active_children[position]:
            self._enter(position)
        parent = self._parents[position]
        if parent is not None:
            self._active_children[parent] += 1
            if self._active[parent] and self._active_children[parent] == 1:
                self._leave(parent)

    def end(self, position: int) -> None:
        self._active[position] = False
        if not self._active_children[position]:
            self._leave(position)
        parent = self._parents[position]
        if parent is not None:
            self._active_children[parent] -= 1
            if self._active[parent] and not self._active_children[parent]:
                self._enter(parent)

    def _enter(self, position: int) -> None:
        self._sharing += 1
        self._given_at_entry[position] = self._given

    def _leave(self, position: int) -> None:
        self._sharing -= 1
        self.self_times[position] += self._given - self._given_at_entry[position]
