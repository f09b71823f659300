"""The launcher alone, against a scripted API, with a small script in the place of Python.

Owns how it is laid out and started, and what its child tells of each start. Must not know what a
test expects.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.stage import find_launcher
from tests.support.scripted_api import Answer, Request, ScriptedApi, registered, shutdown

# A child that leaves a line about each start, and then does what the test says.
CHILD = """#!/bin/bash
printf '%s|%s|%s|%s|%s\\0' "$LOGGER_EXTENSION_ID" "$LOGGER_EXTENSION_REGISTER_BODY" \
  "$LOGGER_EXTENSION_SUBSCRIPTION" "$*" "${{LOGGER_EXTENSION_HELD-unset}}" >> {starts}
{action}
"""


async def spin_down(request: Request, before: int) -> bytes | None:
    """Register, and answer every `next` with SHUTDOWN."""
    del before
    return registered() if request.path.endswith("register") else shutdown()


@dataclass
class Launched:
    """A running launcher."""

    process: asyncio.subprocess.Process
    starts_file: Path

    def starts(self) -> list[list[str]]:
        """Return what each start was given: id, body, subscription, arguments, held records."""
        records = self.starts_file.read_text().split("\0")[:-1]
        return [record.split("|") for record in records]

    async def finish(self) -> tuple[int, list[dict[str, str]]]:
        """Return exit code and the JSON lines on stderr."""
        _, stderr = await self.process.communicate()
        code = self.process.returncode
        assert code is not None
        return code, [json.loads(line) for line in stderr.splitlines()]


@asynccontextmanager
async def launch(
    folder: Path, script: Answer, action: str | None, environ: dict[str, str] | None = None
) -> AsyncIterator[tuple[Launched, ScriptedApi]]:
    """Run the launcher against a scripted API; `action` is what its Python does, if it has one."""
    extensions = folder / "extensions"
    extensions.mkdir()
    launcher = extensions / "my-telemetry"
    shutil.copy(find_launcher(), launcher)
    starts = folder / "starts"
    if action is not None:
        child = folder / "logger-extension" / "bin" / "python3"
        child.parent.mkdir(parents=True)
        child.write_text(CHILD.format(starts=starts, action=action))
        child.chmod(0o755)
        package = folder / "logger-extension" / "logger_extension"
        package.mkdir()
        (package / "__main__.py").touch()
    async with ScriptedApi(script) as api:
        process = await asyncio.create_subprocess_exec(
            launcher,
            env={"AWS_LAMBDA_RUNTIME_API": api.address, "PATH": "/usr/bin:/bin"} | (environ or {}),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield Launched(process, starts), api
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
