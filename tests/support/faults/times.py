"""Faults of time: clocks that jump, and a freeze while a request is on its way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.faults import answers
from tests.support.faults.figures import Fault, Figures
from tests.support.faults.layers import JumpingClock, stage_with_clock
from tests.support.faults.trial import Trial, run_trial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

HOUR_S = 3_600.0

# An invocation is answered with `next` at once, so that its request is under way at the freeze.
BESIDE = {"LOGGER_EXTENSION_FLUSH_POLICY": "overlap"}

FREEZES = {"1 s": 1.0, "60 s": 60.0, "15 min": 900.0}


def jumping(seconds: float) -> Callable[[Path], Awaitable[Figures]]:
    """Return what sets the wall clock between two invocations and within one."""

    async def play(folder: Path) -> Figures:
        clock = JumpingClock(folder / "clock")
        extensions = stage_with_clock(folder, clock)
        scenario = {"wall_clock": clock}
        async with run_trial(folder, extensions=extensions, scenario=scenario) as trial:
            await trial.invoke_often(2)
            trial.is_faulty = True
            clock.jump(seconds)
            await trial.invoke_often(2)
            invoking = asyncio.create_task(trial.invoke(sleep_s=0.2))
            await trial.whole.sandbox.output.wait_for("runtime", "i4.0")
            clock.jump(seconds)
            await invoking
            await trial.invoke_often(2)
            return await trial.finish()

    return play


class Held:
    """A request that the collector has, or has not, and whose answer waits for the test."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.released = asyncio.Event()
        self.over = asyncio.Event()

    def then(self, fault: answers.Fault) -> answers.Fault:
        """Return a fault that waits, and then does as another one."""

        async def held(exchange: answers.Exchange) -> None:
            self.arrived.set()
            await self.released.wait()
            try:
                await fault(exchange)
            finally:
                self.over.set()

        return held


async def freeze_during_export(
    trial: Trial, clock: JumpingClock, seconds: float, fault: answers.Fault
) -> None:
    """Freeze while a request is at the proxy, and play a fault while nobody is awake to see it."""
    held = Held()
    trial.proxy.play(held.then(fault), times=1)
    async with asyncio.timeout(20):
        while not held.arrived.is_set():
            # What an invocation leaves behind is sent while a later one runs.
            await trial.invoke(sleep_s=0.1)
            await trial.whole.sandbox.wait_idle()
        held.released.set()
        await held.over.wait()
    clock.sleep_through(seconds)
    trial.is_faulty = True
    await trial.invoke(sleep_s=0.05)
    await trial.whole.sandbox.wait_idle()
    trial.is_faulty = False


def freezing(
    seconds: float, *faults: answers.Fault, loses: bool = False
) -> Callable[[Path], Awaitable[Figures]]:
    """Return what freezes so long in mid-export, once for each fault of the frozen connection."""

    async def play(folder: Path) -> Figures:
        clock = JumpingClock(folder / "clock")
        extensions = stage_with_clock(folder, clock)
        async with run_trial(
            folder, environ=BESIDE, extensions=extensions, scenario={"wall_clock": clock}
        ) as trial:
            await trial.invoke_often(2)
            for fault in faults:
                played = trial.losing(fault) if loses else fault
                await freeze_during_export(trial, clock, seconds, played)
            await trial.invoke_often(2)
            return await trial.finish()

    return play


def find_faults() -> list[Fault]:
    """Return all faults of this module."""
    return [
        Fault(name="wall clock jumps 1 h ahead", play=jumping(HOUR_S)),
        Fault(name="wall clock jumps 1 h back", play=jumping(-HOUR_S)),
        *(
            Fault(
                name=f"freeze of {name} in mid-export, answered or reset meanwhile",
                play=freezing(seconds, answers.pass_on, reset_request),
            )
            for name, seconds in FREEZES.items()
        ),
        *(
            Fault(
                name=f"freeze of {name} in mid-export, answer lost meanwhile",
                play=freezing(seconds, answers.lose_answer, answers.reset_in_answer, loses=True),
            )
            for name, seconds in FREEZES.items()
        ),
    ]


async def reset_request(exchange: answers.Exchange) -> None:
    """Reset the connection before the collector has seen anything."""
    exchange.reset()
