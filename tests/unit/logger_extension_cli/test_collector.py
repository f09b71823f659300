"""`logger-extension collector` as a process: live, and tidy at its end."""

import asyncio
import signal

import aiohttp
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from otlp_viewer import Collector
from tests.support.command_line import COMMAND, command_environment, run_command


def _logs(body: str) -> bytes:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add().body.string_value = body
    return request.SerializeToString()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_prints_what_arrives_and_ends_with_a_summary(number: signal.Signals) -> None:
    """Each record once, at once; a signal ends it with exit code 0 and no traceback."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "collector", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=command_environment(),
    )
    assert process.stdout is not None
    first = (await process.stdout.readline()).decode()
    endpoint = first.split()[2]
    async with aiohttp.ClientSession() as session:
        for body in ("one [red]x[/red]", "two \x1b[2J"):
            url, headers = f"{endpoint}/v1/logs", {"Content-Type": "application/x-protobuf"}
            async with session.post(url, data=_logs(body), headers=headers) as response:
                assert response.status == 200
            line = (await process.stdout.readline()).decode()
            assert body.replace("\x1b", r"\x1b") in line
    process.send_signal(number)
    rest, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert "2 logs, 0 spans and 0 metric points in 2 requests" in rest.decode()
    assert "one" not in rest.decode()


async def test_a_taken_port_is_told_in_one_line() -> None:
    """With exit code 2."""
    async with Collector() as collector:
        port = collector.endpoint.rpartition(":")[2]
        done = await asyncio.to_thread(run_command, "collector", "--port", port)
    assert done.returncode == 2
    assert done.stderr.startswith(f"logger-extension collector: cannot listen on 127.0.0.1:{port} ")
    assert done.stderr.count("\n") == 1
