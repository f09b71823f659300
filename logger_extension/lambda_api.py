"""The Extensions API after the start: `event/next` in a loop.

Owns the connection to Lambda. `next` is asked without any timeout: Lambda answers when there is an
invocation, and the process may be frozen for hours in between
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#runtimes-extensions-api-next).
Must not know what an event leads to.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import orjson

from logger_extension.bootstrap import Handoff
from logger_extension.deadline import Deadline
from logger_extension.errors import LambdaApiError, ProtocolError
from logger_extension.events import InvokeEvent, LifecycleEvent, ShutdownEvent
from logger_extension.http1 import Response, ResponseReader, write_request

OK = 200
FORBIDDEN = 403
NEXT_PATH = "/2020-01-01/extension/event/next"

# After a restart Lambda still holds our dead predecessor's `next` and answers 403 until the next
# INVOKE takes it. Then every millisecond counts, so the pause is short; while the sandbox is frozen
# it costs nothing.
PENDING_NEXT_PAUSE_S = 0.05

# When Lambda cannot be reached: never spin, never give up. Exiting would fail the function.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.01, 1.0

SHUTDOWN_BUDGET_MS = 2_000


class LambdaApi:
    """Asks `next`; state: one connection, kept open between calls.

    Args:
        handoff: where the API is and who we are; a `next` asked by the bootstrap is taken over.
        now_ms: the wall clock in epoch milliseconds, for events that lack a deadline.
        complain: called with a reason whenever a call has to be repeated.

    Attributes:
        has_shut_down: whether SHUTDOWN has come; `next` is never answered after it.
    """

    def __init__(
        self, handoff: Handoff, *, now_ms: Callable[[], float], complain: Callable[[str], None]
    ) -> None:
        self._api = handoff.api
        self._first_next = handoff.first_next
        self._headers = (("Lambda-Extension-Identifier", handoff.extension_id),)
        self._now_ms = now_ms
        self._complain = complain
        self.has_shut_down = False
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def next_event(self) -> LifecycleEvent:
        """Tell Lambda that we are done and wait for what comes; repeat until there is an answer."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                event = read_event(await self._ask_next(), self._now_ms())
            except LambdaApiError as error:
                is_pending = error.status == FORBIDDEN and "Ready to Ready" in error.detail
                if not is_pending:
                    self._complain(str(error))
                await asyncio.sleep(PENDING_NEXT_PAUSE_S if is_pending else pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                self.has_shut_down = isinstance(event, ShutdownEvent)
                return event

    def close(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream[1].close()
            self._stream = None

    async def _ask_next(self) -> bytes:
        try:
            response = await self._exchange()
        except (OSError, ProtocolError) as error:
            self.close()
            raise LambdaApiError("next", None, str(error)) from None
        except asyncio.CancelledError:
            self.close()
            raise
        if not response.keeps_alive:
            self.close()
        if response.status != OK:
            raise LambdaApiError("next", response.status, response.body.decode("utf-8", "replace"))
        return response.body

    async def _exchange(self) -> Response:
        if self._first_next is not None:
            sock = socket.socket(fileno=self._first_next.detach())
            self._first_next = None
            sock.settimeout(0)
            self._stream = await asyncio.open_connection(sock=sock)
        else:
            if self._stream is None:
                host, _, port = self._api.rpartition(":")
                self._stream = await asyncio.open_connection(host, int(port))
            self._stream[1].write(write_request("GET", NEXT_PATH, self._api, self._headers))
            await self._stream[1].drain()
        reader = ResponseReader()
        while (response := reader.feed(await self._stream[0].read(65_536))) is None:
            pass
        return response


def read_event(body: bytes, now_ms: float) -> LifecycleEvent:
    """Return the event in an answer to `next`.

    Raises:
        LambdaApiError: the body is no event; asking again is all that can be done.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        fields = None
    kind = fields.get("eventType") if isinstance(fields, dict) else None
    if kind == "INVOKE":
        return _read_invoke(fields, now_ms)
    if kind == "SHUTDOWN":
        deadline = _deadline(fields, now_ms, SHUTDOWN_BUDGET_MS)
        return ShutdownEvent(str(fields.get("shutdownReason", "")).lower(), deadline)
    raise LambdaApiError("next", OK, f"not an event: {body[:200]!r}")


def _read_invoke(fields: dict[str, Any], now_ms: float) -> InvokeEvent:
    tracing = fields.get("tracing")
    header = tracing.get("value") if isinstance(tracing, dict) else ""
    return InvokeEvent(
        request_id=str(fields.get("requestId", "")),
        # Without a deadline there is no telling how long we may wait: then not at all.
        deadline=_deadline(fields, now_ms, 0),
        function_arn=str(fields.get("invokedFunctionArn", "")),
        trace_header=header if isinstance(header, str) else "",
    )


def _deadline(fields: dict[str, Any], now_ms: float, budget_ms: float) -> Deadline:
    deadline_ms = fields.get("deadlineMs")
    if isinstance(deadline_ms, int | float) and deadline_ms > 0:
        return Deadline(deadline_ms)
    return Deadline.after(now_ms, budget_ms)


def read_account_id(register_body: bytes) -> str:
    """Return the account from the answer to the registration, empty when it does not say."""
    try:
        fields = orjson.loads(register_body)
    except orjson.JSONDecodeError:
        return ""
    account_id = fields.get("accountId") if isinstance(fields, dict) else None
    return account_id if isinstance(account_id, str) else ""
