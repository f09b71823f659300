"""A deadline is a point in time, never a duration."""

from hypothesis import given
from hypothesis import strategies as st

from logger_extension.deadline import Deadline
from tests.support.laws import LAW

NOW_MS = 1_795_427_239_113.0


def test_what_remains_is_counted_from_the_time_given() -> None:
    """Lambda's deadlineMs is an epoch time: three seconds ahead are three seconds."""
    assert Deadline(NOW_MS + 3_000).remaining_s(NOW_MS) == 3.0


def test_nothing_remains_after_it() -> None:
    """A deadline that has passed leaves nothing, and never less than nothing."""
    assert Deadline(NOW_MS).remaining_s(NOW_MS) == 0.0
    assert Deadline(NOW_MS - 1).remaining_s(NOW_MS) == 0.0


def test_it_can_be_made_from_a_duration_and_cut_by_a_margin() -> None:
    """Durations become deadlines only through `after` and `less`."""
    assert Deadline.after(NOW_MS, 500).less(200) == Deadline(NOW_MS + 300)


@LAW
@given(st.floats(0, 1e13), st.floats(0, 1e13), st.floats(0, 1e13))
def test_the_earlier_of_two_leaves_the_lesser_time(one: float, other: float, now: float) -> None:
    """`earlier` is the minimum, whichever side it is asked from."""
    first, second = Deadline(one), Deadline(other)
    assert first.earlier(second) == second.earlier(first)
    lesser = min(first.remaining_s(now), second.remaining_s(now))
    assert first.earlier(second).remaining_s(now) == lesser
