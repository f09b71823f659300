"""OTLP/gRPC on the loopback address, where the layer carries grpc.

Owns the gRPC server. Messages stay bytes: the handlers are generic, without generated code. Must
not be imported unless grpcio is there: it takes 60 ms and 19 MB. Must not know what a request
holds.
"""

from collections.abc import Awaitable, Callable, Mapping

import grpc
import grpc.aio

from logger_extension.errors import ProtocolError
from logger_extension.receivers.intake import Intake
from logger_extension.receivers.otlp import HOST, MAX_CONNECTIONS

SERVICES: Mapping[str, str] = {
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
}

# An SDK sends one request a signal at a time; more of them wait at the client.
MAX_STREAMS = 8
HANDSHAKE_TIMEOUT_MS = 10_000

Export = Callable[[bytes, "grpc.aio.ServicerContext[bytes, bytes]"], Awaitable[bytes]]


class OtlpGrpcReceiver:
    """Serves the three Export methods.

    gRPC bounds a request, the connections, the streams of each and the metadata (16 KiB), but not
    what unfinished requests hold together, and it does not count what it refuses.

    Args:
        port: where to listen, on 127.0.0.1 only.
        max_body_bytes: the largest request.
        intake: takes requests.
    """

    def __init__(self, port: int, max_body_bytes: int, intake: Intake) -> None:
        self._port = port
        self._max_body_bytes = max_body_bytes
        self._intake = intake
        self._server: grpc.aio.Server | None = None

    async def open(self) -> None:
        """Begin to serve. A port that cannot be had is told, and the function runs without us."""
        server = grpc.aio.server(
            options=(
                # With it two servers would share the port, each with a part of the requests.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", self._max_body_bytes),
                ("grpc.max_allowed_incoming_connections", MAX_CONNECTIONS),
                ("grpc.max_concurrent_streams", MAX_STREAMS),
                ("grpc.server_handshake_timeout_ms", HANDSHAKE_TIMEOUT_MS),
            )
        )
        server.add_generic_rpc_handlers(
            tuple(
                grpc.method_handlers_generic_handler(
                    service, {"Export": grpc.unary_unary_rpc_method_handler(self._serve(signal))}
                )
                for signal, service in SERVICES.items()
            )
        )
        try:
            server.add_insecure_port(f"{HOST}:{self._port}")
        except RuntimeError as error:
            self._intake.complain(
                f"no gRPC receiver for the function's own telemetry: port {self._port} cannot be"
                " had; free it or set LOGGER_EXTENSION_OTLP_GRPC_PORT",
                str(error),
            )
            return
        await server.start()
        self._server = server

    async def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            await self._server.stop(grace=0)

    def _serve(self, signal: str) -> Export:
        async def export(body: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
            try:
                answer: bytes = self._intake.take(signal, body).SerializeToString()
            except ProtocolError as error:
                self._intake.refuse(f"{signal}.bad_request", 1)
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            return answer

        return export
