"""From an invocation to its cost: `view` keeps what is sent, `cost` answers from the file."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from tests.support.command_line import COMMAND, REPOSITORY, command_environment, run_command

EXAMPLE = "examples/hello/app.py:handler"


def send_invocations(endpoint: str, count: int) -> None:
    """Send invocations as spans, by OpenTelemetry's own exporter."""
    resource = Resource({"service.name": "shop", "faas.name": "shop", "cloud.region": "eu-west-1"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    tracer = provider.get_tracer("test")
    for number in range(count):
        attributes: dict[str, str | float] = {
            "faas.invocation_id": f"request-{number}",
            "aws.lambda.billed_duration_ms": 100 + number,
            "aws.lambda.cost_usd": 1e-6,
        }
        tracer.start_span("shop", kind=SpanKind.SERVER, attributes=attributes).end()
    provider.shutdown()


async def test_what_was_viewed_is_priced(tmp_path: Path) -> None:
    """Sent by the official exporter, stored, and read again when the view has ended."""
    path = tmp_path / "store.duckdb"
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "view", "--port", "0", "--file", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=command_environment(),
    )
    try:
        assert process.stdout is not None
        endpoint = (await process.stdout.readline()).decode().split()[-1]
        await asyncio.to_thread(send_invocations, endpoint, 5)
        busy = await asyncio.to_thread(run_command, "cost", "by", "function", path)
        assert busy.returncode == 2
        assert busy.stderr.count("\n") == 1
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    done = await asyncio.to_thread(run_command, "cost", "by", "function", path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    [row] = json.loads(done.stdout)["rows"]
    assert (row["function"], row["invocations"], row["billed_ms"]) == ("shop", 5, 510)
    assert row["cost_usd"] == pytest.approx(5e-6)


def test_what_no_collector_took_is_priced(tmp_path: Path) -> None:
    """The extension's own fallback is a folder of OTLP/JSON lines like any other."""
    folder = tmp_path / "fallback"
    played = run_command(
        *("run", EXAMPLE, "--event", REPOSITORY / "examples/hello/event.json"),
        *("--invocations", "3", "--endpoint", "http://127.0.0.1:9"),
        *("--env", f"LOGGER_EXTENSION_FALLBACK={folder}"),
        *("--env", "AWS_REGION=eu-west-1"),
    )
    assert played.returncode == 0, played.stderr
    done = run_command("cost", "by", "function,memory,cold", folder, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)["rows"]
    assert sum(row["invocations"] for row in rows) == 3
    assert {row["memory_size_mb"] for row in rows} == {128}
    assert {row["is_cold_start"] for row in rows} == {True, False}
    assert sum(row["priced"] for row in rows) >= 2
