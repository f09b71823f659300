"""A channel: what waits is delivered, kept, written down or counted, whenever it is cancelled."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.channel import SMALLEST_REQUEST_BYTES, Channel
from logger_extension.delivery import Window
from logger_extension.policy.outcome import Delivered, Outcome, Refused, TooLarge, Undelivered
from logger_extension.policy.queue import Entry, Queue
from logger_extension.route import Fallback, Limits, Route
from tests.support.extension import (
    Complaints,
    RecordingFallback,
    RecordingSender,
    open_window,
)
from tests.support.laws import LAW

# Three items of this size go into one request.
SIZE = 2 * SMALLEST_REQUEST_BYTES
REQUEST_BYTES = 3 * SIZE
QUEUE_BYTES = 100 * REQUEST_BYTES
MANY = 1_000


def _encode(items: Sequence[int]) -> bytes:
    return b",".join(b"%d" % item for item in items)


def _decode(bodies: Sequence[bytes]) -> list[int]:
    return [int(item) for body in bodies for item in body.split(b",")]


class Sender(RecordingSender):
    """A collector that takes several steps, each an await at which it can be cancelled.

    What it has taken after its last step is delivered, as `outcomes` say for each request.
    """

    def __init__(
        self, outcomes: Sequence[Outcome] = (), *, steps: int = 0, most: int = MANY
    ) -> None:
        super().__init__(outcomes)
        self._steps = steps
        self._most = most
        self.delivered: list[int] = []

    async def send(self, body: bytes, window: Window) -> Outcome:
        """Take the body after all steps, unless it holds more items than it takes at once."""
        for _ in range(self._steps):
            self.asked.set()
            await asyncio.sleep(0)
        items = _decode([body])
        outcome = await super().send(body, window)
        if len(items) > self._most:
            outcome = TooLarge("HTTP 413")
        if isinstance(outcome, Delivered):
            self.delivered += items
        return outcome


class SlowFallback(RecordingFallback):
    """A fallback that takes several steps, and never fails by itself."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps
        self.asked = asyncio.Event()

    async def write(self, signal: str, body: bytes) -> int:
        """Take the request at once, and say so late."""
        unwritten = await super().write(signal, body)
        for _ in range(self._steps):
            self.asked.set()
            await asyncio.sleep(0)
        return unwritten


class Outlet:
    """A channel of numbers between a sender and a fallback.

    Attributes:
        exported: how many were told as delivered, of each request.
        progress: how often progress was told.
    """

    def __init__(
        self,
        sender: RecordingSender,
        *,
        fallback: Fallback | None = None,
        encode: Callable[[Sequence[int]], bytes] = _encode,
        queue: Queue[int] | None = None,
        request_max_records: int = MANY,
    ) -> None:
        self.queue = queue if queue is not None else Queue[int](QUEUE_BYTES, MANY)
        self.complaints = Complaints()
        self.exported: list[int] = []
        self.progress = 0
        self.channel = Channel(
            "logs",
            self.queue,
            Route(signal="logs", encode=encode, sender=sender, fallback=fallback),
            Limits(REQUEST_BYTES, request_max_records),
            self.complaints,
            self.exported.append,
        )
        self.channel.note_progress = self._note_progress

    def _note_progress(self) -> None:
        self.progress += 1

    def put(self, *items: int) -> None:
        """Queue items, each a third of a request."""
        for item in items:
            self.channel.put(item, SIZE)

    async def flush(self, *, is_last: bool = False) -> bool:
        """Flush without a limit of time."""
        return await self.channel.flush(open_window(is_last=is_last))

    @property
    def waiting(self) -> list[int]:
        """What is in the queue."""
        return [entry.item for entry in self.queue._entries]

    @property
    def lost(self) -> dict[str, int]:
        """What is or would be lost, by reason."""
        return {reason: count for reason, count in self.channel.count_lost().items() if count}

    @property
    def reasons(self) -> list[str]:
        """The reasons that were complained of."""
        return [reason for _, reason in self.complaints.messages]


async def test_a_flush_sends_all_in_order_in_requests_of_bounded_size() -> None:
    """Three of these fill a request."""
    sender = RecordingSender()
    outlet = Outlet(sender)
    outlet.put(*range(7))
    assert await outlet.flush()
    assert sender.bodies == [b"0,1,2", b"3,4,5", b"6"]
    assert len(outlet.channel) == 0
    assert outlet.exported == [3, 3, 1]
    assert outlet.progress == 3


async def test_a_request_is_bounded_in_records() -> None:
    """Also where they are small."""
    sender = RecordingSender()
    outlet = Outlet(sender, request_max_records=2)
    for item in range(5):
        outlet.channel.put(item, 1)
    await outlet.flush()
    assert sender.bodies == [b"0,1", b"2,3", b"4"]


async def test_with_the_answer_that_is_owed_a_flush_is_over_where_nobody_waits() -> None:
    """What it brings is settled, the rest goes with the next flush."""
    sender = RecordingSender()
    sender.is_open.clear()
    outlet = Outlet(sender)
    outlet.put(*range(7))
    window = open_window()
    flush = asyncio.create_task(outlet.channel.flush(window))
    await sender.asked.wait()
    window.is_left = True
    sender.is_open.set()
    assert not await flush
    assert sender.bodies == [b"0,1,2"]
    assert await outlet.flush()
    assert sender.bodies == [b"0,1,2", b"3,4,5", b"6"]


async def test_an_empty_queue_sends_nothing() -> None:
    """Empty requests are no use to anyone."""
    sender = RecordingSender()
    assert await Outlet(sender).flush()
    assert sender.bodies == []


async def test_what_is_not_delivered_is_kept_and_sent_first_the_next_time() -> None:
    """The flush ends there: a collector that is down is not asked again and again."""
    sender = RecordingSender([Delivered(), Undelivered("HTTP 503")])
    outlet = Outlet(sender)
    outlet.put(*range(7))
    assert not await outlet.flush()
    assert sender.bodies == [b"0,1,2", b"3,4,5"]
    assert outlet.lost == {"logs.undelivered": 4}
    assert outlet.exported == [3]
    assert outlet.reasons == ["HTTP 503"]
    outlet.put(7)
    assert await outlet.flush()
    assert sender.bodies[2:] == [b"3,4,5", b"6,7"]
    assert outlet.lost == {}


async def test_what_is_refused_is_dropped_counted_and_told() -> None:
    """The next request goes out all the same."""
    sender = RecordingSender([Refused("HTTP 400")])
    outlet = Outlet(sender)
    outlet.put(*range(4))
    assert await outlet.flush()
    assert sender.bodies == [b"0,1,2", b"3"]
    assert outlet.lost == {"logs.refused": 3}
    assert outlet.exported == [1]
    assert outlet.complaints.messages == [("the collector refused logs, dropped", "HTTP 400")]


@pytest.mark.parametrize("message", ["", "too old"])
@pytest.mark.parametrize("rejected", [0, 2])
async def test_partial_success_is_counted_and_told(rejected: int, message: str) -> None:
    """Rejected records are never sent again; a message alone is a warning."""
    sender = RecordingSender([Delivered(rejected, message)])
    outlet = Outlet(sender)
    outlet.put(*range(3))
    await outlet.flush()
    assert outlet.channel.count_lost()["logs.rejected"] == rejected
    assert outlet.reasons == [message] * bool(rejected or message)
    assert len(sender.bodies) == 1


@pytest.mark.parametrize("has_fallback", [False, True])
async def test_an_error_in_the_encoder_gives_its_request_up_and_counts_it(
    *, has_fallback: bool
) -> None:
    """It would come again each time; what waits behind it is sent by the next flush."""

    def encode(items: Sequence[int]) -> bytes:
        if 0 in items:
            raise ZeroDivisionError
        return _encode(items)

    sender = RecordingSender()
    outlet = Outlet(sender, encode=encode, fallback=RecordingFallback() if has_fallback else None)
    outlet.put(*range(4))
    with pytest.raises(ZeroDivisionError):
        await outlet.flush()
    if has_fallback:
        # The fallback is given the same encoding, which fails again.
        with pytest.raises(ZeroDivisionError):
            await outlet.flush()
    await outlet.flush()
    assert outlet.lost == {"logs.refused": 3}
    assert sender.bodies == [b"3"]
    assert outlet.channel.written == 0


async def test_while_the_collector_is_away_nothing_is_even_encoded() -> None:
    """Encoding would cost CPU in vain; at the last chance it is tried all the same."""
    encoded: list[int] = []

    def encode(items: Sequence[int]) -> bytes:
        encoded.extend(items)
        return _encode(items)

    sender = RecordingSender()
    sender.is_away = True
    outlet = Outlet(sender, encode=encode)
    assert await outlet.flush()
    outlet.put(0, 1)
    assert not await outlet.flush()
    assert (encoded, sender.bodies) == ([], [])
    assert outlet.waiting == [0, 1]
    assert await outlet.flush(is_last=True)
    assert sender.bodies == [b"0,1"]


async def test_a_request_that_is_too_large_is_sent_in_smaller_ones() -> None:
    """All arrives, in order, and the size that was learned stays."""
    sender = Sender(most=1)
    outlet = Outlet(sender)
    outlet.put(*range(6))
    assert await outlet.flush()
    assert sender.delivered == list(range(6))
    assert outlet.lost == {}
    assert outlet.complaints.messages == []
    sender.bodies.clear()
    outlet.put(*range(6, 9))
    await outlet.flush()
    assert sender.bodies == [b"6", b"7", b"8"]


async def test_an_item_that_is_too_large_alone_is_dropped_and_told() -> None:
    """Nothing smaller can be made of it; what is around it arrives."""
    sender = RecordingSender([Delivered(), TooLarge("HTTP 413: 1 MiB at most")])
    outlet = Outlet(sender)
    outlet.put(0)
    outlet.channel.put(1, 10 * REQUEST_BYTES)
    outlet.put(2, 3)
    assert await outlet.flush()
    assert sender.bodies == [b"0", b"1", b"2,3"]
    assert outlet.lost == {"logs.too_large": 1}
    assert outlet.reasons == ["HTTP 413: 1 MiB at most"]


async def test_a_small_request_that_is_too_large_is_refused() -> None:
    """A collector that says so of a few kilobytes means something else: halving has an end."""
    sender = RecordingSender([TooLarge("HTTP 413")] * 100)
    outlet = Outlet(sender)
    for item in range(64):
        outlet.channel.put(item, SMALLEST_REQUEST_BYTES // 32)
    assert await outlet.flush()
    assert outlet.lost == {"logs.too_large": 64}
    assert [len(_decode([body])) for body in sender.bodies] == [64, 32, 32]


def _halve(entry: Entry[bytes]) -> list[Entry[bytes]]:
    items = entry.item.split(b",")
    middle = len(items) // 2
    halves = [b",".join(part) for part in (items[:middle], items[middle:]) if part]
    return [Entry(half, entry.size_bytes // len(halves)) for half in halves]


def _count(body: bytes) -> int:
    return len(_decode([body]))


def _raw_channel(
    sender: RecordingSender, fallback: Fallback | None = None, queue_bytes: int = QUEUE_BYTES
) -> Channel[bytes]:
    route = Route(
        signal="logs",
        encode=b",".join,
        sender=sender,
        fallback=fallback,
        divide=_halve,
        count=_count,
    )
    queue: Queue[bytes] = Queue(queue_bytes, MANY)
    limits = Limits(REQUEST_BYTES, MANY)
    return Channel("function_logs", queue, route, limits, Complaints(), None)


async def test_a_body_that_is_too_large_is_divided() -> None:
    """What the function's SDK sent as one goes out in parts, in order."""
    sender = Sender(most=2)
    channel = _raw_channel(sender)
    channel.put(_encode(range(8)), 8 * SIZE)
    channel.put(_encode([8, 9]), 2 * SIZE)
    assert await channel.flush(open_window())
    assert sender.delivered == list(range(10))
    assert not any(channel.dropped.values())


async def test_dividing_a_large_body_does_not_forget_what_was_learned() -> None:
    """The size that a collector takes is not raised by an item that was above it anyway."""
    sender = Sender(most=1)
    channel = _raw_channel(sender)
    channel.put(_encode([0]), SIZE)
    channel.put(_encode([1]), SIZE)
    assert await channel.flush(open_window())
    channel.put(_encode(range(2, 6)), 16 * SIZE)
    assert await channel.flush(open_window())
    sender.bodies.clear()
    for item in range(6, 9):
        channel.put(_encode([item]), SIZE)
    assert await channel.flush(open_window())
    assert sender.bodies == [b"6", b"7", b"8"]


async def test_a_small_body_that_is_too_large_is_not_divided() -> None:
    """It would be divided only to be dropped in parts."""
    sender = Sender(most=1)
    channel = _raw_channel(sender)
    channel.put(_encode(range(4)), SMALLEST_REQUEST_BYTES)
    assert await channel.flush(open_window())
    assert sender.bodies == [b"0,1,2,3"]
    assert channel.dropped == {"too_large": 4}


@pytest.mark.parametrize("has_fallback", [False, True])
def test_records_are_counted_not_bodies(*, has_fallback: bool) -> None:
    """Of five bodies two are in the queue; a fallback is still to take two more."""
    channel = _raw_channel(
        RecordingSender(), RecordingFallback() if has_fallback else None, 2 * SIZE
    )
    for first in range(0, 15, 3):
        channel.put(_encode(range(first, first + 3)), SIZE)
    assert channel.dropped == {"queue_full": 3 if has_fallback else 9}


@pytest.mark.parametrize("has_fallback", [False, True])
async def test_refused_records_are_counted_not_bodies(*, has_fallback: bool) -> None:
    """Also where some of them could not be written down."""
    fallback = RecordingFallback()
    fallback.unwritten = 2
    sender = RecordingSender([Refused("HTTP 400")])
    channel = _raw_channel(sender, fallback if has_fallback else None)
    channel.put(_encode(range(3)), SIZE)
    channel.put(_encode(range(3, 6)), SIZE)
    await channel.flush(open_window())
    assert channel.dropped == {"refused": 2 if has_fallback else 6}
    assert channel.written == (4 if has_fallback else 0)


async def test_the_fallback_takes_what_is_refused() -> None:
    """Written down is not lost; what the complaint says is where to look."""
    fallback = RecordingFallback()
    outlet = Outlet(RecordingSender([Refused("HTTP 400")]), fallback=fallback)
    outlet.put(*range(4))
    assert await outlet.flush()
    assert fallback.written == [("logs", b"0,1,2")]
    assert outlet.channel.written == 3
    assert outlet.lost == {}
    (message, reason) = outlet.complaints.messages[0]
    assert "written to the fallback" in message
    assert reason == "HTTP 400"


async def test_the_fallback_takes_what_the_queue_has_no_room_for() -> None:
    """The oldest, at the next chance; until then it counts as waiting."""
    fallback = RecordingFallback()
    outlet = Outlet(RecordingSender(), fallback=fallback, queue=Queue(2 * SIZE, MANY))
    outlet.put(*range(4))
    assert len(outlet.channel) == 4
    assert outlet.waiting == [2, 3]
    await outlet.channel.spill()
    assert fallback.written == [("logs", b"0,1")]
    assert outlet.channel.written == 2
    assert outlet.lost == {"logs.undelivered": 2}


async def test_without_a_fallback_what_gives_way_is_dropped() -> None:
    """By bytes or by records, as queue_full."""
    outlet = Outlet(RecordingSender(), queue=Queue(QUEUE_BYTES, 2))
    outlet.put(*range(5))
    assert outlet.waiting == [3, 4]
    assert outlet.lost == {"logs.queue_full": 3, "logs.undelivered": 2}


async def test_what_waits_for_the_fallback_is_bounded_too() -> None:
    """As much as the queue holds, no more: the oldest of it are lost, and counted."""
    outlet = Outlet(RecordingSender(), fallback=RecordingFallback(), queue=Queue(2 * SIZE, MANY))
    outlet.put(*range(7))
    assert outlet.lost == {"logs.queue_full": 3, "logs.undelivered": 4}
    await outlet.channel.spill()
    assert outlet.channel.written == 2
    assert len(outlet.channel) == 2


async def test_what_comes_back_to_a_full_queue_goes_to_the_fallback() -> None:
    """A request that was not delivered is older than what came meanwhile."""
    fallback = RecordingFallback()
    sender = Sender([Undelivered("HTTP 503")], steps=2)
    outlet = Outlet(sender, fallback=fallback, queue=Queue(3 * SIZE, MANY))
    outlet.put(0, 1, 2)
    flush = asyncio.create_task(outlet.flush())
    await sender.asked.wait()
    outlet.put(3, 4)
    assert not await flush
    assert fallback.written == [("logs", b"0,1")]
    assert outlet.waiting == [2, 3, 4]


async def test_at_the_end_all_that_waits_is_written_down() -> None:
    """In requests of bounded size, what there was no room for first."""
    fallback = RecordingFallback()
    outlet = Outlet(RecordingSender(), fallback=fallback, queue=Queue(6 * SIZE, MANY))
    outlet.put(*range(8))
    await outlet.channel.give_up()
    assert fallback.written == [("logs", b"0,1"), ("logs", b"2,3,4"), ("logs", b"5,6,7")]
    assert outlet.channel.written == 8
    assert len(outlet.channel) == 0
    assert outlet.lost == {}


async def test_at_the_end_without_a_fallback_what_waits_is_told_as_undelivered() -> None:
    """There is nowhere to put it."""
    outlet = Outlet(RecordingSender())
    outlet.put(0, 1)
    await outlet.channel.give_up()
    assert outlet.lost == {"logs.undelivered": 2}


async def test_what_the_fallback_cannot_write_is_counted_by_its_reason() -> None:
    """Some of a request may be out and the rest not."""
    fallback = RecordingFallback()
    fallback.unwritten = 2
    outlet = Outlet(RecordingSender([Refused("HTTP 400")]), fallback=fallback)
    outlet.put(*range(3))
    await outlet.flush()
    assert outlet.channel.written == 1
    assert outlet.lost == {"logs.refused": 2}


async def test_a_fallback_that_was_cut_off_counts_as_lost() -> None:
    """How much it had written is not known: rather told as lost than not."""
    fallback = SlowFallback(steps=MANY)
    outlet = Outlet(RecordingSender(), fallback=fallback)
    outlet.put(*range(4))
    giving_up = asyncio.create_task(outlet.channel.give_up())
    await fallback.asked.wait()
    giving_up.cancel()
    await asyncio.gather(giving_up, return_exceptions=True)
    assert outlet.channel.written == 0
    assert outlet.channel.dropped["undelivered"] == 3
    assert outlet.lost == {"logs.undelivered": 4}


async def test_a_spill_that_is_cut_off_goes_on() -> None:
    """An invocation has no more time for it; what is being written is not lost by that."""
    fallback = SlowFallback(steps=30)
    outlet = Outlet(RecordingSender(), fallback=fallback, queue=Queue(2 * SIZE, MANY))
    outlet.put(*range(8))
    waiting = len(outlet.channel)
    assert waiting > 2
    spilling = asyncio.create_task(outlet.channel.spill())
    await fallback.asked.wait()
    spilling.cancel()
    await asyncio.gather(spilling, return_exceptions=True)
    told = outlet.lost
    await outlet.channel.spill()
    assert outlet.channel.written == waiting - 2
    assert told["logs.undelivered"] == waiting
    assert outlet.channel.dropped["queue_full"] == 8 - waiting


async def test_how_near_a_loss_is() -> None:
    """Where there is a fallback, when that is late; else when the queue is full, if it empties."""
    fallback = RecordingFallback()
    outlet = Outlet(RecordingSender(), fallback=fallback, queue=Queue(2 * SIZE, MANY))
    outlet.put(0, 1)
    pressures = [outlet.channel.pressure]
    outlet.put(2)
    pressures.append(outlet.channel.pressure)
    await outlet.channel.spill()
    pressures.append(outlet.channel.pressure)
    assert pressures == [0.0, 0.5, 0.0]
    sender = RecordingSender()
    without = Outlet(sender, queue=Queue(2 * SIZE, MANY))
    without.put(0)
    pressures = [without.channel.pressure]
    sender.is_away = True
    pressures.append(without.channel.pressure)
    assert pressures == [0.5, 0.0]


async def test_progress_is_told_of_what_is_written_down() -> None:
    """There is room again, as after a delivery."""
    outlet = Outlet(RecordingSender(), fallback=RecordingFallback(), queue=Queue(2 * SIZE, MANY))
    outlet.put(*range(4))
    assert outlet.progress == 0
    await outlet.channel.spill()
    assert outlet.progress == 1


async def test_how_much_waits() -> None:
    """For decisions: a full request in bytes or in records, and the fuller of both bounds."""
    outlet = Outlet(RecordingSender(), queue=Queue(6 * SIZE, 8), request_max_records=4)
    assert (outlet.channel.fill, outlet.channel.has_full_request) == (0.0, False)
    assert outlet.channel.capacity == 8
    outlet.put(0, 1)
    assert (outlet.channel.fill, outlet.channel.has_full_request) == (2 / 6, False)
    outlet.put(2)
    assert (outlet.channel.fill, outlet.channel.has_full_request) == (3 / 6, True)
    many = Outlet(RecordingSender(), queue=Queue(6 * SIZE, 8), request_max_records=4)
    for item in range(4):
        many.channel.put(item, 1)
    assert (many.channel.fill, many.channel.has_full_request) == (4 / 8, True)


async def test_what_comes_during_a_flush_waits_behind_what_comes_back() -> None:
    """A cancelled flush restores in front of newer items."""
    sender = Sender(steps=3)
    outlet = Outlet(sender)
    outlet.put(0, 1)
    flush = asyncio.create_task(outlet.flush())
    await sender.asked.wait()
    outlet.put(2)
    flush.cancel()
    await asyncio.gather(flush, return_exceptions=True)
    assert outlet.waiting == [0, 1, 2]
    assert outlet.progress == 1


async def test_a_flush_out_of_time_keeps_its_data() -> None:
    """A limit is a cancellation like any other."""
    outlet = Outlet(Sender(steps=1_000_000))
    outlet.put(0, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await outlet.flush()
    assert outlet.waiting == [0, 1]


some_outcomes = st.lists(
    st.sampled_from(
        [
            Delivered(),
            Delivered(1, "x"),
            Undelivered("later"),
            Refused("never"),
            TooLarge("less"),
        ]
    ),
    max_size=8,
)
some_turns = st.integers(0, 12)
some_operations = st.lists(
    st.tuples(st.just("put"), st.integers(0, 2 * REQUEST_BYTES))
    | st.tuples(st.sampled_from(["flush", "spill", "both"]), some_turns)
    | st.tuples(st.sampled_from(["away", "unwritten"]), st.integers(0, 1)),
    max_size=30,
)


class Ledger:
    """A channel with small bounds, and an account of where each record is.

    An item is a body with one record in it or more; records are numbers.
    """

    def __init__(self, outcomes: Sequence[Outcome], steps: int, *, has_fallback: bool) -> None:
        self.sender = Sender(outcomes, steps=steps)
        self.fallback = SlowFallback(steps)
        self.queue: Queue[bytes] = Queue(4 * REQUEST_BYTES, 6)
        self.exported: list[int] = []
        self.numbers = 0
        self.channel = Channel(
            "logs",
            self.queue,
            Route(
                signal="logs",
                encode=b",".join,
                sender=self.sender,
                fallback=self.fallback if has_fallback else None,
                divide=_halve,
                count=_count,
            ),
            Limits(REQUEST_BYTES, 3),
            Complaints(),
            self.exported.append,
        )

    async def do(self, what: str, figure: int) -> None:
        """Do one thing; what awaits is cut off after so many turns."""
        match what:
            case "put":
                self.channel.put(_encode([self.numbers, self.numbers + 1]), figure)
                self.numbers += 2
            case "away":
                self.sender.is_away = bool(figure)
            case "unwritten":
                self.fallback.unwritten = figure
            case _:
                await self._cut(what, figure)

    async def _cut(self, what: str, turns: int) -> None:
        works: list[asyncio.Task[bool] | asyncio.Task[None]] = []
        if what in ("flush", "both"):
            works.append(asyncio.create_task(self.channel.flush(open_window())))
        if what in ("spill", "both"):
            works.append(asyncio.create_task(self.channel.spill()))
        for _ in range(turns):
            await asyncio.sleep(0)
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        if self.channel._spilling is not None:
            # It goes on by itself.
            await self.channel._spilling

    def check(self) -> None:
        """Each record is in one place; where it is not, it is counted."""
        channel = self.channel
        lost = sum(channel.dropped.values()) - channel.dropped["rejected"]
        entries = [*self.queue._entries, *(entry for _, entry in channel._rest)]
        assert len(entries) == len(channel)
        waiting = _decode([entry.item for entry in entries])
        kept = sum(self.exported) + channel.dropped["rejected"] + channel.written + len(waiting)
        assert self.numbers == kept + lost
        handed = _decode([body for _, body in self.fallback.written])
        somewhere = self.sender.delivered + handed + waiting
        assert len(somewhere) == len(set(somewhere))
        assert set(somewhere) <= set(range(self.numbers))
        if not lost:
            assert len(somewhere) == self.numbers
        assert self.queue.size_bytes <= self.queue.max_bytes
        assert channel._rest_bytes == sum(entry.size_bytes for _, entry in channel._rest)
        assert channel._rest_bytes <= self.queue.max_bytes


@LAW
@given(
    outcomes=some_outcomes,
    steps=st.integers(0, 3),
    operations=some_operations,
    has_fallback=st.booleans(),
)
async def test_every_record_is_in_exactly_one_place(
    outcomes: list[Outcome], steps: int, operations: list[tuple[str, int]], *, has_fallback: bool
) -> None:
    """Delivered, dropped by a reason, written down or waiting: whatever is answered or cut."""
    ledger = Ledger(outcomes, steps, has_fallback=has_fallback)
    for what, figure in operations:
        await ledger.do(what, figure)
        ledger.check()
    await ledger.channel.flush(open_window(is_last=True))
    ledger.check()
    await ledger.channel.give_up()
    ledger.check()
    assert not has_fallback or len(ledger.channel) == 0


@LAW
@given(
    count=st.integers(1, 10),
    outcomes=some_outcomes,
    steps=st.integers(1, 4),
    cancellations=st.lists(st.integers(0, 12), max_size=4),
)
async def test_cancelled_at_any_await_nothing_is_lost_or_doubled(
    count: int, outcomes: list[Outcome], steps: int, cancellations: list[int]
) -> None:
    """After any number of cut flushes and enough whole ones, each item is out once, in order."""
    sender = Sender(outcomes, steps=steps)
    outlet = Outlet(sender)
    outlet.put(*range(count))
    for turns in cancellations:
        flush = asyncio.create_task(outlet.flush())
        for _ in range(turns):
            await asyncio.sleep(0)
        flush.cancel()
        await asyncio.gather(flush, return_exceptions=True)
        refused = sum(outlet.channel.dropped.values()) - outlet.channel.dropped["rejected"]
        assert len(sender.delivered) + refused + len(outlet.waiting) == count
        assert not set(sender.delivered) & set(outlet.waiting)
    for _ in range(len(outcomes) + 1):
        await outlet.flush()
    assert outlet.waiting == []
    assert sender.delivered == sorted(set(sender.delivered))
    assert len(sender.delivered) == sum(outlet.exported) + outlet.channel.dropped["rejected"]
    dropped = outlet.channel.dropped
    assert len(sender.delivered) + dropped["refused"] + dropped["too_large"] == count


async def test_what_is_on_its_way_is_still_held() -> None:
    """A process that is killed now would lose it."""
    sender = RecordingSender()
    sender.is_open.clear()
    outlet = Outlet(sender)
    outlet.put(1, 2)
    flush = asyncio.create_task(outlet.flush())
    await sender.asked.wait()
    assert (len(outlet.channel), outlet.channel.held) == (0, 2)
    sender.is_open.set()
    await flush
    assert outlet.channel.held == 0
