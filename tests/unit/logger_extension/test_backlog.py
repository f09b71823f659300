"""What waits: how much, since when, and whether it can go; read of a whole pipeline."""

import asyncio
from math import inf

import pytest

from logger_extension import backlog
from logger_extension.backlog import NEARLY_LOST
from logger_extension.events import NANOS_PER_MS
from logger_extension.policy.outcome import Undelivered
from logger_extension.settings.delivery import REQUEST_MAX_BYTES
from tests.support.extension import Extension, RecordingFallback
from tests.support.function_requests import make_logs, make_request
from tests.support.telemetry_bodies import line, to_body


async def test_what_waits_gets_older() -> None:
    """From the coming of the oldest until it is delivered, whatever comes after it."""
    extension = Extension()
    assert extension.pipeline.measure_age_ms() == 0.0
    extension.pipeline.accept(to_body([line("first")]))
    extension.now_unix_nano += 300 * NANOS_PER_MS
    extension.pipeline.accept(to_body([line("second")]))
    extension.now_unix_nano += 200 * NANOS_PER_MS
    assert extension.pipeline.measure_age_ms() == 500.0
    await extension.flush()
    assert extension.pipeline.measure_age_ms() == 0.0


async def test_what_was_not_delivered_keeps_its_age() -> None:
    """A collector that is down makes nothing young."""
    extension = Extension()
    extension.logs._outcomes = iter([Undelivered("HTTP 503")])
    extension.pipeline.accept(to_body([line("first")]))
    extension.now_unix_nano += 500 * NANOS_PER_MS
    await extension.flush()
    assert extension.pipeline.measure_age_ms() == 500.0


async def test_a_clock_that_was_set_back_makes_no_negative_age() -> None:
    """It is as young as can be then."""
    extension = Extension()
    extension.pipeline.accept(to_body([line("first")]))
    extension.now_unix_nano -= 3_600_000 * NANOS_PER_MS
    assert extension.pipeline.measure_age_ms() == 0.0


async def test_how_full_it_is() -> None:
    """The fullest of all that is bounded says it."""
    unread = Extension(reads_at_once=False, max_unread_bytes=1_000)
    unread.pipeline.accept(b"x" * 250)
    assert unread.pipeline.fill == 0.25
    body = make_request("logs")
    extension = Extension(queue_bytes=4 * len(body))
    extension.pipeline.accept_request("logs", body)
    assert extension.pipeline.fill == 0.25
    for _ in range(3):
        extension.pipeline.take_back("logs", body)
    assert extension.pipeline.fill == 0.75


async def test_a_full_request() -> None:
    """Unread, with the SDK's, or in a queue: as much as goes into one request."""
    extension = Extension(reads_at_once=False)
    extension.pipeline.accept(b"x" * (REQUEST_MAX_BYTES - 100))
    states = [extension.pipeline.has_full_request]
    extension.pipeline.accept_request("logs", make_logs(*[b"\1" * 16] * 10))
    states.append(extension.pipeline.has_full_request)
    assert states == [False, True]
    queued = Extension()
    queued.pipeline.accept(to_body([line("x" * 1024)] * 250))
    states = [queued.pipeline.has_full_request]
    queued.pipeline.accept(to_body([line("y" * 1024)] * 500))
    states.append(queued.pipeline.has_full_request)
    assert states == [False, True]


async def test_what_is_told_of_the_collectors() -> None:
    """All are away, one is slow; the one that may still answer counts, of those that were asked."""
    extension = Extension()
    told = extension.pipeline
    assert (told.is_away, told.is_slow, told.measure_patience_s(0.1)) == (False, False, inf)
    extension.logs.is_away = extension.logs.is_slow = True
    assert (told.is_away, told.is_slow) == (False, True)
    extension.traces.is_away = extension.metrics.is_away = True
    assert told.is_away
    extension.traces.patience_s, extension.logs.patience_s = 0.07, 0.03
    assert told.measure_patience_s(0.1) == 0.07
    extension.traces.patience_s = -0.01
    assert told.measure_patience_s(0.1) == 0.03


async def test_silent_collectors_are_given_up() -> None:
    """Each by itself: what is too silent for the budget is the delivery's to say."""
    extension = Extension()
    extension.pipeline.give_up_silent(0.1)
    for sender in (extension.logs, extension.traces, extension.metrics):
        assert set(sender.given_up) == {0.1}


async def test_lambda_waits_while_a_loss_is_near() -> None:
    """It keeps what it has not delivered; there is room again when a request is out."""
    extension = Extension(queue_bytes=10_000)
    extension.logs.is_open.clear()
    extension.pipeline.accept(to_body([line("x" * 1_000)] * 6))
    flush = asyncio.create_task(extension.flush())
    await extension.logs.asked.wait()
    extension.pipeline.accept(to_body([line("y" * 1_000)] * 6))
    extension.pipeline.has_come.clear()
    waiting = asyncio.create_task(extension.pipeline.wait_for_room())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert extension.pipeline.has_come.is_set()
    extension.logs.is_open.set()
    await waiting
    await flush
    assert extension.pipeline.pressure == 0.0


async def test_what_is_written_down_makes_room_too() -> None:
    """With a fallback a loss is near when that is late, not when the queue is full."""
    extension = Extension(queue_bytes=10_000, fallback=RecordingFallback())
    extension.pipeline.accept(to_body([line("x" * 1_000)] * 7))
    assert extension.pipeline.fill > 0.75
    await extension.pipeline.wait_for_room()
    extension.pipeline.accept(to_body([line("y" * 1_000)] * 7))
    assert extension.pipeline.pressure >= NEARLY_LOST
    waiting = asyncio.create_task(extension.pipeline.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await extension.pipeline.spill()
    await waiting


async def test_lambda_does_not_wait_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has no room for is lost as well."""
    monkeypatch.setattr(backlog, "LONGEST_WAIT_S", 0.0)
    extension = Extension(queue_bytes=10_000)
    extension.pipeline.accept(to_body([line("x" * 1_000)] * 7))
    assert extension.pipeline.pressure >= NEARLY_LOST
    await extension.pipeline.wait_for_room()
    assert extension.pipeline.pressure >= NEARLY_LOST


async def test_nobody_waits_for_a_collector_that_is_away() -> None:
    """Without a fallback nothing makes room then: what is too much gives way."""
    extension = Extension(queue_bytes=10_000)
    extension.pipeline.accept(to_body([line("x" * 1_000)] * 7))
    extension.logs.is_away = True
    await extension.pipeline.wait_for_room()
    assert extension.pipeline.fill >= NEARLY_LOST


async def test_nothing_is_lost_where_lambda_waits_for_what_is_written_down() -> None:
    """Else the next body would push it out; one takes a small part of a queue."""
    extension = Extension(queue_bytes=100_000, fallback=RecordingFallback())
    told = extension.pipeline

    async def spill() -> None:
        while True:
            await told.has_come.wait()
            told.has_come.clear()
            await told.spill()

    spilling = asyncio.create_task(spill())
    for number in range(100):
        told.accept(to_body([line(f"{number} {'x' * 1_000}")] * 4))
        await told.wait_for_room()
    spilling.cancel()
    await asyncio.gather(spilling, return_exceptions=True)
    await told.give_up()
    assert told.count_written() == {"logs": 400}
    assert told.count_lost() == {}
