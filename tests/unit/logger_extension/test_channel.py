"""A channel: what waits is delivered, kept or counted, whenever the flush is cancelled."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.channel import MAX_REQUEST_BYTES, Channel
from logger_extension.policy.outcome import Delivered, Outcome, Refused, Undelivered
from logger_extension.policy.queue import Queue
from tests.support.extension import Complaints, RecordingExporter
from tests.support.laws import LAW

# Three items of this size go into one request.
SIZE = MAX_REQUEST_BYTES // 3


def _encode(items: Sequence[int]) -> bytes:
    return b",".join(b"%d" % item for item in items)


def _decode(bodies: Sequence[bytes]) -> list[int]:
    return [int(item) for body in bodies for item in body.split(b",")]


class Collector:
    """An exporter that takes several steps, each an await at which it can be cancelled.

    What it has taken after its last step is delivered, as `outcomes` say for each request.
    """

    def __init__(self, outcomes: Sequence[Outcome], steps: int) -> None:
        self._outcomes = iter(outcomes)
        self._steps = steps
        self.asked = asyncio.Event()
        self.delivered: list[int] = []
        self.refused: list[int] = []

    async def export(self, body: bytes) -> Outcome:
        """Take the body after all steps."""
        for _ in range(self._steps):
            self.asked.set()
            await asyncio.sleep(0)
        outcome = next(self._outcomes, Delivered())
        if isinstance(outcome, Delivered):
            self.delivered += _decode([body])
        elif isinstance(outcome, Refused):
            self.refused += _decode([body])
        return outcome


def _channel(
    exporter: RecordingExporter | Collector, complain: Complaints, count: int = 0
) -> tuple[Channel[int], Queue[int]]:
    queue: Queue[int] = Queue(100 * MAX_REQUEST_BYTES)
    channel = Channel("logs", queue, _encode, exporter, complain, lambda: 0.0)
    for item in range(count):
        channel.put(item, SIZE)
    return channel, queue


async def test_a_flush_sends_all_in_order_in_requests_of_bounded_size() -> None:
    """Three of these fill a request."""
    exporter = RecordingExporter()
    channel, queue = _channel(exporter, Complaints(), 7)
    await channel.flush()
    assert exporter.bodies == [b"0,1,2", b"3,4,5", b"6"]
    assert len(queue) == 0


async def test_an_empty_queue_sends_nothing() -> None:
    """Empty requests are no use to anyone."""
    exporter = RecordingExporter()
    channel, _ = _channel(exporter, Complaints())
    await channel.flush()
    assert exporter.bodies == []


async def test_what_is_not_delivered_is_kept_and_sent_first_the_next_time() -> None:
    """The flush ends there: a collector that is down is not asked again and again."""
    complaints = Complaints()
    exporter = RecordingExporter([Delivered(), Undelivered("HTTP 503")])
    channel, _ = _channel(exporter, complaints, 7)
    await channel.flush()
    assert exporter.bodies == [b"0,1,2", b"3,4,5"]
    assert channel.count_lost()["logs.undelivered"] == 4
    assert [reason for _, reason in complaints.messages] == ["HTTP 503"]
    channel.put(7, SIZE)
    await channel.flush()
    assert exporter.bodies[2:] == [b"3,4,5", b"6,7"]
    assert channel.count_lost()["logs.undelivered"] == 0


async def test_what_is_refused_is_dropped_counted_and_told() -> None:
    """The next request goes out all the same."""
    complaints = Complaints()
    exporter = RecordingExporter([Refused("HTTP 400")])
    channel, _ = _channel(exporter, complaints, 4)
    await channel.flush()
    assert exporter.bodies == [b"0,1,2", b"3"]
    assert channel.count_lost() == {"logs.refused": 3, "logs.rejected": 0, "logs.undelivered": 0}
    assert [reason for _, reason in complaints.messages] == ["HTTP 400"]


@pytest.mark.parametrize("message", ["", "too old"])
@pytest.mark.parametrize("rejected", [0, 2])
async def test_partial_success_is_counted_and_told(rejected: int, message: str) -> None:
    """Rejected records are never sent again; a message alone is a warning."""
    complaints = Complaints()
    exporter = RecordingExporter([Delivered(rejected, message)])
    channel, _ = _channel(exporter, complaints, 3)
    await channel.flush()
    assert channel.count_lost()["logs.rejected"] == rejected
    assert [reason for _, reason in complaints.messages] == [message] * bool(rejected or message)
    assert len(exporter.bodies) == 1


async def test_an_error_in_the_encoder_gives_its_request_up_and_counts_it() -> None:
    """It would come again each time; what waits behind it is sent by the next flush."""

    def encode(items: Sequence[int]) -> bytes:
        if 0 in items:
            raise ZeroDivisionError
        return _encode(items)

    exporter = RecordingExporter()
    queue: Queue[int] = Queue(100 * MAX_REQUEST_BYTES)
    channel = Channel("logs", queue, encode, exporter, Complaints(), lambda: 0.0)
    for item in range(4):
        channel.put(item, SIZE)
    with pytest.raises(ZeroDivisionError):
        await channel.flush()
    assert channel.count_lost()["logs.refused"] == 3
    await channel.flush()
    assert exporter.bodies == [b"3"]


@LAW
@given(
    count=st.integers(1, 10),
    outcomes=st.lists(
        st.sampled_from([Delivered(), Delivered(1, "x"), Undelivered("later"), Refused("never")]),
        max_size=4,
    ),
    steps=st.integers(1, 4),
    cancellations=st.lists(st.integers(0, 12), max_size=4),
)
async def test_cancelled_at_any_await_nothing_is_lost_or_doubled(
    count: int, outcomes: list[Outcome], steps: int, cancellations: list[int]
) -> None:
    """After any number of cut flushes and one whole one, each item is out once, in order."""
    collector = Collector(outcomes, steps)
    channel, queue = _channel(collector, Complaints(), count)
    for turns in cancellations:
        flush = asyncio.create_task(channel.flush())
        for _ in range(turns):
            await asyncio.sleep(0)
        flush.cancel()
        await asyncio.gather(flush, return_exceptions=True)
        held = [entry.item for entry in queue._entries]
        assert sorted(collector.delivered + collector.refused + held) == list(range(count))
    for _ in range(len(outcomes) + 1):
        await channel.flush()
    assert len(queue) == 0
    assert collector.delivered == sorted(collector.delivered)
    assert sorted(collector.delivered + collector.refused) == list(range(count))
    assert queue.dropped["refused"] == len(collector.refused)


async def test_what_comes_during_a_flush_waits_behind_what_comes_back() -> None:
    """A cancelled flush restores in front of newer items."""
    collector = Collector([], steps=3)
    channel, queue = _channel(collector, Complaints(), 2)
    flush = asyncio.create_task(channel.flush())
    await collector.asked.wait()
    channel.put(2, SIZE)
    flush.cancel()
    await asyncio.gather(flush, return_exceptions=True)
    assert [entry.item for entry in queue._entries] == [0, 1, 2]


async def test_a_flush_out_of_time_keeps_its_data() -> None:
    """The lifecycle's timeout is a cancellation like any other."""
    channel, queue = _channel(Collector([], steps=1_000_000), Complaints(), 2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await channel.flush()
    assert [entry.item for entry in queue._entries] == [0, 1]


async def test_a_pause_that_the_collector_asks_for_is_kept() -> None:
    """Nothing is sent before Retry-After is over, nothing is lost, and then it goes on."""
    now_ms = 1_000.0
    exporter = RecordingExporter([Undelivered("HTTP 429", retry_after_ms=500)])
    queue: Queue[int] = Queue(10 * SIZE)
    channel = Channel("logs", queue, _encode, exporter, Complaints(), lambda: now_ms)
    channel.put(1, SIZE)
    await channel.flush()
    now_ms = 1_499.0
    await channel.flush()
    assert len(exporter.bodies) == 1
    now_ms = 1_500.0
    await channel.flush()
    assert len(exporter.bodies) == 2
    assert channel.count_lost() == {"logs.rejected": 0, "logs.undelivered": 0}
