"""The registry of extensions, without HTTP."""

from __future__ import annotations

import asyncio

import pytest

from lambda_sandbox import ApiError
from lambda_sandbox.agents import Registry
from lambda_sandbox.changes import Changes
from lambda_sandbox.states import AgentState


def registry(*, managed_instances: bool = False) -> Registry:
    """A registry that expects the file `a`."""
    made = Registry(Changes(), managed_instances=managed_instances)
    made.expect("a")
    return made


def refusal(agents: Registry, name: str, *events: str) -> str:
    """The error type of a registration that must fail."""
    with pytest.raises(ApiError) as error:
        agents.register(name, events)
    assert error.value.status == 403
    return error.value.error_type


def test_ten_extensions_and_no_more() -> None:
    """Internal and external extensions share the limit of ten."""
    agents = registry()
    for number in range(9):
        agents.register(f"internal-{number}", ["INVOKE"])
    assert refusal(agents, "one-more", "INVOKE") == "Extension.TooManyExtensions"
    agents.register("a", ["INVOKE", "SHUTDOWN"])
    assert len(agents.subscribed("INVOKE")) == 10


def test_refused_registrations_leave_no_trace() -> None:
    """A refused registration can be repeated correctly."""
    agents = registry()
    assert refusal(agents, "a", "FOO") == "Extension.InvalidEventType"
    assert refusal(agents, "internal", "SHUTDOWN") == "Extension.InvalidEventType"
    assert agents.register("a", ["INVOKE"]).state is AgentState.REGISTERED
    assert agents.register("internal", []).state is AgentState.REGISTERED
    assert refusal(agents, "internal") == "Extension.InvalidExtensionState"


def test_managed_instances_events() -> None:
    """On Managed Instances SHUTDOWN is the only event, and none is for internal extensions."""
    agents = registry(managed_instances=True)
    assert refusal(agents, "a", "INVOKE") == "Extension.InvalidEventType"
    assert refusal(agents, "internal", "SHUTDOWN") == "Extension.InvalidEventType"
    agents.register("a", ["SHUTDOWN"])
    agents.register("internal", [])


def test_identifier_of_an_extension_that_has_not_registered_is_unknown() -> None:
    """Nobody can guess their way past register."""
    agents = registry()
    agent = agents.by_name("a")
    assert agent is not None
    with pytest.raises(ApiError) as error:
        agents.find(agent.identifier, "Unknown extension {identifier}")
    assert error.value.message == f"Unknown extension {agent.identifier}"


async def test_event_reaches_the_one_that_waits() -> None:
    """An agent that arrived gets what is released, and is running from then on."""
    agents = registry()
    agent = agents.register("a", ["INVOKE"])
    agents.arrive(agent)
    waiting = asyncio.create_task(agents.take_event(agent))
    await asyncio.sleep(0)
    agents.release(agent, {"eventType": "INVOKE"})
    assert await waiting == {"eventType": "INVOKE"}
    assert agent.state is AgentState.RUNNING


async def test_exit_error_ends_a_pending_next() -> None:
    """An agent that reports an error while it waits in next is refused there."""
    agents = registry()
    agent = agents.register("a", ["INVOKE"])
    agents.arrive(agent)
    waiting = asyncio.create_task(agents.take_event(agent))
    await asyncio.sleep(0)
    assert agent.fail(AgentState.EXIT_ERROR, "Extension.X")
    assert not agent.fail(AgentState.EXIT_ERROR, "Extension.Y")
    agents.close()
    agents._changes.notify()
    with pytest.raises(ApiError):
        await waiting
    assert agent.error_type == "Extension.X"


async def test_shutdown_comes_once() -> None:
    """SHUTDOWN is for those that asked, now or at their next call, and never twice."""
    agents = registry()
    agent = agents.register("a", ["SHUTDOWN"])
    agents.begin_shutdown({"eventType": "SHUTDOWN"})
    assert agent.event is None
    agents.arrive(agent)
    assert await agents.take_event(agent) == {"eventType": "SHUTDOWN"}
    agents.arrive(agent)
    assert agent.event is None
