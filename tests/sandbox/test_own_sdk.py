"""The function's own OpenTelemetry SDK sends to the extension, and its spans join the trace."""

import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import isclose
from pathlib import Path

import pytest

from deploy.stage import REPOSITORY
from otlp_viewer.rows import SpanRow
from tests.support.node_sdk import FUNCTION, RUNTIME, find_node, install_node_sdk
from tests.support.whole import Whole, run_whole

PYTHON_FUNCTION = REPOSITORY / "tests" / "support" / "python_function.py"

HANDLER = """
import python_function

def handler(event, context):
    python_function.work()
    python_function.flush()
"""
TRACE_ID = "5f35ae120c0fec141ab77a00bc047aa2"
TRACE_HEADER = f"Root=1-{TRACE_ID[:8]}-{TRACE_ID[8:]};Parent=2be948a625588e32;Sampled=1"


def _receiver_at(port: int) -> dict[str, str]:
    """Return the settings of a receiver on free ports."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        grpc_port = sock.getsockname()[1]
    return {
        "LOGGER_EXTENSION_OTLP_RECEIVER": "on",
        "LOGGER_EXTENSION_OTLP_PORT": str(port),
        "LOGGER_EXTENSION_OTLP_GRPC_PORT": str(grpc_port),
    }


@asynccontextmanager
async def _run_python(
    folder: Path, port: int, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Whole]:
    """Run a Python function whose SDK sends to the extension; only it sees that endpoint."""
    aimed = (
        "import os\n"
        f"os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'] = 'http://127.0.0.1:{port}'\n"
        f"import sys; sys.path.append({str(PYTHON_FUNCTION.parent)!r})\n"
    )
    ours = _receiver_at(port) | dict(environ or {})
    async with run_whole(folder, handler=aimed + HANDLER, environ=ours) as whole:
        yield whole


def _spans(whole: Whole) -> dict[str, SpanRow]:
    return {span.name: span for span in whole.collector.store.spans}


def _check_joined(whole: Whole, request_id: str) -> None:
    """All of the SDK's signals are there, below the invocation's span, about this function."""
    (ours,) = (
        span
        for span in whole.collector.store.spans
        if span.attributes.get("faas.invocation_id") == request_id and span.kind == 2
    )
    spans = _spans(whole)
    server, client = spans["GET /cart"], spans["SELECT"]
    assert (server.trace_id, server.parent_span_id) == (ours.trace_id, ours.span_id)
    assert (client.trace_id, client.parent_span_id) == (ours.trace_id, server.span_id)
    assert ours.start_unix_nano - 1_000_000 <= server.start_unix_nano
    (record,) = (row for row in whole.collector.store.logs if row.scope == "function")
    assert (record.trace_id, record.span_id) == (ours.trace_id, client.span_id)
    for row in (server, client, record):
        assert row.resource["service.name"] == "sandbox-function"
        assert row.resource["faas.name"] == "sandbox-function"
        assert row.resource["cloud.account.id"] == "123456789012"
        assert "telemetry.sdk.language" in row.resource
    assert "carts" in {row.name for row in whole.collector.store.metrics}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("header", [None, TRACE_HEADER])
async def test_python(tmp_path: Path, unused_port: int, header: str | None) -> None:
    """With and without the X-Ray header: one trace, delivered when the invocation is."""
    async with _run_python(tmp_path, unused_port) as whole:
        result = await whole.sandbox.invoke(trace_header=header)
        assert result.status == "success", result.payload
        await whole.sandbox.wait_idle()
        _check_joined(whole, result.request_id)
        if header:
            assert _spans(whole)["GET /cart"].trace_id == TRACE_ID


@pytest.mark.timeout(60)
async def test_after_a_freeze(tmp_path: Path, unused_port: int) -> None:
    """The SDK's connection lives through the freeze: nothing is lost on waking up."""
    async with _run_python(tmp_path, unused_port) as whole:
        for _ in range(3):
            await whole.sandbox.invoke()
            await whole.sandbox.wait_idle()
        names = [span.name for span in whole.collector.store.spans]
        assert names.count("GET /cart") == 3
        server_spans = whole.collector.store.spans
        joined = {span.trace_id for span in server_spans if span.name == "GET /cart"}
        assert len(joined) == 3


@pytest.mark.timeout(60)
async def test_a_port_in_use_harms_nobody(tmp_path: Path, unused_port: int) -> None:
    """One line says that there is no receiver; the function runs, and our own telemetry goes on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", unused_port))
        taken.listen()
        environ = _receiver_at(unused_port)
        async with run_whole(tmp_path, environ=environ) as whole:
            result = await whole.sandbox.invoke()
            await whole.sandbox.wait_idle()
            assert result.status == "success"
            assert result.request_id in whole.server_spans()
            told = [line for line in whole.stderr if f"port {unused_port} " in line]
            assert len(told) == 1


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
async def test_node(tmp_path: Path, unused_port: int, protocol: str) -> None:
    """A function in Node on a runtime of its own, with the SDK from npm."""
    folder = tmp_path / "bootstrap"
    folder.mkdir()
    shutil.copy(RUNTIME, folder / "bootstrap.js")
    node = {
        "NODE_PATH": str(install_node_sdk()),
        "FUNCTION_JS": str(FUNCTION),
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{unused_port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
    }
    settings = [f"{name}={value}" for name, value in node.items()]
    command = ["/usr/bin/env", *settings, find_node(), str(folder / "bootstrap.js")]
    environ = _receiver_at(unused_port)
    async with run_whole(tmp_path, environ=environ, scenario={"runtime": command}) as whole:
        result = await whole.sandbox.invoke()
        assert result.status == "success", result.payload
        await whole.sandbox.wait_idle()
        _check_joined(whole, result.request_id)


@pytest.mark.timeout(60)
async def test_cost_per_feature_from_spans(tmp_path: Path, unused_port: int) -> None:
    """The function's own spans name what it worked for; the shares add up to the cost."""
    environ = {"LOGGER_EXTENSION_FEATURE_ATTRIBUTE": "name"}
    async with _run_python(tmp_path, unused_port, environ) as whole:
        await whole.sandbox.invoke()
        await whole.sandbox.invoke()
        await whole.sandbox.shutdown()
        usd: dict[str, float] = {}
        for row in whole.collector.store.metrics:
            if isinstance(row.value, int | float):
                name = str(row.attributes.get("feature", row.name))
                usd[name] = usd.get(name, 0.0) + row.value
        features = {"GET /cart", "SELECT", "(unattributed)"}
        assert features <= set(usd)
        assert isclose(sum(usd[name] for name in features), usd["aws.lambda.cost"], abs_tol=1e-11)
