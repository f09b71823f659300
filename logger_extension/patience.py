"""Waiting that has an end, and that a freeze does not break.

A sandbox may be frozen at any await. On the thaw all timers whose time has passed fire at once, and
before the answer that came meanwhile could be read: such a timer says that the process was stopped,
not that the other side was slow. What may be frozen is therefore given a moment more. Must not know
what is waited for.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Seconds = Callable[[], float]

# A timer so late was not late by chance.
LATE_S = 0.1

# Within this time after a thaw what lies in the socket's buffer has been read, and an INVOKE that
# moves the limit has come.
GRACE_S = 0.25


async def wait_within(
    work: Coroutine[Any, Any, T], remaining_s: Seconds, *, find_grace_s: Seconds = float
) -> T:
    """Await work while time remains.

    Args:
        work: when time is up it is cancelled, and awaited until it has ended. It is not begun when
            none is left at the start.
        remaining_s: the seconds that remain; asked again when they seem to be over, so the limit
            may be moved meanwhile.
        find_grace_s: how much more it gets, once, when the timer was late; asked then. 0 where the
            sandbox was not frozen meanwhile: a late timer tells of a busy CPU there. (`float()`
            is 0.)

    Raises:
        TimeoutError: time was up.
    """
    wait_s = remaining_s()
    if wait_s <= 0:
        work.close()
        raise TimeoutError
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    try:
        while not task.done() and wait_s > 0:
            due_s = loop.time() + wait_s
            await asyncio.wait({task}, timeout=wait_s)
            wait_s = remaining_s()
            if loop.time() - due_s > LATE_S:
                wait_s, find_grace_s = max(wait_s, find_grace_s()), float
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        raise TimeoutError
    return task.result()
