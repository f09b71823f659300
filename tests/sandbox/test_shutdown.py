"""The end: SHUTDOWN and signals lead to one last flush, inside the deadline, and exit code 0."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from deploy.stage import NAME
from tests.support.whole import EXTENSION, address_of, run_whole, serve_silence


async def test_shutdown_flushes_the_rest_and_exits_zero(tmp_path: Path) -> None:
    """What came after the last flush is sent at SHUTDOWN, and the launcher exits 0."""
    async with run_whole(tmp_path) as whole:
        await whole.sandbox.invoke(b'{"lines": ["last"]}')
        await whole.sandbox.shutdown()
        assert whole.bodies() == ["last"]
        assert "extensionOverhead" in [span.name for span in whole.collector.store.spans]
        [end] = whole.sandbox.transcript.select("exit", actor=EXTENSION)
        assert end.details["status"] == "exit status 0"
        assert whole.stderr == []


async def test_shutdown_before_any_invocation(tmp_path: Path) -> None:
    """A sandbox that is never used ends quietly."""
    async with run_whole(tmp_path) as whole:
        await whole.sandbox.shutdown()
        [end] = whole.sandbox.transcript.select("exit", actor=EXTENSION)
        assert end.details["status"] == "exit status 0"
        assert whole.stderr == []


@pytest.mark.parametrize(
    ("fallback", "told"),
    [("none", "logs.undelivered"), ("stdout", "logs")],
    ids=["lost", "written"],
)
async def test_a_hanging_collector_does_not_outlast_the_deadline(
    tmp_path: Path, fallback: str, told: str
) -> None:
    """At SHUTDOWN the flush ends before Lambda would kill us, and what became of it is told."""
    silent = await serve_silence()
    async with (
        silent,
        run_whole(
            tmp_path,
            endpoint=address_of(silent),
            environ={"LOGGER_EXTENSION_FALLBACK": fallback},
            scenario={"timeout_ms": 700},
        ) as whole,
    ):
        await whole.sandbox.invoke(b'{"lines": ["never seen"]}')
        await whole.sandbox.shutdown()
        [end] = whole.sandbox.transcript.select("exit", actor=EXTENSION)
        assert end.details["status"] == "exit status 0"
        assert json.loads(whole.stderr[-1])[told] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("target", ["launcher", "group"])
async def test_a_signal_flushes_and_exits_zero(
    tmp_path: Path, number: signal.Signals, target: str
) -> None:
    """SIGTERM or SIGINT in mid-invocation: what was printed so far is sent, then exit code 0."""
    handler = (
        "import time\n"
        "def handler(event, context):\n"
        "    print('so far', flush=True)\n"
        "    time.sleep(0.1)\n"
        "    print('and on', flush=True)\n"
        "    time.sleep(1)\n"
    )
    async with run_whole(tmp_path, handler=handler, scenario={"freeze": False}) as whole:
        invoking = asyncio.create_task(whole.sandbox.invoke())
        # Batches come in order: the one after the second line is not before the one with the first.
        await whole.sandbox.output.wait_for("runtime", "and on")
        posts = len(whole.sandbox.transcript.select("post"))
        await whole.sandbox.transcript.wait_for("post", count=posts + 1)
        pid = whole.launcher_pid()
        if target == "launcher":
            os.kill(pid, number)
        else:
            os.killpg(pid, number)
        await whole.sandbox.transcript.wait_for("exit", actor=EXTENSION)
        [end, *_] = whole.sandbox.transcript.select("exit", actor=EXTENSION)
        assert end.details["status"] == "exit status 0"
        assert whole.bodies()[:1] == ["so far"]
        assert [span.status_code for span in whole.server_spans().values()] == [2]
        # An exit outside SHUTDOWN is Extension.Crash: signals are for people, not for Lambda.
        assert (await invoking).error_type == "Extension.Crash"
        assert NAME in whole.sandbox.transcript.select("exit")[0].actor
