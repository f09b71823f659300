"""When a batch is due and what is in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lambda_sandbox.batches import Batcher


def batcher(
    *, items: int = 3, size: int = 100, timeout_ms: int = 50, queue: int = 1_000
) -> Batcher:
    """A batcher with small limits."""
    made = Batcher(queue_bytes=queue)
    made.set_limits(max_items=items, max_bytes=size, timeout_ms=timeout_ms)
    return made


def test_empty_is_never_due() -> None:
    """Nothing waits, nothing is due."""
    assert batcher().due_in(5.0) is None


def test_due_a_timeout_after_the_first_event() -> None:
    """The time counts from the first event, whatever comes after it."""
    waiting = batcher()
    waiting.add(b"a", 10.0)
    waiting.add(b"b", 10.04)
    assert waiting.due_in(10.04) is not None
    assert abs((waiting.due_in(10.04) or 0) - 0.01) < 1e-9
    assert waiting.due_in(10.06) == 0


def test_due_at_once_when_full() -> None:
    """MaxItems and maxBytes make a batch due before its time."""
    by_items, by_bytes = batcher(), batcher()
    for event in (b"a", b"b", b"c"):
        by_items.add(event, 0.0)
    by_bytes.add(b"x" * 100, 0.0)
    assert by_items.due_in(0.0) == by_bytes.due_in(0.0) == 0


def test_batch_ends_with_the_event_that_reaches_the_size() -> None:
    """One event may overshoot maxBytes; none is added after it."""
    waiting = batcher(items=10)
    for event in (b"x" * 60, b"y" * 60, b"z"):
        waiting.add(event, 0.0)
    assert waiting.take() == [b"x" * 60, b"y" * 60]
    assert waiting.take() == [b"z"]
    assert waiting.take() == []


def test_drops_are_due_although_nothing_waits() -> None:
    """The count of what was dropped is told even if no event waits."""
    waiting = batcher(queue=4)
    waiting.add(b"12345", 0.0)
    assert waiting.due_in(0.0) == 0
    assert waiting.take_dropped() == (5, 1)
    assert waiting.take_dropped() == (0, 0)
    assert waiting.due_in(0.0) is None


@given(
    st.lists(st.one_of(st.binary(min_size=1, max_size=60), st.none())),
    st.integers(1, 5),
    st.integers(1, 120),
    st.integers(0, 200),
)
def test_nothing_is_lost_uncounted(
    steps: list[bytes | None], items: int, size: int, queue: int
) -> None:
    """What was added comes out once and in order, or is counted as dropped; limits hold."""
    waiting = batcher(items=items, size=size, queue=queue)
    added: list[bytes] = []
    taken: list[bytes] = []
    for step in steps:
        if step is None:
            batch = waiting.take()
            assert len(batch) <= items
            assert sum(map(len, batch[:-1])) < size
            taken += batch
        else:
            added.append(step)
            waiting.add(step, 0.0)
    while batch := waiting.take():
        taken += batch
    dropped_bytes, dropped_records = waiting.take_dropped()
    assert len(taken) + dropped_records == len(added)
    assert sum(map(len, taken)) + dropped_bytes == sum(map(len, added))
    remaining = iter(added)
    assert all(event in remaining for event in taken)
