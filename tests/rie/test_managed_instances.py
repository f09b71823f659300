"""Lambda Managed Instances, on AWS's emulator and in our sandbox: everybody tells the same.

The emulator's Telemetry API is what only this mode has; what it sends is compared here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.probe_steps import handle, listen, register, say, serve, subscribe, wait_for
from tests.support.rie_deadlock import past_deadlocks
from tests.support.rie_scenarios_managed import MANAGED
from tests.support.rie_worlds import Cast, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.support.probe_story import Entry, Story
    from tests.support.rie_scenarios import Scenario

_LISTENER = (register("SHUTDOWN"), listen(), subscribe("platform", "function"), serve())
_TRACE = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"


@pytest.mark.parametrize(
    "scenario", [pytest.param(scenario, id=says) for says, scenario in MANAGED.items()]
)
async def test_everybody_tells_the_same(
    world: type[World], scenario: Scenario, tmp_path: Path
) -> None:
    """What each process and the caller see, in order."""
    async with world(scenario.cast, tmp_path) as stage:
        assert await scenario.play(stage) == scenario.story


async def _play_with_telemetry(
    world: type[World], cast: Cast, folder: Path, acts: Callable[[World], Awaitable[object]]
) -> Story:
    """Give the story of a cast in which `a` listens to telemetry."""
    stories = []

    async def attempt(own_folder: Path) -> None:
        async with world(cast, own_folder) as stage:
            await acts(stage)
            stories.append(stage.story())

    await past_deadlocks(folder, attempt)
    return stories[-1]


async def test_the_telemetry_of_one_invocation(world: type[World], tmp_path: Path) -> None:
    """Every event of init and of one traced invocation, in order, with exactly these fields."""

    async def acts(stage: World) -> None:
        await stage.invoke(say("hello"), wait_for("a", "telemetry", 7), trace=_TRACE)
        await stage.seen("a", "telemetry", 8)

    cast = Cast(extensions={"a": [_LISTENER]}, max_concurrency=1)
    events = (await _play_with_telemetry(world, cast, tmp_path, acts)).telemetry("a")
    assert [_without_values(event) for event in events] == [
        ("platform.initStart", {
            "initializationType", "phase", "functionName", "functionVersion",
            "instanceId", "instanceMaxMemory", "runtimeVersion", "runtimeVersionArn",
        }),
        ("platform.telemetrySubscription", {"name", "state", "types"}),
        ("platform.initRuntimeDone", {"initializationType", "phase", "status"}),
        ("platform.extension", {"name", "state", "events"}),
        ("platform.initReport", {"initializationType", "phase", "status", "metrics"}),
        ("platform.start", {"requestId", "version", "functionArn", "tracing"}),
        ("function", "hello"),
        ("platform.report", {"requestId", "status", "metrics", "spans", "tracing"}),
    ]  # fmt: skip
    records = {event["type"]: event["record"] for event in events}
    assert records["platform.extension"] == {"name": "a", "state": "Ready", "events": ["SHUTDOWN"]}
    assert records["platform.telemetrySubscription"] == {
        "name": "a",
        "state": "Subscribed",
        "types": ["platform", "function"],
    }
    assert records["platform.initStart"]["initializationType"] == "lambda-managed-instances"
    report = records["platform.report"]
    assert set(report["metrics"]) == {"durationMs"}
    assert [span["name"] for span in report["spans"]] == ["responseLatency", "responseDuration"]
    assert report["tracing"] == {"type": "X-Amzn-Trace-Id", "value": _TRACE}


async def test_the_telemetry_of_parallel_invocations(world: type[World], tmp_path: Path) -> None:
    """Both have started before either is reported, and no runtimeDone is told of (T38)."""

    async def acts(stage: World) -> None:
        await stage.invoke_together(2, wait_for("runtime", "invocation", 2))
        await stage.seen("a", "telemetry", 9)

    cast = Cast(extensions={"a": [_LISTENER]}, runtime=[(handle(2),)], max_concurrency=2)
    events = (await _play_with_telemetry(world, cast, tmp_path, acts)).telemetry("a")[5:]
    assert [event["type"] for event in events] == ["platform.start"] * 2 + ["platform.report"] * 2
    ids = [event["record"]["requestId"] for event in events]
    assert set(ids[:2]) == set(ids[2:])
    assert len(set(ids)) == 2


async def test_the_last_telemetry_comes_before_shutdown(world: type[World], tmp_path: Path) -> None:
    """What is still buffered when the environment ends is posted before SHUTDOWN is sent."""

    async def acts(stage: World) -> None:
        await stage.invoke()
        await stage.seen("runtime", "response")
        await stage.shutdown()

    buffering = {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 30_000}
    patient = (register("SHUTDOWN"), listen(), subscribe("platform", buffering=buffering), serve())
    cast = Cast(extensions={"a": [patient]}, max_concurrency=1)
    story = await _play_with_telemetry(world, cast, tmp_path, acts)
    seen = [entry["saw"] for entry in story.entries if entry["actor"] == "a"]
    assert seen[-3:] == ["telemetry", "next", "leave"]
    assert story.telemetry("a")[-1]["type"] == "platform.report"


def _without_values(event: Entry) -> tuple[str, Any]:
    record = event["record"]
    return event["type"], set(record) if isinstance(record, dict) else record.rstrip("\n")
