"""How a sandbox ends: in each of SHUTDOWN's reasons, with much time left or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.faults import answers
from tests.support.faults.figures import Fault, Figures, Required
from tests.support.faults.trial import run_trial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

TIMEOUT_MS = 1_200
REASONS = ("spindown", "timeout", "failure")
LEFT_MS = (2_000, 300, 0)


def ending(
    reason: str, left_ms: int | None, *faults: answers.Fault
) -> Callable[[Path], Awaitable[Figures]]:
    """Return what ends a sandbox in this way, once with each state of the collector."""

    async def play(folder: Path) -> Figures:
        total: list[Figures] = []
        for number, fault in enumerate(faults):
            home = folder / str(number)
            home.mkdir()
            total.append(await play_ending(home, reason, left_ms, fault))
        first, *others = total
        return sum(others, first)

    return play


async def play_ending(
    folder: Path, reason: str, left_ms: int | None, fault: answers.Fault
) -> Figures:
    """End a sandbox: by its own will, by a function that takes too long, by one that crashes."""
    scenario = {"shutdown_left_ms": left_ms, "timeout_ms": TIMEOUT_MS}
    async with run_trial(folder, scenario=scenario) as trial:
        await trial.invoke_often(2)
        trial.proxy.play(fault)
        match reason:
            case "timeout":
                await trial.invoke(sleep_s=9, expected="timeout")
            case "failure":
                await trial.invoke(exit=1, expected="error")
            case _:
                await trial.invoke()
        await trial.whole.sandbox.wait_idle()
        figures = await trial.finish()
        [end] = trial.whole.sandbox.transcript.select("shutdown.end")
        assert end.details["reason"] == reason
        return figures


def find_faults() -> list[Fault]:
    """Return all faults of this module."""
    both = (answers.pass_on, answers.hang)
    return [
        Fault(name="function timeout", play=ending("timeout", None, *both)),
        Fault(name="runtime crash", play=ending("failure", None, *both)),
        *(
            Fault(
                name=f"SHUTDOWN ({reason}) with {left_ms:,} ms left, collector up and hanging",
                play=ending(reason, left_ms, *both),
                # Without any time nobody can promise anything.
                required=Required(lost=None if left_ms == 0 else 0),
            )
            for reason in REASONS
            for left_ms in LEFT_MS
        ),
    ]
