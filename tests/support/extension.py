"""Parts of the extension put together for tests, with senders that keep what they are given."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import inf
from typing import TypeVar

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from logger_extension.assembler import Assembler
from logger_extension.channel import Channel
from logger_extension.delivery import Window
from logger_extension.environment import Environment
from logger_extension.log_gate import LogGate
from logger_extension.observer import Observer
from logger_extension.pipeline import Pipeline
from logger_extension.policy.cost import Tariff
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.invocation import Invocations
from logger_extension.policy.log_sampling import SamplingRules
from logger_extension.policy.outcome import Delivered, Outcome
from logger_extension.policy.queue import Queue
from logger_extension.policy.usage import Counters, Levels, Usage
from logger_extension.relay import Relay
from logger_extension.route import Limits, Route
from logger_extension.settings.delivery import REQUEST_MAX_BYTES, REQUEST_MAX_RECORDS
from logger_extension.settings.metrics import MetricsSettings
from logger_extension.settings.receiver import ReceiverSettings
from logger_extension.signals.forwarding import Forwarding
from logger_extension.signals.log_rules import LogRules
from logger_extension.signals.logs import encode_logs
from logger_extension.signals.metric_encoding import encode_metrics, measure_metric
from logger_extension.signals.metrics import InvocationMetrics
from logger_extension.signals.traces import SPAN_SIZE_BYTES, encode_spans
from logger_extension.telemetry import MakeLine

Item = TypeVar("Item")

FUNCTION_NAME = "checkout"
RESOURCE: dict[str, str | int] = {
    "service.name": "shop",
    "faas.name": FUNCTION_NAME,
    "faas.max_memory": 134_217_728,
}
NOW_UNIX_NANO = 1_795_427_494_000_000_000
QUEUE_BYTES, QUEUE_RECORDS = 64 * 1024 * 1024, 65_536


def open_window(*, is_last: bool = False) -> Window:
    """Return a window that does not end."""
    return Window(inf, is_last=is_last)


class RecordingSender:
    """Keeps every body; answers with the outcomes it was given, then with `Delivered`.

    Attributes:
        bodies: what was sent.
        asked: set when anything was sent.
        is_open: while it is not set, no answer comes.
        is_away: whether it is not to be asked.
        is_slow: whether it counts as slow.
        patience_s: how much longer it may be silent.
        given_up: the budgets with which it was given up.
    """

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self.bodies: list[bytes] = []
        self.asked = asyncio.Event()
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.is_away = False
        self.is_slow = False
        self.patience_s = inf
        self.given_up: list[float] = []
        self._outcomes = iter(outcomes)

    def measure_patience_s(self, budget_s: float) -> float:
        """Return what the test has set, whatever the budget."""
        del budget_s
        return self.patience_s

    def give_up_silent(self, budget_s: float) -> None:
        """Note it."""
        self.given_up.append(budget_s)

    async def send(self, body: bytes, window: Window) -> Outcome:
        """Take one serialized request."""
        del window
        self.asked.set()
        await self.is_open.wait()
        self.bodies.append(body)
        return next(self._outcomes, Delivered())


class RecordingFallback:
    """Keeps what is written down; `unwritten` of the next request's records fail."""

    def __init__(self) -> None:
        self.written: list[tuple[str, bytes]] = []
        self.unwritten = 0

    async def write(self, signal: str, body: bytes) -> int:
        """Take one request."""
        self.written.append((signal, body))
        unwritten, self.unwritten = self.unwritten, 0
        return unwritten


class Complaints:
    """Keeps what a channel complains of."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def __call__(self, message: str, reason: str) -> None:
        """Take one complaint."""
        self.messages.append((message, reason))


class UsageReadings:
    """Stands for /proc, and notes when it is read.

    Attributes:
        moments: `begin` and `end`, in order.
    """

    def __init__(self) -> None:
        self.moments: list[str] = []

    def read_counters(self) -> Counters:
        """Read at an INVOKE."""
        self.moments.append("begin")
        return Counters(None, None)

    def read_usage(self, before: Counters) -> Usage:
        """Read when the runtime is done."""
        del before
        self.moments.append("end")
        return Usage(None, None, Levels())


class RecordingObserver(Observer):
    """Keeps the facts that it is told; one GB-second costs a dollar.

    Args:
        usage: what is read of the sandbox, None for nothing.
    """

    def __init__(self, usage: UsageReadings | None = None) -> None:
        settings = MetricsSettings.read(Environment({}))
        metrics = InvocationMetrics(settings, start_unix_nano=NOW_UNIX_NANO)
        tariff = Tariff(usd_per_gb_second=1.0, usd_per_request=0.25)
        read_counters = usage.read_counters if usage is not None else None
        super().__init__(
            metrics, tariff, None, read_counters, (usage or UsageReadings()).read_usage
        )
        self.facts: list[InvocationFacts] = []

    def observe(self, facts: InvocationFacts) -> Mapping[str, str | float]:
        """Take the facts of one invocation."""
        self.facts.append(facts)
        return super().observe(facts)


class Extension:
    """A whole pipeline between recording senders.

    Attributes:
        now_unix_nano: the time, as the pipeline is told it.
        held: each count of held records that was told.
    """

    def __init__(  # noqa: PLR0913  (each is one setting)
        self,
        *,
        is_concurrent: bool = False,
        awaits_report: bool = False,
        sampling: SamplingRules | None = None,
        make_line: MakeLine | None = None,
        reads_at_once: bool = True,
        max_unread_bytes: int = QUEUE_BYTES,
        queue_bytes: int = QUEUE_BYTES,
        fallback: RecordingFallback | None = None,
        usage: UsageReadings | None = None,
    ) -> None:
        self.complaints = Complaints()
        self._fallback = fallback
        self._queue_bytes = queue_bytes
        self.logs, self.traces, self.metrics = (RecordingSender() for _ in range(3))
        logs = self._open("logs", self.logs, partial(encode_logs, RESOURCE))
        spans = self._open("traces", self.traces, partial(encode_spans, RESOURCE))
        metrics = self._open("metrics", self.metrics, partial(encode_metrics, RESOURCE))
        # What the function's own SDK sends goes to the same collectors, as bytes.
        self.forwarded: dict[str, Channel[bytes]] = {
            "logs": self._open("logs", self.logs, b"".join, "function_logs"),
            "traces": self._open("traces", self.traces, b"".join, "function_traces"),
        }
        self.observer = RecordingObserver(usage)
        self.instance_ids: list[str] = []
        self.now_unix_nano = NOW_UNIX_NANO
        self.held: list[int] = []
        assembler = Assembler(
            invocations=Invocations(is_concurrent=is_concurrent, has_cold_start=not is_concurrent),
            function_name=FUNCTION_NAME,
            function_version="$LATEST",
            awaits_report=awaits_report,
            gate=LogGate(LogRules(), sampling, QUEUE_BYTES, logs.put),
            put_span=lambda span: spans.put(span, SPAN_SIZE_BYTES),
            learn_instance=self.instance_ids.append,
            observer=self.observer,
            note_log=lambda _request_id, _log, _time: None,
        )
        self.pipeline = Pipeline(
            assembler=assembler,
            observer=self.observer,
            relay=Relay(
                Forwarding(ReceiverSettings(), RESOURCE),
                self.forwarded,
                queue_bytes,
                lambda _request_id, _span: None,
            ),
            channels=[logs, spans, metrics],
            forwarded=self.forwarded,
            put_metric=lambda metric: metrics.put(metric, measure_metric(metric)),
            make_line=make_line,
            reads_at_once=reads_at_once,
            max_unread_bytes=max_unread_bytes,
            request_max_bytes=REQUEST_MAX_BYTES,
            contain=lambda function: function,  # a fault shows in the test
            tell_held=self.held.append,
            now_unix_nano=lambda: self.now_unix_nano,
        )

    def _open(
        self,
        signal: str,
        sender: RecordingSender,
        encode: Callable[[Sequence[Item]], bytes],
        name: str = "",
    ) -> Channel[Item]:
        return Channel(
            name or signal,
            Queue[Item](self._queue_bytes, QUEUE_RECORDS),
            Route(signal=signal, encode=encode, sender=sender, fallback=self._fallback),
            Limits(REQUEST_MAX_BYTES, REQUEST_MAX_RECORDS),
            self.complaints,
            None,
        )

    async def flush(self) -> None:
        """Send all that waits, without a limit of time."""
        await self.pipeline.flush(open_window())

    @property
    def facts(self) -> list[InvocationFacts]:
        """The facts of every invocation that is over."""
        return self.observer.facts

    @property
    def records(self) -> list[LogRecord]:
        """Every log record that was exported, in order."""
        return [record for body in self.logs.bodies for record in read_logs(body)]

    @property
    def spans(self) -> list[Span]:
        """Every span that was exported, in order."""
        return [span for body in self.traces.bodies for span in read_spans(body)]


def read_logs(body: bytes) -> list[LogRecord]:
    """Return the records of one request."""
    request = ExportLogsServiceRequest.FromString(body)
    return [r for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records]


def read_spans(body: bytes) -> list[Span]:
    """Return the spans of one request."""
    request = ExportTraceServiceRequest.FromString(body)
    return [s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans]
