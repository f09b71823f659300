"""Pauses between tries, and the breaker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.retry import (
    FIRST_OPEN_MS,
    FIRST_PAUSE_MS,
    LONGEST_ASKED_MS,
    LONGEST_OPEN_MS,
    LONGEST_PAUSE_MS,
    Breaker,
    draw_pause_ms,
)
from tests.support.laws import LAW

NOW_MS = 5_000_000.0
CHANCES = st.floats(0, 1)
TRIES = st.integers(1, 10_000)
ASKED = st.none() | st.floats(0, 1e12)


@pytest.mark.parametrize(
    ("tries", "longest_ms"),
    [(1, 20.0), (2, 40.0), (5, 320.0), (8, 2_560.0), (9, 5_000.0), (10_000, 5_000.0)],
)
def test_pauses_double_up_to_five_seconds(tries: int, longest_ms: float) -> None:
    """Full jitter: chance draws from nothing at all to that."""
    drawn = [draw_pause_ms(tries, None, chance) for chance in (0.0, 0.25, 1.0)]
    assert drawn == [0.0, longest_ms / 4, longest_ms]


@LAW
@given(TRIES, ASKED, CHANCES)
def test_a_pause_has_bounds(tries: int, asked_ms: float | None, chance: float) -> None:
    """What the collector asks for is the least, a quarter of an hour the most that is believed."""
    least_ms = min(asked_ms or 0.0, LONGEST_ASKED_MS)
    pause_ms = draw_pause_ms(tries, asked_ms, chance)
    assert least_ms <= pause_ms <= least_ms + LONGEST_PAUSE_MS
    assert pause_ms <= least_ms + FIRST_PAUSE_MS * 2.0 ** min(tries, 100)


@LAW
@given(TRIES, TRIES, ASKED, CHANCES)
def test_pauses_never_get_shorter(
    one: int, other: int, asked_ms: float | None, chance: float
) -> None:
    """With the same chance, more failures mean at least as long a pause."""
    fewer, more = sorted((one, other))
    assert draw_pause_ms(fewer, asked_ms, chance) <= draw_pause_ms(more, asked_ms, chance)


def test_a_breaker_begins_closed() -> None:
    """Whatever the clock shows."""
    assert not Breaker().is_open(0.0)
    assert not Breaker().is_open(NOW_MS)


def _fail(times: int) -> Breaker:
    """Return a breaker after failures that came each as soon as it might be asked again."""
    breaker = Breaker()
    for _ in range(times):
        breaker = breaker.fail(max(NOW_MS, breaker.closed_at_ms), None, 1.0)
    return breaker


@LAW
@given(st.integers(0, 100), ASKED, CHANCES)
def test_a_failure_opens_it_for_a_while(
    failures: int, asked_ms: float | None, chance: float
) -> None:
    """Half of the time at least, and as long as the collector asks for; then it is asked again."""
    breaker = Breaker(failures).fail(NOW_MS, asked_ms, chance)
    least_ms = min(asked_ms or 0.0, LONGEST_ASKED_MS)
    open_ms = breaker.closed_at_ms - NOW_MS
    # The clock's own precision is less than that of a duration.
    assert max(FIRST_OPEN_MS / 2, least_ms) - 1e-3 <= open_ms
    assert open_ms <= max(LONGEST_OPEN_MS, least_ms) + 1e-3
    assert breaker.is_open(NOW_MS)
    assert not breaker.is_open(breaker.closed_at_ms)
    assert breaker.failures == failures + 1


@pytest.mark.parametrize(
    ("failures", "open_ms"),
    [(1, 1_000), (2, 2_000), (6, 32_000), (7, 60_000), (8, 60_000), (2_000, 60_000)],
)
def test_it_stays_open_longer_each_time_up_to_a_minute(failures: int, open_ms: float) -> None:
    """A collector that is gone costs one try a minute."""
    before = _fail(failures - 1)
    now_ms = max(NOW_MS, before.closed_at_ms)
    assert before.fail(now_ms, None, 1.0).closed_at_ms - now_ms == open_ms


@LAW
@given(st.integers(0, 200), st.integers(0, 200), ASKED, CHANCES)
def test_more_failures_never_mean_less(
    one: int, other: int, asked_ms: float | None, chance: float
) -> None:
    """With the same chance."""
    fewer, more = (
        Breaker(failures).fail(NOW_MS, asked_ms, chance) for failures in sorted((one, other))
    )
    assert fewer.closed_at_ms <= more.closed_at_ms


def test_once_closed_one_failure_is_enough() -> None:
    """The try after the pause decides: taken, all is forgotten, else it is open for longer."""
    opened = _fail(3)
    assert not opened.is_open(opened.closed_at_ms)
    again = opened.fail(opened.closed_at_ms, None, 1.0)
    assert again.closed_at_ms - opened.closed_at_ms == 8 * FIRST_OPEN_MS
