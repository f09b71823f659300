"""The composition root: builds every part, runs them, and keeps their faults from the function.

Owns the event loop, the signals and every `except Exception` that survives a fault: one of ours is
told and lived with, because an exit of ours fails the function (`Extension.Crash`).
"""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, ParamSpec

from logger_extension.bootstrap import Handoff, tell_launcher
from logger_extension.config import Config
from logger_extension.deadline import Deadline
from logger_extension.errors import ConfigError
from logger_extension.events import ShutdownEvent
from logger_extension.flusher import Flusher
from logger_extension.lambda_api import SHUTDOWN_BUDGET_MS, LambdaApi
from logger_extension.lifecycle import Lifecycle
from logger_extension.pipeline import Pipeline
from logger_extension.receivers.telemetry_api import TelemetryReceiver
from logger_extension.selflog import say
from logger_extension.wiring import Wiring, now_ms

P = ParamSpec("P")

SIGNALS = (signal.SIGTERM, signal.SIGINT)

# What tools that play Lambda answer to a subscription when they have no Telemetry API.
LOCAL_TOOL = 202

FAULT = "internal error, the function is not affected"


def run(handoff: Handoff, config: Config) -> int:
    """Run until SHUTDOWN or a signal; return the exit code.

    Raises:
        ConfigError: a certificate cannot be used, or the layer lacks what a protocol needs.
        ImportError: the layer is not whole, or of another Python.
    """
    # Not closed: that would wait for the resolver's threads, and a name server that hangs would
    # hold up the end of the sandbox. The process ends with os._exit.
    asyncio.Runner().run(_main(handoff, config))
    return 0


async def _main(handoff: Handoff, config: Config) -> None:
    for complaint in config.complaints:
        say("warn", complaint)
    api = LambdaApi(
        handoff, now_ms=now_ms, complain=lambda reason: say("warn", "next failed", reason=reason)
    )
    try:
        await _serve(handoff, config, api)
    except (ConfigError, ImportError):
        raise
    except Exception as error:  # noqa: BLE001  (see the head of this module)
        say("error", "internal error: the function runs without telemetry", reason=repr(error))
        _collect_from_now()
        # Nothing is left to flush: a signal may end us, the launcher knows that it was one.
        for number in SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
        while not api.has_shut_down:
            await api.next_event()
    finally:
        api.close()


async def _serve(handoff: Handoff, config: Config, api: LambdaApi) -> None:
    has_telemetry = handoff.listener is not None
    if not has_telemetry:
        _tell_of_no_telemetry(handoff)
    async with AsyncExitStack() as stack:
        wiring = Wiring(handoff, config, stack, _complain, _contain)
        pipeline = await wiring.build_pipeline()
        await wiring.open_receivers(pipeline)
        receiver = TelemetryReceiver(
            handoff,
            _contain(pipeline.accept, instead=lambda: pipeline.refuse("fault")),
            pipeline.refuse,
            has_room=pipeline.has_room,
            wait_for_room=pipeline.wait_for_room,
        )
        stack.push_async_callback(receiver.close)
        await receiver.open()
        _watch_loop(receiver)
        flusher = _make_flusher(wiring, pipeline, config)
        lifecycle = Lifecycle(
            api=api,
            pipeline=pipeline,
            flusher=flusher,
            survive=_survive,
            has_telemetry=has_telemetry,
            has_fallback=wiring.outlets.fallback is not None,
            margin_ms=config.delivery.deadline_margin_ms,
            now_ms=now_ms,
            note_added=wiring.itself.note_added,
        )
        beside = (
            flusher.follow(),
            receiver.keep_open(),
            _survive(wiring.outlets.connect()),
            _survive(wiring.outlets.recover(pipeline)),
        )
        _collect_from_now()
        event = await _follow_until_shutdown(lifecycle, beside)
        tell_launcher(os.environ, "shutdown")
        await lifecycle.shut_down(event)
        _tell_what_became(pipeline)


def _collect_from_now() -> None:
    """Search what comes from now on for garbage, and never again what the start has made."""
    gc.freeze()
    gc.enable()


def _watch_loop(receiver: TelemetryReceiver) -> None:
    """Tell faults of the event loop as any other; one may be the loss of the listener."""

    def tell(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        receiver.check()
        say("error", FAULT, reason=repr(context.get("exception") or context["message"]))

    asyncio.get_running_loop().set_exception_handler(tell)


def _tell_of_no_telemetry(handoff: Handoff) -> None:
    if handoff.subscription_status != LOCAL_TOOL:
        say(
            "warn",
            "no logs and no times will come: there is no telemetry subscription",
            status=handoff.subscription_status,
        )


def _tell_what_became(pipeline: Pipeline) -> None:
    if written := pipeline.count_written():
        say("warn", "not delivered, written to the fallback: see docs/fallback.md", **written)
    if lost := pipeline.count_lost():
        say("error", "telemetry was lost or refused", **lost)


def _make_flusher(wiring: Wiring, pipeline: Pipeline, config: Config) -> Flusher:
    settings = config.delivery
    return Flusher(
        source=pipeline,
        rules=settings.flush,
        cpu=config.cpu,
        flush_timeout_ms=settings.flush_timeout_ms,
        budget_ms=settings.collector_budget_ms,
        survive=_survive,
        now_ms=now_ms,
        clock_s=time.monotonic,
        note_decision=wiring.itself.note_decision,
        note_flush=wiring.itself.note_flush,
    )


async def _follow_until_shutdown(
    lifecycle: Lifecycle, beside: Sequence[Coroutine[Any, Any, None]]
) -> ShutdownEvent:
    """Return the SHUTDOWN that ended it, or one of our own making after SIGTERM or SIGINT.

    Args:
        lifecycle: follows invocations.
        beside: what else goes on until then.
    """
    async with asyncio.TaskGroup() as group:
        following = group.create_task(lifecycle.follow_invocations())
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, following.cancel)
        others = [group.create_task(work) for work in beside]
        await asyncio.wait({following})
        for task in others:
            task.cancel()
    if following.cancelled():
        return ShutdownEvent("signal", Deadline.after(now_ms(), SHUTDOWN_BUDGET_MS))
    return following.result()


def _contain(
    function: Callable[P, None], *, instead: Callable[[], None] = lambda: None
) -> Callable[P, None]:
    """Return the same function, but its faults are told and survived, and `instead` is called."""

    def contained(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  (see the head of this module)
            _tell_fault(error)
            instead()

    return contained


async def _survive(work: Awaitable[None]) -> None:
    """Await work whose faults are told and survived."""
    try:
        await work
    except Exception as error:  # noqa: BLE001  (see the head of this module)
        _tell_fault(error)


def _tell_fault(error: Exception) -> None:
    say("error", FAULT, reason=repr(error))


def _complain(message: str, reason: str) -> None:
    say("warn", message, reason=reason)
