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
    """

    taken: Bundle[Batch] = Bundle("taken")

    @initialize(max_bytes=st.integers(1, 60))
    def build(self, max_bytes: int) -> None:
        """Begin with an empty queue."""
        self.max_bytes = max_bytes
        self.queue: Queue[int] = Queue(max_bytes)
        self.put_count = 0
        self.settled = 0
        self.out: Batch = []
        self.waiting: list[Entry[int]] = []

    @rule(size=st.integers(0, 80))
    def put(self, size: int) -> None:
        """Append; the oldest give way."""
        self.queue.put(self.put_count, size)
        self.waiting.append(Entry(self.put_count, size))
        self.put_count += 1
        while sum(entry.size_bytes for entry in self.waiting) > self.max_bytes:
            self.waiting.pop(0)

    @rule(target=taken, max_bytes=st.integers(0, 80))
    def take(self, max_bytes: int) -> Batch:
        """Take the oldest, within the bytes asked for but at least one."""
        if self.out:
            return []
        batch = self.queue.take(max_bytes)
        assert batch == self.waiting[: len(batch)]
        assert bool(batch) == bool(self.waiting)
        size = sum(entry.size_bytes for entry in batch)
        assert len(batch) <= 1 or size <= max_bytes
        rest = self.waiting[len(batch) :]
        assert not rest or not batch or size + rest[0].size_bytes > max_bytes
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
        self.queue.restore(batch)
        self.out = []
        free = self.max_bytes - sum(entry.size_bytes for entry in self.waiting)
        for entry in reversed(batch):
            free -= entry.size_bytes
            if free < 0:
                break
            self.waiting.insert(0, entry)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        """Same items, same order, same sizes, never above the bound."""
        assert list(self.queue._entries) == self.waiting
        assert len(self.queue) == len(self.waiting)
        assert self.queue.size_bytes == sum(entry.size_bytes for entry in self.waiting)
        assert self.queue.size_bytes <= self.max_bytes

    @invariant()
    def loses_nothing_uncounted(self) -> None:
        """What was put is delivered, taken, waiting or counted as dropped."""
        dropped = self.queue.dropped["queue_full"]
        assert self.put_count == self.settled + len(self.out) + len(self.waiting) + dropped


QueueModel.TestCase.settings = LAW
TestQueue = QueueModel.TestCase


def test_an_item_larger_than_the_queue_is_dropped_and_counted() -> None:
    """One item beyond the bound drops itself and all that was there: it is the newest."""
    queue: Queue[str] = Queue(10)
    queue.put("small", 5)
    queue.put("huge", 11)
    assert len(queue) == 0
    assert queue.size_bytes == 0
    assert queue.dropped == {"queue_full": 2}


def test_at_least_one_item_is_taken() -> None:
    """An item larger than a request still gets out, alone."""
    queue: Queue[str] = Queue(100)
    queue.put("large", 50)
    queue.put("small", 1)
    assert queue.take(10) == [Entry("large", 50)]
    assert queue.take(10) == [Entry("small", 1)]
    assert queue.take(10) == []


def test_what_comes_back_stands_in_front() -> None:
    """A batch that was not delivered is sent first the next time."""
    queue: Queue[str] = Queue(100)
    for item in "abc":
        queue.put(item, 10)
    batch = queue.take(20)
    queue.put("d", 10)
    queue.restore(batch)
    assert [entry.item for entry in queue.take(100)] == ["a", "b", "c", "d"]


def test_what_no_longer_fits_is_dropped_from_the_oldest_on() -> None:
    """What came in meanwhile is newer, and stays."""
    queue: Queue[str] = Queue(30)
    for item in "abc":
        queue.put(item, 10)
    batch = queue.take(30)
    queue.put("d", 10)
    queue.restore(batch)
    assert [entry.item for entry in queue.take(100)] == ["b", "c", "d"]
    assert queue.dropped == {"queue_full": 1}
