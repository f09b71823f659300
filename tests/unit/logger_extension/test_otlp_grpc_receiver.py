"""The gRPC receiver, spoken to by a real gRPC client; where the extra is installed."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from logger_extension.signals.requests import SIGNALS
from tests.support.function_requests import make_request
from tests.support.raw_client import connect
from tests.support.receiving import Sink

grpc = pytest.importorskip("grpc", reason="the grpc extra is not installed")
receivers = pytest.importorskip("logger_extension.receivers.otlp_grpc")

MAX_BODY_BYTES = 100_000


@pytest.fixture
def sink() -> Sink:
    """Return where requests go."""
    return Sink()


@pytest.fixture
async def channel(unused_port: int, sink: Sink) -> AsyncIterator[Any]:
    """Give a client's channel to an open receiver; close both at the end."""
    receiver = receivers.OtlpGrpcReceiver(unused_port, MAX_BODY_BYTES, sink.intake)
    await receiver.open()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{unused_port}") as channel:
        yield channel
    await receiver.close()


async def _export(channel: Any, signal: str, body: bytes, **options: Any) -> bytes:
    call = channel.unary_unary(f"/{receivers.SERVICES[signal]}/Export")
    answer: bytes = await call(body, **options)
    return answer


@pytest.mark.parametrize("signal", SIGNALS)
async def test_each_signal_is_taken(channel: Any, sink: Sink, signal: str) -> None:
    """The bytes are handed on as they came, unpacked."""
    body = make_request(signal)
    assert await _export(channel, signal, body) == b""
    assert await _export(channel, signal, body, compression=grpc.Compression.Gzip) == b""
    assert sink.taken == [(signal, body)] * 2


async def test_full(channel: Any, sink: Sink) -> None:
    """Without room the answer is OK with all records rejected."""
    sink.has_room = False
    answer = await _export(channel, "logs", make_request("logs"))
    partial = ExportLogsServiceResponse.FromString(answer).partial_success
    assert partial.rejected_log_records == 1
    assert sink.refused == {"logs.receiver_full": 1}


async def test_a_bad_request(channel: Any, sink: Sink) -> None:
    """INVALID_ARGUMENT, counted; the next one is served."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await _export(channel, "logs", b"\xff\xff")
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert sink.refused == {"logs.bad_request": 1}
    assert await _export(channel, "logs", make_request("logs")) == b""


async def test_too_large(channel: Any, sink: Sink) -> None:
    """RESOURCE_EXHAUSTED, as the specification asks."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await _export(channel, "logs", bytes(MAX_BODY_BYTES + 1))
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert sink.taken == []


async def test_a_port_in_use_is_told_once(unused_port: int, sink: Sink) -> None:
    """One complaint that names port and setting, and no receiver; closing it is no error."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", unused_port))
        taken.listen()
        receiver = receivers.OtlpGrpcReceiver(unused_port, MAX_BODY_BYTES, sink.intake)
        await receiver.open()
        await receiver.close()
    ((message, reason),) = sink.complaints
    assert f"port {unused_port}" in message
    assert "LOGGER_EXTENSION_OTLP_GRPC_PORT" in message
    assert reason


async def test_connections_are_bounded(unused_port: int, sink: Sink) -> None:
    """One too many is closed at once; when another leaves there is room again."""
    receiver = receivers.OtlpGrpcReceiver(unused_port, MAX_BODY_BYTES, sink.intake)
    await receiver.open()
    async with AsyncExitStack() as stack:
        for _ in range(receivers.MAX_CONNECTIONS):
            client = await stack.enter_async_context(connect(unused_port))
            assert await client.reader.read(1)  # the server's settings: it is let in
        async with connect(unused_port) as client:
            assert await client.wait_end() == b""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{unused_port}") as channel:
        assert await _export(channel, "logs", make_request("logs"), wait_for_ready=True) == b""
    await receiver.close()


@pytest.mark.parametrize(
    "garbage",
    [b"POST /v1/logs HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"\xff" * 1_000],
    ids=["http1", "tls", "ones"],
)
async def test_bytes_that_are_no_grpc(channel: Any, unused_port: int, garbage: bytes) -> None:
    """They are turned away, and the next request is served."""
    async with connect(unused_port) as client:
        await client.send(garbage)
        await client.wait_end()
    assert await _export(channel, "logs", make_request("logs")) == b""
