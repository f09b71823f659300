"""The whole extension, started by AWS's emulator from /opt/extensions."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.rie import Tree
from tests.support.rie_deadlock import past_deadlocks
from tests.support.rie_extension import LISTENER_PORT, PYTHON_ELSEWHERE, run_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.rie import Answer
    from tests.support.rie_extension import Whole

pytestmark = pytest.mark.rie

# Prints its line, and waits for a file where it is told to.
_HANDLER = """
import os, sys, time

def handler(event, context):
    sys.stdout.write(event.get("line", "hello") + "\\n")  # one write: lines never mix
    if "wait_for" in event:
        open("/tmp/started", "w").close()
        while not os.path.exists(event["wait_for"]):
            time.sleep(0.002)
    return {"request_id": context.aws_request_id}
"""

# On Managed Instances the emulator hangs when the listener answers too late (`rie_deadlock`): so
# the function comes up after the extension's imports.
_PATIENT_HANDLER = f"""
import http.client
listener = http.client.HTTPConnection("127.0.0.1", {LISTENER_PORT})
listener.request("GET", "/")
listener.getresponse()
listener.close()
{_HANDLER}
"""
_POLL_S = 0.002
_TIMEOUT_S = 15


def _request_id(answer: Answer) -> str:
    """Give the id that the function told; every answer must be the function's own."""
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["request_id"])


async def _until(is_so: Callable[[], bool]) -> None:
    """Wait for something in other processes that cannot tell us."""
    async with asyncio.timeout(_TIMEOUT_S):
        while not is_so():  # noqa: ASYNC110 - as the docstring says
            await asyncio.sleep(_POLL_S)


async def _kill_python(whole: Whole) -> None:
    """Kill the extension's Python, as the kernel would, and wait until it is gone."""
    await _until(lambda: whole.python() is not None)
    python = whole.python()
    assert python is not None
    os.kill(python.pid, signal.SIGKILL)
    await _until(lambda: not Path(f"/proc/{python.pid}").exists())


async def test_on_demand(tree: Tree) -> None:
    """Without a Telemetry API every invocation still becomes a span, the last one at SHUTDOWN."""
    tree.install_function(_HANDLER)
    async with run_whole(tree) as whole:
        ids = [_request_id(await whole.emulator.invoke()) for _ in range(3)]
        assert await whole.emulator.stop() == 0
        spans = whole.server_spans()
    assert list(spans) == ids
    assert [span.attributes["faas.coldstart"] for span in spans.values()] == [True, False, False]
    assert all(span.start_unix_nano <= span.end_unix_nano for span in spans.values())
    assert not whole.collector.store.logs


async def test_a_trace_goes_on(tree: Tree) -> None:
    """The span of a traced invocation is a child of the caller's."""
    tree.install_function(_HANDLER)
    trace = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
    async with run_whole(tree) as whole:
        _request_id(await whole.emulator.invoke(headers={"X-Amzn-Trace-Id": trace}))
        await whole.emulator.stop()
        [span] = whole.server_spans().values()
    assert span.trace_id == "5f35ae120c0fec141ab77a00bc047aa2"
    assert span.parent_span_id == "2be948a625588e32"


async def test_killed_while_idle(tree: Tree) -> None:
    """Killed between two invocations, Python is started again, and no invocation fails."""
    tree.install_function(_HANDLER)
    async with run_whole(tree) as whole:
        ids = [_request_id(await whole.emulator.invoke())]
        await _kill_python(whole)
        ids += [_request_id(await whole.emulator.invoke()) for _ in range(3)]
        assert await whole.emulator.stop() == 0
        spans = whole.server_spans()
    # The dead process had a call of `next` pending, which swallows one INVOKE; with no telemetry
    # there is no other word of that invocation. The first one may have died with the process.
    assert set(spans) <= set(ids)
    assert set(ids[2:]) <= set(spans)


async def test_killed_in_mid_invocation(tree: Tree) -> None:
    """Killed while the function works, Python is started again, and no invocation fails."""
    tree.install_function(_HANDLER)
    async with run_whole(tree) as whole:
        ids = [_request_id(await whole.emulator.invoke())]
        going = asyncio.create_task(whole.emulator.invoke(b'{"wait_for": "/tmp/go"}'))
        await _until((tree.tmp / "started").exists)
        await _kill_python(whole)
        (tree.tmp / "go").touch()
        ids.append(_request_id(await going))
        ids += [_request_id(await whole.emulator.invoke()) for _ in range(3)]
        assert await whole.emulator.stop() == 0
        spans = whole.server_spans()
    assert set(spans) <= set(ids)
    assert set(ids[3:]) <= set(spans)  # as above, a pending `next` may have swallowed ids[2]


async def test_killed_again_and_again(tree: Tree) -> None:
    """When Python dies too often the launcher itself goes on, and no invocation fails."""
    tree.install_function(_HANDLER)
    async with run_whole(tree) as whole:
        for _ in range(4):
            _request_id(await whole.emulator.invoke())
            await _kill_python(whole)
        await _until(lambda: "telemetry is off" in whole.emulator.output)
        for _ in range(4):
            _request_id(await whole.emulator.invoke())
        assert whole.python() is None
        assert await whole.emulator.stop() == 0
    assert whole.emulator.output.count("telemetry is off") == 1


async def test_no_interpreter(tree: Tree) -> None:
    """Where there is no Python for us, one line says so and the function never notices."""
    tree.install_function(_HANDLER, python=f"/{PYTHON_ELSEWHERE}/bin/python3")
    async with run_whole(tree, python_home=PYTHON_ELSEWHERE) as whole:
        for _ in range(3):
            _request_id(await whole.emulator.invoke())
        assert await whole.emulator.stop() == 0
    assert whole.emulator.output.count("no Python interpreter") == 1
    assert not whole.collector.requests


async def test_managed_instances(tmp_path: Path) -> None:
    """Logs and spans of parallel invocations arrive by the emulator's real Telemetry API."""

    async def attempt(folder: Path) -> None:
        tree = Tree(folder / "tree")
        tree.install_function(_PATIENT_HANDLER)
        ids: list[str] = []
        async with run_whole(tree, max_concurrency=3) as whole:
            for wave in range(3):
                payloads = [json.dumps({"line": f"line {wave} {n}"}).encode() for n in range(3)]
                answers = await asyncio.gather(*map(whole.emulator.invoke_when_free, payloads))
                ids += map(_request_id, answers)
            assert await whole.emulator.stop() == 0
            spans = whole.server_spans()
            bodies = [str(row.body) for row in whole.collector.store.logs]
        assert set(spans) == set(ids)
        assert sorted(body for body in bodies if body.startswith("line")) == [
            f"line {wave} {n}" for wave in range(3) for n in range(3)
        ]

    await past_deadlocks(tmp_path, attempt)


async def test_managed_instances_survive_a_kill(tmp_path: Path) -> None:
    """There any exit of an extension would end the environment; the launcher does not exit."""

    async def attempt(folder: Path) -> None:
        tree = Tree(folder / "tree")
        tree.install_function(_PATIENT_HANDLER)
        async with run_whole(tree, max_concurrency=2) as whole:
            _request_id(await whole.emulator.invoke_when_free())
            await _kill_python(whole)
            await whole.emulator.wait_for_answer(LISTENER_PORT)
            ids = [_request_id(await whole.emulator.invoke_when_free()) for _ in range(3)]
            assert await whole.emulator.stop() == 0
            assert set(ids) <= set(whole.server_spans())

    await past_deadlocks(tmp_path, attempt)
