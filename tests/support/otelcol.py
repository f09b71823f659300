"""The OpenTelemetry Collector with the configurations of `deploy/collector`, as a process."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from deploy.stage import REPOSITORY
from tests.conftest import find_unused_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

FOLDER = REPOSITORY / "deploy" / "collector"
BUILT = REPOSITORY / ".venv" / "share" / "otelcol" / "otelcol"
HOW_TO_GET = "no otelcol: `make otelcol` builds it (needs Go), or set OTELCOL to one"

# Several run at once, and the port of a collector's own metrics cannot be asked for by a variable.
QUIET = "service:\n  telemetry:\n    metrics:\n      level: none\n"


def find_otelcol() -> str | None:
    """Return the collector's path: of OTELCOL, on the path of commands, or built for the tests."""
    built = str(BUILT) if BUILT.is_file() else None
    return os.environ.get("OTELCOL") or shutil.which("otelcol") or built


def make_command(configs: tuple[Path, ...], word: str = "") -> list[str]:
    """Return the command line for configurations that are laid over each other in this order."""
    found = find_otelcol()
    assert found is not None
    options = [option for config in configs for option in ("--config", str(config))]
    return [found, *([word] if word else []), *options]


class Otelcol:
    """A running collector.

    Attributes:
        http_port: where it takes OTLP over HTTP.
        grpc_port: where it takes OTLP over gRPC.
    """

    def __init__(self, process: asyncio.subprocess.Process, http_port: int, grpc_port: int) -> None:
        self._process = process
        self.http_port = http_port
        self.grpc_port = grpc_port

    async def wait_until_ready(self) -> None:
        """Read what it says until it takes data.

        From then on nobody reads; what a short run says fits into the pipe.
        """
        assert self._process.stderr is not None
        said = b""
        async with asyncio.timeout(15):
            while b"Everything is ready" not in said:
                line = await self._process.stderr.readline()
                said += line
                assert line, said.decode()

    async def end(self, signum: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait for the end; after SIGTERM all it held has been handed on."""
        if self._process.returncode is None:
            self._process.send_signal(signum)
        await self._process.communicate()


@asynccontextmanager
async def run_otelcol(
    folder: Path, *configs: Path, environ: Mapping[str, str] | None = None, overlay: str = ""
) -> AsyncIterator[Otelcol]:
    """Run a collector on free ports, ready for data.

    Args:
        folder: an absent folder of the test, or that of an earlier run whose queue it takes over.
        configs: the configurations.
        environ: variables that they name.
        overlay: YAML that is laid over them.
    """
    folder.mkdir(exist_ok=True)
    (folder / "quiet.yaml").write_text(QUIET)
    (folder / "overlay.yaml").write_text(overlay)
    extra = ["quiet.yaml", *(["overlay.yaml"] if overlay else [])]
    http_port, grpc_port = find_unused_port(), find_unused_port()
    process = await asyncio.create_subprocess_exec(
        *make_command((*configs, *(folder / name for name in extra))),
        env={
            "OTLP_HTTP_ADDRESS": f"127.0.0.1:{http_port}",
            "OTLP_GRPC_ADDRESS": f"127.0.0.1:{grpc_port}",
            "HEALTH_CHECK_ADDRESS": f"127.0.0.1:{find_unused_port()}",
            "STORAGE_DIRECTORY": str(folder / "storage"),
            **(environ or {}),
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    otelcol = Otelcol(process, http_port, grpc_port)
    try:
        await otelcol.wait_until_ready()
        yield otelcol
    finally:
        await otelcol.end(signal.SIGKILL)
