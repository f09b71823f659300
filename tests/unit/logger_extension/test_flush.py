"""When telemetry is sent: a table of situations, the laws of all decisions, and the shutdown."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from logger_extension.deadline import Deadline
from logger_extension.policy.flush import (
    FALLBACK_MOST_MS,
    FULL_SHARE,
    LAST_REPORT_WAIT_MS,
    Action,
    Decision,
    FlushRules,
    Policy,
    Reason,
    Situation,
    decide_beside,
    decide_invocation,
    find_reserve_ms,
    plan_shutdown,
)
from tests.support.laws import LAW

NOW_MS = 1_795_427_494_000.0
DAY_MS = 24 * 3_600_000.0

# An invocation a day, one in ten seconds, one a second, and one that follows at once; a thousand a
# second are spread over so many sandboxes, each of which is never idle.
DAILY = {"gap_ms": DAY_MS, "flush_ms": 40.0}
RARE = {"gap_ms": 10_000.0, "flush_ms": 40.0}
BRISK = {"gap_ms": 1_000.0, "flush_ms": 40.0}
FOURTH = {"gap_ms": 4_000.0, "flush_ms": 40.0}
BUSY = {"gap_ms": 20.0, "flush_ms": 40.0}
SPARE: dict[str, Any] = {"has_spare_cpu": True}
JUST_SENT: dict[str, Any] = {"since_flush_ms": 999.0, "age_ms": 999.0}
DUE: dict[str, Any] = {"since_flush_ms": 1_000.0, "age_ms": 1_000.0}
OLD: dict[str, Any] = {"age_ms": 5_000.0}
AWAY: dict[str, Any] = {"is_away": True}
SLOW: dict[str, Any] = {"is_slow": True}
NO_TIME: dict[str, Any] = {"limit_ms": NOW_MS}
FULL: dict[str, Any] = {"fill": FULL_SHARE}
FULL_REQUEST: dict[str, Any] = {"has_full_request": True}

AUTO, END = FlushRules(), FlushRules(policy=Policy.END)
OVERLAP = FlushRules(policy=Policy.OVERLAP)
PERIODIC = FlushRules(policy=Policy.PERIODIC, interval_ms=1_000.0)


def _describe(*parts: dict[str, Any]) -> Situation:
    facts: dict[str, Any] = {"now_ms": NOW_MS, "limit_ms": NOW_MS + 3_000}
    for part in parts:
        facts |= part
    return Situation(**facts)


@pytest.mark.parametrize(
    ("rules", "now", "action", "reason"),
    [
        # What is asked for is done, whatever the rhythm is.
        (END, _describe(), Action.END, Reason.ASKED),
        (END, _describe(DAILY), Action.END, Reason.ASKED),
        (END, _describe(BUSY, SPARE), Action.END, Reason.ASKED),
        (END, _describe(BUSY, SLOW), Action.END, Reason.ASKED),
        (OVERLAP, _describe(), Action.BESIDE, Reason.ASKED),
        (OVERLAP, _describe(DAILY), Action.BESIDE, Reason.ASKED),
        (OVERLAP, _describe(BUSY), Action.BESIDE, Reason.ASKED),
        (PERIODIC, _describe(), Action.BESIDE, Reason.ASKED),
        (PERIODIC, _describe(DAILY, OLD), Action.BESIDE, Reason.ASKED),
        (PERIODIC, _describe(BUSY, JUST_SENT), Action.LATER, Reason.SENT_RECENTLY),
        # Nobody begins what cannot be ended, nor asks a collector that does not answer.
        *(
            (rules, _describe(why, SPARE), Action.LATER, reason)
            for rules in (AUTO, END, OVERLAP, PERIODIC)
            for why, reason in ((NO_TIME, Reason.NO_TIME), (AWAY, Reason.COLLECTOR_AWAY))
        ),
        (AUTO, _describe(NO_TIME, AWAY), Action.LATER, Reason.NO_TIME),
        # One invocation a day: the next chance is too far away.
        (AUTO, _describe(DAILY), Action.END, Reason.RARE),
        (AUTO, _describe(DAILY, SPARE), Action.END, Reason.RARE),
        (AUTO, _describe(DAILY, JUST_SENT), Action.END, Reason.RARE),
        (AUTO, _describe(RARE, SPARE), Action.END, Reason.RARE),
        # The first ones: it may stay the only one.
        (AUTO, _describe(), Action.END, Reason.UNKNOWN_RHYTHM),
        (AUTO, _describe(SPARE, {"flush_ms": 40.0}), Action.END, Reason.UNKNOWN_RHYTHM),
        # A thousand a second: nothing is waited for.
        (AUTO, _describe(BUSY, SPARE), Action.BESIDE, Reason.SPARE_CPU),
        (AUTO, _describe(BUSY, SPARE, JUST_SENT), Action.LATER, Reason.SENT_RECENTLY),
        # A flush beside handlers too short to see its end is waited for in the end.
        (AUTO, _describe(BUSY, SPARE, OLD), Action.END, Reason.GETTING_OLD),
        (AUTO, _describe(BUSY), Action.LATER, Reason.YOUNG),
        (AUTO, _describe(BUSY, {"age_ms": 4_999.0}), Action.LATER, Reason.YOUNG),
        (AUTO, _describe(BUSY, OLD), Action.END, Reason.GETTING_OLD),
        (AUTO, _describe(BUSY, FULL_REQUEST), Action.END, Reason.FULL_REQUEST),
        (AUTO, _describe(BUSY, FULL), Action.END, Reason.FULL_REQUEST),
        # One a second, with a collector far away and one next door.
        (AUTO, _describe(BRISK, SPARE), Action.BESIDE, Reason.SPARE_CPU),
        (AUTO, _describe(BRISK), Action.LATER, Reason.YOUNG),
        (AUTO, _describe(BRISK, {"age_ms": 4_999.0}), Action.LATER, Reason.YOUNG),
        # The next chance is at most two gaps away: by then it would be too old.
        (AUTO, _describe(FOURTH, {"age_ms": 2_000.0}), Action.END, Reason.GETTING_OLD),
        (AUTO, _describe(FOURTH, {"age_ms": 1_999.0}), Action.LATER, Reason.YOUNG),
        (AUTO, _describe(FOURTH, SPARE, {"age_ms": 2_000.0}), Action.BESIDE, Reason.SPARE_CPU),
        (AUTO, _describe({"gap_ms": 4_000.0, "flush_ms": 10.0}), Action.END, Reason.CHEAP),
        (AUTO, _describe({"gap_ms": 4_000.0, "flush_ms": 16.0}), Action.LATER, Reason.YOUNG),
        (AUTO, _describe({"gap_ms": 4_000.0, "flush_ms": None}), Action.LATER, Reason.YOUNG),
        # What cannot be had within the budget is had beside the handler.
        (AUTO, _describe(SLOW), Action.BESIDE, Reason.COLLECTOR_SLOW),
        (AUTO, _describe(DAILY, SLOW), Action.BESIDE, Reason.COLLECTOR_SLOW),
        (AUTO, _describe(BUSY, SLOW, SPARE), Action.BESIDE, Reason.COLLECTOR_SLOW),
    ],
)
def test_how_an_invocation_goes(
    rules: FlushRules, now: Situation, action: Action, reason: Reason
) -> None:
    """Each policy in each situation, with its reason."""
    assert decide_invocation(rules, now) == Decision(action, reason)


@pytest.mark.parametrize(
    ("rules", "mode", "now", "action", "reason"),
    [
        *(
            (rules, Action.BESIDE, _describe(SPARE, OLD, why), Action.LATER, reason)
            for rules in (AUTO, END, OVERLAP, PERIODIC)
            for why, reason in (
                ({"has_waiting": False}, Reason.NOTHING_WAITS),
                (NO_TIME, Reason.NO_TIME),
                (AWAY, Reason.COLLECTOR_AWAY),
            )
        ),
        *(
            (rules, Action.END, _describe(FULL, JUST_SENT), Action.BESIDE, Reason.BUFFER_FILLS)
            for rules in (AUTO, END, OVERLAP, PERIODIC)
        ),
        # Asked for, but not for each line.
        (OVERLAP, Action.BESIDE, _describe(JUST_SENT), Action.LATER, Reason.SENT_RECENTLY),
        (OVERLAP, Action.BESIDE, _describe(DUE), Action.BESIDE, Reason.ASKED),
        (PERIODIC, Action.LATER, _describe(JUST_SENT), Action.LATER, Reason.SENT_RECENTLY),
        (PERIODIC, Action.LATER, _describe(OLD), Action.BESIDE, Reason.ASKED),
        # Without CPU to spare the handler has it for itself.
        (AUTO, Action.LATER, _describe(OLD, FULL_REQUEST), Action.LATER, Reason.YOUNG),
        (END, Action.END, _describe(OLD, FULL_REQUEST), Action.LATER, Reason.YOUNG),
        # With it, what fills a request goes at once; the rest waits for the end or its interval.
        (AUTO, Action.END, _describe(SPARE, FULL_REQUEST), Action.BESIDE, Reason.FULL_REQUEST),
        (END, Action.END, _describe(SPARE, FULL_REQUEST), Action.BESIDE, Reason.FULL_REQUEST),
        (AUTO, Action.END, _describe(SPARE, DUE), Action.LATER, Reason.YOUNG),
        (AUTO, Action.BESIDE, _describe(SPARE, DUE), Action.BESIDE, Reason.SPARE_CPU),
        (AUTO, Action.BESIDE, _describe(SPARE, JUST_SENT), Action.LATER, Reason.SENT_RECENTLY),
        (AUTO, Action.LATER, _describe(SPARE, DUE), Action.BESIDE, Reason.SPARE_CPU),
        # In a long handler nothing gets old, however long its end is away.
        (AUTO, Action.END, _describe(SPARE, OLD), Action.BESIDE, Reason.GETTING_OLD),
        (END, Action.END, _describe(SPARE, OLD), Action.LATER, Reason.YOUNG),
        # A slow collector is waited for here or nowhere.
        (AUTO, Action.BESIDE, _describe(SLOW, DUE), Action.BESIDE, Reason.COLLECTOR_SLOW),
        (AUTO, Action.BESIDE, _describe(SLOW, JUST_SENT), Action.LATER, Reason.SENT_RECENTLY),
        (AUTO, Action.BESIDE, _describe(SLOW, FULL_REQUEST), Action.BESIDE, Reason.FULL_REQUEST),
    ],
)
def test_what_goes_out_beside_a_handler(
    rules: FlushRules, mode: Action, now: Situation, action: Action, reason: Reason
) -> None:
    """Each policy in each situation, with its reason."""
    assert decide_beside(rules, mode, now) == Decision(action, reason)


@pytest.mark.parametrize("clock", ["since_flush_ms", "age_ms"])
def test_either_clock_may_say_that_the_interval_is_over(clock: str) -> None:
    """One stands still in a freeze, the other may be set."""
    now = _describe(BUSY, JUST_SENT, {clock: 1_000.0})
    assert decide_invocation(PERIODIC, now).action is Action.BESIDE


# From here on: laws.

DURATIONS = st.floats(0, 1e9)
RULES = st.builds(
    FlushRules,
    policy=st.sampled_from(Policy),
    interval_ms=st.floats(10, 900_000),
    staleness_limit_ms=st.floats(100, DAY_MS),
)
SITUATIONS = st.builds(
    Situation,
    now_ms=st.just(NOW_MS),
    limit_ms=st.floats(NOW_MS - 1_000, NOW_MS + 900_000),
    gap_ms=st.none() | DURATIONS,
    flush_ms=st.none() | DURATIONS,
    since_flush_ms=DURATIONS | st.just(float("inf")),
    has_waiting=st.booleans(),
    age_ms=DURATIONS,
    fill=st.floats(0, 1),
    has_full_request=st.booleans(),
    has_spare_cpu=st.booleans(),
    is_away=st.booleans(),
    is_slow=st.booleans(),
)
MODES = st.sampled_from(Action)


@LAW
@given(RULES, MODES, SITUATIONS, DURATIONS)
def test_nothing_starts_at_or_past_the_limit(
    rules: FlushRules, mode: Action, now: Situation, late_ms: float
) -> None:
    """Whatever else holds."""
    late = replace(now, now_ms=now.limit_ms + late_ms)
    assert decide_invocation(rules, late).action is Action.LATER
    assert decide_beside(rules, mode, late).action is Action.LATER


@LAW
@given(RULES, MODES, SITUATIONS)
def test_a_collector_that_is_away_costs_nothing(
    rules: FlushRules, mode: Action, now: Situation
) -> None:
    """Nothing is waited for, and nothing is begun beside the handler."""
    away = replace(now, is_away=True)
    assert decide_invocation(rules, away).action is Action.LATER
    assert decide_beside(rules, mode, away).action is Action.LATER


@LAW
@given(RULES, SITUATIONS)
def test_what_is_asked_for_is_done(rules: FlushRules, now: Situation) -> None:
    """`overlap` and `periodic` never wait; `end` always does where there is time and someone."""
    decision = decide_invocation(rules, now)
    if rules.policy in (Policy.OVERLAP, Policy.PERIODIC):
        assert decision.action is not Action.END
    if rules.policy is Policy.END and now.now_ms < now.limit_ms and not now.is_away:
        assert decision.action is Action.END


@LAW
@given(RULES, MODES, SITUATIONS)
def test_without_spare_cpu_the_handler_has_it(
    rules: FlushRules, mode: Action, now: Situation
) -> None:
    """Unless it is asked for, only a filling buffer makes us work beside it."""
    assume(rules.policy in (Policy.AUTO, Policy.END))
    now = replace(now, has_spare_cpu=False, is_slow=False)
    assert decide_invocation(rules, now).action is not Action.BESIDE
    decision = decide_beside(rules, mode, now)
    assert decision.action is Action.LATER or decision.reason is Reason.BUFFER_FILLS


@LAW
@given(RULES, MODES, SITUATIONS)
def test_beside_a_handler_nobody_waits_for_its_end(
    rules: FlushRules, mode: Action, now: Situation
) -> None:
    """A request goes out now or later, and only when something waits."""
    decision = decide_beside(rules, mode, now)
    assert decision.action is not Action.END
    assert now.has_waiting or decision.action is Action.LATER


@LAW
@given(SITUATIONS, st.floats(10, 900_000))
def test_periodic_is_never_more_often_than_asked(now: Situation, interval_ms: float) -> None:
    """Only a filling buffer goes before."""
    rules = FlushRules(policy=Policy.PERIODIC, interval_ms=interval_ms)
    assume(max(now.since_flush_ms, now.age_ms) < interval_ms)
    assert decide_invocation(rules, now).action is Action.LATER
    decision = decide_beside(rules, Action.BESIDE, now)
    assert decision.action is Action.LATER or decision.reason is Reason.BUFFER_FILLS


# From here on: the shutdown.


@LAW
@given(
    st.floats(-5_000, 60_000),
    st.floats(0, 60_000),
    st.booleans(),
)
def test_the_parts_of_a_shutdown_follow_each_other(
    left_ms: float,
    margin_ms: float,
    has_fallback: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    """Report, send, fallback, deadline; the report takes 50 ms at most, and all of it a moment."""
    deadline = Deadline(NOW_MS + left_ms)
    plan = plan_shutdown(deadline, NOW_MS, margin_ms=margin_ms, has_fallback=has_fallback)
    assert plan.report.epoch_ms <= plan.send.epoch_ms
    assert plan.send.epoch_ms <= plan.fallback.epoch_ms
    assert plan.fallback.epoch_ms <= deadline.epoch_ms
    assert plan.report.epoch_ms - NOW_MS <= LAST_REPORT_WAIT_MS
    if left_ms >= 1:
        assert NOW_MS < plan.report.epoch_ms < plan.send.epoch_ms
        assert (plan.send.epoch_ms < plan.fallback.epoch_ms) == has_fallback


@pytest.mark.parametrize(
    ("left_ms", "has_fallback", "parts_ms"),
    [
        (2_000.0, True, (50.0, 1_700.0, 1_800.0)),
        (2_000.0, False, (50.0, 1_800.0, 1_800.0)),
        (300.0, True, (30.0, 240.0, 270.0)),
        (0.0, True, (0.0, 0.0, 0.0)),
    ],
)
def test_what_a_shutdown_leaves_is_divided(
    left_ms: float,
    has_fallback: bool,  # noqa: FBT001  (a parameter of the test)
    parts_ms: tuple[float, float, float],
) -> None:
    """Most of it is for sending, and where there is little the margin is little, too."""
    plan = plan_shutdown(
        Deadline(NOW_MS + left_ms), NOW_MS, margin_ms=200.0, has_fallback=has_fallback
    )
    ends = (plan.report, plan.send, plan.fallback)
    assert tuple(end.epoch_ms - NOW_MS for end in ends) == parts_ms


@pytest.mark.parametrize(
    ("records", "vcpus", "reserve_ms"),
    [
        (0, 0.1, 0.0),
        (1_000, 1.0, 20.0),
        (1_000, 4.0, 20.0),
        (1_000, 0.1, 200.0),
        (9**9, 1.0, 800.0),
    ],
)
def test_the_more_there_is_to_write_down_the_more_time_is_left_for_it(
    records: int, vcpus: float, reserve_ms: float
) -> None:
    """One vCPU is all that it can use, and there is a most."""
    assert find_reserve_ms(records, vcpus) == pytest.approx(reserve_ms)


@LAW
@given(st.integers(0, 10**9), st.floats(0.01, 6))
def test_what_is_left_for_the_fallback_has_an_end(records: int, vcpus: float) -> None:
    """And more CPU never needs more time."""
    assert 0 <= find_reserve_ms(records, vcpus) <= FALLBACK_MOST_MS
    assert find_reserve_ms(records, vcpus * 2) <= find_reserve_ms(records, vcpus)
