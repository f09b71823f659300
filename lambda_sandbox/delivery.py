"""Delivering telemetry to one subscriber.

Owns the connection to the subscriber and the batch in flight. A batch is tried until it got
through, with backoff, so it may arrive twice but is never lost (contract section 8); the queue
behind it is bounded by `Batcher`. Nothing is sent while the environment is frozen. It must not know
what events mean.
"""

from __future__ import annotations

import asyncio
import io
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp

from lambda_sandbox.batches import Batcher
from lambda_sandbox.changes import Changes
from lambda_sandbox.events import TelemetryEvent
from lambda_sandbox.records import logs_dropped

if TYPE_CHECKING:
    from lambda_sandbox.scenario import Scenario
    from lambda_sandbox.subscription import Subscription
    from lambda_sandbox.transcript import Transcript

FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 2.0
MOST_IN_ONE_PIECE = 1024 * 1024
DELIVERY_ERRORS = (aiohttp.ClientError, OSError, TimeoutError)


class Thaw:
    """Whether the environment is thawed; one for all subscribers."""

    def __init__(self) -> None:
        self._thawed = asyncio.Event()
        self._thawed.set()

    def set(self, *, thawed: bool) -> None:
        """Note a freeze or a thaw."""
        if thawed:
            self._thawed.set()
        else:
            self._thawed.clear()

    async def wait(self) -> None:
        """Return when the environment is thawed."""
        await self._thawed.wait()


class Subscriber:
    """One subscribed extension: its queue and the task that empties it."""

    def __init__(
        self,
        name: str,
        subscription: Subscription,
        scenario: Scenario,
        thaw: Thaw,
        transcript: Transcript,
    ) -> None:
        self.name = name
        self._faults = scenario.telemetry
        self._unix_ms = scenario.unix_ms
        self._thaw = thaw
        self._transcript = transcript
        self._batcher = Batcher(queue_bytes=self._faults.queue_bytes)
        self._changes = Changes()
        self._flushing = False
        self._in_flight = False
        self._posts = 0
        self._stream: asyncio.StreamWriter | None = None
        self.subscribe(subscription)

    def subscribe(self, subscription: Subscription) -> None:
        """Take over a new or changed subscription; what waits stays."""
        self.subscription = subscription
        self._batcher.set_limits(
            max_items=subscription.max_items,
            max_bytes=subscription.max_bytes,
            timeout_ms=subscription.timeout_ms,
        )

    def add(self, event: TelemetryEvent, *, json_lines: bool) -> None:
        """Queue an event if its type was asked for."""
        if event.stream in self.subscription.types:
            encoded = event.encode(self.subscription.schema_version, json_lines=json_lines)
            self._batcher.add(encoded, time.monotonic())
            self._changes.notify()

    async def flush(self) -> None:
        """Send what waits without waiting for the batch to fill; return when all is delivered."""
        self._flushing = True
        self._changes.notify()
        try:
            await self._changes.until(lambda: not self._batcher and not self._in_flight)
        finally:
            self._flushing = False

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
                while True:
                    await self._wait_until_due()
                    batch = self._next_batch()
                    await self._deliver(session, batch)
                    self._in_flight = False
                    self._changes.notify()
        finally:
            self._close_stream()

    async def _wait_until_due(self) -> None:
        """Return when a batch is due and the environment is thawed."""
        while True:
            await self._thaw.wait()
            seconds = self._batcher.due_in(time.monotonic())
            if seconds == 0 or (seconds is not None and self._flushing):
                return
            await self._wait_for_change(seconds)

    async def _wait_for_change(self, seconds: float | None) -> None:
        """Return after `seconds`, or when an event was added or a flush wants those that wait."""
        waiting = len(self._batcher)

        def changed() -> bool:
            return len(self._batcher) != waiting or (self._flushing and waiting > 0)

        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changes.until(changed)

    def _next_batch(self) -> list[bytes]:
        self._in_flight = True
        batch = self._batcher.take()
        dropped_bytes, dropped_records = self._batcher.take_dropped()
        if dropped_records:
            type_, record = logs_dropped(dropped_bytes, dropped_records)
            event = TelemetryEvent(self._unix_ms(), type_, record)
            batch.append(event.encode(self.subscription.schema_version, json_lines=False))
        return batch

    async def _deliver(self, session: aiohttp.ClientSession, batch: list[bytes]) -> None:
        backoff_s = FIRST_BACKOFF_S
        while True:
            await self._thaw.wait()
            await asyncio.sleep(self._faults.delay_ms / 1_000)
            await self._thaw.wait()
            self._posts += 1
            failure = await self._try(session, batch)
            self._transcript.record(
                "telemetry",
                "post",
                subscriber=self.name,
                events=len(batch),
                bytes=sum(map(len, batch)),
                failure=failure,
            )
            if failure is None:
                return
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)

    async def _try(self, session: aiohttp.ClientSession, batch: list[bytes]) -> str | None:
        """Send a batch once; None if it got through, else what went wrong."""
        lost = self._posts - self._faults.failing_posts
        if lost <= 0:
            return "lost on purpose"
        try:
            if self.subscription.protocol == "TCP":
                await self._send_lines(batch)
            else:
                await self._post(session, batch)
        except DELIVERY_ERRORS as error:
            return str(error) or type(error).__name__
        return "answer lost on purpose" if lost <= self._faults.lost_answers else None

    async def _post(self, session: aiohttp.ClientSession, batch: list[bytes]) -> None:
        """POST a JSON array to the subscribed port and path, on the loopback interface."""
        url = f"http://127.0.0.1:{self.subscription.port}{self.subscription.target}"
        headers = {
            "Content-Type": "application/json",
            "Host": f"sandbox.localdomain:{self.subscription.port}",
        }
        body = b"[" + b",".join(batch) + b"]"
        # Head and body in one piece, as Go's client writes them; a file where aiohttp would warn.
        data = body if len(body) <= MOST_IN_ONE_PIECE else io.BytesIO(body)
        async with session.post(url, data=data, headers=headers) as response:
            await response.read()
            response.raise_for_status()

    async def _send_lines(self, batch: list[bytes]) -> None:
        """Write newline-delimited JSON; TCP has no answer."""
        try:
            if self._stream is None:
                _, self._stream = await asyncio.open_connection("127.0.0.1", self.subscription.port)
            self._stream.writelines(event + b"\n" for event in batch)
            await self._stream.drain()
        except OSError:
            self._close_stream()
            raise

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
