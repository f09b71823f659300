"""A real collector that is not ours: a rotel agent that prints what it receives."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

HAS_ROTEL = importlib.util.find_spec("rotel") is not None

SIGNALS = ("traces", "logs", "metrics")


class Rotel:
    """A running agent.

    Attributes:
        http_port: where it takes OTLP over HTTP.
        grpc_port: where it takes OTLP over gRPC.
        printed: what it has printed and was read.
    """

    def __init__(self, process: asyncio.subprocess.Process, http_port: int, grpc_port: int) -> None:
        self._process = process
        self.http_port = http_port
        self.grpc_port = grpc_port
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


@asynccontextmanager
async def run_rotel(http_port: int, grpc_port: int) -> AsyncIterator[Rotel]:
    """Run an agent on two free ports until both take connections."""
    spec = importlib.util.find_spec("rotel")
    assert spec is not None
    assert spec.origin is not None
    process = await asyncio.create_subprocess_exec(
        Path(spec.origin).parent / "rotel-agent",
        *("start", "--exporter", "blackhole", "--debug-log-verbosity", "detailed"),
        *(word for signal in SIGNALS for word in ("--debug-log", signal)),
        *("--otlp-http-endpoint", f"127.0.0.1:{http_port}"),
        *("--otlp-grpc-endpoint", f"127.0.0.1:{grpc_port}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(15):
            for port in (http_port, grpc_port):
                await _wait_for_port(port)
        yield Rotel(process, http_port, grpc_port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _wait_for_port(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            # There is no event to wait for: the agent says nothing when it listens.
            await asyncio.sleep(0.02)
        else:
            writer.close()
            await writer.wait_closed()
            return
