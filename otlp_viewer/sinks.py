"""What takes rows: the protocol between the receiver and whatever keeps them."""

from collections.abc import Sequence
from typing import Protocol

from otlp_viewer.rows import LogRow, MetricRow, SpanRow


class Sink(Protocol):
    """Keeps the rows of a request, all of them or none; called from any thread.

    `size_bytes` is that of the decompressed request. Each method raises SinkError where it cannot
    take the rows now; nothing of the request is in it then.
    """

    def add_logs(self, rows: Sequence[LogRow], size_bytes: int = 0) -> None:
        """Keep log records."""

    def add_spans(self, rows: Sequence[SpanRow], size_bytes: int = 0) -> None:
        """Keep spans."""

    def add_metrics(self, rows: Sequence[MetricRow], size_bytes: int = 0) -> None:
        """Keep data points."""
