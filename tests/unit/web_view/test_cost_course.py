"""Stretches of time."""

from hypothesis import given
from hypothesis import strategies as st

from web_view.cost_course import MAX_STRETCHES, Course, choose_width_s, draw_course


@given(length_s=st.floats(0, 1e9), start_s=st.floats(0, 1e9))
def test_there_are_never_too_many(length_s: float, start_s: float) -> None:
    """Wherever the time begins within a stretch."""
    width_s = choose_width_s(length_s)
    assert (start_s + length_s) // width_s - start_s // width_s < MAX_STRETCHES + 1


def test_widths_have_names() -> None:
    """In the largest unit that fits."""
    names = [Course(width_s, []).width for width_s in (1, 15, 900, 10_800, 86_400, 604_800)]
    assert names == ["1 s", "15 s", "15 min", "3 h", "1 day", "1 week"]


def test_nothing_paid_gives_no_chart() -> None:
    """An empty frame would say nothing."""
    assert draw_course(Course(1, [])) is None
