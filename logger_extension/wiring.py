"""The parts of the pipeline put together from the settings.

Owns which part gets which setting. Runs once; must not decide anything at run time.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from logger_extension.assembler import Assembler
from logger_extension.bootstrap import Handoff
from logger_extension.channel import Channel
from logger_extension.config import Config
from logger_extension.events import FunctionLog, InitType
from logger_extension.held import Held
from logger_extension.lambda_api import read_account_id
from logger_extension.log_gate import LogGate
from logger_extension.observer import Observer
from logger_extension.outlets import Outlets
from logger_extension.pipeline import Contain, Pipeline
from logger_extension.policy.cost import Missing, Unpriced, choose_tariff, estimate_ephemeral_mb
from logger_extension.policy.features import FeatureCosts
from logger_extension.policy.invocation import Invocations
from logger_extension.policy.prices import apply_own_prices, find_list_prices
from logger_extension.process_usage import (
    UsageReader,
    read_counters,
    read_levels,
    read_own_usage,
)
from logger_extension.receivers.intake import Intake
from logger_extension.receivers.otlp import OtlpReceiver
from logger_extension.relay import Relay
from logger_extension.self_telemetry import SelfTelemetry
from logger_extension.signals.forwarding import Forwarding
from logger_extension.signals.log_platform import make_platform_log
from logger_extension.signals.log_rules import LogRules
from logger_extension.signals.logs import LogLine, encode_logs
from logger_extension.signals.metric_encoding import encode_metrics, measure_metric
from logger_extension.signals.metrics import InvocationMetrics
from logger_extension.signals.resource import Resource, describe_resource, learn_instance
from logger_extension.signals.traces import SPAN_SIZE_BYTES, encode_spans

if TYPE_CHECKING:
    from logger_extension.receivers.otlp_grpc import OtlpGrpcReceiver

Complain = Callable[[str, str], None]

# Where init runs ahead of any invocation: nobody waits for it.
INIT_AHEAD = (InitType.MANAGED_INSTANCES, InitType.PROVISIONED_CONCURRENCY)


class Wiring:
    """Builds the parts; lives until they are built.

    Args:
        handoff: what the bootstrap found out.
        config: the settings.
        stack: what has to be closed is entered here.
        complain: called with a message and a reason.
        contain: wraps a function so that its faults are told and survived.
    """

    def __init__(
        self,
        handoff: Handoff,
        config: Config,
        stack: AsyncExitStack,
        complain: Complain,
        contain: Contain,
    ) -> None:
        self._handoff = handoff
        self._config = config
        self._stack = stack
        self._complain = complain
        self._contain = contain
        self._metrics = InvocationMetrics(config.metrics, start_unix_nano=time.time_ns())
        self.itself = SelfTelemetry(self._metrics.record, read_own_usage, handoff.start_up_s)
        self._metrics.observe_with(self.itself.observe)
        self.outlets = Outlets(config, stack, complain, self.itself)
        features = config.features
        self._features = FeatureCosts(
            log_field=features.log_field,
            max_features=features.max_features,
            splits_overhead=features.splits_overhead,
        )
        account_id = read_account_id(handoff.register_body)
        self._resource: Resource = describe_resource(
            config, account_id=account_id, machine=os.uname().machine
        )
        self._relay = Relay(
            Forwarding(config.receiver, self._resource, features.span_attribute),
            self.outlets.forwarded,
            config.delivery.queue_max_bytes,
            self._features.note_span,
        )

    async def build_pipeline(self) -> Pipeline:
        """Return the pipeline with all that belongs to it.

        Raises:
            ConfigError: a certificate cannot be used, or the layer lacks what a protocol needs.
        """
        config, resource = self._config, self._resource
        export, open_channel = config.export, self.outlets.open_channel
        logs = await open_channel(export.logs, self._encode_logs())
        spans = await open_channel(export.traces, partial(encode_spans, resource))
        metrics = await open_channel(
            export.metrics, partial(encode_metrics, resource), lambda metric: len(metric.points)
        )
        observer = self._build_observer()
        assembler = Assembler(
            invocations=self._build_invocations(),
            function_name=config.function_name,
            function_version=config.function_version,
            awaits_report=config.traces.awaits_report,
            gate=self._build_gate(logs),
            put_span=lambda span: spans.put(span, SPAN_SIZE_BYTES) if spans is not None else None,
            learn_instance=partial(learn_instance, resource),
            observer=observer,
            note_log=self._note_log,
        )
        own = (logs, spans, metrics)
        pipeline = Pipeline(
            assembler=assembler,
            observer=observer,
            relay=self._relay,
            channels=[each for each in own if each is not None],
            forwarded=self.outlets.forwarded,
            put_metric=lambda m: metrics.put(m, measure_metric(m)) if metrics is not None else None,
            make_line=make_platform_log if config.logs.has_platform_logs else None,
            reads_at_once=config.cpu.has_spare or self._is_managed,
            max_unread_bytes=config.delivery.unread_max_bytes,
            request_max_bytes=config.delivery.request_max_bytes,
            contain=self._contain,
            tell_held=Held(os.environ).tell,
            now_unix_nano=time.time_ns,
        )
        if self._handoff.restarted:
            held = os.environ.get("LOGGER_EXTENSION_HELD", "")
            pipeline.refuse("process_killed", int(held) if held.isdecimal() else 0)
        return pipeline

    async def open_receivers(self, pipeline: Pipeline) -> None:
        """Begin to take what the function's own SDK sends."""
        settings = self._config.receiver
        if not settings.is_on:
            return
        intake = Intake(pipeline.accept_request, pipeline.refuse, self._complain)
        max_bytes = self._config.delivery.queue_max_bytes
        receivers: list[OtlpReceiver | OtlpGrpcReceiver] = [
            OtlpReceiver(settings.port, max_bytes, intake, self._handoff.otlp_listener)
        ]
        if find_spec("grpc"):
            from logger_extension.receivers import otlp_grpc  # noqa: PLC0415  (60 ms)

            receivers.append(otlp_grpc.OtlpGrpcReceiver(settings.grpc_port, max_bytes, intake))
        for receiver in receivers:
            self._stack.push_async_callback(receiver.close)
            await receiver.open()

    @property
    def _is_managed(self) -> bool:
        return self._config.init_type is InitType.MANAGED_INSTANCES

    def _encode_logs(self) -> Callable[[Sequence[LogLine]], bytes]:
        settings = self._config.logs
        redact = settings.redactor.redact if settings.redactor is not None else None
        return partial(encode_logs, self._resource, redact=redact, max_bytes=settings.max_bytes)

    def _note_log(self, request_id: str, log: FunctionLog, time_unix_nano: int) -> None:
        """Note a line for the cost per feature; a feature's name leaves the process redacted."""
        settings = self._config
        if not settings.features.log_field:
            return
        if settings.logs.redactor is not None:
            log = FunctionLog(settings.logs.redactor.redact(log.record))
        self._features.note_log(request_id, log, time_unix_nano)

    def _build_gate(self, logs: Channel[LogLine] | None) -> LogGate:
        settings = self._config.logs
        rules = LogRules(
            min_severity=settings.min_severity, include=settings.include, exclude=settings.exclude
        )
        put = logs.put if logs is not None else _ignore
        max_bytes = self._config.delivery.queue_max_bytes
        return LogGate(rules, settings.sampling, max_bytes, put)

    def _build_invocations(self) -> Invocations:
        return Invocations(
            is_concurrent=self._is_managed,
            has_cold_start=(
                not self._handoff.restarted and self._config.init_type not in INIT_AHEAD
            ),
            sampler=self._config.traces.sampler,
        )

    def _build_observer(self) -> Observer:
        config = self._config
        listed = find_list_prices(config.region, os.uname().machine)
        prices = apply_own_prices(listed, config.cost.own_prices, config.cost.discount)
        ephemeral_mb = config.cost.ephemeral_mb or estimate_ephemeral_mb(
            read_levels().tmp_limit_bytes
        )
        tariff = choose_tariff(prices, config.init_type, ephemeral_mb)
        if isinstance(tariff, Unpriced) and tariff.reason is Missing.PRICE:
            self._complain("there is no cost", tariff.advice)
        reads_usage = config.metrics.reads_usage and not self._is_managed
        return Observer(
            self._metrics,
            tariff,
            self._features if config.features.is_on else None,
            read_counters if reads_usage else None,
            UsageReader().read,
        )


def _ignore(*_: object) -> None:
    """Take what nobody asks for."""


def now_ms() -> float:
    """Return the wall clock, epoch milliseconds: Lambda's deadlines are told in it."""
    return time.time() * 1000
