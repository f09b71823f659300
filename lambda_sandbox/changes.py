"""Waiting for a condition over shared state, without polling.

Owns the waiters and no state of its own; it must not know what the predicates read. Everything runs
in one event loop, so a predicate that was true when `until` returned still is until the next await.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lambda_sandbox.errors import SandboxEndedError

if TYPE_CHECKING:
    from collections.abc import Callable


class Changes:
    """A notice board: whoever changes state calls `notify`, whoever waits gives a predicate."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()
        self._closed = False

    def notify(self) -> None:
        """Let every waiter look at its predicate again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        """Nothing will change any more: end every wait."""
        self._closed = True
        self.notify()

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Return as soon as `predicate()` is true; what the predicate raises is raised here.

        Raises:
            SandboxEndedError: closed, and the predicate is not true.
        """
        while not predicate():
            if self._closed:
                raise SandboxEndedError("this generation of processes is gone")
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
