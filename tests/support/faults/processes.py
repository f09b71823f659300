"""Faults of the extension's own processes: what they need is taken away, or they are killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from tests.support.faults import answers, limits
from tests.support.faults.figures import Fault, Figures, Required
from tests.support.faults.trial import Trial, run_trial
from tests.support.whole import EXTENSION

if TYPE_CHECKING:
    from pathlib import Path

KILLS, KILLS_A_LIFE = 200, 3
LIVES_AT_ONCE = 2
LONGEST_S = 0.3
SEED = 20_200_101

LINES = 2
ONE_INVOCATION = LINES + 1


async def find_python(trial: Trial) -> int:
    """Return the process id of the extension's Python as soon as there is one."""
    while (pid := trial.whole.python_pid()) is None:  # noqa: ASYNC110  (nobody tells of a process)
        await asyncio.sleep(0.002)
    return pid


async def play_killed_listener(folder: Path) -> Figures:
    """The telemetry listener and its connections are shut down, between two invocations."""
    async with run_trial(folder) as trial:
        await trial.invoke_often(2)
        assert limits.kill_listener(await find_python(trial)) >= 1
        trial.is_faulty = True
        await trial.invoke_often(4)
        return await trial.finish()


async def play_used_up_descriptors(folder: Path) -> Figures:
    """No descriptor is left for a connection to the collector; later there are some again."""
    async with run_trial(folder) as trial:
        await trial.invoke_often(2)
        pid = await find_python(trial)
        await trial.proxy.listen()  # ends the connections that stand
        limits.use_up_descriptors(pid)
        arrived = len(trial.collector.store.logs)
        trial.is_faulty = True
        await trial.invoke_often(4)
        trial.is_faulty = False
        assert len(trial.collector.store.logs) == arrived, "the fault was none"
        limits.give_descriptors(pid)
        await trial.invoke_often(2)
        return await trial.finish()


async def play_no_descriptors_to_the_end(folder: Path) -> Figures:
    """The same, and never again one."""
    async with run_trial(folder) as trial:
        await trial.invoke_often(2)
        await trial.proxy.listen()
        limits.use_up_descriptors(await find_python(trial))
        trial.is_faulty = True
        await trial.invoke_often(4)
        return await trial.finish()


async def play_no_memory(folder: Path) -> Figures:
    """Address space ends 8 MiB above what is used, and then lines come that nobody takes."""
    environ = {"LOGGER_EXTENSION_QUEUE_MAX_BYTES": str(8 * 1024 * 1024)}
    async with run_trial(folder, environ=environ, scenario={"timeout_ms": 20_000}) as trial:
        await trial.invoke_often(2)
        pids = [trial.whole.launcher_pid(), await find_python(trial)]
        limits.limit_memory(pids, 8 * 1024 * 1024)
        await trial.proxy.refuse()
        trial.is_faulty = True
        await trial.invoke_often(4, lines=5_000, text="z" * 500)
        trial.is_faulty = False
        await trial.proxy.listen()
        await trial.invoke_often(2)
        figures = await trial.finish()
        assert figures.told, "the fault was none"
        return figures


async def play_full_tmp(folder: Path) -> Figures:
    """No byte can be written below /tmp, and the collector is away."""
    extensions = limits.stage_with_full_tmp(folder)
    async with run_trial(folder, extensions=extensions) as trial:
        await trial.invoke_often(2)
        trial.proxy.play(answers.refuse_with(503))
        trial.is_faulty = True
        await trial.invoke_often(4)
        return await trial.finish()


async def play_full_fallback(folder: Path) -> Figures:
    """The same, where the fallback is a directory in it."""
    extensions = limits.stage_with_full_tmp(folder)
    environ = {"LOGGER_EXTENSION_FALLBACK": "/tmp/fallback"}  # noqa: S108
    async with run_trial(folder, extensions=extensions, environ=environ) as trial:
        await trial.invoke_often(2)
        trial.proxy.play(answers.refuse_with(503))
        trial.is_faulty = True
        await trial.invoke_often(4)
        figures = await trial.finish()
        assert any("written where it should" in each for each in figures.told), figures.told
        return figures


async def play_kills(folder: Path) -> Figures:
    """Kill Python -9 at 200 moments by chance: at its start, in handlers, in flushes, frozen."""
    chosen = random.Random(SEED)  # noqa: S311  (a test, no secret)
    lives = [
        ([chosen.uniform(0, LONGEST_S) for _ in range(KILLS_A_LIFE)], chosen.random() < 0.5)
        for _ in range(-(-KILLS // KILLS_A_LIFE))
    ]
    lanes = await asyncio.gather(
        *(
            _play_lives(folder / f"lane{lane}", lives[lane::LIVES_AT_ONCE])
            for lane in range(LIVES_AT_ONCE)
        )
    )
    return reduce(add, lanes)


async def _play_lives(folder: Path, lives: list[tuple[list[float], bool]]) -> Figures:
    total: list[Figures] = []
    for number, (delays_s, freezes) in enumerate(lives):
        home = folder / str(number)
        home.mkdir(parents=True)
        total.append(await _play_life(home, delays_s, freezes=freezes))
    return reduce(add, total)


async def _play_life(folder: Path, delays_s: list[float], *, freezes: bool) -> Figures:
    async with run_trial(folder, scenario={"freeze": freezes}) as trial:
        trial.is_faulty = True
        for delay_s in delays_s:
            killing = asyncio.create_task(_kill_after(trial, delay_s))
            while not killing.done():
                await trial.invoke(LINES, sleep_s=0.005)
            await killing
        await trial.invoke_often(2, LINES)
        figures = await trial.finish()
    hit = {id_.partition(".")[0] for id_ in figures.missing if id_.startswith("i")}
    assert len(hit) <= len(delays_s), f"lines of {sorted(hit)} are missing after {len(delays_s)}"
    return figures


async def _kill_after(trial: Trial, delay_s: float) -> None:
    await find_python(trial)
    await asyncio.sleep(delay_s)
    os.kill(await find_python(trial), signal.SIGKILL)


async def play_killed_launcher(folder: Path) -> Figures:
    """The launcher is killed: Lambda ends the invocation, and begins the next one anew."""
    async with run_trial(folder) as trial:
        await trial.invoke_often(2)
        invoking = asyncio.create_task(trial.invoke(sleep_s=5))
        await trial.whole.sandbox.output.wait_for("runtime", "i2.0")
        os.kill(trial.whole.launcher_pid(), signal.SIGKILL)
        assert (await invoking).error_type == "Extension.Crash"
        await trial.whole.sandbox.transcript.wait_for("exit", actor=EXTENSION)
        await trial.invoke_often(3)
        figures = await trial.finish()
        again = {"i3.0", "i4.0", "i5.0"}
        assert not again & figures.missing, "the next invocations do not work again"
        return figures


def find_faults() -> list[Fault]:
    """Return all faults of this module."""
    return [
        Fault(name="telemetry listener killed", play=play_killed_listener),
        Fault(name="descriptors used up, then not", play=play_used_up_descriptors),
        Fault(name="descriptors used up to the end", play=play_no_descriptors_to_the_end),
        Fault(
            name="memory limit hit",
            play=play_no_memory,
            # Who has no memory cannot keep what he is given; the function must not notice.
            required=Required(lost=None),
            is_slow=True,
        ),
        Fault(name="no room in /tmp, collector away", play=play_full_tmp, needs_root=True),
        Fault(
            name="no room in /tmp, fallback in it",
            play=play_full_fallback,
            needs_root=True,
        ),
        Fault(
            name=f"Python killed -9 at {KILLS} moments",
            play=play_kills,
            required=Required(lost=KILLS * ONE_INVOCATION, doubled=KILLS * ONE_INVOCATION),
            is_slow=True,
        ),
        Fault(
            name="launcher killed (Extension.Crash)",
            play=play_killed_launcher,
            # Nobody can survive this: the invocation fails, and what it had printed may be lost.
            required=Required(lost=4, succeeded=False),
        ),
    ]
