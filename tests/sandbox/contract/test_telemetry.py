"""Contract tests of the Telemetry API: T26 to T34 and T36."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from lambda_sandbox import InitType, Sandbox, TelemetryFaults
from tests.support.sandbox_programs import said

if TYPE_CHECKING:
    from tests.sandbox.contract.conftest import Intake, Workshop

SUBSCRIBED = "register()\nsubscribe()\nserve()\n"
FUNCTION_ONLY = "register()\nsubscribe(types=['function'])\nserve()\n"
STAYS = "register()\nsubscribe()\nserve(lambda event: time.sleep(0.15))\n"


def printing(*lines: str, **fields: Any) -> bytes:
    """An event that makes the obedient runtime print these lines."""
    return json.dumps({"print": lines, **fields}).encode()


VALIDATION_PROBE = """
register()
good = {"schemaVersion": "2025-01-29", "types": ["platform"],
        "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
        "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/"}}
uri = lambda uri: {"destination": {"protocol": "HTTP", "URI": uri}}
bad = [{"buffering": {name: value}} for name, values in
       {"maxItems": (999, 10001), "maxBytes": (262143, 1048577), "timeoutMs": (24, 30001)}.items()
       for value in values]
bad += [{"types": []}, {"types": ["platform", "all"]}, {"schemaVersion": "2021-01-01"},
        {"schemaVersion": None}, {"destination": {"protocol": "http", "URI": "http://sandbox:1/"}},
        uri("http://sandbox.localdomain/"), uri("http://example.com:4243/"),
        uri("http://sandbox.localdomain:9001/"), uri("https://sandbox.localdomain:4243/"),
        {"destination": {"protocol": "TCP", "port": 0}}]
for change in bad:
    put_telemetry({**good, **change})
put_telemetry({**good, "types": [], "destination": {"protocol": "HTTP", "URI": "http://sandbox/"}})
put_telemetry(good, headers={})
put_telemetry({**good, **uri("http://sandbox:4243/logs?x=1")})
next_event()
put_telemetry(good)
serve()
"""


async def test_subscription_is_validated(workshop: Workshop) -> None:
    """T26, T27: every wrong field is 400 ValidationError; no identifier and after init are 403."""
    workshop.extension("a", VALIDATION_PROBE)
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.invoke()
        await sandbox.wait_idle()
        *bad, several, anonymous, good, late = said(sandbox, "a", "subscribed")
    assert len(bad) == 16
    assert {(told["status"], told["subscribed"]["errorType"]) for told in bad} == {
        (400, "ValidationError")
    }
    assert several["subscribed"]["errorMessage"] == (
        "types should not be empty; URI port is not provided"
    )
    assert anonymous["status"] == 403
    assert anonymous["subscribed"]["errorType"] == "Extension.MissingExtensionIdentifier"
    assert (good["status"], good["subscribed"]) == (200, "OK")
    assert late["status"] == 403
    assert late["subscribed"] == {
        "errorMessage": "Telemetry API subscription is closed",
        "errorType": "Telemetry.SubscriptionClosed",
    }


async def test_late_subscriber_gets_what_was_before(workshop: Workshop, intake: Intake) -> None:
    """T28: the first batch of a late subscriber has initStart and its own subscription."""
    workshop.extension("a", f"register()\ntime.sleep(0.1)\n{SUBSCRIBED.partition(chr(10))[2]}")
    workshop.runtime("print('importing', flush=True)\nnext_invocation()")
    async with Sandbox(workshop.scenario()):
        await intake.wait_for_type("platform.telemetrySubscription")
    first = intake.posts[0].events
    assert first[0]["type"] == "platform.initStart"
    (subscription,) = intake.records("platform.telemetrySubscription")
    assert subscription == {"name": "a", "state": "Subscribed", "types": ["platform", "function"]}
    assert intake.records("function") == ["importing\n"]


async def test_order_of_a_cold_start(workshop: Workshop, intake: Intake) -> None:
    """T29: the events of one cold invocation come in the order of real Lambda."""
    workshop.extension("a", SUBSCRIBED)
    async with Sandbox(workshop.scenario(memory_size_mb=256)) as sandbox:
        result = await sandbox.invoke(printing("one", "two"))
        await sandbox.shutdown()
    assert intake.types() == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "function",
        "function",
        "platform.runtimeDone",
        "platform.report",
    ]
    times = [event["time"] for event in intake.events]
    assert times == sorted(times)
    assert all(len(time) == len("2026-11-23T09:51:34.620Z") for time in times)
    (start,) = intake.records("platform.initStart")
    assert start["instanceMaxMemory"] == 256 * 1024 * 1024
    assert start["initializationType"] == "on-demand"
    (done,) = intake.records("platform.runtimeDone")
    assert [span["name"] for span in done["spans"]] == [
        "responseLatency",
        "responseDuration",
        "runtimeOverhead",
    ]
    assert done["metrics"]["producedBytes"] == len(result.payload)
    assert intake.records("function") == ["one\n", "two\n"]


async def test_report_comes_late(workshop: Workshop, intake: Intake) -> None:
    """T30: report N is not delivered in invocation N, but after the next thaw or at shutdown."""
    workshop.extension("a", STAYS)
    async with Sandbox(workshop.scenario()) as sandbox:
        first = await sandbox.invoke()
        await sandbox.wait_idle()
        assert intake.records("platform.runtimeDone")
        assert not intake.records("platform.report")
        second = await sandbox.invoke()
        await sandbox.wait_idle()
        assert [record["requestId"] for record in intake.records("platform.report")] == [
            first.request_id
        ]
        await sandbox.shutdown()
    reports = [record["requestId"] for record in intake.records("platform.report")]
    assert reports == [first.request_id, second.request_id]


@pytest.mark.parametrize(
    ("lines", "limits", "largest"),
    [
        (["x"] * 2_500, "maxItems=1000, timeoutMs=30000", 1_000),
        (["x" * 10_000] * 60, "maxItems=10000, maxBytes=262144, timeoutMs=30000", 27),
    ],
)
async def test_batches_by_items_and_bytes(
    workshop: Workshop, intake: Intake, lines: list[str], limits: str, largest: int
) -> None:
    """T31: a batch goes out when it has maxItems or maxBytes; the rest waits for timeoutMs."""
    workshop.extension("a", f"register()\nsubscribe(types=['function'], {limits})\nserve()")
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.invoke(printing(*lines, sleep_s=0.3))
        await sandbox.wait_idle()
        full = [len(post.events) for post in intake.posts]
        await sandbox.shutdown()
    assert full == [largest] * (len(lines) // largest)
    assert sum(len(post.events) for post in intake.posts) == len(lines)


async def test_batch_by_time(workshop: Workshop, intake: Intake) -> None:
    """T31: a quiet stream delivers timeoutMs after the first event of the batch."""
    workshop.extension("a", "register()\nsubscribe(types=['function'], timeoutMs=200)\nserve()")
    async with Sandbox(workshop.scenario()) as sandbox:
        invoking = asyncio.create_task(sandbox.invoke(printing("one", sleep_s=0.6)))
        line = await sandbox.output.wait_for("runtime", "one")
        await intake.wait_for_type("function")
        (post,) = sandbox.transcript.select("post") or [await sandbox.transcript.wait_for("post")]
        await invoking
    assert 190 <= post.time_ms - line.time_ms < 450


async def test_listener_that_comes_up_late(workshop: Workshop, intake: Intake) -> None:
    """T32: events wait while nobody listens and arrive when somebody does, all of them in order."""
    await intake.stop()
    workshop.extension("a", FUNCTION_ONLY)
    async with Sandbox(workshop.scenario()) as sandbox:
        invoking = asyncio.create_task(sandbox.invoke(printing("one", "two", sleep_s=1)))
        failed = await sandbox.transcript.wait_for("post", count=2)
        assert failed.details["failure"] is not None
        await intake.start(intake.port)
        await intake.wait_for_type("function", 2)
        await invoking
    assert intake.records("function") == ["one\n", "two\n"]


async def test_lost_posts_and_lost_answers(workshop: Workshop, intake: Intake) -> None:
    """T32: a lost POST is sent again, a lost answer makes a duplicate of the whole batch."""
    workshop.extension("a", FUNCTION_ONLY)
    faults = TelemetryFaults(failing_posts=1, lost_answers=1)
    async with Sandbox(workshop.scenario(telemetry=faults)) as sandbox:
        await sandbox.invoke(printing("one", sleep_s=0.6))
        await intake.wait_for_type("function", 2)
    assert intake.records("function") == ["one\n", "one\n"]
    assert intake.posts[0].body == intake.posts[1].body


async def test_slow_listener(workshop: Workshop, intake: Intake) -> None:
    """T33: a hanging listener does not block the function; what overflows is counted as dropped."""
    workshop.extension("a", "register()\nsubscribe(types=['platform', 'function'])\nserve()")
    intake.answering.clear()
    faults = TelemetryFaults(queue_bytes=20_000)
    async with Sandbox(workshop.scenario(telemetry=faults)) as sandbox:
        for _ in range(3):
            result = await sandbox.invoke(printing(*["y" * 1_000] * 30))
            assert result.status == "success"
            assert result.response_ms < 1_000
        intake.answering.set()
        await sandbox.invoke(b'{"sleep_s": 0.2}')
        await intake.wait_for_type("platform.logsDropped")
        await sandbox.shutdown()
    dropped = intake.records("platform.logsDropped")
    assert dropped[0].keys() == {"droppedBytes", "droppedRecords", "reason"}
    lost = sum(record["droppedRecords"] for record in dropped)
    platform = [kind for kind in intake.types() if kind.startswith("platform.")]
    arrived = len(intake.records("function")) + len(platform) - len(dropped)
    # 5 events of init, 90 lines, and start, runtimeDone and report of 4 invocations.
    assert arrived + lost == 5 + 90 + 12
    assert lost > 0


@pytest.mark.parametrize(
    ("log_format", "schema", "records"),
    [
        ("Text", "2025-01-29", ["plain\n", '{"a": 1}\n', "[1]\n", "{broken\n"]),
        ("JSON", "2025-01-29", ["plain\n", {"a": 1}, "[1]\n", "{broken\n"]),
        ("JSON", "2022-12-13", ["plain\n", {"a": 1}, "[1]\n", "{broken\n"]),
        ("JSON", "2022-07-01", ["plain\n", '{"a": 1}\n', "[1]\n", "{broken\n"]),
    ],
)
async def test_function_records(
    workshop: Workshop, intake: Intake, log_format: str, schema: str, records: list[Any]
) -> None:
    """T34: text lines with a line feed; objects only in JSON format with schema ≥ 2022-12-13."""
    workshop.extension(
        "a", f"register()\nsubscribe(types=['function'], schema={schema!r})\nserve()"
    )
    async with Sandbox(workshop.scenario(log_format=log_format)) as sandbox:
        await sandbox.invoke(printing("plain", '{"a": 1}', "[1]", "{broken"))
        await sandbox.shutdown()
    assert intake.records("function") == records


async def test_extension_records(workshop: Workshop, intake: Intake) -> None:
    """What an extension prints becomes `extension` records for subscribers of that type."""
    workshop.extension("a", "register()\nsubscribe(types=['extension'])\nserve()")
    workshop.extension("b", "register()\nprint('hello from b', flush=True)\nserve()")
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.invoke()
        await sandbox.shutdown()
    assert "hello from b\n" in intake.records("extension")
    assert set(intake.types()) == {"extension"}


async def test_local_mode(workshop: Workshop, intake: Intake) -> None:
    """T36: where telemetry is not supported any PUT is 202 and nothing is ever sent."""
    workshop.extension("a", "register()\nsubscribe()\nput_telemetry({})\nserve()")
    faults = TelemetryFaults(supported=False)
    async with Sandbox(workshop.scenario(telemetry=faults)) as sandbox:
        await sandbox.invoke(printing("one"))
        await sandbox.shutdown()
    answers = said(sandbox, "a", "subscribed")
    assert [told["status"] for told in answers] == [202, 202]
    assert answers[0]["subscribed"] == {
        "errorMessage": "Telemetry API is not supported",
        "errorType": "Telemetry.NotSupported",
    }
    assert intake.posts == []


async def test_post_has_path_and_host(workshop: Workshop, intake: Intake) -> None:
    """The POST keeps the subscribed path and is addressed to the host of the sandbox."""
    workshop.extension("a", "register()\nsubscribe(path='/v1/logs')\nserve()")
    async with Sandbox(workshop.scenario()):
        await intake.wait_for(lambda intake: bool(intake.posts))
    post = intake.posts[0]
    assert post.path == "/v1/logs"
    assert post.headers["Host"] == f"sandbox.localdomain:{intake.port}"
    assert post.headers["Content-Type"] == "application/json"


TCP_PROBE = """
listener = socket.create_server(("127.0.0.1", 0))
def listen():
    connection, _ = listener.accept()
    for line in connection.makefile():
        say(line=json.loads(line)["type"])
register()
threading.Thread(target=listen, daemon=True).start()
put_telemetry({"schemaVersion": "2025-01-29", "types": ["platform"], "buffering": {"timeoutMs": 25},
               "destination": {"protocol": "TCP", "port": listener.getsockname()[1]}})
serve(lambda event: time.sleep(0.15))
"""


async def test_tcp(workshop: Workshop) -> None:
    """Over TCP the events come as lines of JSON."""
    workshop.extension("a", TCP_PROBE)
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.invoke()
        await sandbox.wait_idle()
        lines = [told["line"] for told in said(sandbox, "a", "line")]
    assert lines[0] == "platform.initStart"
    assert lines[-1] == "platform.runtimeDone"


async def test_snap_start(workshop: Workshop, intake: Intake) -> None:
    """A SnapStart function is restored before its first invocation: three restore events."""
    workshop.extension("a", SUBSCRIBED)
    async with Sandbox(workshop.scenario(init_type=InitType.SNAP_START)) as sandbox:
        assert sandbox.transcript.select("freeze")
        await sandbox.invoke()
        await sandbox.shutdown()
    assert [kind for kind in intake.types() if "restore" in kind] == [
        "platform.restoreStart",
        "platform.restoreRuntimeDone",
        "platform.restoreReport",
    ]
    (report,) = intake.records("platform.report")
    assert "restoreDurationMs" in report["metrics"]


async def test_provisioned_concurrency(workshop: Workshop, intake: Intake) -> None:
    """With provisioned concurrency the environment is frozen after init, and init is not billed."""
    workshop.extension("a", SUBSCRIBED)
    scenario = workshop.scenario(init_type=InitType.PROVISIONED_CONCURRENCY)
    async with Sandbox(scenario) as sandbox:
        assert sandbox.transcript.select("freeze")
        await sandbox.invoke()
        await sandbox.shutdown()
    (start,) = intake.records("platform.initStart")
    assert start["initializationType"] == "provisioned-concurrency"
    (report,) = intake.records("platform.report")
    metrics = report["metrics"]
    assert metrics["billedDurationMs"] < metrics["durationMs"] + 1
