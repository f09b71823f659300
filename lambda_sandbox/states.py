"""The states of an extension and the ways between them, as data.

Pure: a table and one function that reads it. It must not know of requests or processes. The names
are those of `platform.extension` (field `state`); the table is that of AWS's Runtime Interface
Emulator (internal/lambda/core/externalagent_states.go).

READY means "blocked in event/next", RUNNING "has been given an event". Only the platform moves an
agent from READY to RUNNING; everything else is the answer to a request or to the end of a process.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from lambda_sandbox.errors import IllegalTransitionError

if TYPE_CHECKING:
    from collections.abc import Mapping


class AgentState(StrEnum):
    """Where an extension stands, in the words of `platform.extension`."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    SHUTDOWN_FAILED = "ShutdownFailed"
    EXITED = "Exited"
    LAUNCH_ERROR = "LaunchError"


_S = AgentState

ALLOWED: Mapping[AgentState, frozenset[AgentState]] = MappingProxyType(
    {
        _S.STARTED: frozenset({_S.REGISTERED, _S.LAUNCH_ERROR}),
        _S.REGISTERED: frozenset({_S.READY, _S.INIT_ERROR, _S.EXIT_ERROR}),
        _S.READY: frozenset({_S.RUNNING, _S.EXIT_ERROR}),
        _S.RUNNING: frozenset({_S.READY, _S.EXIT_ERROR, _S.SHUTDOWN_FAILED, _S.EXITED}),
        # Posting the same error again is accepted, and the first one stands.
        _S.INIT_ERROR: frozenset({_S.INIT_ERROR}),
        _S.EXIT_ERROR: frozenset({_S.EXIT_ERROR}),
        _S.SHUTDOWN_FAILED: frozenset(),
        _S.EXITED: frozenset(),
        _S.LAUNCH_ERROR: frozenset(),
    }
)


def transition(
    name: str, current: AgentState, target: AgentState, *, named: AgentState | None = None
) -> AgentState:
    """Return `target` if an agent in `current` may go there.

    A refusal calls the target `named`, if that is given.

    Raises:
        IllegalTransitionError: with the very text that the Extensions API answers (contract 2).
    """
    if target in ALLOWED[current]:
        return target
    raise IllegalTransitionError(
        f"State transition from {current} to {named or target} failed for extension {name}. "
        "Error: State transition is not allowed"
    )
