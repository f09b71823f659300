"""How invocations follow each other: a smoothed gap."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.rhythm import ENOUGH_GAPS, Rhythm
from tests.support.laws import LAW

NOW_MS = 1_795_427_494_000.0
GAPS = st.lists(st.floats(0, 1e9), min_size=ENOUGH_GAPS, max_size=30)


def _follow(gaps_ms: Iterable[float]) -> Rhythm:
    now_ms = NOW_MS
    rhythm = Rhythm().invoked(now_ms)
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        rhythm = rhythm.invoked(now_ms)
    return rhythm


def test_nothing_is_expected_until_enough_was_seen() -> None:
    """A first gap may be a cold start's, a second one chance."""
    known = [_follow([20.0] * count).gap_ms is not None for count in range(ENOUGH_GAPS + 2)]
    assert known == [False] * ENOUGH_GAPS + [True, True]


def test_before_any_invocation_nothing_is_known() -> None:
    """Not even a gap of nothing."""
    assert Rhythm().gap_ms is None


@LAW
@given(st.floats(0, 1e9), st.integers(ENOUGH_GAPS, 30))
def test_a_steady_rhythm_is_what_it_is(gap_ms: float, count: int) -> None:
    """However long it has gone on."""
    assert _follow([gap_ms] * count).gap_ms == pytest.approx(gap_ms, abs=1e-3)


@LAW
@given(GAPS)
def test_what_is_expected_lies_between_what_was_seen(gaps_ms: Sequence[float]) -> None:
    """Never outside of it."""
    gap_ms = _follow(gaps_ms).gap_ms
    assert gap_ms is not None
    assert min(gaps_ms) - 1e-3 <= gap_ms <= max(gaps_ms) + 1e-3


def test_a_burst_is_noticed_and_so_is_its_end() -> None:
    """Within a few invocations either way."""
    daily, brisk = 24 * 3_600_000.0, 20.0
    burst = _follow([60_000.0] * 5 + [brisk] * 8).gap_ms
    assert burst is not None
    assert burst < 5_000
    rare = _follow([brisk] * 100 + [daily]).gap_ms
    assert rare is not None
    assert rare > 5_000


@LAW
@given(GAPS, st.floats(0, 1e9))
def test_a_clock_that_was_set_back_makes_no_gap_below_nothing(
    gaps_ms: Sequence[float], back_ms: float
) -> None:
    """The next gap is counted from the time that it is now."""
    before = _follow(gaps_ms)
    assert before.last_ms is not None
    after = before.invoked(before.last_ms - back_ms)
    assert after.last_ms == before.last_ms - back_ms
    assert after.gap_ms is not None
    assert before.gap_ms is not None
    assert 0 <= after.gap_ms <= before.gap_ms
