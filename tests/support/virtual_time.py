"""An event loop whose time goes on only when nothing is left to do: waits cost a test nothing.

When all tasks wait, the clock is set to the next timer. A wait without any timer can only be a
mistake, and fails the test instead of hanging it. A freeze is a jump of the clock in which nothing
runs: afterwards every timer whose time has passed fires at once, as after a thaw.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# The clock that does not jump, and the wall clock, when a loop begins.
START_S = 1_000.0
START_MS = 1_795_427_494_000.0

# The longest that the library's loop waits at a time: only a timer that never fires needs it.
NEVER_S = 24 * 3600.0

# What one round of the loop takes. Nothing that is measured, but without it a wait that is shorter
# than the clock can tell would begin again for ever.
ROUND_S = 1e-11


class _IdleSelector(selectors.DefaultSelector):
    """Never waits: tells how long it would have waited, None for ever."""

    def __init__(self, pass_time: Callable[[float | None], None]) -> None:
        super().__init__()
        self._pass_time = pass_time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now; if that is nothing, let the time pass."""
        ready = super().select(0)
        self._pass_time(0.0 if ready else timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own."""

    def __init__(self) -> None:
        self._now_s = START_S
        self._set_by_s = 0.0
        super().__init__(_IdleSelector(self._pass))

    def time(self) -> float:
        """Return the loop's clock, in seconds; it does not jump."""
        return self._now_s

    def now_ms(self) -> float:
        """Return the wall clock, epoch milliseconds."""
        return START_MS + (self._now_s - START_S + self._set_by_s) * 1_000

    def freeze(self, duration_s: float, *, stops_clock: bool = False) -> None:
        """Let time go by in which nothing runs; on some machines only the wall clock sees it."""
        if stops_clock:
            self._set_by_s += duration_s
        else:
            self._now_s += duration_s

    def _pass(self, timeout: float | None) -> None:
        if timeout is None or timeout >= NEVER_S:
            raise AssertionError("everything waits, and nothing will ever come")
        self._now_s += timeout + ROUND_S


def run_virtually(work: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a test's coroutine on a loop of its own."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop, debug=True) as runner:
        return runner.run(work(loop))
