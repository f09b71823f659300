"""Bodies that were not read yet: each once, in order, with their bytes and lines counted."""

from hypothesis import given
from hypothesis import strategies as st

from logger_extension.inbox import REMEMBERED_BODIES, Inbox
from tests.support.laws import LAW
from tests.support.telemetry_bodies import event, line, to_body


def test_bodies_come_out_in_order_with_their_times() -> None:
    """The time stands in for one that an event does not tell."""
    inbox = Inbox(1_000)
    assert inbox.put(b"first", 1)
    assert inbox.put(b"second", 2)
    assert len(inbox) == 2
    assert list(inbox) == [b"first", b"second"]
    assert [inbox.take(), inbox.take()] == [(1, b"first"), (2, b"second")]
    assert len(inbox) == 0


def test_a_body_that_comes_again_is_not_taken() -> None:
    """Also when it was read meanwhile: Lambda did not get the answer."""
    inbox = Inbox(1_000)
    assert inbox.put(b"body", 1)
    assert not inbox.put(b"body", 2)
    inbox.take()
    assert not inbox.put(b"body", 3)
    assert inbox.duplicates == 2
    assert len(inbox) == 0


def test_bodies_are_remembered_for_a_while() -> None:
    """The memory of bodies is bounded: so many back, and no further."""
    inbox = Inbox(1_000)
    for number in range(REMEMBERED_BODIES + 1):
        inbox.put(b"%d" % number, 1)
    assert not inbox.put(b"1", 1)
    assert inbox.put(b"0", 1)
    for number in range(10 * REMEMBERED_BODIES):
        inbox.put(b"%d" % number, 1)
    assert len(inbox._seen) == REMEMBERED_BODIES


def test_it_may_be_too_full() -> None:
    """What is done about that is the caller's."""
    inbox = Inbox(100)
    assert inbox.fill == 0.0
    inbox.put(b"x" * 50, 1)
    assert inbox.fill == 0.5
    inbox.put(b"y" * 100, 1)
    assert inbox.fill == 1.5


@LAW
@given(counts=st.lists(st.integers(0, 5), max_size=8), taken=st.integers(0, 8))
def test_bytes_and_lines_are_those_of_what_is_in_it(counts: list[int], taken: int) -> None:
    """Whatever came and went; platform events are no lines."""
    inbox = Inbox(1_000)
    bodies = []
    for number, count in enumerate(counts):
        # The first event makes each body one of its own.
        body = to_body([event("platform.extension", number), *[line("x")] * count])
        bodies.append((count, body))
        assert inbox.put(body, number)
    for number in range(min(taken, len(bodies))):
        assert inbox.take() == (number, bodies[number][1])
    rest = bodies[taken:]
    assert inbox.lines == sum(count for count, _ in rest)
    assert inbox.size_bytes == sum(len(body) for _, body in rest)
