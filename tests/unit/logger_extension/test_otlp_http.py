"""One POST, one outcome: the exporter against real servers, good and broken ones."""

import asyncio
import gc
import gzip
import socket
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)

from logger_extension import __version__
from logger_extension.exporters.otlp_http import HttpExporter
from logger_extension.policy.outcome import (
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    Delivered,
    Outcome,
    Refused,
    TooLarge,
    Undelivered,
)
from otlp_viewer.otlp_json import parse_json
from tests.support.certificates import HAS_OPENSSL, Certificates, make_certificates
from tests.support.export_targets import make_request, make_target
from tests.support.http_collector import HttpCollector
from tests.support.raw_server import Behaviour, RawServer, respond

needs_openssl = pytest.mark.skipif(not HAS_OPENSSL, reason="the openssl command is not here")

BODY = b"an ExportLogsServiceRequest" * 100


def _exporter(port: int, **fields: Any) -> HttpExporter:
    return HttpExporter(make_target(**{"url": f"http://127.0.0.1:{port}/v1/logs"} | fields))


async def _export_to(collector: HttpCollector) -> Outcome:
    async with collector.running(), _exporter(collector.port) as exporter:
        return await exporter.export(BODY)


@pytest.mark.parametrize("compression", ["none", "gzip"])
async def test_a_request_is_what_otlp_asks_for(compression: str) -> None:
    """Path, content type, encoding, user agent, the user's headers, and the whole body."""
    collector = HttpCollector()
    async with (
        collector.running(),
        _exporter(
            collector.port,
            headers={"authorization": "Basic dXNlcg==", "content-encoding": "br", "x-a": "1"},
            compression=compression,
        ) as exporter,
    ):
        assert await exporter.export(BODY) == Delivered()
    ((path, headers, body),) = collector.requests
    assert path == "/v1/logs"
    assert body == BODY
    assert headers["content-type"] == "application/x-protobuf"
    assert headers.get("content-encoding") == ("gzip" if compression == "gzip" else None)
    assert headers["authorization"] == "Basic dXNlcg=="
    assert headers["user-agent"] == (
        f"logger-extension/{__version__} OTel-OTLP-Exporter-Python/{__version__}"
    )
    if compression == "gzip":
        assert int(headers["content-length"]) < len(BODY)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("signal", ["logs", "traces", "metrics"])
async def test_a_request_in_json(signal: str, compression: str) -> None:
    """The viewer, which shares no code with us, reads the same message."""
    request = make_request(signal, "sent as JSON")
    collector = HttpCollector(body=b'{"partialSuccess": {"rejectedSpans": "2"}}')
    collector.headers["content-type"] = "application/json"
    fields = {"protocol": "http/json", "signal": signal, "compression": compression}
    async with collector.running(), _exporter(collector.port, **fields) as exporter:
        assert await exporter.export(request.SerializeToString()) == Delivered(2)
    ((_, headers, body),) = collector.requests
    assert headers["content-type"] == "application/json"
    assert headers.get("content-encoding") == ("gzip" if compression == "gzip" else None)
    parsed = type(request)()
    parse_json(body, parsed)
    assert parsed == request


async def test_a_body_that_cannot_be_turned_into_json_is_refused() -> None:
    """It is no request of OTLP; no collector would take it either."""
    async with _exporter(1, protocol="http/json") as exporter:
        assert isinstance(await exporter.export(b"\xff\xff"), Refused)


@pytest.mark.parametrize("name", ["content-length", "transfer-encoding"])
async def test_headers_cannot_break_a_request(name: str) -> None:
    """Where a request ends is not the user's to say."""
    collector = HttpCollector()
    async with (
        collector.running(),
        _exporter(collector.port, headers={name: "3", "content-type": "text/plain"}) as exporter,
    ):
        assert await exporter.export(BODY) == Delivered()
    ((_, headers, body),) = collector.requests
    assert body == BODY
    assert headers["content-type"] == "application/x-protobuf"


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/in?sig=a%2Bb%3D%2F&x=%7E", "/in?sig=a%2Bb%3D%2F&x=%7E"),
        ("/a%7Eb/%2F/", "/a%7Eb/%2F/"),
        ("/ü", "/%C3%BC"),
    ],
)
async def test_an_endpoint_is_used_as_it_is(path: str, sent: str) -> None:
    """Signatures in a query survive; only what cannot be sent is quoted."""
    collector = HttpCollector()
    async with collector.running():
        url = f"http://127.0.0.1:{collector.port}{path}"
        async with HttpExporter(make_target(url=url)) as exporter:
            assert await exporter.export(BODY) == Delivered()
    assert [path for path, _, _ in collector.requests] == [sent]


async def test_a_request_over_the_limit_is_not_sent() -> None:
    """The specification's 64 MiB, before compression."""
    async with _exporter(1, compression="gzip") as exporter:
        assert isinstance(await exporter.export(bytes(MAX_REQUEST_BYTES + 1)), Refused)


async def test_a_large_body_goes_out_whole() -> None:
    """A batch of the largest lines, uncompressed."""
    collector = HttpCollector()
    body = bytes(range(256)) * 4096 * 8
    async with collector.running(), _exporter(collector.port) as exporter:
        assert await exporter.export(body) == Delivered()
    assert collector.requests[0][2] == body


async def test_the_connection_is_kept() -> None:
    """Exports share one connection."""
    server = RawServer(_serve)
    async with server, _exporter(server.port) as exporter:
        for _ in range(3):
            assert await exporter.export(BODY) == Delivered()
    assert server.connections == 1
    assert [body for _, body in server.requests] == [BODY] * 3


async def test_a_partial_success_is_read() -> None:
    """The 200 has a body, and it counts."""
    partial = ExportLogsPartialSuccess(rejected_log_records=3, error_message="too old")
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    assert await _export_to(HttpCollector(body=body)) == Delivered(3, "too old")


async def test_a_compressed_answer_is_read() -> None:
    """Collectors may compress their answers."""
    partial = ExportLogsPartialSuccess(rejected_log_records=3)
    body = gzip.compress(ExportLogsServiceResponse(partial_success=partial).SerializeToString())
    collector = HttpCollector(body=body, headers={"Content-Encoding": "gzip"})
    assert await _export_to(collector) == Delivered(3)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(503, Undelivered("HTTP 503")), (500, Refused("HTTP 500")), (413, TooLarge("HTTP 413"))],
)
async def test_a_status_is_what_the_specification_says(status: int, expected: Outcome) -> None:
    """Kept or dropped; not tried again here."""
    collector = HttpCollector(status=status)
    assert await _export_to(collector) == expected
    assert len(collector.requests) == 1


async def test_the_pause_that_is_asked_for_is_told() -> None:
    """Retry-After, in seconds or as a date."""
    collector = HttpCollector(status=429, headers={"Retry-After": "30"})
    assert await _export_to(collector) == Undelivered("HTTP 429", 30_000)
    collector.headers["Retry-After"] = "Fri, 31 Dec 9999 23:59:59 GMT"
    outcome = await _export_to(collector)
    assert isinstance(outcome, Undelivered)
    assert outcome.retry_after_ms is not None
    assert outcome.retry_after_ms > 10**12


async def test_a_redirect_is_not_followed() -> None:
    """OTLP has none, and credentials must not travel to another host."""
    collector = HttpCollector(status=307, headers={"Location": "/elsewhere"})
    outcome = await _export_to(collector)
    assert isinstance(outcome, Refused)
    assert "/elsewhere" in outcome.reason
    assert [path for path, _, _ in collector.requests] == ["/v1/logs"]


async def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    """The specification asks for a bound; the data counts as refused."""
    outcome = await _export_to(HttpCollector(body=b"x" * (MAX_ANSWER_BYTES + 1)))
    assert isinstance(outcome, Refused)
    assert "4 MiB" in outcome.reason


async def test_a_long_answer_that_inflates_is_bounded_too() -> None:
    """The bound counts what comes out of the compression."""
    body = gzip.compress(b"\0" * (4 * MAX_ANSWER_BYTES))
    outcome = await _export_to(HttpCollector(body=body, headers={"Content-Encoding": "gzip"}))
    assert isinstance(outcome, Refused)


async def test_an_answer_that_cannot_be_inflated_keeps_the_data() -> None:
    """There is no telling what it says."""
    collector = HttpCollector(body=b"not gzip", headers={"Content-Encoding": "gzip"})
    assert isinstance(await _export_to(collector), Undelivered)


async def test_nobody_listening_keeps_the_data() -> None:
    """And is not tried again at once."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with _exporter(reserved.getsockname()[1]) as exporter:
            outcome = await exporter.export(BODY)
    assert isinstance(outcome, Undelivered)
    assert outcome.reason


async def test_what_was_not_sent_is_not_kept_until_garbage_is_collected() -> None:
    """A collector that is away for hours leaves no requests behind."""
    body = b"an ExportLogsServiceRequest" * 100
    held = sys.getrefcount(body)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        async with _exporter(deaf.getsockname()[1], compression="none") as exporter:
            gc.disable()
            try:
                assert isinstance(await exporter.export(body), Undelivered)
                assert sys.getrefcount(body) == held
            finally:
                gc.enable()


async def test_a_name_that_does_not_exist_keeps_the_data() -> None:
    """The name service may be back the next time."""
    async with HttpExporter(make_target(url="http://collector.invalid/")) as exporter:
        assert isinstance(await exporter.export(BODY), Undelivered)


@pytest.mark.parametrize(
    "url", ["http://", "http://a b/", "http://[::1/", "gopher://x/", "http://u:hunter2@h:port/"]
)
async def test_a_url_that_cannot_be_used_is_an_outcome_too(url: str) -> None:
    """Whatever got past the configuration."""
    async with HttpExporter(make_target(url=url)) as exporter:
        outcome = await exporter.export(BODY)
    assert not isinstance(outcome, Delivered)
    assert "hunter2" not in outcome.reason


async def test_an_exporter_that_is_not_open_keeps_the_data() -> None:
    """Nothing is lost by a wrong order, before or after."""
    exporter = _exporter(1)
    assert isinstance(await exporter.export(BODY), Undelivered)
    async with exporter:
        pass
    assert isinstance(await exporter.export(BODY), Undelivered)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a private world of certificates."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def _over_tls(
    certificates: Certificates, *, asks_client: bool, **names: str
) -> AsyncIterator[tuple[HttpCollector, HttpExporter]]:
    """Run a collector with TLS and an exporter with the files that are named."""
    collector = HttpCollector(tls=certificates.make_server_context(asks_client=asks_client))
    files = {f"{field}_file": certificates.file(name) for field, name in names.items()}
    async with collector.running():
        url = f"https://127.0.0.1:{collector.port}/v1/logs"
        async with HttpExporter(make_target(url=url, insecure=False, **files)) as exporter:
            yield collector, exporter


@needs_openssl
async def test_tls_with_an_authority_of_ones_own(certificates: Certificates) -> None:
    """OTEL_EXPORTER_OTLP_CERTIFICATE."""
    own = _over_tls(certificates, asks_client=False, ca="authority.pem")
    async with own as (collector, exporter):
        assert await exporter.export(BODY) == Delivered()
    assert [body for _, _, body in collector.requests] == [BODY]


@needs_openssl
@pytest.mark.parametrize("names", [{}, {"ca": "client.pem"}], ids=["the system's", "another's"])
async def test_a_server_that_is_not_trusted_gets_nothing(
    certificates: Certificates, names: dict[str, str]
) -> None:
    """The data is kept: a certificate may be mended."""
    async with _over_tls(certificates, asks_client=False, **names) as (collector, exporter):
        outcome = await exporter.export(BODY)
    assert isinstance(outcome, Undelivered)
    assert "certificate" in outcome.reason.lower()
    assert collector.requests == []


@needs_openssl
async def test_tls_with_a_clients_certificate(certificates: Certificates) -> None:
    """OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and …_CLIENT_KEY."""
    known = _over_tls(
        certificates,
        asks_client=True,
        ca="authority.pem",
        client_certificate="client.pem",
        client_key="client.key",
    )
    async with known as (collector, exporter):
        assert await exporter.export(BODY) == Delivered()
    assert [body for _, _, body in collector.requests] == [BODY]


@needs_openssl
async def test_a_client_without_its_certificate_keeps_its_data(certificates: Certificates) -> None:
    """The server ends the connection; why is told as well as TLS tells it."""
    unknown = _over_tls(certificates, asks_client=True, ca="authority.pem")
    async with unknown as (collector, exporter):
        outcome = await exporter.export(BODY)
    assert isinstance(outcome, Undelivered)
    assert outcome.reason
    assert collector.requests == []


async def _serve(
    server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer every request with success."""
    while True:
        await server.read_request(reader)
        writer.write(respond(b""))
        await writer.drain()


async def test_a_connection_made_ahead_serves_the_first_request() -> None:
    """Nobody waits for name server, handshake and TLS then."""
    server = RawServer(_serve)
    async with server, _exporter(server.port) as exporter:
        assert await exporter.connect()
        assert server.requests == []
        assert await exporter.export(BODY) == Delivered()
    assert server.connections == 1


async def test_connecting_ahead_may_fail() -> None:
    """The first request will say why: nobody listens, there is no such name, or it is closed."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with _exporter(reserved.getsockname()[1]) as exporter:
            assert not await exporter.connect()
    for url in ("http://collector.invalid/", "http://[::1/"):
        async with HttpExporter(make_target(url=url)) as exporter:
            assert not await exporter.connect()
    assert not await exporter.connect()


async def test_behind_a_proxy_nothing_is_connected_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be a connection to the wrong host; requests go through the proxy."""
    proxy = HttpCollector()
    async with proxy.running():
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        async with HttpExporter(make_target(url="http://collector.invalid/v1/logs")) as exporter:
            assert not await exporter.connect()
            assert await exporter.export(BODY) == Delivered()
    ((path, _, body),) = proxy.requests
    assert path == "http://collector.invalid/v1/logs"
    assert body == BODY


@pytest.mark.parametrize("aside", [False, True])
async def test_large_bodies_are_compressed_beside_the_loop_where_that_helps(
    monkeypatch: pytest.MonkeyPatch, *, aside: bool
) -> None:
    """In a thread where there is CPU to spare; what is sent is the same, small bodies stay."""
    threads: list[bool] = []
    compress = gzip.compress

    def note(*args: Any, **options: Any) -> bytes:
        threads.append(threading.current_thread() is not threading.main_thread())
        return compress(*args, **options)

    monkeypatch.setattr(gzip, "compress", note)
    large = BODY * 10
    collector = HttpCollector()
    target = {"url": "", "compression": "gzip"}
    async with collector.running():
        target["url"] = f"http://127.0.0.1:{collector.port}/"
        async with HttpExporter(make_target(**target), compresses_aside=aside) as exporter:
            assert await exporter.export(large) == Delivered()
            assert await exporter.export(BODY) == Delivered()
    assert [body for _, _, body in collector.requests] == [large, BODY]
    assert threads == [aside, False]


async def test_a_cancelled_export_leaves_the_exporter_usable() -> None:
    """The flush was cut; the next one works, on a new connection."""
    asked = asyncio.Event()

    async def hang(
        server: RawServer, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        asked.set()
        await reader.read()

    server = RawServer(hang, _serve)
    async with server, _exporter(server.port) as exporter:
        export = asyncio.create_task(exporter.export(BODY))
        await asked.wait()
        export.cancel()
        with pytest.raises(asyncio.CancelledError):
            await export
        assert await exporter.export(BODY) == Delivered()
    assert server.connections == 2


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the client gets a reset."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


def _stale(*, reset: bool) -> Behaviour:
    """Answer one request; die at the second, as a connection does that was cut while frozen."""

    async def behave(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        writer.write(respond(b""))
        await writer.drain()
        await reader.readexactly(1)
        if reset:
            _reset(writer)

    return behave


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_connection_that_died_meanwhile_is_replaced_at_once(*, reset: bool) -> None:
    """The second export meets a dead connection and is made again on a new one, whole."""
    server = RawServer(
        _stale(reset=reset),
        _serve,
    )
    async with server, _exporter(server.port) as exporter:
        assert await exporter.export(b"first") == Delivered()
        assert await exporter.export(BODY) == Delivered()
    assert [body for _, body in server.requests] == [b"first", BODY]
    assert server.connections == 2


async def test_a_collector_that_always_closes_is_tried_twice() -> None:
    """Once more and no further; the data is kept."""

    async def close(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        writer.close()

    server = RawServer(close)
    async with server, _exporter(server.port) as exporter:
        assert isinstance(await exporter.export(BODY), Undelivered)
    assert server.connections == 2


async def test_a_reset_in_the_middle_of_the_request_keeps_the_data() -> None:
    """Whatever the collector has seen of it, it has not answered."""

    async def reset(
        _server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readexactly(100)
        _reset(writer)

    server = RawServer(reset)
    async with server, _exporter(server.port) as exporter:
        outcome = await exporter.export(b"x" * 8 * 1024 * 1024)
    assert isinstance(outcome, Undelivered)


async def test_a_reset_in_the_middle_of_the_answer_keeps_the_data() -> None:
    """A status without its body is no answer."""

    async def reset(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    server = RawServer(reset)
    async with server, _exporter(server.port) as exporter:
        assert isinstance(await exporter.export(BODY), Undelivered)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"\0" * 100,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=lambda answer: repr(answer[:24]),
)
async def test_an_answer_that_is_no_http_keeps_the_data(answer: bytes) -> None:
    """Something else listens there, or something stands between."""

    async def babble(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        writer.write(answer)
        await writer.drain()

    async with RawServer(babble) as server:
        url = f"http://user:hunter2@127.0.0.1:{server.port}/v1/logs?key=hunter2"
        async with HttpExporter(make_target(url=url)) as exporter:
            outcome = await exporter.export(BODY)
    assert isinstance(outcome, Undelivered)
    assert "hunter2" not in outcome.reason
    assert len(outcome.reason) <= 200


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests"])
async def test_a_long_answer_to_a_retryable_status_keeps_the_data(status: str) -> None:
    """The status says that it may be taken later, however long the words beside it."""

    async def ramble(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        writer.write(respond(b"x" * (MAX_ANSWER_BYTES + 1), status))
        await writer.drain()

    server = RawServer(ramble)
    async with server, _exporter(server.port) as exporter:
        assert isinstance(await exporter.export(BODY), Undelivered)
