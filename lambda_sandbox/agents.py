"""The extensions of one generation of processes: who registered, for what, and where it stands.

Owns the agents (mutable: state, identifier, events, the event that waits for them). Every change of
state goes through the table in `states`. It must not know of HTTP or of processes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_sandbox.errors import ApiError, IllegalTransitionError
from lambda_sandbox.states import AgentState, transition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambda_sandbox.changes import Changes

MAX_EXTENSIONS = 10
FORBIDDEN = 403


@dataclass(eq=False, slots=True)
class Agent:
    """One extension. `external`: it is a file of the extensions folder."""

    name: str
    external: bool
    state: AgentState = AgentState.STARTED
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    events: tuple[str, ...] = ()
    error_type: str | None = None
    event: Mapping[str, Any] | None = None
    told_shutdown: bool = False

    @property
    def registered(self) -> bool:
        """True once register was answered 200."""
        return self.state not in (AgentState.STARTED, AgentState.LAUNCH_ERROR)

    def move(self, target: AgentState, *, named: AgentState | None = None) -> None:
        """Change the state; a refusal speaks of `named` instead of `target`, if that is given.

        Raises:
            ApiError: 403 `Extension.InvalidExtensionState` if the table does not allow it.
        """
        try:
            self.state = transition(self.name, self.state, target, named=named)
        except IllegalTransitionError as error:
            raise ApiError(FORBIDDEN, "Extension.InvalidExtensionState", str(error)) from error

    def fail(self, target: AgentState, error_type: str) -> bool:
        """Note an init/error or exit/error; True if it is the first one of this extension."""
        first = self.state is not target
        # AWS's own text calls the target of exit/error Exited.
        self.move(target, named=AgentState.EXITED if target is AgentState.EXIT_ERROR else None)
        if first:
            self.error_type = error_type
        return first


class Registry:
    """All agents of a generation, by name and by identifier."""

    def __init__(self, changes: Changes, *, managed_instances: bool) -> None:
        self._changes = changes
        self._managed_instances = managed_instances
        self._agents: dict[str, Agent] = {}
        self._open = True
        self._shutdown: Mapping[str, Any] | None = None

    def __iter__(self) -> Iterator[Agent]:
        """All agents, in order of their start."""
        return iter(tuple(self._agents.values()))

    def __len__(self) -> int:
        """How many agents there are, internal ones too."""
        return len(self._agents)

    def registered(self) -> list[Agent]:
        """Agents whose register was answered 200."""
        return [agent for agent in self if agent.registered]

    def subscribed(self, event: str) -> list[Agent]:
        """Registered agents that asked for `event`."""
        return [agent for agent in self if event in agent.events]

    def by_name(self, name: str) -> Agent | None:
        """The agent with this file name, or None."""
        return self._agents.get(name)

    def expect(self, name: str) -> Agent:
        """Note an external extension whose file is about to be started."""
        agent = self._agents[name] = Agent(name, external=True)
        return agent

    def close(self) -> None:
        """Refuse registrations from now on: the runtime has called next."""
        self._open = False

    def register(self, name: str, events: Sequence[str]) -> Agent:
        """Register an extension; a name that is no file makes it an internal one.

        Raises:
            ApiError: 403 with the texts of contract section 2.
        """
        agent = self._agents.get(name)
        if agent is None:
            agent = self._new_internal(name, events)
        else:
            if not agent.external:
                raise ApiError(
                    FORBIDDEN,
                    "Extension.InvalidExtensionState",
                    "Extension with this name already registered",
                )
            self._check_events(events, external=True)
        agent.move(AgentState.REGISTERED)
        agent.events = tuple(dict.fromkeys(events))
        self._agents[name] = agent
        self._changes.notify()
        return agent

    def find(self, identifier: str | None, unknown: str) -> Agent:
        """Return the agent of a `Lambda-Extension-Identifier` header.

        `unknown` is the message for an identifier that nobody has: it differs between the routes.

        Raises:
            ApiError: 403 with one of three types.
        """
        if not identifier:
            raise ApiError(
                FORBIDDEN,
                "Extension.MissingExtensionIdentifier",
                "Missing Lambda-Extension-Identifier header",
            )
        try:
            identifier = str(uuid.UUID(identifier))
        except ValueError:
            raise ApiError(
                FORBIDDEN,
                "Extension.InvalidExtensionIdentifier",
                "Invalid Lambda-Extension-Identifier",
            ) from None
        for agent in self._agents.values():
            if agent.identifier == identifier and agent.registered:
                return agent
        raise ApiError(
            FORBIDDEN,
            "Extension.UnknownExtensionIdentifier",
            unknown.format(identifier=identifier),
        )

    def arrive(self, agent: Agent) -> None:
        """An extension called event/next: it is ready, and done with the event before.

        Raises:
            ApiError: 403 `Extension.InvalidExtensionState`, as for a second call beside a first.
        """
        agent.move(AgentState.READY)
        self._changes.notify()
        self._release_shutdown(agent)

    async def take_event(self, agent: Agent) -> Mapping[str, Any]:
        """Wait for the event of an agent that has arrived and take it.

        Raises:
            ApiError: 403 if the agent posted an error meanwhile.
        """
        await self._changes.until(lambda: agent.event is not None or _left_next(agent))
        event, agent.event = agent.event, None
        if event is None:
            agent.move(AgentState.RUNNING)
        return event or {}

    def release(self, agent: Agent, event: Mapping[str, Any]) -> None:
        """Give an event to an agent that is blocked in next."""
        agent.move(AgentState.RUNNING)
        agent.event = event
        self._changes.notify()

    def begin_shutdown(self, event: Mapping[str, Any]) -> None:
        """Release SHUTDOWN to who asked for it: now if blocked in next, else when it calls next."""
        self._shutdown = event
        for agent in self.subscribed("SHUTDOWN"):
            self._release_shutdown(agent)

    def _release_shutdown(self, agent: Agent) -> None:
        wanted = self._shutdown is not None and "SHUTDOWN" in agent.events
        if wanted and agent.state is AgentState.READY and not agent.told_shutdown:
            agent.told_shutdown = True
            self.release(agent, self._shutdown or {})

    def _new_internal(self, name: str, events: Sequence[str]) -> Agent:
        if not self._open:
            raise ApiError(
                FORBIDDEN, "Extension.RegistrationClosed", "Extension registration closed already"
            )
        self._check_events(events, external=False)
        if len(self._agents) >= MAX_EXTENSIONS:
            raise ApiError(
                FORBIDDEN,
                "Extension.TooManyExtensions",
                f"Extension limit ({MAX_EXTENSIONS}) reached",
            )
        return Agent(name, external=False)

    def _check_events(self, events: Sequence[str], *, external: bool) -> None:
        known = {"SHUTDOWN"} if self._managed_instances else {"INVOKE", "SHUTDOWN"}
        for event in events:
            if self._managed_instances and not external:
                message = "No events allowed for internal extensions"
            elif event not in known:
                message = f"{event}: ErrorInvalidEventType"
            elif event == "SHUTDOWN" and not external:
                message = "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"
            else:
                continue
            raise ApiError(FORBIDDEN, "Extension.InvalidEventType", message)


def _left_next(agent: Agent) -> bool:
    """True if an agent that was blocked in next has posted an error meanwhile."""
    return agent.state is not AgentState.READY
