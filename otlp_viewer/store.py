"""The store: rows in memory in order of arrival, bounded, with waiting for what is to come.

The only mutable state of the viewer besides the receiver's counters: three rings of rows and the
event that wakes the waiting. For one event loop; not for threads. What had to make room is counted
and shown, never silent.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from otlp_viewer.errors import WaitTimeoutError
from otlp_viewer.invocations import Invocation, find_invocations
from otlp_viewer.rows import LogRow, MetricRow, SpanRow
from otlp_viewer.trace import Trace, build_trace

_RowT = TypeVar("_RowT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What each of the three signals may keep; bytes are those of the decompressed requests."""

    max_rows: int = 100_000
    max_bytes: int = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A number for each signal."""

    logs: int = 0
    spans: int = 0
    metrics: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Rows that came after an earlier look at the store."""

    logs: Sequence[LogRow]
    spans: Sequence[SpanRow]
    metrics: Sequence[MetricRow]


class _Ring(Generic[_RowT]):
    """Rows of one signal, oldest first; a list, because tests index and slice it."""

    def __init__(self, limits: Limits) -> None:
        self.rows: list[_RowT] = []
        self.received = 0
        self._sizes: list[float] = []
        self._bytes = 0.0
        self._limits = limits

    @property
    def evicted(self) -> int:
        return self.received - len(self.rows)

    def extend(self, rows: Sequence[_RowT], size_bytes: int) -> None:
        """Append the rows of one request, each with its share of the request's size."""
        if not rows:
            return
        self.rows.extend(rows)
        self._sizes.extend([size_bytes / len(rows)] * len(rows))
        self._bytes += size_bytes
        self.received += len(rows)
        self._evict()

    def _evict(self) -> None:
        surplus = max(0, len(self.rows) - self._limits.max_rows)
        self._bytes -= sum(self._sizes[:surplus])
        while self._bytes > self._limits.max_bytes and surplus < len(self.rows):
            self._bytes -= self._sizes[surplus]
            surplus += 1
        del self.rows[:surplus], self._sizes[:surplus]

    def last(self, count: int) -> Sequence[_RowT]:
        return self.rows[-count:] if count else ()


class Store:
    """Logs, spans and metrics in order of arrival, with queries over them."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Keep at most `limits` of each signal; the oldest rows make room for new ones."""
        limits = limits or Limits()
        self._logs = _Ring[LogRow](limits)
        self._spans = _Ring[SpanRow](limits)
        self._metrics = _Ring[MetricRow](limits)
        self._changed = asyncio.Event()

    @property
    def logs(self) -> Sequence[LogRow]:
        """Log records in order of arrival."""
        return self._logs.rows

    @property
    def spans(self) -> Sequence[SpanRow]:
        """Spans in order of arrival."""
        return self._spans.rows

    @property
    def metrics(self) -> Sequence[MetricRow]:
        """Metric data points in order of arrival."""
        return self._metrics.rows

    @property
    def received(self) -> Counts:
        """How many rows ever came, the evicted ones included."""
        return Counts(
            logs=self._logs.received,
            spans=self._spans.received,
            metrics=self._metrics.received,
        )

    @property
    def evicted(self) -> Counts:
        """How many rows had to make room for newer ones."""
        return Counts(
            logs=self._logs.evicted, spans=self._spans.evicted, metrics=self._metrics.evicted
        )

    def add_logs(self, rows: Sequence[LogRow], size_bytes: int = 0) -> None:
        """Append the rows of a request of `size_bytes`."""
        self._logs.extend(rows, size_bytes)
        self._wake()

    def add_spans(self, rows: Sequence[SpanRow], size_bytes: int = 0) -> None:
        """Append the rows of a request of `size_bytes`."""
        self._spans.extend(rows, size_bytes)
        self._wake()

    def add_metrics(self, rows: Sequence[MetricRow], size_bytes: int = 0) -> None:
        """Append the rows of a request of `size_bytes`."""
        self._metrics.extend(rows, size_bytes)
        self._wake()

    def since(self, seen: Counts) -> Arrivals:
        """Return what came after `received` had been `seen`, as far as it is still here."""
        now = self.received
        return Arrivals(
            logs=self._logs.last(now.logs - seen.logs),
            spans=self._spans.last(now.spans - seen.spans),
            metrics=self._metrics.last(now.metrics - seen.metrics),
        )

    def invocations(self) -> list[Invocation]:
        """Return the invocations in order of their start."""
        return find_invocations(self.spans)

    def logs_of(self, request_id: str) -> list[LogRow]:
        """Return the log records of an invocation in order of arrival."""
        return [row for row in self.logs if row.attributes.get("faas.invocation_id") == request_id]

    def trace(self, trace_id: str) -> Trace:
        """Return the tree of a trace; one without roots where no span carries the id."""
        return build_trace(trace_id, self.spans)

    async def wait_for(
        self, predicate: Callable[["Store"], bool], *, timeout_s: float | None
    ) -> None:
        """Return as soon as `predicate(store)` holds; it is asked again after each request.

        Raises:
            WaitTimeoutError: it did not hold within `timeout_s` seconds (None: wait for ever).
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not predicate(self):
                    await self._changed.wait()
        except TimeoutError:
            message = f"waited {timeout_s} s in vain; the store holds {self}"
            raise WaitTimeoutError(message) from None

    def __str__(self) -> str:
        """Say how much is here, for messages."""
        return (
            f"{len(self.logs)} logs, {len(self.spans)} spans and {len(self.metrics)} metric points"
        )

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
