"""A fault of AWS's emulator that tests must live with: its telemetry can stop for ever.

On Managed Instances, when a batch is due before the subscriber has answered the one before, the
emulator drops it, tells of that by an event into its own full channel, and then hangs in init and
in every invocation (contract, section 13, 11). Lambda does not. Owns: knowing that from its log.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

_SYMPTOM = "previous batch hasn't processed yet"
_ATTEMPTS = 4
_ATTEMPT_TIMEOUT_S = 6


async def past_deadlocks(folder: Path, attempt: Callable[[Path], Awaitable[None]]) -> None:
    """Run *attempt*, each time in a directory of its own, until the emulator does not hang in it.

    Raises:
        TimeoutError: it took too long and the emulator's log does not explain why, or it hung
            every time.
    """
    for number in range(1, _ATTEMPTS + 1):
        own_folder = folder / str(number)
        own_folder.mkdir()
        try:
            async with asyncio.timeout(_ATTEMPT_TIMEOUT_S):
                await attempt(own_folder)
        except TimeoutError:
            logs = [log.read_text(errors="replace") for log in own_folder.rglob("emulator.log")]
            if number == _ATTEMPTS or not any(_SYMPTOM in log for log in logs):
                raise
        else:
            return
