"""The OTLP/HTTP receiver: takes requests from the network and puts their rows into the stores.

Owns the listening socket and the counters of requests. Knows no message format: `wire` decodes,
`mapping` maps, the stores keep. Nor does it know what else is served beside it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otlp_viewer import mapping, wire
from otlp_viewer.errors import ListenError, RequestError, SinkError, UnavailableError
from otlp_viewer.sinks import Sink
from otlp_viewer.store import Store

# What the OTLP specification tells clients not to exceed, before compression.
DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024
# A request that is being answered when the collector closes gets this long.
_CLOSE_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class _Signal:
    """What differs from one of the three paths to the next."""

    request_type: type[Message]
    response_type: type[Message]
    to_rows: Callable[[Any], Sequence[Any]]
    keep: Callable[[Sink, Any, int], None]


_SIGNALS = {
    "/v1/logs": _Signal(
        ExportLogsServiceRequest,
        ExportLogsServiceResponse,
        mapping.map_logs,
        lambda sink, rows, size_bytes: sink.add_logs(rows, size_bytes),
    ),
    "/v1/traces": _Signal(
        ExportTraceServiceRequest,
        ExportTraceServiceResponse,
        mapping.map_spans,
        lambda sink, rows, size_bytes: sink.add_spans(rows, size_bytes),
    ),
    "/v1/metrics": _Signal(
        ExportMetricsServiceRequest,
        ExportMetricsServiceResponse,
        mapping.map_metrics,
        lambda sink, rows, size_bytes: sink.add_metrics(rows, size_bytes),
    ),
}


class Collector:
    """An OTLP/HTTP receiver on `host` and `port`, as an async context manager.

    `requests` counts the POSTs by path, refused ones included; `refused` counts the answers other
    than 200 by status. `store` holds what was accepted.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        store: Store | None = None,
        also: Sequence[Sink] = (),
        extend: Callable[[web.Application], None] | None = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    ) -> None:
        """Listen on entry; `port` 0 takes any free one, which `endpoint` then names.

        Args:
            host: the address to listen on.
            port: the port to listen on.
            store: holds what was accepted; one of its own by default.
            also: further stores, which get the same rows first, in this order. Where one cannot
                take them the sender is asked to try again, and `store` does not have them either.
                Those before it do and get them twice: put first what may refuse.
            extend: adds routes to the application, so that pages share the port.
            max_body_bytes: the largest body that is accepted, after decompression.
        """
        self.store = store or Store()
        self.requests: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        self._host = host
        self._port = port
        self._max_body_bytes = max_body_bytes
        self._also = tuple(also)
        self._extend = extend
        self._runner: web.AppRunner | None = None

    @property
    def endpoint(self) -> str:
        """The base URL, as OTEL_EXPORTER_OTLP_ENDPOINT wants it."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Bind and listen.

        Raises:
            ListenError: the address cannot be bound.
        """
        app = web.Application(client_max_size=self._max_body_bytes)
        for path in _SIGNALS:
            app.router.add_post(path, self._export)
        if self._extend is not None:
            self._extend(app)
        # Bodies are decompressed by `wire`, which bounds them and answers in OTLP's own terms.
        runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, shutdown_timeout=_CLOSE_TIMEOUT_S
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            address = f"{self._host}:{self._port}"
            raise ListenError(
                f"cannot listen on {address} ({error.strerror}); choose another port"
            ) from error
        self._port = runner.addresses[0][1]
        self._runner = runner
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening and close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _export(self, request: web.Request) -> web.Response:
        self.requests[request.path] += 1
        signal = _SIGNALS[request.path]
        content_type = request.content_type
        try:
            body = wire.decompress(
                await self._read(request),
                request.headers.get("Content-Encoding", ""),
                max_bytes=self._max_body_bytes,
            )
            message = wire.decode(body, content_type, signal.request_type)
            await self._keep(signal, signal.to_rows(message), len(body))
        except RequestError as error:
            self.refused[error.status] += 1
            answer, answer_type = wire.encode_error(error, content_type)
            return web.Response(status=error.status, body=answer, content_type=answer_type)
        answer = wire.encode(signal.response_type(), content_type)
        return web.Response(body=answer, content_type=content_type)

    async def _keep(self, signal: _Signal, rows: Sequence[Any], size_bytes: int) -> None:
        for sink in self._also:
            try:
                # In a thread: what writes to a disk must not hold up who reads pages.
                await asyncio.to_thread(signal.keep, sink, rows, size_bytes)
            except SinkError as error:
                raise UnavailableError(f"not stored, try again: {error}") from error
        signal.keep(self.store, rows, size_bytes)

    async def _read(self, request: web.Request) -> bytes:
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise wire.too_large(self._max_body_bytes) from error
