"""Contract tests of timeout, crash and reset: T17 to T22 and T24."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox import Sandbox
from tests.support.sandbox_programs import RUNTIME, SERVE_EXTENSION, said

if TYPE_CHECKING:
    from tests.sandbox.contract.conftest import Intake, Workshop

STUBBORN_RUNTIME = f"on_sigterm(lambda: None)\n{RUNTIME}"
# An extension that would tell of a SIGTERM if it got one.
WATCHFUL = "on_sigterm(lambda: None)\n"


async def test_timeout(workshop: Workshop) -> None:
    """T17: SIGTERM to the runtime, SIGKILL within 600 ms, SHUTDOWN with the reset's deadline."""
    workshop.extension("a", SERVE_EXTENSION)
    workshop.runtime(STUBBORN_RUNTIME)
    async with Sandbox(workshop.scenario(timeout_ms=300)) as sandbox:
        result = await sandbox.invoke(b'{"sleep_s": 9}')
        await sandbox.wait_idle()
        (reset,) = sandbox.transcript.select("shutdown.start", reason="timeout")
        signals = sandbox.transcript.select("signal", actor="runtime")
        (told,) = [told for told in said(sandbox, "a", "event") if "deadlineMs" in told["event"]][
            1:
        ]
        assert said(sandbox, "runtime", "signal")
    assert result.error_type == "Sandbox.Timedout"
    assert json.loads(result.payload)["errorMessage"] == (
        f"RequestId: {result.request_id} Error: Task timed out after 0.30 seconds"
    )
    assert [entry.details["name"] for entry in signals] == ["SIGTERM", "SIGKILL"]
    assert 0.5 < (signals[1].time_ms - signals[0].time_ms) / 1_000 < 0.9
    assert told["event"].keys() == {"eventType", "deadlineMs", "shutdownReason"}
    assert told["event"]["shutdownReason"] == "timeout"
    # The event came about 600 ms after the reset began; the deadline counts from the reset.
    assert 1_000 < told["event"]["deadlineMs"] - told["at"] * 1_000 < 1_450
    assert reset.time_ms <= signals[0].time_ms


async def test_extension_that_is_busy_at_the_reset(workshop: Workshop) -> None:
    """T18: it gets no SHUTDOWN and no SIGTERM, and is killed 2 s after the reset began."""
    workshop.extension("a", f"{WATCHFUL}register()\nnext_event()\nhang()")
    async with Sandbox(workshop.scenario(timeout_ms=200)) as sandbox:
        await sandbox.invoke(b'{"sleep_s": 9}')
        await sandbox.wait_idle()
        (reset,) = sandbox.transcript.select("shutdown.start", reason="timeout")
        (killed,) = sandbox.transcript.select("signal", actor="extension:a")
        assert [told["event"]["eventType"] for told in said(sandbox, "a", "event")] == ["INVOKE"]
        assert said(sandbox, "a", "signal") == []
    assert killed.details["name"] == "SIGKILL"
    assert 1_900 < killed.time_ms - reset.time_ms < 2_400


async def test_extension_without_shutdown_is_killed_at_once(workshop: Workshop) -> None:
    """T19: who did not ask for SHUTDOWN is killed as soon as the runtime is down."""
    workshop.extension("a", f"{WATCHFUL}register(['INVOKE'])\nwhile True:\n    next_event()")
    async with Sandbox(workshop.scenario(timeout_ms=200)) as sandbox:
        await sandbox.invoke(b'{"sleep_s": 9}')
        await sandbox.wait_idle()
        (runtime,) = sandbox.transcript.select("exit", actor="runtime")
        (killed,) = sandbox.transcript.select("signal", actor="extension:a")
        (end,) = sandbox.transcript.select("shutdown.end")
        assert said(sandbox, "a", "signal") == []
    assert killed.details["name"] == "SIGKILL"
    assert runtime.time_ms <= killed.time_ms
    assert end.time_ms - killed.time_ms < 500


async def test_without_extensions_the_runtime_is_killed_at_once(workshop: Workshop) -> None:
    """T20: no extension, no SIGTERM: the runtime gets SIGKILL."""
    workshop.runtime(STUBBORN_RUNTIME)
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.invoke()
    signals = sandbox.transcript.select("signal", actor="runtime")
    assert [entry.details["name"] for entry in signals] == ["SIGKILL"]
    assert said(sandbox, "runtime", "signal") == []


async def test_extension_exit_in_an_invocation(workshop: Workshop) -> None:
    """T21: exit code 0 while the handler runs is Extension.Crash at once; others get SHUTDOWN."""
    workshop.extension("a", "register()\nnext_event()\nsys.exit(0)")
    workshop.extension("b", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke(b'{"sleep_s": 2}')
        await sandbox.wait_idle()
        events = [told["event"] for told in said(sandbox, "b", "event")]
    assert (result.status, result.error_type) == ("error", "Extension.Crash")
    assert json.loads(result.payload) == {
        "errorType": "Extension.Crash",
        "errorMessage": f"RequestId: {result.request_id} Error: exit code 0",
    }
    assert result.response_ms < 1_500
    assert [event.get("shutdownReason") for event in events[:2]] == [None, "failure"]


async def test_extension_killed_while_idle(workshop: Workshop, intake: Intake) -> None:
    """T21: a death in the freeze is seen by the next invocation, the one after starts again."""
    workshop.extension("a", "register()\nserve()")
    workshop.extension("b", "register()\nsubscribe()\nserve()")
    async with Sandbox(workshop.scenario()) as sandbox:
        assert (await sandbox.invoke()).status == "success"
        await sandbox.wait_idle()
        os.kill(sandbox.extension_pids["a"], signal.SIGKILL)
        await sandbox.transcript.wait_for("exit", actor="extension:a")
        assert not sandbox.transcript.select("shutdown.start")
        second = await sandbox.invoke()
        third = await sandbox.invoke()
        await sandbox.wait_idle()
    assert (second.status, second.error_type) == ("error", "Extension.Crash")
    assert "signal: killed" in second.payload.decode()
    assert second.response_ms < 500
    assert third.status == "success"
    done = [
        record
        for record in intake.records("platform.runtimeDone")
        if record["requestId"] == second.request_id
    ]
    assert [(record["status"], record["errorType"]) for record in done] == [
        ("error", "Extension.Crash")
    ]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "Runtime exited with error: exit status 1"),
        (0, "Runtime exited without providing a reason"),
    ],
)
async def test_runtime_exit(workshop: Workshop, code: int, text: str) -> None:
    """T22: a runtime's exit is Runtime.ExitError with its text; SHUTDOWN comes with `failure`."""
    workshop.extension("a", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke(json.dumps({"exit": code}).encode())
        await sandbox.wait_idle()
        events = [told["event"] for told in said(sandbox, "a", "event")]
        again = await sandbox.invoke()
    assert (result.status, result.error_type) == ("error", "Runtime.ExitError")
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: {text}",
    }
    assert events[1]["shutdownReason"] == "failure"
    assert again.status == "success"


async def test_runtime_exit_after_the_response(workshop: Workshop) -> None:
    """The caller keeps a response that was posted before the runtime died; the reset follows."""
    workshop.extension("a", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke(b'{"exit_after": 1}')
        await sandbox.wait_idle()
        (end,) = sandbox.transcript.select("invoke.end")
    assert result.status == "success"
    assert end.details["status"] == "error"


async def test_reset_starts_from_zero_but_keeps_files(workshop: Workshop, intake: Intake) -> None:
    """T24: new processes and identifiers, files stay, and initStart has the phase `invoke`."""
    spool = workshop.root / "spool"
    workshop.extension(
        "a",
        f"say(spool=os.path.exists({str(spool)!r}))\nopen({str(spool)!r}, 'w').close()\n"
        "register()\nsubscribe()\nserve()",
    )
    async with Sandbox(workshop.scenario(timeout_ms=400)) as sandbox:
        before = sandbox.extension_pids["a"], sandbox.runtime_pid
        await sandbox.invoke(b'{"sleep_s": 9}')
        assert (await sandbox.invoke()).status == "success"
        after = sandbox.extension_pids["a"], sandbox.runtime_pid
        await sandbox.shutdown()
    assert set(before).isdisjoint(after)
    first, second = said(sandbox, "a", "registered")
    assert first["identifier"] != second["identifier"]
    assert [told["spool"] for told in said(sandbox, "a", "spool")] == [False, True]
    phases = [record["phase"] for record in intake.records("platform.initStart")]
    assert phases == ["init", "invoke"]
    states = [record["state"] for record in intake.records("platform.telemetrySubscription")]
    assert states == ["Subscribed", "Already subscribed"]
