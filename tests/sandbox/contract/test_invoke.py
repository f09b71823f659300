"""Contract tests of the invoke phase: T10 to T16 and T35."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from lambda_sandbox import Sandbox
from tests.support.sandbox_programs import SERVE_EXTENSION, said

if TYPE_CHECKING:
    from tests.sandbox.contract.conftest import Intake, Workshop

SUBSCRIBED = "register()\nsubscribe()\nserve()\n"
TRACE = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
UNSAMPLED = TRACE.replace("Sampled=1", "Sampled=0")


def runtime_headers(payload: bytes) -> dict[str, str]:
    """What the obedient runtime saw of its invocation."""
    headers: dict[str, str] = json.loads(payload)["headers"]
    return headers


async def test_invoke_event(workshop: Workshop) -> None:
    """T10: INVOKE has exactly its five fields, `tracing` only with a trace header."""
    workshop.extension("a", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario(function_name="f")) as sandbox:
        first = await sandbox.invoke()
        await sandbox.invoke(trace_header=TRACE)
        await sandbox.wait_idle()
        plain, traced = (told["event"] for told in said(sandbox, "a", "event"))
    assert plain == {
        "eventType": "INVOKE",
        "deadlineMs": plain["deadlineMs"],
        "requestId": first.request_id,
        "invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
    }
    assert traced.keys() - plain.keys() == {"tracing"}
    assert traced["tracing"] == {"type": "X-Amzn-Trace-Id", "value": TRACE}


async def test_deadline(workshop: Workshop) -> None:
    """T11: both deadlines are the same integer, the start of the invocation plus the timeout."""
    workshop.extension("a", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario(timeout_ms=4_000)) as sandbox:
        result = await sandbox.invoke(trace_header=TRACE, client_context="e30=")
        await sandbox.wait_idle()
        (told,) = said(sandbox, "a", "event")
    headers = runtime_headers(result.payload)
    deadline_ms = told["event"]["deadlineMs"]
    assert isinstance(deadline_ms, int)
    assert headers["lambda-runtime-deadline-ms"] == str(deadline_ms)
    assert 0 <= told["at"] * 1_000 - (deadline_ms - 4_000) < 1_000
    assert headers["lambda-runtime-trace-id"] == TRACE
    assert headers["lambda-runtime-client-context"] == "e30="


async def test_second_next_is_refused(workshop: Workshop) -> None:
    """T12: a second next beside the first is 403, and the first one still gets its event."""
    workshop.extension(
        "a",
        "register()\nfirst = threading.Thread(target=next_event)\nfirst.start()\ntime.sleep(0.1)\n"
        "next_event()\nfirst.join()\nserve()",
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.transcript.wait_for("next_refused")
        await sandbox.invoke()
        await sandbox.wait_idle()
        refused, invoked = said(sandbox, "a", "event")
    assert refused["status"] == 403
    assert refused["event"]["errorMessage"].startswith("State transition from Ready to Ready")
    assert invoked["event"]["eventType"] == "INVOKE"


async def test_caller_does_not_wait_for_extensions(workshop: Workshop) -> None:
    """T13: the caller has its answer before the extension calls next; the next invoke waits."""
    workshop.extension("a", "register()\nserve(lambda event: time.sleep(0.3))")
    async with Sandbox(workshop.scenario()) as sandbox:
        first = await sandbox.invoke()
        second = await sandbox.invoke()
        await sandbox.wait_idle()
        ends = sandbox.transcript.select("invoke.end")
        starts = sandbox.transcript.select("invoke.start")
        arrivals = sandbox.transcript.select("next", actor="extension:a")
        (answer,) = sandbox.transcript.select("answer", request_id=first.request_id)
    assert answer.time_ms < arrivals[1].time_ms <= ends[0].time_ms <= starts[1].time_ms
    assert first.response_ms < 300 <= second.response_ms


async def test_shutdown_only_extension_delays_nothing(workshop: Workshop) -> None:
    """T14: an extension without INVOKE sees no invocation and holds none up."""
    workshop.extension("a", "register(['SHUTDOWN'])\nserve()")
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.invoke()
        await sandbox.wait_idle()
        assert said(sandbox, "a", "event") == []
    assert [told["event"]["eventType"] for told in said(sandbox, "a", "event")] == ["SHUTDOWN"]


async def test_extension_beyond_the_deadline(workshop: Workshop, intake: Intake) -> None:
    """T15: an extension busy past the deadline makes a timeout although the answer is out."""
    workshop.extension("a", "register()\nserve(lambda event: time.sleep(9))")
    workshop.extension("b", SUBSCRIBED)
    async with Sandbox(workshop.scenario(timeout_ms=300)) as sandbox:
        result = await sandbox.invoke()
        assert result.status == "success"
        await sandbox.wait_idle()
        (end,) = sandbox.transcript.select("invoke.end")
        assert end.details["status"] == "timeout"
        assert sandbox.runtime_pid is None
        assert sandbox.transcript.select("shutdown.start", reason="timeout")
    (done,) = intake.records("platform.runtimeDone")
    assert done["status"] == "success"


async def test_durations_and_billing(workshop: Workshop, intake: Intake) -> None:
    """T16: report covers the extension's time, and of a cold start the init is billed."""
    workshop.extension("a", "register()\nsubscribe()\nserve(lambda event: time.sleep(0.1))")
    async with Sandbox(workshop.scenario()) as sandbox:
        for _ in range(2):
            await sandbox.invoke(b'{"sleep_s": 0.05}')
        await sandbox.shutdown()
    overheads = [
        entry.details["extension_overhead_ms"] for entry in sandbox.transcript.select("invoke.end")
    ]
    (cold, warm), dones = intake.records("platform.report"), intake.records("platform.runtimeDone")
    for report, done, overhead_ms in zip((cold, warm), dones, overheads, strict=True):
        (overhead,) = report["spans"]
        assert overhead["name"] == "extensionOverhead"
        assert overhead["durationMs"] == overhead_ms > 0
        assert done["metrics"]["durationMs"] >= 50
        assert (
            report["metrics"]["durationMs"]
            >= done["metrics"]["durationMs"] + overhead["durationMs"] - 1
        )
        assert report["metrics"]["durationMs"] >= 100
        assert report["metrics"]["memorySizeMB"] == 128
        assert report["metrics"]["maxMemoryUsedMB"] > 0
    (init,) = intake.records("platform.initReport")
    assert cold["metrics"]["initDurationMs"] == init["metrics"]["durationMs"]
    assert cold["metrics"]["billedDurationMs"] == math.ceil(
        cold["metrics"]["durationMs"] + cold["metrics"]["initDurationMs"]
    )
    assert "initDurationMs" not in warm["metrics"]
    assert warm["metrics"]["billedDurationMs"] == math.ceil(warm["metrics"]["durationMs"])


@pytest.mark.parametrize(
    ("event", "status", "error_type"),
    [
        ({"error": "Shop.Closed"}, "success", None),
        ({"sleep_s": 9}, "timeout", None),
        ({"exit": 3}, "error", "Runtime.ExitError"),
    ],
)
async def test_status_of_an_invocation(
    workshop: Workshop, intake: Intake, event: dict[str, Any], status: str, error_type: str | None
) -> None:
    """T35: a handler's exception is a success for the platform; timeout and crash are not."""
    workshop.extension("a", SUBSCRIBED)
    async with Sandbox(workshop.scenario(timeout_ms=300)) as sandbox:
        result = await sandbox.invoke(json.dumps(event).encode(), trace_header=UNSAMPLED)
        await sandbox.invoke()
        await sandbox.shutdown()
    assert result.status != "success"
    for kind in ("platform.runtimeDone", "platform.report"):
        (record,) = [
            record for record in intake.records(kind) if record["requestId"] == result.request_id
        ]
        assert record["status"] == status
        assert record.get("errorType") == error_type
        assert "tracing" not in record


async def test_response_for_another_invocation_is_refused(workshop: Workshop) -> None:
    """An unknown request id is 400, a second response is not accepted, and both harm nobody."""
    workshop.runtime(
        "request_id, _, _ = next_invocation()\n"
        "answers = [respond('nobody'), respond(request_id), respond(request_id)]\n"
        "say(answers=[[status, content.decode()] for status, _, content in answers])\n"
        "next_invocation()"
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        assert (await sandbox.invoke()).payload == b'{"ok":true}'
        await sandbox.wait_idle()
        (told,) = said(sandbox, "runtime", "answers")
    unknown, accepted, second = told["answers"]
    assert (unknown[0], json.loads(unknown[1])["errorType"]) == (400, "InvalidRequestID")
    assert accepted == [202, '{"status":"OK"}\n']
    assert (second[0], json.loads(second[1])["errorType"]) == (403, "InvalidStateTransition")


async def test_response_that_is_too_large(workshop: Workshop) -> None:
    """A response over 6 MiB and 100 bytes is refused, and the caller is told so."""
    workshop.runtime(
        "request_id, _, _ = next_invocation()\n"
        "try:\n    respond(request_id, b'x' * (6 * 1024 * 1024 + 101))\n"
        "except OSError:\n    pass\n"
        "next_invocation()"
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke()
    assert (result.status, result.error_type) == ("error", "Function.ResponseSizeTooLarge")


async def test_two_callers_are_served_one_after_the_other(workshop: Workshop) -> None:
    """On demand, one environment runs one invocation at a time."""
    async with Sandbox(workshop.scenario()) as sandbox:
        results = await asyncio.gather(sandbox.invoke(), sandbox.invoke())
        await sandbox.wait_idle()
        entries = sandbox.transcript.select()
    order = [entry.event for entry in entries if entry.event.startswith("invoke.")]
    assert order == ["invoke.start", "invoke.end"] * 2
    assert {result.status for result in results} == {"success"}
