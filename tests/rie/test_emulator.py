"""The harness itself: AWS's emulator runs a real function with AWS's runtime, leaving nothing."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.support.rie import Emulator, Tree

pytestmark = pytest.mark.rie

_HANDLER = """
import os, sys

def handler(event, context):
    print("hello from", context.aws_request_id, flush=True)
    return {"got": event, "uid": os.getuid(), "python": sys.executable}
"""


async def test_a_python_handler_runs_on_demand(tree: Tree) -> None:
    """AWS's runtime client answers through the on-demand emulator."""
    tree.install_function(_HANDLER)
    async with Emulator(tree) as emulator:
        answer = await emulator.invoke(b'{"n": 1}')
        assert answer.status == 200
        assert json.loads(answer.body) == {
            "got": {"n": 1},
            "uid": 0,
            "python": "/var/lang/bin/python3",
        }
        assert await emulator.stop() == 0
    assert "hello from" in emulator.output


async def test_a_python_handler_runs_as_a_managed_instance(tree: Tree) -> None:
    """The same under Managed Instances, where everything runs as Lambda's own user."""
    tree.install_function(_HANDLER)
    async with Emulator(tree, max_concurrency=2) as emulator:
        answers = await asyncio.gather(*(emulator.invoke_when_free() for _ in range(2)))
        assert [answer.status for answer in answers] == [200, 200]
        assert [json.loads(answer.body)["uid"] for answer in answers] == [993, 993]
        assert await emulator.stop() == 0


@pytest.mark.parametrize("max_concurrency", [None, 2])
async def test_leaving_kills_everything(tree: Tree, max_concurrency: int | None) -> None:
    """Processes die with the namespace even when the emulator was not asked to stop."""
    tree.install_function(_HANDLER)
    async with Emulator(tree, max_concurrency=max_concurrency) as emulator:
        await emulator.invoke()
        inside = emulator.namespace.processes()
    assert any("awslambdaric" in one.argv for one in inside)
    assert not [one for one in inside if Path(f"/proc/{one.pid}").exists()]


async def test_nothing_of_the_host_is_touched(tree: Tree) -> None:
    """Neither the emulator's ports nor its mounts are visible outside."""
    before = Path("/proc/self/mountinfo").read_text()
    tree.install_function(_HANDLER)
    async with Emulator(tree):
        assert Path("/proc/self/mountinfo").read_text() == before
        assert not any((tree.root / "var/lang").iterdir())


async def test_nothing_outlives_a_killed_test(tree: Tree) -> None:
    """When the test process dies without leaving, its end of the pipe closes: that ends it all."""
    tree.install_function(_HANDLER)
    async with Emulator(tree) as emulator:
        await emulator.invoke()
        inside = emulator.namespace.processes()
        emulator.namespace.let_go()
        assert await emulator.wait() == 128 + signal.SIGKILL
        assert not [one for one in inside if Path(f"/proc/{one.pid}").exists()]
