"""An embedded OTLP backend: a receiver, bounded stores and a terminal view.

Made for the demo, for local development and as the intake of the tests. Never part of the layer. It
is a collector like any other: it knows OTLP and nothing of the extension that sends to it.

What needs DuckDB is imported on its own: `otlp_viewer.database`; and what reads files into such a
store: `otlp_viewer.json_lines`.
"""

from otlp_viewer.collector import Collector
from otlp_viewer.errors import (
    DatabaseError,
    FilesError,
    ListenError,
    RequestError,
    SinkError,
    ViewerError,
    WaitTimeoutError,
)
from otlp_viewer.invocations import Invocation
from otlp_viewer.rows import (
    Buckets,
    Distribution,
    Exemplar,
    LogRow,
    MetricRow,
    SpanEvent,
    SpanLink,
    SpanRow,
)
from otlp_viewer.sinks import Sink
from otlp_viewer.store import Arrivals, Counts, Limits, Store
from otlp_viewer.trace import SpanNode, Trace, build_trace

__all__ = [
    "Arrivals",
    "Buckets",
    "Collector",
    "Counts",
    "DatabaseError",
    "Distribution",
    "Exemplar",
    "FilesError",
    "Invocation",
    "Limits",
    "ListenError",
    "LogRow",
    "MetricRow",
    "RequestError",
    "Sink",
    "SinkError",
    "SpanEvent",
    "SpanLink",
    "SpanNode",
    "SpanRow",
    "Store",
    "Trace",
    "ViewerError",
    "WaitTimeoutError",
    "build_trace",
]
