"""Extensions API 2020-01-01: register, event/next, init/error, exit/error.

An I/O edge: it reads requests and hands them to the registry of the current generation. It must not
know of processes, nor decide when an event is due. Statuses and texts are those of contract
sections 2 and 3.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from aiohttp import web

from lambda_sandbox.api import STATUS_OK, json_response, read_body
from lambda_sandbox.errors import ApiError
from lambda_sandbox.states import AgentState

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_sandbox.agents import Agent
    from lambda_sandbox.generation import Generation
    from lambda_sandbox.transcript import Transcript

PREFIX = "/2020-01-01/extension"
IDENTIFIER = "Lambda-Extension-Identifier"
UNKNOWN_EXTENSION = "Unknown extension {identifier}"
UNKNOWN = "Unknown Lambda-Extension-Identifier"


class ExtensionsApi:
    """The routes of extensions."""

    def __init__(self, generation: Callable[[], Generation], transcript: Transcript) -> None:
        self._generation = generation
        self._transcript = transcript

    def routes(self) -> list[web.RouteDef]:
        """Routes for the server."""
        return [
            web.post(f"{PREFIX}/register", self.register),
            web.get(f"{PREFIX}/event/next", self.next_event, allow_head=False),
            web.post(f"{PREFIX}/init/error", self.init_error),
            web.post(f"{PREFIX}/exit/error", self.exit_error),
        ]

    async def register(self, request: web.Request) -> web.Response:
        """Register an extension for events."""
        generation = self._generation()
        scenario = generation.scenario
        name = request.headers.get("Lambda-Extension-Name", "")
        if not name:
            raise ApiError(403, "Extension.InvalidExtensionName", "Empty extension name")
        events = _registration_events(await read_body(request))
        agent = generation.registry.register(name, events)
        self._transcript.record(f"extension:{name}", "register", events=agent.events)
        document = {
            "functionName": scenario.function_name,
            "functionVersion": scenario.function_version,
            "handler": scenario.handler,
        }
        features = request.headers.get("Lambda-Extension-Accept-Feature", "")
        if "accountId" in (feature.strip() for feature in features.split(",")):
            document["accountId"] = scenario.account_id
        return json_response(document, headers={IDENTIFIER: agent.identifier})

    async def next_event(self, request: web.Request) -> web.Response:
        """Wait for the next event, without a limit."""
        registry = self._generation().registry
        agent = registry.find(request.headers.get(IDENTIFIER), UNKNOWN_EXTENSION)
        try:
            registry.arrive(agent)
        except ApiError:
            self._transcript.record(f"extension:{agent.name}", "next_refused", state=agent.state)
            raise
        self._transcript.record(f"extension:{agent.name}", "next")
        event = await registry.take_event(agent)
        self._transcript.record(f"extension:{agent.name}", "event", type=event["eventType"])
        return json_response(
            event, headers={"Lambda-Extension-Event-Identifier": str(uuid.uuid4())}
        )

    async def init_error(self, request: web.Request) -> web.Response:
        """Note that an extension failed to start; its process is expected to exit."""
        return await self._error(request, AgentState.INIT_ERROR)

    async def exit_error(self, request: web.Request) -> web.Response:
        """Note that an extension is about to exit because of an error."""
        return await self._error(request, AgentState.EXIT_ERROR)

    async def _error(self, request: web.Request, state: AgentState) -> web.Response:
        generation = self._generation()
        agent = generation.registry.find(request.headers.get(IDENTIFIER), UNKNOWN)
        error_type = request.headers.get("Lambda-Extension-Function-Error-Type")
        if not error_type:
            raise ApiError(
                403,
                "Extension.MissingHeader",
                "Lambda-Extension-Function-Error-Type not found",
            )
        await read_body(request)
        self._fail(generation, agent, state, error_type)
        return json_response(STATUS_OK, status=202)

    def _fail(
        self, generation: Generation, agent: Agent, state: AgentState, error_type: str
    ) -> None:
        if agent.fail(state, error_type):
            keeps = generation.scenario.managed_instances and error_type.startswith("Extension.")
            generation.note_fatal(error_type if keeps else f"Extension.{state}")
            generation.changes.notify()
        name = "init_error" if state is AgentState.INIT_ERROR else "exit_error"
        self._transcript.record(f"extension:{agent.name}", name, error_type=error_type)


def _registration_events(body: bytes) -> list[str]:
    """The events that a register body asks for.

    Raises:
        ApiError: 403 `InvalidRequestFormat`.
    """
    try:
        document: Any = json.loads(body)
    except ValueError as error:
        raise ApiError(403, "InvalidRequestFormat", str(error)) from error
    if not isinstance(document, dict):
        raise ApiError(403, "InvalidRequestFormat", "the body must be a JSON object")
    if document.get("configurationKeys"):
        raise ApiError(
            403,
            "InvalidRequestFormat",
            "configurationKeys are deprecated; use environment variables instead",
        )
    events = document.get("events") or []
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise ApiError(403, "InvalidRequestFormat", "events must be a list of strings")
    return events
