"""What waits: how much, since when, and whether it can go; read of a whole pipeline."""

from logger_extension.events import NANOS_PER_MS
from logger_extension.policy.outcome import Undelivered
from logger_extension.settings.delivery import REQUEST_MAX_BYTES
from tests.support.extension import Extension
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
    """All are away, one is slow, and the last of all answers."""
    extension = Extension()
    told = extension.pipeline
    assert (told.is_away, told.is_slow, told.answered_s) == (False, False, float("-inf"))
    extension.logs.is_away = extension.logs.is_slow = True
    assert (told.is_away, told.is_slow) == (False, True)
    extension.traces.is_away = extension.metrics.is_away = True
    assert told.is_away
    extension.traces.answered_s, extension.logs.answered_s = 2.0, 1.0
    assert told.answered_s == 2.0
