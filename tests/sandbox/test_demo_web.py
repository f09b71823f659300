"""`logger-extension demo --web`: the demo's telemetry in a browser, until Ctrl-C."""

import asyncio
import re
import signal
import subprocess
import sys

import aiohttp
import pytest

from tests.support.command_line import COMMAND, REPOSITORY, command_environment, run_command

MODULES = ("duckdb", "ibis", "jinja2", "plotly")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_page_stays_until_it_is_ended(number: signal.Signals) -> None:
    """All that the demo shows, then the page with it; the exit code is the demo's."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "demo", "--web", "--port", "0"),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=command_environment(),
    )
    try:
        assert process.stdout is not None
        text = (await process.stdout.readuntil(b"Ctrl-C ends it.")).decode()
        assert "Everything that was done and printed has arrived, once." in text
        found = re.search(r"^The page: (http://127\.0\.0\.1:\d+)$", text, re.MULTILINE)
        assert found is not None
        async with aiohttp.ClientSession() as session, session.get(found[1]) as response:
            page = await response.text()
        assert response.status == 200
        assert "hello" in page
        process.send_signal(number)
        _, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_port_that_was_asked_for_and_is_taken() -> None:
    """Is told before anything is played; without one, any free port would do."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        done = await asyncio.to_thread(run_command, "demo", "--web", "--port", str(port))
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_a_port_without_a_page() -> None:
    """Is a slip, and told."""
    done = run_command("demo", "--port", "4320")
    assert done.returncode == 2
    assert "needs --web" in done.stderr


def test_the_demo_without_the_page_needs_no_database() -> None:
    """Nothing of it is imported."""
    program = (
        "import sys, logger_extension_cli.demo\n"
        f"print([name for name in {MODULES!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
