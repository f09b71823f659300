"""What waits and whom it goes to, as the flusher sees it.

Owns the seam between the flusher and the pipeline; a protocol only.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from logger_extension.delivery import Window


class Source(Protocol):
    """What the flusher asks of the pipeline."""

    has_come: asyncio.Event

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits."""

    @property
    def fill(self) -> float:
        """How full the fullest buffer is."""

    @property
    def has_full_request(self) -> bool:
        """Whether as much waits as goes into one request."""

    @property
    def is_away(self) -> bool:
        """Whether no collector is to be asked now."""

    @property
    def is_slow(self) -> bool:
        """Whether a collector has not answered within an invocation's budget."""

    def measure_patience_s(self, budget_s: float) -> float:
        """Return how much longer any collector that was asked is worth waiting for.

        Infinite if none was asked, not positive if all have been silent for too long.
        """

    def give_up_silent(self, budget_s: float) -> None:
        """Ask collectors no more for a while that have been silent for too long."""

    def count_held(self) -> int:
        """Return how many records are held, about."""

    def measure_age_ms(self) -> float:
        """Return how long the oldest data has waited."""

    def flush(self, window: Window) -> Coroutine[Any, Any, None]:
        """Send everything."""

    def spill(self) -> Coroutine[Any, Any, None]:
        """Write down what there was no room for."""

    def give_up(self) -> Coroutine[Any, Any, None]:
        """Write down all that waits."""
