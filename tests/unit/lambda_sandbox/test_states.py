"""The table of agent states."""

from __future__ import annotations

import itertools

import pytest

from lambda_sandbox import IllegalTransitionError
from lambda_sandbox.states import ALLOWED, AgentState, transition

S = AgentState


def test_table_knows_every_state() -> None:
    """Each state has a row, and every way leads to a state that has one."""
    assert set(ALLOWED) == set(AgentState)
    assert set().union(*ALLOWED.values()) <= set(AgentState)


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ([S.REGISTERED, S.READY, S.RUNNING, S.READY, S.RUNNING, S.EXITED], True),
        ([S.LAUNCH_ERROR], True),
        ([S.REGISTERED, S.INIT_ERROR, S.INIT_ERROR], True),
        ([S.REGISTERED, S.READY, S.READY], False),
        ([S.READY], False),
        ([S.REGISTERED, S.INIT_ERROR, S.READY], False),
        ([S.REGISTERED, S.INIT_ERROR, S.EXIT_ERROR], False),
        ([S.REGISTERED, S.READY, S.RUNNING, S.REGISTERED], False),
    ],
)
def test_paths_of_the_contract(path: list[AgentState], reached: object) -> None:
    """An extension's way through the states is possible, or stops at its last step."""
    state = AgentState.STARTED
    for step in path[:-1]:
        state = transition("a", state, step)
    if reached:
        assert transition("a", state, path[-1]) is path[-1]
    else:
        with pytest.raises(IllegalTransitionError):
            transition("a", state, path[-1])


def test_refusal_has_the_text_of_the_api() -> None:
    """The message is the one that the Extensions API answers."""
    with pytest.raises(IllegalTransitionError) as refusal:
        transition("my-ext", S.READY, S.READY)
    assert str(refusal.value) == (
        "State transition from Ready to Ready failed for extension my-ext. "
        "Error: State transition is not allowed"
    )


def test_no_way_leads_back_to_the_start() -> None:
    """Started is left once; nothing returns to it."""
    assert all(S.STARTED not in targets for targets in ALLOWED.values())
    dead = [state for state, targets in ALLOWED.items() if not targets]
    assert all(transition_fails(state, target) for state, target in itertools.product(dead, S))


def transition_fails(current: AgentState, target: AgentState) -> bool:
    """True if the table forbids this step."""
    try:
        transition("a", current, target)
    except IllegalTransitionError:
        return True
    return False
