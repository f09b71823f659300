"""Parts of the extension put together for tests, with an exporter that keeps what it is given."""

from collections.abc import Iterable, Mapping
from functools import partial

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from logger_extension.assembler import Assembler
from logger_extension.channel import Channel
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
from logger_extension.process_usage import read_usage
from logger_extension.relay import Relay
from logger_extension.settings.metrics import MetricsSettings
from logger_extension.settings.receiver import ReceiverSettings
from logger_extension.signals.forwarding import Forwarding
from logger_extension.signals.log_rules import LogRules
from logger_extension.signals.logs import encode_logs
from logger_extension.signals.metric_encoding import encode_metrics, measure_metric
from logger_extension.signals.metrics import InvocationMetrics
from logger_extension.signals.traces import SPAN_SIZE_BYTES, encode_spans
from logger_extension.telemetry import MakeLine

FUNCTION_NAME = "checkout"
RESOURCE: dict[str, str | int] = {
    "service.name": "shop",
    "faas.name": FUNCTION_NAME,
    "faas.max_memory": 134_217_728,
}
NOW_UNIX_NANO = 1_795_427_494_000_000_000
QUEUE_BYTES = 64 * 1024 * 1024


class RecordingExporter:
    """Keeps every body; answers with the outcomes it was given, then with `Delivered`."""

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self.bodies: list[bytes] = []
        self._outcomes = iter(outcomes)

    async def export(self, body: bytes) -> Outcome:
        """Take one serialized request."""
        self.bodies.append(body)
        return next(self._outcomes, Delivered())


class Complaints:
    """Keeps what a channel complains of."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def __call__(self, message: str, reason: str) -> None:
        """Take one complaint."""
        self.messages.append((message, reason))


class RecordingObserver(Observer):
    """Keeps the facts that it is told; one GB-second costs a dollar, usage is not measured."""

    def __init__(self) -> None:
        settings = MetricsSettings.read(Environment({}))
        metrics = InvocationMetrics(settings, start_unix_nano=NOW_UNIX_NANO)
        tariff = Tariff(usd_per_gb_second=1.0, usd_per_request=0.25)
        super().__init__(metrics, tariff, None, None, read_usage)
        self.facts: list[InvocationFacts] = []

    def observe(self, facts: InvocationFacts) -> Mapping[str, str | float]:
        """Take the facts of one invocation."""
        self.facts.append(facts)
        return super().observe(facts)


class Extension:
    """A whole pipeline between two recording exporters."""

    def __init__(
        self,
        *,
        is_concurrent: bool = False,
        awaits_report: bool = False,
        sampling: SamplingRules | None = None,
        make_line: MakeLine | None = None,
        reads_at_once: bool = True,
        max_unread_bytes: int = QUEUE_BYTES,
    ) -> None:
        self.logs = RecordingExporter()
        self.traces = RecordingExporter()
        self.complaints = Complaints()
        logs = Channel(
            "logs",
            Queue(QUEUE_BYTES),
            partial(encode_logs, RESOURCE),
            self.logs,
            self.complaints,
            lambda: NOW_UNIX_NANO / 1e6,
        )
        spans = Channel(
            "traces",
            Queue(QUEUE_BYTES),
            partial(encode_spans, RESOURCE),
            self.traces,
            self.complaints,
            lambda: NOW_UNIX_NANO / 1e6,
        )
        self.metrics = RecordingExporter()
        metrics = Channel(
            "metrics",
            Queue(QUEUE_BYTES),
            partial(encode_metrics, RESOURCE),
            self.metrics,
            self.complaints,
            lambda: NOW_UNIX_NANO / 1e6,
        )
        self.observer = RecordingObserver()
        self.instance_ids: list[str] = []
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
                {},
                QUEUE_BYTES,
                lambda _request_id, _span: None,
            ),
            channels=[logs, spans, metrics],
            put_metric=lambda metric: metrics.put(metric, measure_metric(metric)),
            make_line=make_line,
            reads_at_once=reads_at_once,
            max_unread_bytes=max_unread_bytes,
            contain=lambda function: function,  # a fault shows in the test
            now_unix_nano=lambda: NOW_UNIX_NANO,
        )

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
