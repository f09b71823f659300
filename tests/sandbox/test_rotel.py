"""A real collector: rotel receives what the extension sends, and prints it."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.whole import run_whole

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("rotel") is None, reason="rotel has no wheel for this Python"
)


class Rotel:
    """A running rotel agent and what it printed."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.endpoint = f"http://127.0.0.1:{port}"
        self.printed = ""

    async def read_until(self, *texts: str) -> str:
        """Read what it prints until every text has come; return all of it."""
        assert self._process.stdout is not None
        async with asyncio.timeout(15):
            while not all(text in self.printed for text in texts):
                line = await self._process.stdout.readline()
                assert line, f"rotel ended: {self.printed}"
                self.printed += line.decode("utf-8", "replace")
        return self.printed


@pytest.fixture
async def rotel(unused_port: int, unused_port_2: int) -> AsyncIterator[Rotel]:
    """Run a rotel agent that prints what it receives."""
    spec = importlib.util.find_spec("rotel")
    assert spec is not None
    assert spec.origin is not None
    process = await asyncio.create_subprocess_exec(
        Path(spec.origin).parent / "rotel-agent",
        *("start", "--exporter", "blackhole", "--debug-log-verbosity", "detailed"),
        *("--debug-log", "traces", "--debug-log", "logs", "--debug-log", "metrics"),
        *("--otlp-http-endpoint", f"127.0.0.1:{unused_port}"),
        *("--otlp-grpc-endpoint", f"127.0.0.1:{unused_port_2}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(15):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", unused_port)
                except ConnectionError:
                    # There is no event to wait for: the agent says nothing when it listens.
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    await writer.wait_closed()
                    break
        yield Rotel(process, unused_port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_rotel_prints_logs_and_spans(tmp_path: Path, rotel: Rotel) -> None:
    """A log record with its attributes and a SERVER span arrive at a collector that is not ours."""
    line = json.dumps({"level": "ERROR", "message": "no stock", "sku": 17})
    async with run_whole(tmp_path, endpoint=rotel.endpoint) as whole:
        event = json.dumps({"lines": ["plain words", line]}).encode()
        result = await whole.sandbox.invoke(event)
        await whole.sandbox.shutdown()
        assert whole.stderr == []
    printed = await rotel.read_until(
        "plain words", "no stock", "sku", "sandbox-function", "extensionOverhead"
    )
    assert printed.count(result.request_id) >= 3
    assert "faas.coldstart" in printed
