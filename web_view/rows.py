"""The vocabulary of the pages: an invocation and a log line as they come from the tables.

Must not know SQL, nor how they are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from web_view.parameters import InvocationQuery, name_invocation, write_key


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRow:
    """One invocation, as `cost_report.find_invocations` has it; None where not known."""

    request_id: str
    trace_id: str
    span_id: str
    function: str
    version: str
    alias: str
    region: str
    architecture: str
    instance: str
    memory_size_mb: int | None
    start_unix_nano: int
    duration_ms: float
    is_cold_start: bool
    status: str
    error_type: str
    billed_ms: float | None
    max_memory_used_mb: float | None
    init_ms: float | None
    extension_ms: float | None
    cost_usd: float | None
    handler_usd: float | None
    init_usd: float | None
    extension_usd: float | None
    missing_reason: str

    @property
    def key(self) -> str:
        """What tells it from all others, and where it stands among them."""
        return write_key(self.start_unix_nano, self.span_id)

    @property
    def total_ms(self) -> float:
        """Init, handler and extensions together, as far as they are known."""
        return (self.init_ms or 0) + self.duration_ms + (self.extension_ms or 0)

    @property
    def query(self) -> InvocationQuery | None:
        """The address of its page, None where its id is none that Lambda gives."""
        return name_invocation(self.request_id, self.start_unix_nano)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCounts:
    """How many log lines an invocation has, and how many of them are errors."""

    lines: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One log line of a list; text is "" where it says nothing.

    Attributes:
        identity: a digest of what it says, in hex; with its time it is the key of its page.
        place: tells it from others of the same time, in hex; grows in order of arrival.
        body: its beginning.
        body_chars: how long the whole is.
        exception: the beginning of the stack trace, or type and message.
    """

    time_unix_nano: int
    identity: str
    place: str
    trace_id: str
    span_id: str
    severity_number: int
    severity_text: str
    function: str
    request_id: str
    body: str
    body_chars: int
    exception: str

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return write_key(self.time_unix_nano, self.identity)

    @property
    def invocation(self) -> InvocationQuery | None:
        """The address of its invocation, None where it names none."""
        return name_invocation(self.request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLine:
    """A log line with all that it says."""

    row: LineRow
    body: str
    scope: str
    attributes: Mapping[str, str]
    resource: Mapping[str, str]
