"""What waits to be sent: how much, since when, whether it can go, and its ways out.

State: since when anything waits; the rest is read from the inbox, the relay and the channels. The
flusher decides by it. Must not know how anything is read, nor when it is due.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from typing import Any

from logger_extension.channel import Channel
from logger_extension.delivery import Window
from logger_extension.events import NANOS_PER_MS
from logger_extension.inbox import Inbox
from logger_extension.policy.flush import FULL_SHARE
from logger_extension.relay import Relay

# From this pressure on Lambda is made to wait with more.
NEARLY_LOST, LONGEST_WAIT_S = 0.75, 0.5


class Backlog:
    """A view of everything that waits.

    Args:
        inbox: bodies that were not read yet.
        relay: requests of the function's own SDK that were not forwarded yet.
        channels: the queues, and whom they send to.
        request_max_bytes: so much is a request's worth.
        reads_at_once: whether what comes is work to be done beside the handler.
        tell_held: told how many records are held, whenever that may have changed.
        now_unix_nano: the wall clock.

    Attributes:
        has_come: set when anything has come; cleared by whoever waits for it.
    """

    def __init__(  # noqa: PLR0913  (the pipeline names each part)
        self,
        *,
        inbox: Inbox,
        relay: Relay,
        channels: Sequence[Channel[Any]],
        request_max_bytes: int,
        reads_at_once: bool,
        tell_held: Callable[[int], None],
        now_unix_nano: Callable[[], int],
    ) -> None:
        self._inbox = inbox
        self._relay = relay
        self._channels = channels
        self._request_max_bytes = request_max_bytes
        self._now_unix_nano = now_unix_nano
        self._waiting_unix_nano = 0
        self._reads_at_once = reads_at_once
        self._tell_held = tell_held
        self._room = asyncio.Event()
        self.has_come = asyncio.Event()
        for channel in channels:
            channel.note_progress = self._note_progress

    @property
    def duplicates(self) -> int:
        """How many bodies came again."""
        return self._inbox.duplicates

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._inbox or self._relay.waiting_bytes or any(map(len, self._channels)))

    @property
    def fill(self) -> float:
        """How full the fullest buffer is, 0 to 1."""
        return max(
            self._inbox.fill, self._relay.fill, *(channel.fill for channel in self._channels)
        )

    @property
    def pressure(self) -> float:
        """How near a loss is, 0 to 1."""
        return max(self._relay.fill, *(channel.pressure for channel in self._channels))

    @property
    def has_full_request(self) -> bool:
        """Whether as much waits as goes into one request."""
        unread_bytes = self._inbox.size_bytes + self._relay.waiting_bytes
        return unread_bytes >= self._request_max_bytes or any(
            channel.has_full_request for channel in self._channels
        )

    @property
    def is_away(self) -> bool:
        """Whether no collector is to be asked now."""
        return all(channel.sender.is_away for channel in self._channels)

    @property
    def is_slow(self) -> bool:
        """Whether a collector has not answered within an invocation's budget."""
        return any(channel.sender.is_slow for channel in self._channels)

    def measure_patience_s(self, budget_s: float) -> float:
        """Return how much longer any collector that was asked is worth waiting for.

        Infinite if none was asked, negative if all have been silent for too long.
        """
        left_s = [channel.sender.measure_patience_s(budget_s) for channel in self._channels]
        return max((s for s in left_s if s < inf), default=inf)

    def give_up_silent(self, budget_s: float) -> None:
        """Ask collectors no more for a while that have been silent for too long."""
        for channel in self._channels:
            channel.sender.give_up_silent(budget_s)

    def has_room(self) -> bool:
        """Return whether no loss is near."""
        return self.pressure < NEARLY_LOST

    async def wait_for_room(self) -> None:
        """Wait while a loss is near: Lambda keeps what the function prints so long.

        Not for long: what Lambda has no room for is lost as well.
        """
        if self.has_room():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_S):
                while not self.has_room():
                    self.has_come.set()
                    self._room.clear()
                    await self._room.wait()

    async def spill(self) -> None:
        """Write down what there was no room for."""
        for channel in self._channels:
            await channel.spill()

    async def give_up(self) -> None:
        """At the end: write down all that waits."""
        for channel in self._channels:
            await channel.give_up()

    def measure_age_ms(self) -> float:
        """Return how long the oldest data has waited, 0 without any."""
        if not self._waiting_unix_nano or not (self.has_waiting or self.count_held()):
            return 0.0
        # A clock that was set back must not make data young for an hour: then it is as old as new.
        return max(0, self._now_unix_nano() - self._waiting_unix_nano) / NANOS_PER_MS

    def count_held(self) -> int:
        """Return how many records are held, about: lines that are not read yet count too."""
        return self._inbox.lines + sum(channel.held for channel in self._channels)

    def count_written(self) -> dict[str, int]:
        """Return how many items the fallback took, by signal."""
        return {channel.name: channel.written for channel in self._channels if channel.written}

    def _note_waiting(self, now_unix_nano: int) -> None:
        if not self._waiting_unix_nano or self._reads_at_once or self.fill >= FULL_SHARE:
            # Otherwise nothing would be decided that has not been: each look costs some CPU.
            self.has_come.set()
        self._waiting_unix_nano = self._waiting_unix_nano or now_unix_nano

    async def _send(self, window: Window) -> bool:
        """Flush all channels, in parallel; return whether all was sent.

        A fault of one signal must not cut off the others: it is raised when all are done.
        """
        flushes = (channel.flush(window) for channel in self._channels)
        results = await asyncio.gather(*flushes, return_exceptions=True)
        if faults := [result for result in results if isinstance(result, Exception)]:
            raise ExceptionGroup("faults of a flush", faults)
        return all(results)

    def _note_progress(self) -> None:
        self._room.set()
        self._tell_held(self.count_held())
