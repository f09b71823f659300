"""The receiver of the function's own telemetry, spoken to over real sockets."""

import _socket
import asyncio
import gzip
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import aiohttp
import orjson
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no stubs
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from logger_extension.receivers.otlp import JSON, PROTOBUF, OtlpReceiver
from logger_extension.signals.requests import SIGNALS
from tests.support.function_requests import make_request, make_span, make_traces
from tests.support.receiving import Sink

MAX_BODY_BYTES = 100_000


@dataclass
class Answer:
    """What the receiver answered."""

    status: int
    kind: str
    body: bytes


@dataclass
class Receiving:
    """An open receiver and what it was given."""

    port: int
    sink: Sink = field(default_factory=Sink)

    async def post(self, path: str, body: bytes, *, kind: str = PROTOBUF, **headers: str) -> Answer:
        """Send one request on a connection of its own; header names with `_` for `-`."""
        sent: Mapping[str, str] = {"content-type": kind} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        url = f"http://127.0.0.1:{self.port}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=aiohttp.BytesPayload(body), headers=sent) as response,
        ):
            return Answer(response.status, response.content_type, await response.read())


@pytest.fixture
async def receiving(unused_port: int) -> AsyncIterator[Receiving]:
    """Give an open receiver; close it at the end."""
    receiving = Receiving(unused_port)
    receiver = OtlpReceiver(unused_port, MAX_BODY_BYTES, receiving.sink.intake)
    await receiver.open()
    assert receiving.sink.complaints == []
    yield receiving
    await receiver.close()


@pytest.mark.parametrize("signal", SIGNALS)
async def test_each_signal_is_taken(receiving: Receiving, signal: str) -> None:
    """The bytes are handed on as they came; the answer is full success in the same type."""
    body = make_request(signal)
    assert await receiving.post(f"/v1/{signal}", body) == Answer(200, PROTOBUF, b"")
    assert receiving.sink.taken == [(signal, body)]


async def test_gzip(receiving: Receiving) -> None:
    """What was packed is handed on unpacked, also from several members in a row."""
    one, two = make_request("logs"), make_request("traces")
    await receiving.post("/v1/logs", gzip.compress(one), content_encoding="gzip")
    halves = gzip.compress(two[:20]) + gzip.compress(two[20:])
    await receiving.post("/v1/traces", halves, content_encoding="gzip")
    assert receiving.sink.taken == [("logs", one), ("traces", two)]


async def test_json(receiving: Receiving) -> None:
    """JSON becomes protobuf, its ids are hex, and the answer is JSON."""
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "0af7651916cd43dd"}]}]}]}
    body = orjson.dumps(document)
    answer = await receiving.post("/v1/traces", body, kind="application/json; charset=utf-8")
    assert answer == Answer(200, JSON, b"{}")
    ((signal, taken),) = receiving.sink.taken
    assert signal == "traces"
    assert bytes.fromhex("0af7651916cd43dd") in taken


async def test_an_empty_request_is_a_success(receiving: Receiving) -> None:
    """No spans: nothing to hand on, and nothing wrong."""
    assert (await receiving.post("/v1/traces", b"")).status == 200
    assert (await receiving.post("/v1/traces", b"{}", kind=JSON)).status == 200
    assert receiving.sink.taken == []


async def test_full(receiving: Receiving) -> None:
    """Without room the answer is 200 with all points rejected, so the SDK does not try again."""
    receiving.sink.has_room = False
    answer = await receiving.post("/v1/metrics", make_request("metrics"))
    assert answer.status == 200
    partial = ExportMetricsServiceResponse.FromString(answer.body).partial_success
    assert partial.rejected_data_points == 3
    assert "full" in partial.error_message
    two = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{}, {}]}]}]})
    answer = await receiving.post("/v1/traces", two, kind=JSON)
    assert orjson.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "2"
    assert receiving.sink.refused == {"metrics.receiver_full": 3, "traces.receiver_full": 2}


@pytest.mark.parametrize(
    ("body", "kind", "encoding", "status", "code"),
    [
        (b"\xff\xff", PROTOBUF, "", 400, 3),
        (b"{", JSON, "", 400, 3),
        (b"plain", PROTOBUF, "gzip", 400, 3),
        (gzip.compress(b"torn" * 50)[:-9], PROTOBUF, "gzip", 400, 3),
        (b"", "text/plain", "", 415, 3),
        (b"", PROTOBUF, "zstd", 415, 3),
        (bytes(MAX_BODY_BYTES + 1), PROTOBUF, "", 413, 8),
        (gzip.compress(bytes(MAX_BODY_BYTES + 1)), PROTOBUF, "gzip", 413, 8),
        (gzip.compress(bytes(60_000)) * 2, PROTOBUF, "gzip", 413, 8),
    ],
)
async def test_bad_requests(
    receiving: Receiving, body: bytes, kind: str, encoding: str, status: int, code: int
) -> None:
    """Each is refused with a google.rpc.Status, counted, and the next one is served."""
    headers = {"content_encoding": encoding} if encoding else {}
    answer = await receiving.post("/v1/logs", body, kind=kind, **headers)
    assert (answer.status, answer.kind) == (status, PROTOBUF)
    told = Status.FromString(answer.body)
    assert told.code == code
    assert told.message
    assert receiving.sink.refused.total() == 1
    assert (await receiving.post("/v1/logs", make_request("logs"))).status == 200
    assert len(receiving.sink.taken) == 1


async def test_other_paths_are_not_there(receiving: Receiving) -> None:
    """Three paths, POST only."""
    assert (await receiving.post("/", b"")).status == 404
    assert (await receiving.post("/v1/profiles", b"")).status == 404
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{receiving.port}/v1/traces") as response,
    ):
        assert response.status == 405


async def test_unfinished_requests_are_bounded_together(receiving: Receiving) -> None:
    """Many large uploads at once cannot fill the memory: those beyond the bound are refused."""
    head = (
        b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % MAX_BODY_BYTES
    )
    uploads = []
    for _ in range(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", receiving.port)
        writer.write(head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        uploads.append((reader, writer))
    for _, writer in uploads:
        writer.write(bytes(MAX_BODY_BYTES - 1))
    answers = [asyncio.ensure_future(reader.readline()) for reader, _ in uploads]
    done, waiting = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
    assert [answer.result() for answer in done] == [b"HTTP/1.1 503 Service Unavailable\r\n"]
    for (_, writer), answer in zip(uploads, answers, strict=True):
        if answer in waiting:
            writer.write(b"\0")
    # A field with the number 0 is no protobuf; but all of them have been read.
    assert {await answer for answer in waiting} == {b"HTTP/1.1 400 Bad Request\r\n"}
    for _, writer in uploads:
        writer.close()
        await writer.wait_closed()
    assert (await receiving.post("/v1/logs", make_request("logs"))).status == 200


async def test_a_client_that_goes_away_costs_nothing(
    receiving: Receiving, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a request is forgotten without a word, and the next one is served."""
    for _ in range(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", receiving.port)
        writer.write(
            b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/x-protobuf\r\nContent-Length: 90000\r\n\r\n" + bytes(60_000)
        )
        await writer.drain()
        writer.transport.abort()
        await reader.read()
    assert (await receiving.post("/v1/logs", make_request("logs"))).status == 200
    # asyncio's debug mode tells of a slow machine by WARNING.
    messages = [record.message for record in caplog.records if record.levelno > logging.INFO]
    assert [each for each in messages if not each.startswith("Executing <")] == []


async def test_a_broken_chunk_is_refused(receiving: Receiving) -> None:
    """400, and the next one is served."""
    reader, writer = await asyncio.open_connection("127.0.0.1", receiving.port)
    writer.write(
        b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/x-protobuf\r\n\r\n"
    )
    await writer.drain()
    writer.write(b"2\r\nok\r\nno size\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert (await receiving.post("/v1/logs", make_request("logs"))).status == 200
    assert len(receiving.sink.taken) == 1


async def test_chunked_uploads_are_read(receiving: Receiving) -> None:
    """SDKs that compress while they send tell no length."""
    body = make_request("traces")
    reader, writer = await asyncio.open_connection("127.0.0.1", receiving.port)
    writer.write(
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/x-protobuf\r\n\r\n"
    )
    for byte in body:
        writer.write(b"1\r\n" + bytes([byte]) + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    await writer.wait_closed()
    assert receiving.sink.taken == [("traces", body)]


async def test_a_port_in_use_is_told_once(unused_port: int) -> None:
    """One complaint that names port and setting, and no receiver; closing it is no error."""
    sink = Sink()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", unused_port))
        taken.listen()
        receiver = OtlpReceiver(unused_port, MAX_BODY_BYTES, sink.intake)
        await receiver.open()
        await receiver.close()
    ((message, reason),) = sink.complaints
    assert f"port {unused_port}" in message
    assert "LOGGER_EXTENSION_OTLP_PORT" in message
    assert reason


async def test_a_listener_that_was_bound_before(unused_port: int) -> None:
    """What came while the extension was still starting is served."""
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", unused_port))
    listener.listen()
    receiving = Receiving(unused_port)
    early = asyncio.create_task(receiving.post("/v1/logs", make_request("logs")))
    reader, writer = await asyncio.open_connection("127.0.0.1", unused_port)
    receiver = OtlpReceiver(unused_port, MAX_BODY_BYTES, receiving.sink.intake, listener)
    await receiver.open()
    assert (await early).status == 200
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 404 Not Found\r\n"
    writer.close()
    await writer.wait_closed()
    await receiver.close()
    assert receiving.sink.complaints == []


async def test_it_is_reached_from_this_machine_only(receiving: Receiving) -> None:
    """Another address of the machine is refused."""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", receiving.port)


async def test_requests_joined_together_are_one(receiving: Receiving) -> None:
    """What was taken can be passed on as one request without a look inside."""
    spans = [make_span(bytes([number] * 8)) for number in range(1, 4)]
    for span in spans:
        await receiving.post("/v1/traces", make_traces(span))
    joined = b"".join(body for _, body in receiving.sink.taken)
    request = SIGNALS["traces"].request.FromString(joined)
    found = [s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans]  # type: ignore[attr-defined]
    assert found == spans
