"""Contract tests of Lambda Managed Instances: T37 to T39."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox import InitType, Sandbox, SandboxEndedError
from tests.support.sandbox_programs import RUNTIME, said

if TYPE_CHECKING:
    from lambda_sandbox import Scenario
    from tests.sandbox.contract.conftest import Intake, Workshop

SHUTDOWN_ONLY = "register(['SHUTDOWN'])\nsubscribe()\nserve()\n"
WORKERS = f"for _ in range(3):\n    os.fork()\n{RUNTIME}"  # 8 processes, one group
DROPPING = f"on_sigterm(lambda: os._exit(0))\n{WORKERS}"


def managed(workshop: Workshop, **fields: int) -> Scenario:
    """A Managed Instances scenario with eight runtime workers."""
    workshop.runtime(DROPPING)
    return workshop.scenario(init_type=InitType.MANAGED_INSTANCES, max_concurrency=8, **fields)


async def test_registration_and_schema(workshop: Workshop, intake: Intake) -> None:
    """T37: INVOKE is 403, SHUTDOWN is fine, a schema before 2025-01-29 is 400."""
    workshop.extension(
        "a",
        "register()\nregister(['INVOKE'], name='internal')\nregister(['SHUTDOWN'])\n"
        "subscribe(schema='2022-12-13')\nsubscribe()\nserve()",
    )
    async with Sandbox(managed(workshop)) as sandbox:
        both, internal, accepted = said(sandbox, "a", "registered")
        old, new = said(sandbox, "a", "subscribed")
    assert both["status"] == internal["status"] == 403
    assert both["registered"] == {
        "errorMessage": "INVOKE: ErrorInvalidEventType",
        "errorType": "Extension.InvalidEventType",
    }
    assert internal["registered"]["errorMessage"] == "No events allowed for internal extensions"
    assert accepted["status"] == 200
    assert (old["status"], old["subscribed"]["errorType"]) == (400, "ValidationError")
    assert new["status"] == 200
    assert intake.records("platform.initStart")[0]["initializationType"] == (
        "lambda-managed-instances"
    )


async def test_parallel_invocations(workshop: Workshop, intake: Intake) -> None:
    """T38: invocations interleave, there is no runtimeDone, and the report has little to say."""
    workshop.extension("a", SHUTDOWN_ONLY)
    async with Sandbox(managed(workshop)) as sandbox:
        slow = asyncio.create_task(sandbox.invoke(b'{"sleep_s": 0.4}'))
        await intake.wait_for_type("platform.start")
        quick = await sandbox.invoke()
        assert not slow.done()
        slow_result = await slow
        failed = await sandbox.invoke(b'{"error": "Function.Bad"}')
        reports = await intake.wait_for_type("platform.report", 3)
        assert not sandbox.transcript.select("freeze")
    assert "platform.runtimeDone" not in intake.types()
    assert [report["requestId"] for report in reports] == [
        quick.request_id,
        slow_result.request_id,
        failed.request_id,
    ]
    assert [report["status"] for report in reports] == ["success", "success", "error"]
    assert reports[2]["errorType"] == "Function.Bad"
    for report in reports:
        assert report["metrics"].keys() == {"durationMs"}
        assert [span["name"] for span in report["spans"]] == ["responseLatency", "responseDuration"]
    pids = {json.loads(result.payload)["pid"] for result in (quick, slow_result)}
    assert len(pids) == 2


async def test_timeout_kills_nothing(workshop: Workshop, intake: Intake) -> None:
    """T38: a timeout answers the caller, the late response is 410, and everything runs on."""
    workshop.extension("a", SHUTDOWN_ONLY)
    workshop.runtime(
        "request_id, _, event = next_invocation()\ntime.sleep(0.4)\n"
        "status, _, content = respond(request_id)\nsay(late=status, answer=json.loads(content))\n"
        f"{RUNTIME}"
    )
    scenario = workshop.scenario(
        init_type=InitType.MANAGED_INSTANCES, max_concurrency=8, timeout_ms=200
    )
    async with Sandbox(scenario) as sandbox:
        pid = sandbox.runtime_pid
        result = await sandbox.invoke()
        await sandbox.output.wait_for("runtime", "late")
        assert (await sandbox.invoke()).status == "success"
        assert sandbox.runtime_pid == pid
        (late,) = said(sandbox, "runtime", "late")
        (report, _) = await intake.wait_for_type("platform.report", 2)
    assert (result.status, result.error_type) == ("timeout", "Sandbox.Timedout")
    assert json.loads(result.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "Task timed out after 0.20 seconds",
    }
    assert late["late"] == 410
    assert late["answer"] == {"errorMessage": "Invoke timeout", "errorType": "InvokeTimeout"}
    assert (report["status"], report["errorType"]) == ("timeout", "Sandbox.Timedout")


async def test_no_free_worker(workshop: Workshop) -> None:
    """More invocations than workers, or the same one twice, are refused at once."""
    scenario = workshop.scenario(init_type=InitType.MANAGED_INSTANCES, max_concurrency=1)
    async with Sandbox(scenario) as sandbox:
        slow = asyncio.create_task(sandbox.invoke(b'{"sleep_s": 0.3}'))
        await sandbox.transcript.wait_for("invoke.start")
        refused = await sandbox.invoke()
        assert refused.error_type == "Runtime.Unavailable"
        (started,) = sandbox.transcript.select("invoke.start")
        twice = await sandbox.invoke(request_id=started.details["request_id"])
        assert twice.error_type == "Client.DuplicatedInvokeId"
        assert (await slow).status == "success"


@pytest.mark.parametrize("victim", ["extension", "runtime"])
async def test_any_exit_ends_the_environment(workshop: Workshop, victim: str) -> None:
    """T39: an exit of extension or runtime ends everything; the others get SHUTDOWN `failure`."""
    workshop.extension("watcher", "register(['SHUTDOWN'])\nserve()")
    if victim == "extension":
        workshop.extension(
            "a", "register(['SHUTDOWN'])\nthreading.Timer(0.3, os._exit, [0]).start()\nserve()"
        )
    workshop.runtime(RUNTIME)
    scenario = workshop.scenario(init_type=InitType.MANAGED_INSTANCES)
    event = {"sleep_s": 9} if victim == "extension" else {"exit": 1}
    async with Sandbox(scenario) as sandbox:
        result = await sandbox.invoke(json.dumps(event).encode())
        await sandbox.transcript.wait_for("shutdown.end", reason="failure")
        with pytest.raises(SandboxEndedError):
            await sandbox.invoke()
    expected = "Extension.Crash" if victim == "extension" else "Runtime.ExitError"
    assert (result.status, result.error_type) == ("error", expected)
    assert said(sandbox, "watcher", "event")[-1]["event"]["shutdownReason"] == "failure"


async def test_environment_of_managed_instances(workshop: Workshop) -> None:
    """Extensions know the init type, the concurrency and the log format from their environment."""
    workshop.extension("a", "say(environment=dict(os.environ))\nregister(['SHUTDOWN'])\nserve()")
    async with Sandbox(managed(workshop)) as sandbox:
        environment = said(sandbox, "a", "environment")[0]["environment"]
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "lambda-managed-instances"
    assert environment["AWS_LAMBDA_MAX_CONCURRENCY"] == "8"
    assert environment["AWS_LAMBDA_LOG_FORMAT"] == "Text"
