"""`logger-extension view` as a process: what is sent to it is seen, kept, and saved at its end."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from otlp_viewer import Collector
from otlp_viewer.database import Database
from tests.support.command_line import COMMAND, command_environment, run_command
from tests.support.export_targets import make_request


@asynccontextmanager
async def viewing(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run the command on a free port; yield the process and its endpoint once it listens."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "view", "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=command_environment(),
    )
    try:
        assert process.stdout is not None
        first = (await process.stdout.readline()).decode()
        assert first.startswith("The page: http://127.0.0.1:"), (await process.communicate())[1]
        yield process, first.split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def send_log(endpoint: str, body: str) -> None:
    """Send one log record."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{endpoint}/v1/logs",
            data=make_request("logs", body).SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"},
        ) as response,
    ):
        assert response.status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_receives_shows_and_saves(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends it with exit code 0, and the file is complete; the next run goes on with it."""
    path = tmp_path / "store.duckdb"
    for run in (1, 2):
        async with viewing("--file", str(path)) as (process, endpoint):
            await send_log(endpoint, f"line of run {run}")
            async with aiohttp.ClientSession() as session, session.get(endpoint) as page:
                assert page.status == 200
                assert page.content_type == "text/html"
            process.send_signal(number)
            rest, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
        assert f"OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\n" in rest.decode()
        assert f"Received: {run} logs, 0 spans, 0 data points\n" in rest.decode()
        assert f"Saved in {path}." in rest.decode().replace("\n", "")
        with Database(path) as database:
            rows = database.query("SELECT Body FROM otel_logs ORDER BY Body")
        assert [row["Body"] for row in rows] == [
            f"line of run {each}" for each in range(1, run + 1)
        ]


async def test_it_opens_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one of the environment, at the page."""
    os.mkfifo(tmp_path / "opened")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n')
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(browser))
    async with viewing("--open") as (process, endpoint):
        opened = await asyncio.to_thread((tmp_path / "opened").read_text)
        assert opened == f"{endpoint}\n"
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


async def test_what_makes_room_is_told() -> None:
    """With --max-rows the oldest go, counted."""
    async with viewing("--max-rows", "2") as (process, endpoint):
        for number in range(5):
            await send_log(endpoint, str(number))
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    text = rest.decode()
    assert "Received: 5 logs" in text
    assert re.search(r"The oldest made room: [345] logs", text)
    assert "It was in memory, and is gone." in text


async def test_a_taken_port() -> None:
    """Is told in one line, with what to do; exit code 2."""
    async with Collector() as collector:
        port = collector.endpoint.rpartition(":")[2]
        done = await asyncio.to_thread(run_command, "view", "--port", port)
    assert done.returncode == 2
    assert done.stderr.startswith(f"logger-extension view: cannot listen on 127.0.0.1:{port} ")
    assert "--port 0" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["other.duckdb", "."])
def test_a_file_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    """The same."""
    (tmp_path / "other.duckdb").write_text("something else")
    done = run_command("view", "--port", "0", "--file", tmp_path / name)
    assert done.returncode == 2
    assert done.stderr.startswith("logger-extension view: ")
    assert "Traceback" not in done.stderr


def test_other_machines_are_kept_out() -> None:
    """An address that they reach is refused, with the reason."""
    done = run_command("view", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "no password" in done.stderr
