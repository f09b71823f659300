"""An exporter that answers by a script, on a loop whose time is virtual."""

import asyncio
from collections.abc import Iterable

from logger_extension.policy.outcome import Outcome
from tests.support.virtual_time import VirtualLoop

# How long an answer takes, and what it is; None for an answer that never comes.
Answer = tuple[float, Outcome] | None


class ScriptedExporter:
    """Gives one answer a request; the last answer is for all further ones.

    Args:
        loop: the clock.
        answers: the script.
        connects_s: how long a connection takes; where negative, until there is none.

    Attributes:
        bodies: what was sent, in order.
        began_s: when each request was made, by the loop's clock.
        in_flight: how many have neither an answer nor been cancelled.
    """

    def __init__(
        self, loop: VirtualLoop, answers: Iterable[Answer], connects_s: float = 0.0
    ) -> None:
        self._loop = loop
        self._answers = list(answers)
        self._connects_s = connects_s
        self.bodies: list[bytes] = []
        self.began_s: list[float] = []
        self.in_flight = 0

    async def connect(self) -> bool:
        """Take that long."""
        await asyncio.sleep(abs(self._connects_s))
        return self._connects_s >= 0

    async def export(self, body: bytes) -> Outcome:
        """Take one request."""
        answer = self._answers[min(len(self.bodies), len(self._answers) - 1)]
        self.bodies.append(body)
        self.began_s.append(self._loop.time())
        self.in_flight += 1
        try:
            if answer is None:
                return await self._loop.create_future()  # type: ignore[no-any-return]
            takes_s, outcome = answer
            await asyncio.sleep(takes_s)
            return outcome
        finally:
            self.in_flight -= 1
