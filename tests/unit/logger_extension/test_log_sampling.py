"""Which invocations' lines are kept."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.log_sampling import (
    MAX_DECISIONS,
    LogSampling,
    SamplingRules,
    is_kept,
)
from tests.support.laws import LAW

NOTHING_ELSE = SamplingRules(ratio=0.0, slow_ms=500.0, expensive_usd=0.01)
ORDINARY = InvocationFacts(request_id="r", status="success", runtime_duration_ms=20.0)
MAX_BYTES = 1_000


def _facts(request_id: str, status: str = "success") -> InvocationFacts:
    return dataclasses.replace(ORDINARY, request_id=request_id, status=status)


@pytest.mark.parametrize("status", ["error", "failure", "timeout", ""])
def test_what_failed_is_kept(status: str) -> None:
    """As Lambda says; and what nobody knows the end of."""
    assert is_kept(NOTHING_ELSE, _facts("r", status))


def test_an_error_in_the_log_is_a_failure() -> None:
    """Lambda calls an invocation whose handler raised a success."""
    assert is_kept(NOTHING_ELSE, ORDINARY, has_failure=True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"is_cold_start": True}, True),
        ({"runtime_duration_ms": 499.9}, False),
        ({"runtime_duration_ms": 500.0}, True),
        ({"runtime_duration_ms": None, "duration_ms": 500.0}, True),
        ({"runtime_duration_ms": None}, False),
    ],
)
def test_cold_and_slow_ones_are_kept(changes: dict[str, object], expected: bool) -> None:  # noqa: FBT001  (a parameter of the table)
    """By the handler's duration, else by that of the report."""
    assert is_kept(NOTHING_ELSE, dataclasses.replace(ORDINARY, **changes)) is expected  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(("cost_usd", "expected"), [(None, False), (0.009, False), (0.01, True)])
def test_expensive_ones_are_kept(cost_usd: float | None, expected: bool) -> None:  # noqa: FBT001  (a parameter of the table)
    """An unknown price is no reason."""
    assert is_kept(NOTHING_ELSE, ORDINARY, cost_usd=cost_usd) is expected


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
def test_of_the_rest_a_share_is_kept(ratio: float) -> None:
    """About as many as asked for, the same ones every time."""
    rules = SamplingRules(ratio=ratio)
    kept = [is_kept(rules, _facts(f"request-{number}")) for number in range(2_000)]
    assert abs(sum(kept) / len(kept) - ratio) < 0.05
    assert kept == [is_kept(rules, _facts(f"request-{number}")) for number in range(2_000)]


def test_a_larger_share_holds_the_smaller_one() -> None:
    """So that functions with other ratios keep the same invocations."""
    few, many = SamplingRules(ratio=0.1), SamplingRules(ratio=0.3)
    for number in range(500):
        facts = _facts(f"request-{number}")
        assert is_kept(many, facts) or not is_kept(few, facts)


def _sampling(ratio: float = 0.0) -> LogSampling[str]:
    return LogSampling(SamplingRules(ratio=ratio), MAX_BYTES)


def test_lines_wait_for_the_decision() -> None:
    """And go on in their order, or are counted."""
    sampling = _sampling()
    assert [sampling.put("a", line, 10) for line in "123"] == [[], [], []]
    assert sampling.put("b", "4", 10) == []
    assert sampling.decide(_facts("a", "error")) == ["1", "2", "3"]
    assert sampling.decide(_facts("b")) == []
    assert sampling.dropped == 1


def test_one_error_keeps_all_lines_of_its_invocation() -> None:
    """The lines before it tell how it came to it."""
    sampling = _sampling()
    sampling.put("a", "before", 10, 9)
    sampling.put("a", "error", 10, 17)
    sampling.put("a", "after", 10)
    assert sampling.decide(_facts("a")) == ["before", "error", "after"]


def test_lines_of_no_invocation_go_on() -> None:
    """Those of init."""
    assert _sampling().put("", "init", 10) == ["init"]


def test_a_line_that_comes_late_follows_the_decision() -> None:
    """But an error is never dropped."""
    sampling = _sampling()
    sampling.decide(_facts("kept", "timeout"))
    sampling.decide(_facts("dropped"))
    assert sampling.put("kept", "late", 10) == ["late"]
    assert sampling.put("dropped", "late", 10) == []
    assert sampling.put("dropped", "late error", 10, 21) == ["late error"]
    assert sampling.dropped == 1


def test_when_too_much_waits_the_oldest_goes_on_undecided() -> None:
    """Nothing is dropped for want of room."""
    sampling = _sampling()
    sampling.put("old", "1", 600)
    assert sampling.put("new", "2", 600) == ["1"]
    assert sampling.put("new", "3", MAX_BYTES) == ["2", "3"]
    assert sampling.dropped == 0


def test_at_the_end_everything_goes_on() -> None:
    """Nobody will decide any more."""
    sampling = _sampling()
    sampling.put("a", "1", 10)
    sampling.put("b", "2", 10)
    assert sampling.release_all() == ["1", "2"]
    assert sampling.release_all() == []


@LAW
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "a", "b", "c"]),
            st.sampled_from(["put", "put", "put", "decide"]),
            st.sampled_from([0, 9, 17]),
            st.integers(0, 700),
        ),
        max_size=30,
    )
)
def test_every_line_goes_on_or_is_counted_once(steps: list[tuple[str, str, int, int]]) -> None:
    """In any order of lines and decisions, and within the bound."""
    sampling: LogSampling[int] = LogSampling(SamplingRules(ratio=0.0), MAX_BYTES)
    gone: list[int] = []
    lines = 0
    for request_id, step, severity, size_bytes in steps:
        if step == "put":
            gone += sampling.put(request_id, lines, size_bytes, severity)
            lines += 1
        elif request_id:
            gone += sampling.decide(_facts(request_id))
        assert sampling.held_bytes <= MAX_BYTES
    gone += sampling.release_all()
    assert len(set(gone)) == len(gone)
    assert len(gone) + sampling.dropped == lines
    assert sampling.held_bytes == 0


def test_decisions_are_forgotten_in_the_end() -> None:
    """A sandbox lives for hours."""
    sampling = _sampling()
    for number in range(MAX_DECISIONS + 1):
        sampling.decide(_facts(str(number)))
    assert sampling.put("0", "very late", 10) == []
    assert sampling.release_all() == ["very late"]
