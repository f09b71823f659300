"""Telemetry API 2022-07-01: the subscription, and the legacy Logs API that is not offered.

An I/O edge: it checks who asks and what for, and hands the subscription to `telemetry`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from lambda_sandbox.api import json_response, read_body
from lambda_sandbox.extensions_api import IDENTIFIER, UNKNOWN_EXTENSION
from lambda_sandbox.subscription import parse_subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_sandbox.generation import Generation
    from lambda_sandbox.telemetry import Telemetry

NOT_SUPPORTED = {
    "errorMessage": "Telemetry API is not supported",
    "errorType": "Telemetry.NotSupported",
}
LOGS_NOT_SUPPORTED = {
    "errorMessage": "Logs API is not supported",
    "errorType": "Logs.NotSupported",
}


class TelemetryApi:
    """The routes of telemetry subscribers."""

    def __init__(self, generation: Callable[[], Generation], telemetry: Telemetry) -> None:
        self._generation = generation
        self._telemetry = telemetry

    def routes(self, *, managed_instances: bool) -> list[web.RouteDef]:
        """Routes for the server; Managed Instances never had the Logs API."""
        logs = [] if managed_instances else [web.put("/2020-08-15/logs", self.refuse_logs)]
        return [web.put("/2022-07-01/telemetry", self.subscribe), *logs]

    async def subscribe(self, request: web.Request) -> web.Response:
        """Subscribe to the telemetry of this environment."""
        generation = self._generation()
        scenario = generation.scenario
        if not scenario.telemetry.supported:
            return json_response(NOT_SUPPORTED, status=202)
        agent = generation.registry.find(request.headers.get(IDENTIFIER), UNKNOWN_EXTENSION)
        subscription = parse_subscription(
            await read_body(request), managed_instances=scenario.managed_instances
        )
        self._telemetry.subscribe(agent.name, subscription)
        return web.Response(text='"OK"', content_type="application/json")

    async def refuse_logs(self, _request: web.Request) -> web.Response:
        """The Logs API is superseded by the Telemetry API and not offered, as in AWS's emulator."""
        return json_response(LOGS_NOT_SUPPORTED, status=202)
