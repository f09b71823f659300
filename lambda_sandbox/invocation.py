"""One invocation: what was asked, what was answered, and when.

Owns the record of one invocation (mutable: it fills up as the invocation goes on) and the pure
arithmetic over it. It must not know of HTTP, processes or telemetry. Points in time are
`time.monotonic()` seconds; None is "not yet".
"""

from __future__ import annotations

import asyncio
import json
import math
import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """What the caller of the function gets.

    Attributes:
        status: `success`; `error` if the handler raised or a process died; `timeout`; `failure`
            if the sandbox itself is at fault. (For the platform, and so in telemetry, a handler
            that raised is a `success`.)
        payload: the response, or the JSON of the error.
        error_type: None on success.
        response_ms: from the call until the answer was there.
    """

    request_id: str
    status: str
    payload: bytes
    error_type: str | None
    response_ms: float


@dataclass(eq=False, slots=True)
class Invocation:
    """One invocation on its way through the sandbox."""

    request_id: str
    payload: bytes
    called: float
    timeout_ms: int
    trace_header: str | None = None
    client_context: str | None = None
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    answer: asyncio.Future[InvokeResult] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    started: float = 0.0
    started_unix_ms: int = 0
    released: float | None = None
    response_began: float | None = None
    response_ended: float | None = None
    runtime_next: float | None = None
    produced_bytes: int = 0
    error_type: str | None = None
    runtime_done: float | None = None
    timed_out: bool = False

    def begin(self, now: float, unix_ms: int) -> None:
        """Start the clock of the function timeout."""
        self.started, self.started_unix_ms = now, unix_ms

    @property
    def deadline_ms(self) -> int:
        """`deadlineMs` and `Lambda-Runtime-Deadline-Ms`: epoch milliseconds."""
        return self.started_unix_ms + self.timeout_ms

    @property
    def responded(self) -> bool:
        """True once the runtime posted a whole response or error."""
        return self.response_ended is not None

    def resolve(self, status: str, payload: bytes, error_type: str | None, now: float) -> bool:
        """Answer the caller; False if it has its answer already."""
        if self.answer.done():
            return False
        elapsed_ms = milliseconds(now - self.called)
        self.answer.set_result(
            InvokeResult(self.request_id, status, payload, error_type, elapsed_ms)
        )
        return True

    def handler_ms(self, now: float) -> float:
        """`runtimeDone.metrics.durationMs`: from the release of the runtime to its next call."""
        if self.released is None:
            return milliseconds(now - self.started)
        return milliseconds((self.runtime_next or now) - self.released)


def milliseconds(seconds: float) -> float:
    """Seconds to milliseconds with the three decimals that Lambda gives, never negative."""
    return max(0.0, round(seconds * 1_000, 3))


def billed_ms(duration_ms: float, init_ms: float | None) -> int:
    """`billedDurationMs`: whole milliseconds, with the init of an on-demand cold start.

    Since 2025-08-01 the init of managed on-demand runtimes is billed; pass None for every other
    invocation.
    """
    return math.ceil(round(duration_ms + (init_ms or 0.0), 3))


def error_payload(error_type: str, message: str) -> bytes:
    """The JSON body of an error that the platform found, in the order of AWS's own."""
    return json.dumps(
        {"errorType": error_type, "errorMessage": message}, separators=(",", ":")
    ).encode()


def timeout_message(timeout_ms: int) -> str:
    """The text of a function timeout, with two decimals of seconds."""
    return f"Task timed out after {timeout_ms / 1_000:.2f} seconds"
