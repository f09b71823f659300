"""The relay: requests wait, are forwarded in order, and never take more memory than allowed."""

import pytest

from logger_extension.channel import Channel
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.queue import Queue
from logger_extension.policy.self_time import TimedSpan
from logger_extension.policy.trace_context import derive_context
from logger_extension.relay import ORDER, Relay
from logger_extension.route import Limits, Route
from logger_extension.settings.receiver import ReceiverSettings
from logger_extension.signals.forwarding import Forwarding
from logger_extension.signals.requests import items_of, parse
from tests.support.extension import Complaints, RecordingSender, open_window
from tests.support.function_requests import (
    SDK_TRACE,
    START_UNIX_NANO,
    make_logs,
    make_request,
    make_span,
    make_traces,
)

MAX_BYTES = 1_000
INVOCATION = Invocation("r", derive_context("r", ""), start_unix_nano=START_UNIX_NANO)


class Relaying:
    """A relay between nothing and recording senders."""

    def __init__(self, settings: ReceiverSettings, *signals: str) -> None:
        self.senders = {signal: RecordingSender() for signal in signals}
        self.channels = {
            signal: Channel[bytes](
                signal,
                Queue(MAX_BYTES, 100),
                Route(signal=signal, encode=b"".join, sender=sender, fallback=None),
                Limits(MAX_BYTES, 100),
                Complaints(),
                None,
            )
            for signal, sender in self.senders.items()
        }
        self.spans: list[tuple[str, TimedSpan]] = []
        forwarding = Forwarding(settings, {"service.name": "shop"}, "name")
        self.relay = Relay(forwarding, self.channels, MAX_BYTES, self._note_span)

    def _note_span(self, request_id: str, span: TimedSpan) -> None:
        self.spans.append((request_id, span))

    async def flush(self) -> None:
        """Forward and send."""
        self.relay.forward([INVOCATION])
        for channel in self.channels.values():
            await channel.flush(open_window())


async def test_logs_follow_the_traces_that_came_after_them() -> None:
    """Traces are looked at first, so a log record that came earlier gets their new id too."""
    relaying = Relaying(ReceiverSettings(), *ORDER)
    assert relaying.relay.accept("logs", make_logs(SDK_TRACE))
    assert relaying.relay.accept("traces", make_traces(make_span(name="GET")))
    await relaying.flush()
    (logs,) = relaying.senders["logs"].bodies
    (record,) = items_of("logs", parse("logs", logs))
    assert record.trace_id == INVOCATION.context.trace_id
    assert [(request_id, span.feature) for request_id, span in relaying.spans] == [("r", "GET")]


@pytest.mark.parametrize("signal", ORDER)
async def test_requests_go_out_as_one(signal: str) -> None:
    """What came in several requests is one, in order."""
    relaying = Relaying(ReceiverSettings(traces="keep", enriches=False), *ORDER)
    body = make_request(signal)
    assert relaying.relay.accept(signal, body)
    assert relaying.relay.accept(signal, body)
    await relaying.flush()
    (sent,) = relaying.senders[signal].bodies
    assert len(list(items_of(signal, parse(signal, sent)))) == 2 * len(
        list(items_of(signal, parse(signal, body)))
    )


async def test_full_and_room_again() -> None:
    """What does not fit is refused; once forwarded there is room."""
    relaying = Relaying(ReceiverSettings(), *ORDER)
    large = make_traces(make_span(name="x" * 600))
    assert relaying.relay.fill == 0.0
    assert relaying.relay.accept("traces", large)
    assert relaying.relay.waiting_bytes == len(large)
    assert relaying.relay.fill == len(large) / MAX_BYTES
    assert not relaying.relay.accept("traces", large)
    assert not relaying.relay.accept("logs", bytes(MAX_BYTES))
    await relaying.flush()
    assert relaying.relay.fill == 0.0
    assert relaying.relay.accept("traces", large)


async def test_a_signal_that_is_off() -> None:
    """The user wants none of it: it is taken, so the SDK is content, and goes nowhere."""
    relaying = Relaying(ReceiverSettings(), "traces")
    assert relaying.relay.accept("logs", make_logs(SDK_TRACE))
    assert relaying.relay.waiting_bytes == 0
    await relaying.flush()
    assert relaying.senders["traces"].bodies == []
