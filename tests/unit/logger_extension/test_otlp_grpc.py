"""One call, one outcome: the exporter against real gRPC servers, good and broken ones."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # no stubs
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no stubs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)

from logger_extension.exporters.otlp_grpc import GrpcExporter
from logger_extension.exporters.otlp_http import USER_AGENT
from logger_extension.policy.outcome import (
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    Delivered,
    Outcome,
    Refused,
    TooLarge,
    Undelivered,
)
from tests.support.certificates import HAS_OPENSSL, Certificates, make_certificates
from tests.support.export_targets import make_target

needs_openssl = pytest.mark.skipif(not HAS_OPENSSL, reason="the openssl command is not here")

BODY = b"an ExportLogsServiceRequest" * 100


@dataclass
class Collector:
    """A collector on gRPC's own server: keeps calls, answers what it is given."""

    body: bytes = b""
    code: Any = None
    words: str = ""
    trailers: tuple[tuple[str, str | bytes], ...] = ()
    credentials: Any = None
    is_hanging: bool = False
    max_bytes: int = -1
    calls: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Serve on a free port, the same one when it is run again."""
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", self.max_bytes)])
        server.add_generic_rpc_handlers((_Handler(self),))
        address = f"127.0.0.1:{self.port}"
        if self.credentials is None:
            self.port = server.add_insecure_port(address)
        else:
            self.port = server.add_secure_port(address, self.credentials)
        await server.start()
        try:
            yield self
        finally:
            await server.stop(None)

    async def answer(self, method: str, body: bytes, context: Any) -> bytes:
        """Answer one call."""
        self.calls.append((method, dict(context.invocation_metadata()), body))
        self.asked.set()
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.code is not None:
            await context.abort(self.code, self.words, self.trailers)
        return self.body


class _Handler(grpc.GenericRpcHandler):
    """Takes every method, in bytes."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler of a call."""
        method = handler_call_details.method

        async def answer(body: bytes, context: Any) -> bytes:
            return await self._collector.answer(method, body, context)

        return grpc.unary_unary_rpc_method_handler(answer)


class Relay:
    """Stands between exporter and collector.

    Attributes:
        port: where it listens.
        connections: how many were made.
        passed_bytes: what went through in both directions.
        cuts_next: whether what the exporter says next meets a dead connection.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._relayed: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.passed_bytes = 0
        self.cuts_next = False

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening, end all connections."""
        assert self._server is not None
        self._server.close()
        for task in self._relayed:
            task.cancel()
        await asyncio.gather(*self._relayed, return_exceptions=True)
        await self._server.wait_closed()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._relayed.add(task)
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, forth))
                group.create_task(self._copy(back, writer))
        except* ConnectionError:
            pass  # one side has gone
        finally:
            forth.transport.abort()
            writer.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if self.cuts_next:
                self.cuts_next = False
                break
            self.passed_bytes += len(data)
            target.write(data)
        raise ConnectionAbortedError


def _exporter(port: int, **fields: Any) -> GrpcExporter:
    return GrpcExporter(make_target(protocol="grpc", url=f"127.0.0.1:{port}", **fields))


async def _export_to(collector: Collector) -> Outcome:
    async with collector.running(), _exporter(collector.port) as exporter:
        return await exporter.export(BODY)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize(
    ("signal", "service"),
    [
        ("logs", "logs.v1.LogsService"),
        ("traces", "trace.v1.TraceService"),
        ("metrics", "metrics.v1.MetricsService"),
    ],
)
async def test_a_call_is_what_otlp_asks_for(signal: str, service: str, compression: str) -> None:
    """Service, method, the user's metadata, user agent, and the whole body."""
    collector = Collector()
    fields = {"signal": signal, "compression": compression, "headers": {"api-key": "a b=c"}}
    async with collector.running(), _exporter(collector.port, **fields) as exporter:
        assert await exporter.export(BODY) == Delivered()
    ((method, metadata, body),) = collector.calls
    assert method == f"/opentelemetry.proto.collector.{service}/Export"
    assert metadata["api-key"] == "a b=c"
    assert metadata["user-agent"].startswith(f"{USER_AGENT} ")
    assert body == BODY


@pytest.mark.parametrize("compression", ["none", "gzip"])
async def test_compression_makes_the_call_smaller(compression: str) -> None:
    """Counted between exporter and collector."""
    async with (
        Collector().running() as collector,
        Relay(collector.port) as relay,
        _exporter(relay.port, compression=compression) as exporter,
    ):
        assert await exporter.export(bytes(1_000_000)) == Delivered()
        assert (relay.passed_bytes < 100_000) == (compression == "gzip")


async def test_a_large_body_goes_out_whole() -> None:
    """A batch of the largest lines: the library's own limit is for answers."""
    collector = Collector()
    body = bytes(range(256)) * 4096 * 8
    async with collector.running(), _exporter(collector.port) as exporter:
        assert await exporter.export(body) == Delivered()
    assert collector.calls[0][2] == body


async def test_a_request_over_the_limit_is_not_sent() -> None:
    """The specification's 64 MiB, before compression."""
    async with _exporter(1) as exporter:
        assert isinstance(await exporter.export(bytes(MAX_REQUEST_BYTES + 1)), Refused)


async def test_a_partial_success_is_read() -> None:
    """OK has a message, and it counts: those records are not sent again."""
    partial = ExportLogsPartialSuccess(rejected_log_records=3, error_message="too old")
    body = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    collector = Collector(body=body)
    assert await _export_to(collector) == Delivered(3, "too old")
    assert len(collector.calls) == 1


async def test_a_request_above_the_collectors_limit_is_too_large() -> None:
    """In smaller ones the data may go."""
    outcome = await _export_to(Collector(max_bytes=len(BODY) - 1))
    assert isinstance(outcome, TooLarge)
    assert await _export_to(Collector(max_bytes=len(BODY))) == Delivered()


async def test_a_connection_made_ahead_serves_the_first_call() -> None:
    """Nobody waits for it then."""
    async with (
        Collector().running() as collector,
        Relay(collector.port) as relay,
        _exporter(relay.port) as exporter,
    ):
        assert await exporter.connect()
        assert collector.calls == []
        assert await exporter.export(BODY) == Delivered()
        assert relay.connections == 1


async def test_an_exporter_that_is_not_open_does_not_connect() -> None:
    """There is nothing to connect."""
    assert not await _exporter(1).connect()


async def test_connecting_ahead_can_be_given_up() -> None:
    """Where nobody listens it would take for ever; the exporter stays usable."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with _exporter(reserved.getsockname()[1]) as exporter:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await exporter.connect()
            assert isinstance(await exporter.export(BODY), Undelivered)


async def test_an_answer_that_is_too_long_is_refused() -> None:
    """The specification asks for a bound."""
    outcome = await _export_to(Collector(body=bytes(MAX_ANSWER_BYTES + 1)))
    assert isinstance(outcome, Refused)


FAILURES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
KEPT = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: str(code.name))
async def test_a_status_is_what_the_specification_says(code: Any) -> None:
    """Kept or dropped, with the collector's words; not tried again here."""
    collector = Collector(code=code, words="no room")
    reason = f"gRPC {code.name}: no room"
    expected = Undelivered(reason) if code in KEPT else Refused(reason)
    assert await _export_to(collector) == expected
    assert len(collector.calls) == 1


RETRY_INFO = RetryInfo(retry_delay=Duration(seconds=2))


def _pack_details() -> bytes:
    status = Status(code=8)
    status.details.add().Pack(RETRY_INFO)
    return bytes(status.SerializeToString())


@pytest.mark.parametrize(
    "trailer",
    [
        ("grpc-status-details-bin", _pack_details()),
        ("google.rpc.retryinfo-bin", RETRY_INFO.SerializeToString()),
    ],
    ids=lambda trailer: trailer[0],
)
@pytest.mark.parametrize("name", ["RESOURCE_EXHAUSTED", "UNAVAILABLE"])
async def test_the_pause_that_is_asked_for_is_told(name: str, trailer: tuple[str, bytes]) -> None:
    """RetryInfo in the trailers, under either name."""
    collector = Collector(code=grpc.StatusCode[name], trailers=(trailer,))
    assert await _export_to(collector) == Undelivered(f"gRPC {name}", 2_000)


async def test_nobody_listening_keeps_the_data() -> None:
    """At once, and without waiting for the library's own backoff."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with _exporter(reserved.getsockname()[1]) as exporter:
            for _ in range(3):
                outcome = await exporter.export(BODY)
                assert isinstance(outcome, Undelivered)
                assert outcome.reason.startswith("gRPC UNAVAILABLE")


@pytest.mark.parametrize("url", ["collector.invalid:4317", "no-scheme://x", "a b"])
async def test_a_name_that_does_not_exist_keeps_the_data(url: str) -> None:
    """The name service may be back the next time."""
    async with GrpcExporter(make_target(protocol="grpc", url=url)) as exporter:
        assert isinstance(await exporter.export(BODY), Undelivered)


async def test_something_that_is_no_grpc_keeps_the_data() -> None:
    """Something else listens there, an HTTP/1.1 server for example."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(babble, "127.0.0.1", 0) as server,
        _exporter(server.sockets[0].getsockname()[1]) as exporter,
    ):
        assert isinstance(await exporter.export(BODY), Undelivered)


async def test_an_exporter_that_is_not_open_keeps_the_data() -> None:
    """Nothing is lost by a wrong order, before or after."""
    exporter = _exporter(1)
    assert isinstance(await exporter.export(BODY), Undelivered)
    async with exporter:
        pass
    assert isinstance(await exporter.export(BODY), Undelivered)


async def test_a_cancelled_export_leaves_the_exporter_usable() -> None:
    """The flush was cut; the next one works."""
    collector = Collector(is_hanging=True)
    async with collector.running(), _exporter(collector.port) as exporter:
        export = asyncio.create_task(exporter.export(BODY))
        await collector.asked.wait()
        export.cancel()
        with pytest.raises(asyncio.CancelledError):
            await export
        collector.is_hanging = False
        assert await exporter.export(BODY) == Delivered()


async def test_a_collector_that_was_started_anew_is_reached_at_once() -> None:
    """The library knows that the connection has gone, and makes another."""
    collector = Collector()
    async with AsyncExitStack() as stack:
        async with collector.running():
            exporter = await stack.enter_async_context(_exporter(collector.port))
            assert await exporter.export(b"first") == Delivered()
        async with collector.running():
            assert await exporter.export(BODY) == Delivered()
    assert [body for _, _, body in collector.calls] == [b"first", BODY]


async def test_a_connection_that_died_meanwhile_is_replaced_at_once() -> None:
    """The second export meets a dead connection and is made again on a new one, whole."""
    async with (
        Collector().running() as collector,
        Relay(collector.port) as relay,
        _exporter(relay.port) as exporter,
    ):
        assert await exporter.export(b"first") == Delivered()
        relay.cuts_next = True
        assert await exporter.export(BODY) == Delivered()
        assert relay.connections == 2
    assert [body for _, _, body in collector.calls] == [b"first", BODY]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a private world of certificates."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def _over_tls(
    certificates: Certificates, *, asks_client: bool, **names: str
) -> AsyncIterator[tuple[Collector, GrpcExporter]]:
    """Run a collector with TLS and an exporter with the files that are named."""
    credentials = grpc.ssl_server_credentials(
        [(certificates.text("server.key"), certificates.text("server.pem"))],
        certificates.text("authority.pem"),
        require_client_auth=asks_client,
    )
    collector = Collector(credentials=credentials)
    files = {f"{field}_file": certificates.file(name) for field, name in names.items()}
    async with (
        collector.running(),
        _exporter(collector.port, insecure=False, **files) as exporter,
    ):
        yield collector, exporter


@needs_openssl
@pytest.mark.parametrize(
    "names",
    [
        {"client_certificate": "client.pem", "client_key": "client.key"},
        {"client_certificate": "client-with-key.pem"},
    ],
    ids=["two files", "one file"],
)
async def test_tls_with_an_authority_and_a_certificate_of_ones_own(
    certificates: Certificates, names: dict[str, str]
) -> None:
    """OTEL_EXPORTER_OTLP_CERTIFICATE, …_CLIENT_CERTIFICATE and …_CLIENT_KEY."""
    own = _over_tls(certificates, asks_client=True, ca="authority.pem", **names)
    async with own as (collector, exporter):
        assert await exporter.export(BODY) == Delivered()
    assert [body for _, _, body in collector.calls] == [BODY]


@needs_openssl
@pytest.mark.parametrize(
    ("names", "asks_client"),
    [({}, False), ({"ca": "client.pem"}, False), ({"ca": "authority.pem"}, True)],
    ids=["the system's authorities", "another's authority", "no certificate of ours"],
)
async def test_where_trust_is_missing_data_is_kept(
    certificates: Certificates, names: dict[str, str], *, asks_client: bool
) -> None:
    """On either side: a certificate may be mended."""
    async with _over_tls(certificates, asks_client=asks_client, **names) as (collector, exporter):
        assert isinstance(await exporter.export(BODY), Undelivered)
    assert collector.calls == []
