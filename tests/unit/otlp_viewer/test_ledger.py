"""Which rows make room."""

from hypothesis import given
from hypothesis import strategies as st

from otlp_viewer import Limits
from otlp_viewer.ledger import Entry, Ledger, split
from tests.support.laws import LAW

_entries = st.lists(
    st.tuples(st.integers(1, 9) | st.integers(1, 400), st.floats(0, 50) | st.floats(0, 5_000)),
    min_size=1,
    max_size=40,
)


@LAW
@given(_entries, st.integers(1, 1_000), st.integers(0, 5_000))
def test_what_is_held_stays_within_the_limits(
    sizes: list[tuple[int, float]], max_rows: int, max_bytes: int
) -> None:
    """After each request; and no row is lost to the count."""
    limits = Limits(max_rows=max_rows, max_bytes=max_bytes)
    ledger = Ledger(limits)
    held: list[Entry] = []
    for number, (rows, size_bytes) in enumerate(sizes):
        entry = Entry(number, {"table": rows}, size_bytes)
        surplus = ledger.find_surplus([entry])
        ledger.take([entry], surplus)
        last_gone = surplus[-1].number if surplus else -1
        held = [each for each in (*held, entry) if each.number > last_gone]
        assert ledger.count == sum(each.count for each in held) <= max_rows
        assert sum(each.size_bytes for each in held) <= max_bytes
        assert ledger.received == sum(count for count, _ in sizes[: number + 1])


def test_room_is_made_for_a_twentieth_at_once() -> None:
    """Not for every request anew: each deletion costs, however small."""
    ledger = Ledger(Limits(max_rows=100), [Entry(number, {"t": 1}, 1.0) for number in range(100)])
    assert ledger.find_surplus() == []
    surplus = ledger.find_surplus([Entry(100, {"t": 1}, 1.0)])
    assert [entry.number for entry in surplus] == list(range(6))


def test_small_requests_become_one_entry() -> None:
    """So that a million of them are no burden; they make room together."""
    ledger = Ledger(Limits(max_rows=1_000), [Entry(n, {"t": 1}, 1.0) for n in range(1_000)])
    surplus = ledger.find_surplus([Entry(1_000, {"t": 1}, 1.0)])
    assert [(entry.number, entry.count) for entry in surplus] == [
        (number, 10) for number in (9, 19, 29, 39, 49, 59)
    ]


def test_nothing_makes_room_that_fits() -> None:
    """Up to the limit itself."""
    ledger = Ledger(Limits(max_rows=2, max_bytes=10))
    assert ledger.find_surplus([Entry(0, {"t": 2}, 10.0)]) == []


@LAW
@given(st.lists(st.integers(), max_size=200), st.integers(1, 500))
def test_parts_are_the_request_in_order(rows: list[int], max_rows: int) -> None:
    """Each is small beside the limit."""
    parts = list(split(rows, Limits(max_rows=max_rows)))
    assert [row for part in parts for row in part] == rows
    assert all(0 < len(part) <= max(1, max_rows // 20) for part in parts)
