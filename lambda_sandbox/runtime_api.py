"""Runtime API 2018-06-01: next, response, error, init/error.

An I/O edge: it reads requests and hands them to the runtime's slots of the current generation, and
answers the caller of the function as soon as the response is whole (T13). Contract section 10.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from aiohttp import web

from lambda_sandbox.api import MAX_BODY_BYTES, STATUS_OK, json_response, read_body
from lambda_sandbox.errors import ApiError
from lambda_sandbox.host import RUNTIME
from lambda_sandbox.invocation import error_payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_sandbox.generation import Generation
    from lambda_sandbox.invocation import Invocation
    from lambda_sandbox.transcript import Transcript

PREFIX = "/2018-06-01/runtime"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
KNOWN_ERROR_TYPE = re.compile(r"(Runtime|Function)\.\w+")
RESPONSE_MODES = ("", "streaming")


class RuntimeApi:
    """The routes of the runtime."""

    def __init__(self, generation: Callable[[], Generation], transcript: Transcript) -> None:
        self._generation = generation
        self._transcript = transcript

    def routes(self) -> list[web.RouteDef]:
        """Routes for the server."""
        return [
            web.get(f"{PREFIX}/invocation/next", self.next_invocation, allow_head=False),
            web.post(f"{PREFIX}/invocation/{{request_id}}/response", self.response),
            web.post(f"{PREFIX}/invocation/{{request_id}}/error", self.error),
            web.post(f"{PREFIX}/init/error", self.init_error),
            web.get(f"{PREFIX}/restore/next", self.restore_next, allow_head=False),
            web.post(f"{PREFIX}/restore/error", self.init_error),
        ]

    async def next_invocation(self, request: web.Request) -> web.Response:
        """Wait for an invocation, without a limit."""
        generation = self._generation()
        generation.registry.close()
        self._transcript.record(RUNTIME, "next")

        def connected() -> bool:
            return request.transport is not None and not request.transport.is_closing()

        invocation = await generation.slots.next(connected)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": generation.scenario.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_header,
            "Lambda-Runtime-Client-Context": invocation.client_context,
        }
        return web.Response(
            body=invocation.payload,
            content_type="application/json",
            headers={name: value for name, value in headers.items() if value},
        )

    async def response(self, request: web.Request) -> web.Response:
        """Take the response of the handler."""
        mode = request.headers.get("Lambda-Runtime-Function-Response-Mode", "")
        if mode not in RESPONSE_MODES:
            raise ApiError(400, "InvalidFunctionResponseMode", f"Invalid response mode: {mode}")
        invocation, body = await self._read_answer(request)
        self._end(invocation, "success", body, None)
        return json_response(STATUS_OK, status=202)

    async def error(self, request: web.Request) -> web.Response:
        """Take the error of the handler: a success for the platform, an error for the caller."""
        invocation, body = await self._read_answer(request)
        error_type = request.headers.get(ERROR_TYPE) or _error_type_of(body)
        self._end(invocation, "error", body, error_type)
        return json_response(STATUS_OK, status=202)

    async def init_error(self, request: web.Request) -> web.Response:
        """Note why the runtime cannot start; its process is expected to exit."""
        slots = self._generation().slots
        if slots.ready or slots.init_error is not None:
            raise ApiError(
                403,
                "InvalidStateTransition",
                "State transition from RuntimeReady to RuntimeInitError failed for runtime. "
                "Error: State transition is not allowed",
            )
        body = await read_body(request)
        error_type = request.headers.get(ERROR_TYPE) or _error_type_of(body)
        if not KNOWN_ERROR_TYPE.fullmatch(error_type):
            error_type = "Runtime.Unknown"
        slots.init_error = error_type, body
        self._transcript.record(RUNTIME, "init_error", error_type=error_type)
        return json_response(STATUS_OK, status=202)

    async def restore_next(self, _request: web.Request) -> web.Response:
        """Wait for the restore of a SnapStart snapshot, without a limit."""
        self._transcript.record(RUNTIME, "restore_next")
        await self._generation().slots.restore_next()
        return web.Response()

    async def _read_answer(self, request: web.Request) -> tuple[Invocation, bytes]:
        slots = self._generation().slots
        invocation = slots.begin_response(request.match_info["request_id"])
        try:
            body = await read_body(request)
        except ApiError as error:
            message = (
                f"Response payload size exceeded maximum allowed payload size "
                f"({MAX_BODY_BYTES} bytes)."
            )
            payload = error_payload("Function.ResponseSizeTooLarge", message)
            self._end(invocation, "error", payload, "Function.ResponseSizeTooLarge")
            raise error from None
        return invocation, body

    def _end(
        self, invocation: Invocation, status: str, payload: bytes, error_type: str | None
    ) -> None:
        event = "response" if error_type is None else "error"
        self._transcript.record(
            RUNTIME, event, request_id=invocation.request_id, bytes=len(payload)
        )
        invocation.produced_bytes = len(payload)
        invocation.error_type = error_type
        self._generation().slots.end_response(invocation)
        if invocation.resolve(status, payload, error_type, time.monotonic()):
            self._transcript.record(
                "client", "answer", request_id=invocation.request_id, status=status
            )


def _error_type_of(body: bytes) -> str:
    """The `errorType` inside an error body, for runtimes that send no header."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    value = document.get("errorType") if isinstance(document, dict) else None
    return value if isinstance(value, str) and value else "Function.Unknown"
