"""Waiting for a number to grow: from any event loop, told by any thread.

State: the number, and who waits. Must not know what has changed.
"""

import asyncio
import threading
from contextlib import suppress


class Changes:
    """A version that grows with each change."""

    def __init__(self) -> None:
        """Begin with version 0."""
        self.version = 0
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def tell(self) -> None:
        """Count a change and wake who waits; from any thread."""
        with self._lock:
            self.version += 1
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            # A loop that was closed in the meantime has nobody left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    async def wait(self, seen: int) -> int:
        """Return the version as soon as it is another than `seen`."""
        event = asyncio.Event()
        waiter = (asyncio.get_running_loop(), event)
        with self._lock:
            if self.version != seen:
                return self.version
            self._waiting.add(waiter)
        try:
            await event.wait()
        finally:
            with self._lock:
                self._waiting.discard(waiter)
        return self.version
