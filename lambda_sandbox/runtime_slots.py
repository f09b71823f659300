"""The runtime's side of the Runtime API: who waits for work, and what is being worked on.

Owns the blocked `invocation/next` calls of one generation and the invocations given to them
(mutable). On Managed Instances every blocked call is a worker. It must not know of HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_sandbox.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_sandbox.changes import Changes
    from lambda_sandbox.invocation import Invocation


@dataclass(eq=False, slots=True)
class Slot:
    """A blocked `invocation/next`; `connected` tells if its caller is still there."""

    connected: Callable[[], bool]
    work: asyncio.Future[Invocation] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class RuntimeSlots:
    """Blocked calls and running invocations of one generation."""

    def __init__(self, changes: Changes, *, parallel: bool) -> None:
        self._changes = changes
        self._parallel = parallel
        self._waiting: deque[Slot] = deque()
        self._given: dict[str, Invocation] = {}
        self.ready = False
        self.restorable = False
        self._restored = False
        self.init_error: tuple[str, bytes] | None = None

    @property
    def running(self) -> int:
        """Invocations that the runtime has not answered yet."""
        return sum(not invocation.responded for invocation in self._given.values())

    def has_worker(self) -> bool:
        """True if a call is blocked and its caller is still connected."""
        while self._waiting and not self._waiting[0].connected():
            self._waiting.popleft()
        return bool(self._waiting)

    async def next(self, connected: Callable[[], bool]) -> Invocation:
        """The runtime asks for work: note that it is ready and wait.

        As in AWS's emulator, a runtime that asks again before it has answered gets the same
        invocation again.
        """
        self.ready = True
        if not self._parallel:
            for invocation in tuple(self._given.values()):
                if not invocation.responded:
                    return invocation
                invocation.runtime_next = time.monotonic()
                del self._given[invocation.request_id]
        slot = Slot(connected)
        self._waiting.append(slot)
        self._changes.notify()
        await self._changes.until(slot.work.done)
        return slot.work.result()

    async def restore_next(self) -> None:
        """The runtime of a SnapStart function waits to be restored."""
        self.restorable = True
        self._changes.notify()
        await self._changes.until(lambda: self._restored)

    def restore(self) -> None:
        """Let a runtime that waits for it run its after-restore hooks."""
        self._restored = True
        self._changes.notify()

    def give(self, invocation: Invocation) -> None:
        """Hand an invocation to the first worker; there must be one."""
        invocation.released = time.monotonic()
        self._given[invocation.request_id] = invocation
        self._waiting.popleft().work.set_result(invocation)
        self._changes.notify()

    def begin_response(self, request_id: str) -> Invocation:
        """The runtime began to answer: the first byte is here.

        Raises:
            ApiError: 400 for an identifier that is not being worked on, 403 for a second answer,
                410 on Managed Instances for an answer after the timeout.
        """
        invocation = self._given.get(request_id)
        if invocation is None:
            raise ApiError(400, "InvalidRequestID", "Invalid request ID")
        if invocation.timed_out:
            raise ApiError(410, "InvokeTimeout", "Invoke timeout")
        if invocation.response_began is not None:
            raise ApiError(
                403,
                "InvalidStateTransition",
                "State transition from RuntimeResponseSent to InvocationResponse failed for "
                "runtime. Error: State transition is not allowed",
            )
        invocation.response_began = time.monotonic()
        return invocation

    def end_response(self, invocation: Invocation) -> None:
        """The whole answer is here."""
        invocation.response_ended = time.monotonic()
        if self._parallel:
            self._given.pop(invocation.request_id, None)
        self._changes.notify()

    def knows(self, request_id: str) -> bool:
        """True if an invocation with this identifier is being worked on."""
        return request_id in self._given
