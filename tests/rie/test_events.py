"""What is inside the events and answers of the API, on AWS's emulator and in our sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.probe_steps import handle, register, serve, sleep
from tests.support.rie_scenarios import BOTH, LOYAL
from tests.support.rie_worlds import Cast, World

if TYPE_CHECKING:
    from pathlib import Path

_TRACE = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"


async def test_the_runtime_starts_after_every_registration(
    world: type[World], tmp_path: Path
) -> None:
    """One slow extension holds the start of the runtime, but not the other extension."""
    cast = Cast(extensions={"a": [LOYAL], "b": [(sleep(300), register(*BOTH), serve())]})
    async with world(cast, tmp_path) as stage:
        await stage.invoke()
        order = [(entry["actor"], entry["saw"]) for entry in stage.story().entries]
    runtime_start = order.index(("runtime", "start"))
    assert order.index(("a", "register")) < order.index(("b", "register")) < runtime_start


@pytest.mark.parametrize("trace", [None, _TRACE], ids=["untraced", "traced"])
async def test_the_body_of_invoke(world: type[World], trace: str | None, tmp_path: Path) -> None:
    """It has exactly these fields, and the deadline and id that the runtime is given (T10, T11)."""
    async with world(Cast(extensions={"a": [LOYAL]}, timeout_s=3), tmp_path) as stage:
        await stage.invoke(trace=trace)
        await stage.settle()
        story = stage.story()
    [event], [invocation] = story.of("a", "next"), story.of("runtime", "invocation")
    runtime_headers = invocation["headers"]
    body = dict(event["body"])
    assert event["headers"]["Content-Type"].startswith("application/json")
    assert event["headers"]["Lambda-Extension-Event-Identifier"]
    assert body.pop("invokedFunctionArn") == runtime_headers["Lambda-Runtime-Invoked-Function-Arn"]
    tracing = {} if trace is None else {"tracing": {"type": "X-Amzn-Trace-Id", "value": trace}}
    assert body == {
        "eventType": "INVOKE",
        "requestId": runtime_headers["Lambda-Runtime-Aws-Request-Id"],
        "deadlineMs": int(runtime_headers["Lambda-Runtime-Deadline-Ms"]),
        **tracing,
    }
    assert body["deadlineMs"] - invocation["unix_s"] * 1000 <= 3000


async def test_the_body_of_shutdown(world: type[World], tmp_path: Path) -> None:
    """A runtime that ignores SIGTERM takes its share of the 2 s, and the deadline does not move.

    T17: SIGTERM, then SIGKILL and SHUTDOWN 600 ms later, with a deadline 2 s after the SIGTERM.
    """
    cast = Cast(extensions={"a": [LOYAL]}, stubborn=("runtime",))
    async with world(cast, tmp_path) as stage:
        await stage.invoke()
        await stage.shutdown()
        story = stage.story()
    event = story.of("a", "next")[-1]
    [sigterm] = story.of("runtime", "SIGTERM")
    assert set(event["body"]) == {"eventType", "deadlineMs", "shutdownReason"}
    assert event["body"]["deadlineMs"] - sigterm["unix_s"] * 1000 == pytest.approx(2000, abs=200)
    assert event["unix_s"] - sigterm["unix_s"] == pytest.approx(0.6, abs=0.2)


async def test_what_registration_tells(world: type[World], tmp_path: Path) -> None:
    """The function's name, version and handler; the account only to those who ask (T6)."""
    cast = Cast(extensions={"a": [LOYAL]}, runtime=[(handle(),)])
    async with world(cast, tmp_path) as stage:
        await stage.invoke()
        [answer] = stage.story().of("a", "register")
    assert answer["headers"]["Content-Type"].startswith("application/json")
    assert answer["body"] == {
        "functionName": "function",
        "functionVersion": "$LATEST",
        "handler": "app.handler",
    }


async def test_managed_instances_tell_the_account(world: type[World], tmp_path: Path) -> None:
    """The account is there when the extension asked for it by `accountId`."""
    asking = (register("SHUTDOWN", features="accountId"), serve())
    cast = Cast(extensions={"a": [asking]}, max_concurrency=1)
    async with world(cast, tmp_path) as stage:
        await stage.invoke()
        [answer] = stage.story().of("a", "register")
    assert answer["body"]["accountId"] == "123456789012"
