"""Telemetry events to log lines and spans.

State: the table of invocations and the init. Events go in, in the order of their bodies; lines and
spans come out through two callables. Must not know bodies, queues or flushes, and never waits.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from logger_extension.events import (
    FunctionLog,
    InitReport,
    InitRuntimeDone,
    InitStart,
    InvocationStart,
    LogsDropped,
    Report,
    RuntimeDone,
    TelemetryEvent,
)
from logger_extension.log_gate import LogGate
from logger_extension.observer import Observer
from logger_extension.policy.facts import gather_facts
from logger_extension.policy.initialization import Initialization
from logger_extension.policy.invocation import Invocation, Invocations
from logger_extension.signals.logs import LogLine, request_id_of
from logger_extension.signals.phases import (
    describe_report,
    make_init_spans,
    make_invocation_spans,
    make_report_span,
)
from logger_extension.signals.traces import Span

COST = "aws.lambda.cost_usd"

# So much of a line is kept for finding out why an invocation failed.
LAST_LINE_CHARS = 400


class Assembler:
    """Makes of each event what it tells.

    Args:
        invocations: the table of invocations.
        function_name: names the spans.
        function_version: for the function's qualified ARN.
        awaits_report: whether an invocation's spans are held until its report has come.
        gate: takes log lines, and is told when their invocation is over.
        put_span: takes a finished span.
        learn_instance: is told the id of the sandbox.
        observer: is told what there is to count; prices invocations.
        note_log: is told each line of an invocation, for the cost per feature.
    """

    def __init__(  # noqa: PLR0913  (the composition root names each part)
        self,
        *,
        invocations: Invocations,
        function_name: str,
        function_version: str,
        awaits_report: bool,
        gate: LogGate,
        put_span: Callable[[Span], None],
        learn_instance: Callable[[str], None],
        observer: Observer,
        note_log: Callable[[str, FunctionLog, int], None],
    ) -> None:
        self.invocations = invocations
        self._function_name = function_name
        self._function_version = function_version
        self._awaits_report = awaits_report
        self._gate = gate
        self._put_span = put_span
        self._learn_instance = learn_instance
        self._observer = observer
        self._note_log = note_log
        self._init = Initialization()

    def take(self, event: TelemetryEvent, received_unix_nano: int) -> None:
        """Take one event; `received_unix_nano` stands in for a time that it does not tell."""
        time_unix_nano = event.time_unix_nano or received_unix_nano
        match event.record:
            case FunctionLog() as log:
                self._take_log(log, event.time_unix_nano, received_unix_nano)
            case InvocationStart() as start:
                self._finish(self.invocations.started(start, time_unix_nano))
            case RuntimeDone() as done:
                self._finish(self.invocations.runtime_done(done, time_unix_nano))
            case Report() as report:
                self._take_report(report, time_unix_nano)
            case InitStart() as init:
                self._learn_instance(init.instance_id)
                self._init.started(init, time_unix_nano)
            case InitRuntimeDone() as init:
                self._init.runtime_done(init, time_unix_nano)
            case InitReport() as init:
                self._take_init_report(init, time_unix_nano)
            case LogsDropped() as dropped:
                self._observer.observe_logs_dropped(dropped.records, time_unix_nano)
            case _:
                pass

    def end_unobserved(self, request_id: str, now_unix_nano: int) -> None:
        """Finish an invocation of which no telemetry will come."""
        for invocation in self.invocations.end_unobserved(request_id, now_unix_nano):
            # No metrics: neither how it ended nor how long it took is known.
            self._put_invocation(invocation, {})
            self._gate.finish(gather_facts(invocation, None))

    def end_all(self, reason: str, now_unix_nano: int) -> None:
        """Finish what is still open at SHUTDOWN; no report comes any more."""
        self._finish(self.invocations.end_all(reason, now_unix_nano))
        for invocation in self.invocations.take_unreported():
            facts = gather_facts(invocation, None)
            attributes = self._observer.observe(facts)
            self._gate.report(facts, None)
            if self._awaits_report:
                self._put_invocation(invocation, attributes)
        self._gate.release()
        # An init that no invocation has claimed: failed, or of a sandbox that was never used.
        self._put_init(None)

    def _take_log(self, log: FunctionLog, time_unix_nano: int, received_unix_nano: int) -> None:
        request_id = request_id_of(log)
        named = self.invocations.find(request_id) if request_id else None
        invocation = named or self.invocations.current
        if invocation is not None:
            if isinstance(log.record, str):
                invocation.last_lines.append(log.record[:LAST_LINE_CHARS])
            self._note_log(invocation.request_id, log, time_unix_nano or received_unix_nano)
        self._gate.take(LogLine(log, time_unix_nano, received_unix_nano, invocation))

    def _take_init_report(self, report: InitReport, time_unix_nano: int) -> None:
        self._init.reported(report)
        if report.status not in ("success", ""):
            self._observer.observe_failed_init(report.status, time_unix_nano)
        if not self.invocations.has_cold_start:
            self._put_init(None)

    def _finish(self, finished: Iterable[Invocation]) -> None:
        for invocation in finished:
            self._gate.finish(gather_facts(invocation, None))
            if not self._awaits_report:
                self._put_invocation(invocation, {})

    def _take_report(self, report: Report, time_unix_nano: int) -> None:
        invocation = self.invocations.take_reported(report.request_id)
        is_late = invocation is not None
        if invocation is None:
            # Managed Instances: nothing but the report says that an invocation is over.
            ended = self.invocations.reported(report, time_unix_nano)
            if not ended:
                return
            [invocation] = ended
            self._gate.finish(gather_facts(invocation, report))
        facts = gather_facts(invocation, report)
        told = describe_report(invocation, report)
        told |= self._observer.observe(facts)
        self._gate.report(facts, told.get(COST))
        if is_late and not self._awaits_report:
            span = make_report_span(invocation, report, told)
        else:
            self._put_invocation(invocation, told)
            span = make_report_span(invocation, report, {}) if is_late else None
        if span is not None and invocation.is_sampled:
            self._put_span(span)

    def _put_invocation(self, invocation: Invocation, extra: Mapping[str, Any]) -> None:
        if invocation.is_sampled:
            spans = make_invocation_spans(
                invocation, self._function_name, self._function_version, extra
            )
            for span in spans:
                self._put_span(span)
        if invocation.is_cold_start:
            self._put_init(invocation)

    def _put_init(self, invocation: Invocation | None) -> None:
        facts = self._init.take()
        if facts is not None and (invocation is None or invocation.is_sampled):
            for span in make_init_spans(facts, invocation, self._function_name):
                self._put_span(span)
