"""The life of invocations, from what INVOKE and the Telemetry API say of them.

State: the open invocations and those whose report is awaited, both bounded. Everything about one
invocation is found by its request id, because events come late, twice, or not at all:
`platform.start` may precede INVOKE, `platform.report` comes with a later invocation. Must not know
OTLP: it says when an invocation is finished; `signals.traces` makes the span.

    INVOKE or platform.start -> open -> platform.runtimeDone -> finished -> platform.report -> gone
    On Managed Instances there is no runtimeDone: platform.report finishes (section 7.2 of
    https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html).
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from logger_extension.events import (
    NANOS_PER_MS,
    InvocationStart,
    InvokeEvent,
    PhaseSpan,
    Report,
    RuntimeDone,
)
from logger_extension.policy.sampler import Sampler
from logger_extension.policy.trace_context import TraceContext, derive_context

# On demand there is one open invocation; on Managed Instances as many as the function's
# concurrency. The bounds only keep a misbehaving platform from taking memory.
MAX_OPEN = 4096
MAX_AWAITING_REPORT = 256
MAX_REMEMBERED = 8192

# One at a time, what comes late is about the last few: each id remembered takes some 200 bytes.
MAX_REMEMBERED_ON_DEMAND = 1024
MAX_RECENT = 64

# So many of an invocation's last lines are looked at when it fails.
LAST_LINES = 8

ALWAYS_ON = Sampler(1.0, follows_parent=True)


@dataclass(slots=True)
class Invocation:
    """One invocation. Times in nanoseconds since the epoch, 0 while unknown.

    Attributes:
        context: the ids of its span; replaced when a trace header becomes known.
        start_unix_nano: from `platform.start`, else when INVOKE was seen.
        end_unix_nano: when the runtime was done.
        status: success, error, failure or timeout as Lambda says; empty while open.
        is_estimated: whether start and end are only what INVOKE and `next` tell.
        is_sampled: whether its spans are exported.
        spans: the parts that Lambda has measured.
        last_lines: what the function printed last, for finding out why it failed.
    """

    request_id: str
    context: TraceContext
    function_arn: str = ""
    is_cold_start: bool = False
    start_unix_nano: int = 0
    end_unix_nano: int = 0
    deadline_unix_nano: int = 0
    status: str = ""
    error_type: str = ""
    is_estimated: bool = False
    is_sampled: bool = True
    runtime_duration_ms: float | None = None
    produced_bytes: int | None = None
    spans: tuple[PhaseSpan, ...] = ()
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))

    @property
    def has_failed(self) -> bool:
        """Whether it is over and Lambda does not call it a success."""
        return self.status not in ("", "success")


class Invocations:
    """The table of invocations. Methods return the invocations that an event has finished.

    Attributes:
        current: the invocation whose `platform.start` came last, hence the one that log lines
            after it belong to; None before the first, and where several run at once.
        has_cold_start: whether the first invocation waits for init: not where init comes ahead of
            it, nor in a process that takes the place of one that died.
        forgotten: how many waited so long, for their end or report, that they had to make room.
    """

    def __init__(
        self,
        *,
        is_concurrent: bool,
        has_cold_start: bool = True,
        sampler: Sampler = ALWAYS_ON,
    ) -> None:
        self._is_concurrent = is_concurrent
        self._sampler = sampler
        self._open: OrderedDict[str, Invocation] = OrderedDict()
        self._awaiting_report: OrderedDict[str, Invocation] = OrderedDict()
        # Ids only: what comes late or twice must not open an invocation again.
        self._finished: OrderedDict[str, None] = OrderedDict()
        self._max_remembered = MAX_REMEMBERED if is_concurrent else MAX_REMEMBERED_ON_DEMAND
        self.has_cold_start = has_cold_start
        self._seen_one = not has_cold_start
        self.current: Invocation | None = None
        self.recent: deque[Invocation] = deque(maxlen=MAX_RECENT)
        self.forgotten = 0

    def invoked(self, event: InvokeEvent, now_unix_nano: int) -> Invocation | None:
        """Note an INVOKE; return the invocation unless telemetry has finished it already."""
        if event.request_id in self._finished:
            if done := self._awaiting_report.get(event.request_id):
                self._learn_trace(done, event.trace_header)
            return None
        invocation = self._get_or_open(event.request_id)
        invocation.function_arn = invocation.function_arn or event.function_arn
        invocation.deadline_unix_nano = int(event.deadline.epoch_ms) * NANOS_PER_MS
        self._learn_trace(invocation, event.trace_header)
        if not invocation.start_unix_nano:
            invocation.start_unix_nano = now_unix_nano
        return invocation

    def started(self, event: InvocationStart, time_unix_nano: int) -> list[Invocation]:
        """Note `platform.start`; return those that it shows to be over without a runtimeDone."""
        if event.request_id in self._finished:
            return []
        abandoned: list[Invocation] = []
        others = [each for key, each in self._open.items() if key != event.request_id]
        for other in others:
            # One at a time: a later start means that this one ended, and nobody said how.
            if not self._is_concurrent and 0 < other.start_unix_nano < time_unix_nano:
                # The sandbox may have been frozen since: its deadline is the latest end there is.
                ended = min(time_unix_nano, other.deadline_unix_nano or time_unix_nano)
                other.is_estimated = True
                abandoned += self._finish(other.request_id, ended, "error", "Unknown")
        invocation = self._get_or_open(event.request_id)
        invocation.function_arn = invocation.function_arn or event.function_arn
        self._learn_trace(invocation, event.trace_header)
        if time_unix_nano:
            invocation.start_unix_nano = time_unix_nano
        if not self._is_concurrent:
            self.current = invocation
        return abandoned

    def runtime_done(self, event: RuntimeDone, time_unix_nano: int) -> list[Invocation]:
        """Note `platform.runtimeDone`; return the invocation it finishes, none if it is known."""
        if event.request_id in self._finished:
            return []
        invocation = self._get_or_open(event.request_id)
        invocation.runtime_duration_ms = event.duration_ms
        invocation.produced_bytes = event.produced_bytes
        invocation.spans = event.spans
        end_unix_nano = _end_of(invocation, event.duration_ms, time_unix_nano)
        return self._finish(event.request_id, end_unix_nano, event.status, event.error_type)

    def reported(self, event: Report, time_unix_nano: int) -> list[Invocation]:
        """Note a `platform.report` that nobody awaits: without runtimeDone it is the end."""
        invocation = self._open.get(event.request_id)
        if invocation is None:
            return []
        invocation.spans = event.spans
        end_unix_nano = _end_of(invocation, event.duration_ms, time_unix_nano)
        finished = self._finish(event.request_id, end_unix_nano, event.status, event.error_type)
        self.take_reported(event.request_id)
        return finished

    def take_reported(self, request_id: str) -> Invocation | None:
        """Forget a finished invocation whose report has come; return it, None if it is unknown."""
        return self._awaiting_report.pop(request_id, None)

    def take_unreported(self) -> list[Invocation]:
        """Forget and return every finished invocation whose report has not come."""
        unreported = list(self._awaiting_report.values())
        self._awaiting_report.clear()
        return unreported

    def end_unobserved(self, request_id: str, now_unix_nano: int) -> list[Invocation]:
        """Finish an invocation of which no telemetry will come: INVOKE to now is all we know."""
        if invocation := self._open.get(request_id):
            invocation.is_estimated = True
        finished = self._finish(request_id, now_unix_nano, "", "")
        self.take_reported(request_id)
        return finished

    def end_all(self, reason: str, now_unix_nano: int) -> list[Invocation]:
        """Finish whatever is open at SHUTDOWN, whose reason is all that is known of it."""
        status = "timeout" if reason == "timeout" else "error"
        error_type = "" if reason == "timeout" else "Unknown"
        return [
            invocation
            for request_id in list(self._open)
            for invocation in self._finish(request_id, now_unix_nano, status, error_type)
        ]

    @property
    def awaits_news(self) -> bool:
        """Whether an invocation waits for its end or its report."""
        return bool(self._awaiting_report or self._open)

    def find(self, request_id: str) -> Invocation | None:
        """Return an invocation that is open or awaits its report."""
        return self._open.get(request_id) or self._awaiting_report.get(request_id)

    def is_finished(self, request_id: str) -> bool:
        """Return whether the runtime is known to be done with this invocation."""
        return request_id not in self._open

    def _get_or_open(self, request_id: str) -> Invocation:
        invocation = self._open.get(request_id)
        if invocation is None:
            invocation = Invocation(request_id, derive_context(request_id, ""))
            invocation.is_sampled = self._sampler.decide(invocation.context)
            invocation.is_cold_start = not self._seen_one
            self._seen_one = True
            self._open[request_id] = invocation
            self.recent.append(invocation)
            if len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
                self.forgotten += 1
        return invocation

    def _learn_trace(self, invocation: Invocation, trace_header: str) -> None:
        """Take the trace from an X-Ray header, unless one is known already."""
        if trace_header and not invocation.context.trace_header:
            invocation.context = derive_context(invocation.request_id, trace_header)
            invocation.is_sampled = self._sampler.decide(invocation.context)

    def _finish(
        self, request_id: str, end_unix_nano: int, status: str, error_type: str
    ) -> list[Invocation]:
        invocation = self._open.pop(request_id, None)
        if invocation is None:
            return []
        if not invocation.start_unix_nano:
            # Its start was told to a process that is dead by now.
            duration_ns = int((invocation.runtime_duration_ms or 0) * NANOS_PER_MS)
            invocation.start_unix_nano = end_unix_nano - duration_ns
        # Clocks may step back; a span never ends before it starts.
        invocation.end_unix_nano = max(end_unix_nano, invocation.start_unix_nano)
        invocation.status = status
        invocation.error_type = error_type
        self._finished[request_id] = None
        if len(self._finished) > self._max_remembered:
            self._finished.popitem(last=False)
        self._awaiting_report[request_id] = invocation
        if len(self._awaiting_report) > MAX_AWAITING_REPORT:
            self._awaiting_report.popitem(last=False)
            self.forgotten += 1
        return [invocation]


def _end_of(invocation: Invocation, duration_ms: float | None, time_unix_nano: int) -> int:
    """Return the end: start plus the measured duration, else the time of the event."""
    if duration_ms is None or not invocation.start_unix_nano:
        return time_unix_nano
    return invocation.start_unix_nano + int(duration_ms * NANOS_PER_MS)
