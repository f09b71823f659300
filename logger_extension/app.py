"""The composition root: builds every part, runs them, and keeps their faults from the function.

Owns the event loop, the signals and the only `except Exception` of the extension: a fault of ours
is told, counted and survived, because an exit of ours fails the function (`Extension.Crash`).
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import ParamSpec, TypeVar

from logger_extension.assembler import Assembler
from logger_extension.bootstrap import Handoff, tell_launcher
from logger_extension.channel import Channel
from logger_extension.config import Config
from logger_extension.deadline import Deadline
from logger_extension.events import InitType, ShutdownEvent
from logger_extension.exporters.otlp_http import OtlpHttpExporter
from logger_extension.lambda_api import SHUTDOWN_BUDGET_MS, LambdaApi, read_account_id
from logger_extension.lifecycle import Lifecycle
from logger_extension.pipeline import Pipeline
from logger_extension.policy.invocation import Invocations
from logger_extension.policy.queue import Queue
from logger_extension.receivers.telemetry_api import TelemetryReceiver
from logger_extension.selflog import say
from logger_extension.signals.logs import encode_logs, measure
from logger_extension.signals.resource import describe_resource, learn_instance
from logger_extension.signals.traces import SPAN_SIZE_BYTES, encode_spans

Item = TypeVar("Item")

# Where init runs ahead of any invocation: nobody waits for it.
INIT_AHEAD = (InitType.MANAGED_INSTANCES, InitType.PROVISIONED_CONCURRENCY)
P = ParamSpec("P")


def run(handoff: Handoff, config: Config) -> int:
    """Run until SHUTDOWN or a signal; return the exit code."""
    asyncio.run(_main(handoff, config))
    return 0


async def _main(handoff: Handoff, config: Config) -> None:
    for complaint in config.complaints:
        say("warn", complaint)
    api = LambdaApi(
        handoff, now_ms=_now_ms, complain=lambda reason: say("warn", "next failed", reason=reason)
    )
    try:
        await _serve(handoff, config, api)
    except Exception as error:  # noqa: BLE001  (see the head of this module)
        say("error", "internal error: telemetry is off for this sandbox", reason=repr(error))
        while not isinstance(await api.next_event(), ShutdownEvent):
            pass
    finally:
        api.close()


async def _serve(handoff: Handoff, config: Config, api: LambdaApi) -> None:
    has_telemetry = handoff.listener is not None
    async with AsyncExitStack() as stack:
        pipeline = await _build_pipeline(handoff, config, stack)
        receiver = TelemetryReceiver(handoff, _contain(pipeline.accept), pipeline.refuse)
        stack.push_async_callback(receiver.close)
        await receiver.open()
        lifecycle = Lifecycle(
            api=api,
            pipeline=pipeline,
            survive=_survive,
            has_telemetry=has_telemetry,
            margin_ms=config.deadline_margin_ms,
            flush_interval_ms=config.flush_interval_ms,
            now_ms=_now_ms,
        )
        event = await _follow_until_shutdown(lifecycle, config)
        tell_launcher(os.environ, "shutdown")
        await lifecycle.shut_down(event)
        if lost := pipeline.count_lost():
            say("error", "telemetry was lost", **lost)


async def _build_pipeline(handoff: Handoff, config: Config, stack: AsyncExitStack) -> Pipeline:
    resource = describe_resource(config, account_id=read_account_id(handoff.register_body))
    is_managed = config.init_type is InitType.MANAGED_INSTANCES

    async def open_channel(
        name: str, url: str, headers: Mapping[str, str], encode: Callable[[Sequence[Item]], bytes]
    ) -> Channel[Item] | None:
        if not url:
            return None
        exporter = OtlpHttpExporter(
            name, url, headers, use_gzip=config.gzip, timeout_ms=config.export_timeout_ms
        )
        await stack.enter_async_context(exporter)
        return Channel(name, Queue(config.queue_max_bytes), encode, exporter, _complain)

    logs = await open_channel(
        "logs", config.logs_url, config.logs_headers, partial(encode_logs, resource)
    )
    spans = await open_channel(
        "traces", config.traces_url, config.traces_headers, partial(encode_spans, resource)
    )
    assembler = Assembler(
        invocations=Invocations(
            is_concurrent=is_managed,
            has_cold_start=not handoff.restarted and config.init_type not in INIT_AHEAD,
            sampler=config.traces.sampler,
        ),
        function_name=config.function_name,
        function_version=config.function_version,
        awaits_report=config.traces.awaits_report,
        put_line=lambda line: logs.put(line, measure(line.log)) if logs else None,
        put_span=lambda span: spans.put(span, SPAN_SIZE_BYTES) if spans else None,
        learn_instance=partial(learn_instance, resource),
        observe=lambda _: {},
    )
    return Pipeline(
        assembler=assembler,
        channels=[channel for channel in (logs, spans) if channel is not None],
        reads_at_once=config.has_spare_cpu or is_managed,
        max_unread_bytes=config.queue_max_bytes,
        contain=_contain,
        now_unix_nano=time.time_ns,
    )


async def _follow_until_shutdown(lifecycle: Lifecycle, config: Config) -> ShutdownEvent:
    """Return the SHUTDOWN that ended it, or one of our own making after SIGTERM or SIGINT."""
    async with asyncio.TaskGroup() as group:
        following = group.create_task(lifecycle.follow_invocations())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, following.cancel)
        flushing = None
        if config.init_type is InitType.MANAGED_INSTANCES:
            flushing = group.create_task(lifecycle.flush_periodically())
        await asyncio.wait({following})
        if flushing is not None:
            flushing.cancel()
    if following.cancelled():
        return ShutdownEvent("signal", Deadline.after(_now_ms(), SHUTDOWN_BUDGET_MS))
    return following.result()


def _contain(function: Callable[P, None]) -> Callable[P, None]:
    """Return the same function, but its faults are told and survived."""

    def contained(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  (see the head of this module)
            _tell_fault(error)

    return contained


async def _survive(work: Awaitable[None]) -> None:
    """Await work whose faults are told and survived."""
    try:
        await work
    except Exception as error:  # noqa: BLE001  (see the head of this module)
        _tell_fault(error)


def _tell_fault(error: Exception) -> None:
    say("error", "internal error, the function is not affected", reason=repr(error))


def _complain(message: str, reason: str) -> None:
    say("warn", message, reason=reason)


def _now_ms() -> float:
    return time.time() * 1000
