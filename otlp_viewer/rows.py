"""The vocabulary of the viewer: what one log record, span or data point is, once it has arrived.

Plain frozen values with ids as lowercase hex and times as nanoseconds since the epoch, so that a
test can compare them and a view can print them. What few senders fill has a default. Must not know
how they travelled or where they are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One log record; `trace_id` and `span_id` are "" where the record names none."""

    time_unix_nano: int
    observed_time_unix_nano: int
    severity_number: int
    severity_text: str
    body: Any
    attributes: Mapping[str, Any]
    trace_id: str
    span_id: str
    resource: Mapping[str, Any]
    scope: str
    flags: int = 0
    event_name: str = ""
    scope_version: str = ""
    scope_attributes: Mapping[str, Any] = field(default_factory=dict)
    resource_schema_url: str = ""
    scope_schema_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """Something that happened at one moment within a span."""

    name: str
    time_unix_nano: int
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLink:
    """A reference from a span to another one, mostly of another trace."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRow:
    """One span; `kind` and `status_code` are the numbers of OTLP's enums."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    start_unix_nano: int
    end_unix_nano: int
    attributes: Mapping[str, Any]
    status_code: int
    status_message: str
    events: tuple[SpanEvent, ...]
    resource: Mapping[str, Any]
    scope: str
    trace_state: str = ""
    links: tuple[SpanLink, ...] = ()
    scope_version: str = ""

    @property
    def duration_ms(self) -> float:
        """Milliseconds from start to end; negative when the sender's clock went back."""
        return (self.end_unix_nano - self.start_unix_nano) / 1e6

    @property
    def failed(self) -> bool:
        """Whether the status is STATUS_CODE_ERROR."""
        return self.status_code == STATUS_CODE_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One measurement behind a data point, and the span that it was made in."""

    time_unix_nano: int
    value: float | None
    trace_id: str
    span_id: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """One side of an exponential histogram: bucket i holds values up to base^(offset + i + 1)."""

    offset: int = 0
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The value of a histogram, exponential histogram or summary point.

    `explicit_bounds` and `bucket_counts` are those of an explicit histogram, `scale`, `zero_count`,
    `positive` and `negative` of an exponential one, `quantiles` (each with its value) of a summary;
    empty for the others. `sum`, `min` and `max` are None where the point does not carry them.
    """

    count: int
    sum: float | None
    min: float | None
    max: float | None
    explicit_bounds: tuple[float, ...] = ()
    bucket_counts: tuple[int, ...] = ()
    scale: int = 0
    zero_count: int = 0
    positive: Buckets = Buckets()
    negative: Buckets = Buckets()
    quantiles: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One data point; `kind` is the name of OTLP's oneof: gauge, sum, histogram, ….

    `temporality` is the number of AggregationTemporality, 0 where the kind has none.
    """

    name: str
    description: str
    unit: str
    kind: str
    value: float | Distribution | None
    temporality: int
    is_monotonic: bool
    start_unix_nano: int
    time_unix_nano: int
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    scope: str
    flags: int = 0
    exemplars: tuple[Exemplar, ...] = ()
    scope_version: str = ""
    scope_attributes: Mapping[str, Any] = field(default_factory=dict)
    resource_schema_url: str = ""
    scope_schema_url: str = ""


SPAN_KIND_SERVER = 2
STATUS_CODE_ERROR = 2
SPAN_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
