"""Contract tests of the shutdown and of the freeze before it: T25 and T43."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox import Sandbox, SandboxEndedError
from tests.support.sandbox_programs import SERVE_EXTENSION, said

if TYPE_CHECKING:
    from tests.sandbox.contract.conftest import Intake, Workshop

GONE = "-ZX"


def state_of(pid: int) -> str:
    """The state letter of a process in /proc: T is stopped, Z a zombie, - is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "-"


async def reach_state(pid: int, states: str) -> None:
    """Return when the process is in one of the states; the kernel tells nobody, so it is asked."""
    while state_of(pid) not in states:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.002)


async def test_early_exit_ends_the_shutdown_early(workshop: Workshop) -> None:
    """T25: the shutdown ends when the extension exits, with any exit code."""
    workshop.extension("a", "register()\nserve()\nsys.exit(7)")
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.shutdown()
        (start,) = sandbox.transcript.select("shutdown.start", reason="spindown")
        (end,) = sandbox.transcript.select("shutdown.end")
        await sandbox.shutdown()
        with pytest.raises(SandboxEndedError):
            await sandbox.invoke()
    assert end.time_ms - start.time_ms < 1_500
    assert said(sandbox, "a", "event")[-1]["event"]["shutdownReason"] == "spindown"
    assert len(sandbox.transcript.select("shutdown.start")) == 1


async def test_ignoring_shutdown_ends_with_a_kill(workshop: Workshop) -> None:
    """T25: who ignores SHUTDOWN is killed at the deadline; another next gets no event."""
    workshop.extension("a", "register()\nserve()\nnext_event()\nsay(survived=True)")
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.shutdown()
    (start,) = sandbox.transcript.select("shutdown.start")
    (killed,) = sandbox.transcript.select("signal", actor="extension:a")
    assert killed.details["name"] == "SIGKILL"
    assert 1_900 < killed.time_ms - start.time_ms < 2_400
    assert not said(sandbox, "a", "survived")


@pytest.mark.parametrize("left_ms", [0, 300])
async def test_time_left_at_the_shutdown(workshop: Workshop, left_ms: int) -> None:
    """A scenario may leave less time than Lambda does: the deadline says so, the kill is on it."""
    workshop.extension("a", "register()\nserve()\nhang()")
    async with Sandbox(workshop.scenario(shutdown_left_ms=left_ms)) as sandbox:
        asked_unix_ms = sandbox.scenario.unix_ms()
        await sandbox.shutdown()
    (killed,) = sandbox.transcript.select("signal", actor="extension:a", name="SIGKILL")
    (released,) = sandbox.transcript.select("event", actor="extension:a") or [killed]
    assert left_ms <= killed.time_ms - released.time_ms < left_ms + 300
    for told in said(sandbox, "a", "event"):
        assert told["event"]["deadlineMs"] >= asked_unix_ms + left_ms


@pytest.mark.parametrize(
    ("behaviour", "state"), [("serve()", "Exited"), ("serve()\nhang()", "ShutdownFailed")]
)
async def test_state_after_the_shutdown(workshop: Workshop, behaviour: str, state: str) -> None:
    """An extension that left in time is Exited, one that had to be killed is ShutdownFailed."""
    workshop.extension("a", f"register()\n{behaviour}")
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.shutdown()
        (agent,) = sandbox._lifecycle.generation.registry
    assert agent.state == state


async def test_extension_that_becomes_ready_during_the_shutdown(workshop: Workshop) -> None:
    """An extension that is busy when the runtime goes gets SHUTDOWN when it calls next in time."""
    workshop.extension("a", "register()\nnext_event()\ntime.sleep(0.7)\nserve()")
    async with Sandbox(workshop.scenario(timeout_ms=200)) as sandbox:
        await sandbox.invoke()
        await sandbox.wait_idle()
        last = said(sandbox, "a", "event")[-1]["event"]
    assert last["shutdownReason"] == "timeout"
    assert sandbox.transcript.select("exit", actor="extension:a", status="exit status 0")


async def test_children_of_an_extension_are_killed_with_it(workshop: Workshop) -> None:
    """A launcher's child lives in its process group and goes with it."""
    workshop.extension(
        "a",
        "child = os.fork()\nif child == 0:\n    signal.pause()\n    os._exit(0)\n"
        "say(child=child)\nregister()\nserve()",
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        (told,) = said(sandbox, "a", "child")
        child = told["child"]
        assert os.getpgid(child) == sandbox.extension_pids["a"]
        await sandbox.invoke()
        await sandbox.wait_idle()
        await reach_state(child, "T")
    await reach_state(child, GONE)


TICKING = """
register()
subscribe()
def tick():
    while True:
        say(tick=True)
        time.sleep(0.02)
threading.Thread(target=tick, daemon=True).start()
serve(lambda event: time.sleep(0.15))
"""


async def test_freeze_stops_everything(workshop: Workshop, intake: Intake) -> None:
    """T43: while frozen neither the extension nor telemetry moves on; after the thaw both do."""
    workshop.extension("a", TICKING)
    async with Sandbox(workshop.scenario(min_freeze_ms=400)) as sandbox:
        await sandbox.invoke()
        await sandbox.wait_idle()
        assert sandbox.runtime_pid is not None
        await reach_state(sandbox.extension_pids["a"], "T")
        await reach_state(sandbox.runtime_pid, "T")
        await sandbox.invoke()
        await sandbox.shutdown()
    freeze, thaw = sandbox.transcript.select("freeze")[0], sandbox.transcript.select("thaw")[0]
    ticks = [line.time_ms for line in sandbox.output["a"] if '"tick"' in line.text]
    posts = [entry.time_ms for entry in sandbox.transcript.select("post")]
    assert intake.records("platform.report")
    assert thaw.details["frozen_ms"] >= 400
    for times in (ticks, posts):
        assert not [time for time in times if freeze.time_ms < time < thaw.time_ms]
        assert [time for time in times if time >= thaw.time_ms]


async def test_a_wall_clock_that_jumps(workshop: Workshop, intake: Intake) -> None:
    """Deadlines and telemetry follow the scenario's clock: a long freeze need not be waited for."""
    jumped_s = 0.0
    workshop.extension("a", "register()\nsubscribe()\nserve()")
    async with Sandbox(workshop.scenario(wall_clock=lambda: time.time() + jumped_s)) as sandbox:
        await sandbox.invoke()
        await sandbox.wait_idle()
        jumped_s = 900.0
        await sandbox.invoke()
        await sandbox.shutdown()
        events = [told["event"] for told in said(sandbox, "a", "event")]
    first, second, last = (event["deadlineMs"] for event in events)
    assert 900_000 <= second - first < 930_000
    assert last > second - 3_000
    starts = [event["time"] for event in intake.events if event["type"] == "platform.start"]
    apart = datetime.fromisoformat(starts[1]) - datetime.fromisoformat(starts[0])
    assert apart.total_seconds() >= 900


async def test_no_freeze_when_it_is_switched_off(workshop: Workshop, intake: Intake) -> None:
    """Without freeze the processes run on, and the report comes without another invocation."""
    workshop.extension("a", "register()\nsubscribe()\nserve()")
    async with Sandbox(workshop.scenario(freeze=False)) as sandbox:
        await sandbox.invoke()
        await intake.wait_for_type("platform.report")
        assert state_of(sandbox.extension_pids["a"]) != "T"
        assert not sandbox.transcript.select("freeze")


async def test_pending_next_of_a_killed_child_swallows_the_event(workshop: Workshop) -> None:
    """A dead child's next stays pending, as in AWS's emulator: it eats the next INVOKE."""
    workshop.extension(
        "a",
        "register()\nchild = os.fork()\nif child == 0:\n    next_event()\n    os._exit(0)\n"
        "time.sleep(0.1)\nos.kill(child, signal.SIGKILL)\nos.wait()\n"
        "while next_event().get('errorType'):\n    time.sleep(0.05)\nserve()",
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.transcript.wait_for("next_refused", actor="extension:a")
        assert (await sandbox.invoke()).status == "success"
        second = await sandbox.invoke()
        await sandbox.wait_idle()
        events = [told["event"] for told in said(sandbox, "a", "event")]
    invoked = [event["requestId"] for event in events if "requestId" in event]
    assert invoked == [second.request_id]


async def test_frozen_processes_can_be_killed(workshop: Workshop) -> None:
    """Leaving by an exception kills frozen processes, too."""
    workshop.extension("a", SERVE_EXTENSION)
    pids: list[int | None] = []

    async def fail_while_frozen() -> None:
        async with Sandbox(workshop.scenario()) as sandbox:
            await sandbox.invoke()
            await sandbox.wait_idle()
            pids.extend([sandbox.extension_pids["a"], sandbox.runtime_pid])
            raise KeyError

    with pytest.raises(KeyError):
        await fail_while_frozen()
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
