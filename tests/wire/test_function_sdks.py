"""The SDKs for Python and for Node, each in a process of its own, send to our receiver."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.receivers.otlp import OtlpReceiver
from logger_extension.settings.receiver import ReceiverSettings
from logger_extension.signals.forwarding import Forwarding
from logger_extension.signals.requests import SIGNALS, items_of, parse
from tests.support.node_sdk import FUNCTION, find_node, install_node_sdk
from tests.support.receiving import Sink

PYTHON_FUNCTION = Path(__file__).parent.parent / "support" / "python_function.py"
MAX_BODY_BYTES = 4 * 1024 * 1024
SERVER, CLIENT = 2, 3
ALL_ON = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_RESOURCE_ATTRIBUTES": "team=payments",
}


@pytest.fixture
def sink() -> Sink:
    """Return where requests go."""
    return Sink()


@pytest.fixture
async def endpoint(unused_port: int, sink: Sink) -> AsyncIterator[str]:
    """Give the address of an open receiver; close it at the end."""
    receiver = OtlpReceiver(unused_port, MAX_BODY_BYTES, sink.intake)
    await receiver.open()
    yield f"http://127.0.0.1:{unused_port}"
    await receiver.close()


@pytest.fixture
async def grpc_endpoint(unused_port: int, sink: Sink) -> AsyncIterator[str]:
    """Give the address of an open gRPC receiver; close it at the end."""
    if find_spec("grpc") is None:
        pytest.skip("the grpc extra is not installed")
    from logger_extension.receivers.otlp_grpc import OtlpGrpcReceiver  # noqa: PLC0415  (see above)

    receiver = OtlpGrpcReceiver(unused_port, MAX_BODY_BYTES, sink.intake)
    await receiver.open()
    yield f"http://127.0.0.1:{unused_port}"
    await receiver.close()


async def _run(command: Sequence[str], environ: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={"PATH": os.environ["PATH"]} | ALL_ON | dict(environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert (process.returncode, output.decode()) == (0, "")


def _items(sink: Sink, signal: str) -> list[Any]:
    requests = [parse(kind, body) for kind, body in sink.taken if kind == signal]
    return [item for request in requests for item in items_of(signal, request)]


def _check(sink: Sink, greeting: str) -> None:
    """All three signals are there, whole."""
    spans = {span.name: span for span in _items(sink, "traces")}
    server, client = spans["GET /cart"], spans["SELECT"]
    assert (server.kind, client.kind) == (SERVER, CLIENT)
    assert (len(server.trace_id), len(server.span_id), server.parent_span_id) == (16, 8, b"")
    assert (client.trace_id, client.parent_span_id) == (server.trace_id, server.span_id)
    assert server.start_time_unix_nano <= client.start_time_unix_nano
    assert client.end_time_unix_nano <= server.end_time_unix_nano
    attributes = {pair.key: pair.value for pair in server.attributes}
    assert attributes["http.route"].string_value == "/cart"
    assert attributes["retries"].int_value == 2
    (record,) = _items(sink, "logs")
    assert record.body.string_value == greeting
    assert (record.trace_id, record.span_id) == (server.trace_id, client.span_id)
    counters = [metric for metric in _items(sink, "metrics") if metric.name == "carts"]
    points = [point for metric in counters for point in metric.sum.data_points]
    assert sum(point.as_int + point.as_double for point in points) == 1  # Node counts in doubles
    assert sink.refused == {}


@pytest.mark.parametrize("compression", ["gzip", "none"])
async def test_python(endpoint: str, sink: Sink, compression: str) -> None:
    """OTLP/HTTP with protobuf, the SDK's default."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
    }
    await _run([sys.executable, str(PYTHON_FUNCTION)], environ)
    _check(sink, "hello from python")


async def test_python_is_not_held_up_when_there_is_no_room(endpoint: str, sink: Sink) -> None:
    """The SDK takes the partial success for an answer: it ends, and says each signal once."""
    sink.has_room = False
    await _run([sys.executable, str(PYTHON_FUNCTION)], {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    assert sink.refused["traces.receiver_full"] == 2
    assert sink.refused["logs.receiver_full"] == 1


@pytest.mark.slow
@pytest.mark.timeout(150)
class TestNode:
    """`@opentelemetry/sdk-node`, installed by npm before the first of these tests."""

    @pytest.mark.parametrize("compression", ["gzip", "none"])
    @pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
    async def test_http(self, endpoint: str, sink: Sink, protocol: str, compression: str) -> None:
        """Both encodings of OTLP/HTTP, packed and plain."""
        await self._run(endpoint, protocol, compression)
        _check(sink, "hello from node")

    @pytest.mark.parametrize("compression", ["gzip", "none"])
    async def test_grpc(self, grpc_endpoint: str, sink: Sink, compression: str) -> None:
        """OTLP/gRPC, packed and plain."""
        await self._run(grpc_endpoint, "grpc", compression)
        _check(sink, "hello from node")

    async def test_its_trace_joins_the_invocations(self, endpoint: str, sink: Sink) -> None:
        """What the SDK sent goes out under the invocation's span, with the function's resource."""
        await self._run(endpoint, "http/json", "none")
        server = next(span for span in _items(sink, "traces") if span.kind == SERVER)
        invocation = Invocation(
            "r", derive_context("r", ""), start_unix_nano=server.start_time_unix_nano
        )
        forwarding = Forwarding(ReceiverSettings(), {"service.name": "shop", "faas.name": "f"})
        joined = Sink()
        for signal in ("traces", "logs", "metrics"):
            bodies = [body for kind, body in sink.taken if kind == signal]
            forwarded = forwarding.forward(signal, bodies, [invocation]).bodies
            joined.taken += [(signal, body) for body in forwarded]
        for item in (*_items(joined, "traces"), *_items(joined, "logs")):
            assert item.trace_id == invocation.context.trace_id
        (top,) = (span for span in _items(joined, "traces") if span.kind == SERVER)
        assert top.parent_span_id == invocation.context.span_id
        for signal, body in joined.taken:
            for entry in getattr(parse(signal, body), SIGNALS[signal].entries):
                resource = {p.key: p.value.string_value for p in entry.resource.attributes}
                assert resource["service.name"] == "shop"
                assert resource["faas.name"] == "f"
                assert resource["team"] == "payments"
                assert resource["telemetry.sdk.language"] == "nodejs"

    async def _run(self, endpoint: str, protocol: str, compression: str) -> None:
        environ = {
            "NODE_PATH": str(install_node_sdk()),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        }
        await _run([find_node(), str(FUNCTION)], environ)
