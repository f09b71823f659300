"""An embedded OTLP backend: a receiver, bounded stores and a terminal view.

Made for the demo, for local development and as the intake of the tests. Never part of the layer. It
is a collector like any other: it knows OTLP and nothing of the extension that sends to it.

The tables are in `otlp_viewer.database`, which is imported on its own: it needs DuckDB.
"""

from otlp_viewer.collector import Collector
from otlp_viewer.errors import ListenError, RequestError, ViewerError, WaitTimeoutError
from otlp_viewer.invocations import Invocation
from otlp_viewer.rows import Distribution, LogRow, MetricRow, SpanEvent, SpanRow
from otlp_viewer.store import Arrivals, Counts, Limits, Store
from otlp_viewer.trace import SpanNode, Trace

__all__ = [
    "Arrivals",
    "Collector",
    "Counts",
    "Distribution",
    "Invocation",
    "Limits",
    "ListenError",
    "LogRow",
    "MetricRow",
    "RequestError",
    "SpanEvent",
    "SpanNode",
    "SpanRow",
    "Store",
    "Trace",
    "ViewerError",
    "WaitTimeoutError",
]
