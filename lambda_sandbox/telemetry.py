"""The telemetry of one sandbox: every event is made known here.

Owns the history that late subscribers get, the subscribers and whether subscribing is still
possible (mutable). Subscribers outlive a reset, as in real Lambda: the second subscription of the
same extension is answered and noted as `Already subscribed` (contract 5.4). It must not know of
HTTP requests.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lambda_sandbox.delivery import Subscriber, Thaw
from lambda_sandbox.errors import ApiError
from lambda_sandbox.events import TelemetryEvent, printed_line
from lambda_sandbox.records import telemetry_subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from lambda_sandbox.scenario import Scenario
    from lambda_sandbox.subscription import Subscription
    from lambda_sandbox.transcript import Transcript

MAX_HISTORY = 10_000


class Telemetry:
    """Publishes events to all subscribers."""

    def __init__(
        self,
        scenario: Scenario,
        transcript: Transcript,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._scenario = scenario
        self._transcript = transcript
        self._spawn = spawn
        self._thaw = Thaw()
        self._history: list[TelemetryEvent] = []
        self._subscribers: dict[str, Subscriber] = {}
        self._open = False

    def open(self) -> None:
        """An init begins: extensions may subscribe, and later ones get what was before."""
        self._open = True
        self._history.clear()

    def close(self) -> None:
        """The init is over."""
        self._open = False
        self._history.clear()

    def publish(self, typed_record: tuple[str, Mapping[str, Any] | str]) -> None:
        """Make an event known, with the time of now."""
        event = TelemetryEvent(self._scenario.unix_ms(), *typed_record)
        if self._open and len(self._history) < MAX_HISTORY:
            self._history.append(event)
        for subscriber in self._subscribers.values():
            subscriber.add(event, json_lines=self._json_lines)

    def publish_line(self, stream: str, line: str) -> None:
        """Make a printed line known; `stream` is `function` or `extension`."""
        self.publish(printed_line(stream, line))

    def subscribe(self, name: str, subscription: Subscription) -> None:
        """Subscribe an extension.

        Raises:
            ApiError: 403 `Telemetry.SubscriptionClosed` after init.
        """
        if not self._open:
            raise ApiError(
                403, "Telemetry.SubscriptionClosed", "Telemetry API subscription is closed"
            )
        known = self._subscribers.get(name)
        state = "Subscribed" if known is None else "Already subscribed"
        self._transcript.record(f"extension:{name}", "subscribe", state=state)
        if known is None:
            known = Subscriber(name, subscription, self._scenario, self._thaw, self._transcript)
            for event in self._history:
                known.add(event, json_lines=self._json_lines)
            self._subscribers[name] = known
            self._spawn(known.run())
        else:
            known.subscribe(subscription)
        self.publish(telemetry_subscription(name, state, subscription.types))

    def freeze(self) -> None:
        """Send nothing from now on; events wait."""
        self._thaw.set(thawed=False)

    def thaw(self) -> None:
        """Send again."""
        self._thaw.set(thawed=True)

    async def flush(self, *, timeout_s: float) -> None:
        """Send what waits at once, to all subscribers, for at most `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
                for subscriber in self._subscribers.values():
                    group.create_task(subscriber.flush())

    @property
    def _json_lines(self) -> bool:
        return self._scenario.log_format == "JSON"
