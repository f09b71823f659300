"""The bounded queue: a model says what must be in it after any sequence of operations."""

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from logger_extension.policy.queue import Entry, Queue
from tests.support.laws import LAW

Batch = list[Entry[int]]


class QueueModel(RuleBasedStateMachine):
    """Puts, takes, restores and settles batches; items are numbers in the order of their arrival.

    Takes and restores nest as a channel makes them: what is taken is settled before the next take.
    What gives way comes back from `put` and `restore`: nothing is dropped behind the caller's back.
    """

    taken: Bundle[Batch] = Bundle("taken")

    @initialize(max_bytes=st.integers(1, 60), max_records=st.integers(1, 8))
    def build(self, max_bytes: int, max_records: int) -> None:
        """Begin with an empty queue."""
        self.max_bytes = max_bytes
        self.max_records = max_records
        self.queue: Queue[int] = Queue(max_bytes, max_records)
        self.put_count = 0
        self.settled = 0
        self.evicted: list[Entry[int]] = []
        self.out: Batch = []
        self.waiting: list[Entry[int]] = []

    @rule(size=st.integers(0, 80))
    def put(self, size: int) -> None:
        """Append; the oldest give way, and come back in order."""
        evicted = self.queue.put(self.put_count, size)
        self.waiting.append(Entry(self.put_count, size))
        self.put_count += 1
        expected = []
        while self._is_too_much(self.waiting):
            expected.append(self.waiting.pop(0))
        assert list(evicted) == expected
        self.evicted += expected

    def _is_too_much(self, entries: Batch) -> bool:
        size = sum(entry.size_bytes for entry in entries)
        return size > self.max_bytes or len(entries) > self.max_records

    @rule(target=taken, max_bytes=st.integers(0, 80), max_records=st.integers(1, 8))
    def take(self, max_bytes: int, max_records: int) -> Batch:
        """Take the oldest, within the bounds asked for but at least one."""
        if self.out:
            return []
        batch = self.queue.take(max_bytes, max_records)
        assert batch == self.waiting[: len(batch)]
        assert bool(batch) == bool(self.waiting)
        size = sum(entry.size_bytes for entry in batch)
        assert len(batch) <= 1 or size <= max_bytes
        assert len(batch) <= max_records
        rest = self.waiting[len(batch) :]
        is_full = len(batch) == max_records
        assert not rest or is_full or size + rest[0].size_bytes > max_bytes
        self.waiting = rest
        self.out = batch
        return batch

    @rule(batch=consumes(taken))
    def settle(self, batch: Batch) -> None:
        """Let a batch go: it is delivered."""
        if batch and batch == self.out:
            self.settled += len(batch)
            self.out = []

    @rule(batch=consumes(taken))
    def restore(self, batch: Batch) -> None:
        """Give a batch back: the newest of it that still fit stand in front again."""
        if not batch or batch != self.out:
            return
        evicted = self.queue.restore(batch)
        self.out = []
        rest = list(batch)
        while rest and not self._is_too_much([rest[-1], *self.waiting]):
            self.waiting.insert(0, rest.pop())
        assert list(evicted) == rest
        self.evicted += rest

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        """Same items, same order, same sizes, never above the bounds."""
        assert list(self.queue._entries) == self.waiting
        assert len(self.queue) == len(self.waiting)
        assert self.queue.size_bytes == sum(entry.size_bytes for entry in self.waiting)
        assert not self._is_too_much(self.waiting)
        shares = (self.queue.size_bytes / self.max_bytes, len(self.waiting) / self.max_records)
        assert self.queue.fill == max(shares)

    @invariant()
    def loses_nothing(self) -> None:
        """What was put is delivered, taken, waiting or was handed back."""
        kept = self.settled + len(self.out) + len(self.waiting)
        assert self.put_count == kept + len(self.evicted)


QueueModel.TestCase.settings = LAW
TestQueue = QueueModel.TestCase


MANY = 100


def test_an_item_larger_than_the_queue_is_handed_back() -> None:
    """One item beyond the bound takes all that was there with it: it is the newest."""
    queue: Queue[str] = Queue(10, MANY)
    assert queue.put("small", 5) == ()
    assert queue.put("huge", 11) == [Entry("small", 5), Entry("huge", 11)]
    assert len(queue) == 0
    assert queue.size_bytes == 0


def test_records_are_bounded_as_well_as_bytes() -> None:
    """Small items cost memory that their bytes do not show."""
    queue: Queue[str] = Queue(1_000, 2)
    assert [queue.put(item, 1) for item in "abc"] == [(), (), [Entry("a", 1)]]
    assert len(queue) == 2
    assert queue.fill == 1.0


def test_at_least_one_item_is_taken() -> None:
    """An item larger than a request still gets out, alone."""
    queue: Queue[str] = Queue(100, MANY)
    queue.put("large", 50)
    queue.put("small", 1)
    assert queue.take(10, MANY) == [Entry("large", 50)]
    assert queue.take(10, MANY) == [Entry("small", 1)]
    assert queue.take(10, MANY) == []


def test_a_request_is_bounded_in_records() -> None:
    """Some collectors count them."""
    queue: Queue[str] = Queue(100, MANY)
    for item in "abc":
        queue.put(item, 1)
    assert [entry.item for entry in queue.take(100, 2)] == ["a", "b"]
    assert [entry.item for entry in queue.take(100, 2)] == ["c"]


def test_what_comes_back_stands_in_front() -> None:
    """A batch that was not delivered is sent first the next time."""
    queue: Queue[str] = Queue(100, MANY)
    for item in "abc":
        queue.put(item, 10)
    batch = queue.take(20, MANY)
    queue.put("d", 10)
    assert queue.restore(batch) == ()
    assert [entry.item for entry in queue.take(100, MANY)] == ["a", "b", "c", "d"]


def test_what_no_longer_fits_comes_back_from_the_oldest_on() -> None:
    """What came in meanwhile is newer, and stays."""
    queue: Queue[str] = Queue(30, MANY)
    for item in "abc":
        queue.put(item, 10)
    batch = queue.take(30, MANY)
    queue.put("d", 10)
    assert queue.restore(batch) == [Entry("a", 10)]
    assert [entry.item for entry in queue.take(100, MANY)] == ["b", "c", "d"]
