"""Contract tests of the init phase: T8, T9, T23, and how init fails."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox import InvokeResult, Sandbox
from tests.support.sandbox_programs import SERVE_EXTENSION, said

if TYPE_CHECKING:
    from tests.sandbox.contract.conftest import Workshop


@pytest.mark.parametrize("events", ["['INVOKE', 'SHUTDOWN']", "['SHUTDOWN']", "[]"])
async def test_init_waits_for_every_next(workshop: Workshop, events: str) -> None:
    """T8: init waits for the next of every registered extension, even of one without events."""
    workshop.extension("a", f"register({events})\ntime.sleep(0.15)\nnext_event()")
    async with Sandbox(workshop.scenario()) as sandbox:
        (arrived,) = sandbox.transcript.select("next", actor="extension:a")
        (ended,) = sandbox.transcript.select("init.end", status="success")
        (runtime,) = sandbox.transcript.select("next", actor="runtime")
    assert runtime.time_ms < arrived.time_ms <= ended.time_ms


async def test_extension_that_never_registers(workshop: Workshop) -> None:
    """T9: the init runs into its timeout and is tried again inside the first invocation."""
    flag = workshop.root / "flag"
    workshop.extension(
        "a",
        f"if not os.path.exists({str(flag)!r}):\n    hang()\nregister()\nserve()",
    )
    async with Sandbox(workshop.scenario(init_timeout_ms=300)) as sandbox:
        (init,) = sandbox.transcript.select("init.end")
        assert (init.details["phase"], init.details["status"]) == ("init", "timeout")
        assert not sandbox.transcript.select("exec", actor="runtime")
        assert sandbox.extension_pids == {}
        flag.touch()
        assert (await sandbox.invoke()).status == "success"
        assert sandbox.transcript.select("init.end", phase="invoke", status="success")


async def test_retried_init_runs_under_the_function_timeout(workshop: Workshop) -> None:
    """T9: an extension that never registers makes the first invocation a timeout, too."""
    workshop.extension("a", "hang()")
    scenario = workshop.scenario(init_timeout_ms=100, timeout_ms=200)
    async with Sandbox(scenario) as sandbox:
        result = await sandbox.invoke()
    assert result.status == "timeout"
    assert json.loads(result.payload)["errorMessage"].endswith("Task timed out after 0.20 seconds")
    assert 200 <= result.response_ms < 1_000


async def test_extension_exit_before_register(workshop: Workshop) -> None:
    """An exit before register, even with code 0, is Extension.Crash and fails init at once."""
    workshop.extension("a", "sys.exit(0)")
    workshop.extension("b", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke()
        await sandbox.wait_idle()
    assert result.error_type == "Extension.Crash"
    assert f"RequestId: {result.request_id} Error: exit code 0" in result.payload.decode()
    assert not sandbox.transcript.select("exec", actor="runtime")


@pytest.mark.parametrize(("kind", "reported"), [("init", "InitError"), ("exit", "ExitError")])
async def test_reported_error_ends_nothing_before_the_exit(
    workshop: Workshop, kind: str, reported: str
) -> None:
    """T23: an error report is 202, next is 403 after it, the failure comes with the exit."""
    workshop.extension(
        "a",
        f"register()\nreport_error({kind!r})\nreport_error({kind!r})\nnext_event()\n"
        "time.sleep(0.3)\nsys.exit(1)",
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        (init,) = sandbox.transcript.select("init.end")
        assert init.details["status"] == "error"
        (exited,) = sandbox.transcript.select("exit", actor="extension:a")
        assert [told["status"] for told in said(sandbox, "a", "reported")] == [202, 202]
        (refused,) = said(sandbox, "a", "event")
        (started,) = sandbox.transcript.select("exec", actor="runtime")
        result = await sandbox.invoke()
    assert refused["status"] == 403
    assert refused["event"]["errorMessage"].startswith(
        f"State transition from {reported} to Ready failed"
    )
    assert started.time_ms < exited.time_ms <= init.time_ms
    assert result.error_type == f"Extension.{reported}"


async def test_exit_error_in_an_invocation(workshop: Workshop) -> None:
    """T23: after exit/error the invocation runs on until the process exits."""
    workshop.extension(
        "a", "register()\nnext_event()\nreport_error('exit')\ntime.sleep(0.2)\nsys.exit(1)"
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke()
        await sandbox.wait_idle()
        (end,) = sandbox.transcript.select("invoke.end")
        (exited,) = sandbox.transcript.select("exit", actor="extension:a")
    assert result.status == "success"
    assert end.details["status"] == "error"
    assert exited.time_ms < end.time_ms


async def test_runtime_init_error_is_what_the_caller_gets(workshop: Workshop) -> None:
    """A runtime that posts init/error and exits: its own body is the answer of the invocation."""
    body = json.dumps({"errorType": "Runtime.ImportModuleError", "errorMessage": "no app"})
    workshop.extension("a", SERVE_EXTENSION)
    workshop.runtime(
        f"request('POST', '/2018-06-01/runtime/init/error', {body!r}.encode(),"
        " {'Lambda-Runtime-Function-Error-Type': 'Runtime.ImportModuleError'})\nsys.exit(1)"
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke()
        await sandbox.wait_idle()
    assert (result.status, result.error_type) == ("error", "Runtime.ImportModuleError")
    assert result.payload.decode() == body
    reasons = [event["event"].get("shutdownReason") for event in said(sandbox, "a", "event")]
    assert reasons == ["failure", "failure"]


async def test_runtime_that_cannot_be_started(workshop: Workshop) -> None:
    """A bootstrap that cannot be executed fails with Runtime.InvalidEntrypoint."""
    (workshop.root / "task/bootstrap").chmod(0o644)
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke()
    assert result.error_type == "Runtime.InvalidEntrypoint"


async def test_nothing_is_left_after_an_exception(workshop: Workshop) -> None:
    """An exception inside the context manager kills every process and is passed on."""
    workshop.extension("a", "register()\nnext_event()\nhang()")
    sandbox = Sandbox(workshop.scenario())

    async def fail() -> None:
        async with sandbox:
            await sandbox.invoke()
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert sandbox.extension_pids == {}
    assert sandbox.runtime_pid is None


async def test_caller_of_a_closed_sandbox_is_answered(workshop: Workshop) -> None:
    """Who waits for an answer when the sandbox is closed by an error gets Sandbox.Failure."""
    sandbox = Sandbox(workshop.scenario())
    callers: list[asyncio.Task[InvokeResult]] = []

    async def fail() -> None:
        async with sandbox:
            callers.append(asyncio.create_task(sandbox.invoke(b'{"sleep_s": 9}')))
            await sandbox.transcript.wait_for("invoke.start")
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    result = await callers[0]
    assert (result.status, result.error_type) == ("failure", "Sandbox.Failure")


async def test_nothing_is_left_after_a_cancellation_in_init(workshop: Workshop) -> None:
    """Cancelling the init phase kills every process."""
    workshop.extension("a", "hang()")
    sandbox = Sandbox(workshop.scenario())
    entering = asyncio.create_task(sandbox.__aenter__())
    await sandbox.transcript.wait_for("exec", actor="extension:a")
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert sandbox.extension_pids == {}
    assert sandbox.transcript.select("exit", actor="extension:a")
