"""`logger-extension replay` as a process, and what reached a collector as comparable text."""

import asyncio
import subprocess
from pathlib import Path

from otlp_viewer import Store
from tests.support.command_line import COMMAND, REPOSITORY, command_environment


async def start_replay(*arguments: str | Path) -> asyncio.subprocess.Process:
    """Start the command."""
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        "replay",
        *map(str, arguments),
        cwd=REPOSITORY,
        env=command_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def replay(*arguments: str | Path, given: bytes = b"") -> tuple[int | None, str, str]:
    """Run the command; return exit code, stdout and stderr."""
    process = await start_replay(*arguments)
    out, err = await process.communicate(given)
    return process.returncode, out.decode(), err.decode()


def rows_in(*stores: Store) -> list[str]:
    """Return what collectors have kept, sorted."""
    return sorted(
        str(row)
        for store in stores
        for rows in (store.logs, store.spans, store.metrics)
        for row in rows
    )
