"""OTLP/HTTP on the loopback address: what the function's own OpenTelemetry SDK sends.

Owns the listening socket, and what OTLP/HTTP says of paths, content types, gzip and errors
(https://opentelemetry.io/docs/specs/otlp/#otlphttp). A request is read, handed on and answered at
once, because a handler may be waiting in its SDK's flush. Must not know what a request holds.
"""

import _socket
import socket
import zlib
from collections.abc import Mapping
from http import HTTPStatus

from logger_extension.errors import ProtocolError
from logger_extension.receivers.guard import Limits
from logger_extension.receivers.intake import Intake
from logger_extension.receivers.request import Head, Response
from logger_extension.receivers.server import BACKLOG, Server
from logger_extension.signals.requests import (
    SIGNALS,
    encode_answer_json,
    encode_status,
    parse_json,
)

HOST = "127.0.0.1"
PROTOBUF = "application/x-protobuf"
JSON = "application/json"

# Requests that are being read at the same time may take this many times the largest one.
MAX_READING_FACTOR = 4

# On Managed Instances the function is many processes, each with an SDK and a connection a signal.
MAX_CONNECTIONS = 256

# zlib: a stream with gzip's head and tail.
GZIP = 16

# The codes of google.rpc for the statuses that we answer.
RPC_CODES: Mapping[HTTPStatus, int] = {
    HTTPStatus.BAD_REQUEST: 3,  # INVALID_ARGUMENT
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 8,  # RESOURCE_EXHAUSTED
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 3,
    HTTPStatus.SERVICE_UNAVAILABLE: 14,  # UNAVAILABLE
}


class OtlpReceiver:
    """Serves /v1/logs, /v1/traces and /v1/metrics.

    Args:
        port: where to listen, on 127.0.0.1 only.
        max_body_bytes: the largest request, before and after decompression.
        intake: takes requests.
        listener: a socket that listens there already, if the bootstrap has bound it: a handler may
            send before this module is imported, and a refused connection would hold it up.
    """

    def __init__(
        self,
        port: int,
        max_body_bytes: int,
        intake: Intake,
        listener: _socket.socket | None = None,
    ) -> None:
        self._port = port
        self._max_body_bytes = max_body_bytes
        self._intake = intake
        self._listener = listener
        limits = Limits(
            max_connections=MAX_CONNECTIONS,
            max_body_bytes=max_body_bytes,
            max_held_bytes=max_body_bytes * MAX_READING_FACTOR,
        )
        paths = {f"/v1/{signal}" for signal in SIGNALS}
        self._server = Server(
            paths,
            self._receive,
            self._turn_away,
            limits,
            lambda reason: intake.refuse(f"otlp.{reason}", 1),
        )

    async def open(self) -> None:
        """Begin to serve. A port that cannot be had is told, and the function runs without us."""
        try:
            listener = self._listener or socket.create_server((HOST, self._port), backlog=BACKLOG)
        except OSError as error:
            self._intake.complain(
                f"no receiver for the function's own telemetry: port {self._port} cannot be had;"
                " free it or set LOGGER_EXTENSION_OTLP_PORT",
                error.strerror or str(error),
            )
            return
        await self._server.open(listener)

    async def close(self) -> None:
        """Stop serving."""
        await self._server.close()

    def _receive(self, head: Head, body: bytes) -> Response:
        kind = head.fields.get("content-type", "").partition(";")[0].strip().lower()
        encoding = head.fields.get("content-encoding", "").lower()
        if kind not in (PROTOBUF, JSON) or encoding not in ("", "identity", "gzip"):
            hint = f"send {PROTOBUF} or {JSON}, plain or with gzip"
            return self._refuse(head, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, hint)
        try:
            if encoding == "gzip":
                unpacked = _decompress(body, self._max_body_bytes)
                if unpacked is None:
                    return self._turn_away(head, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                body = unpacked
            signal = _find_signal(head)
            if kind == JSON:
                body = parse_json(signal, body)
            answer = self._intake.take(signal, body)
        except ProtocolError as error:
            return self._refuse(head, HTTPStatus.BAD_REQUEST, str(error))
        encoded = encode_answer_json(answer) if kind == JSON else answer.SerializeToString()
        return Response(HTTPStatus.OK, encoded, kind)

    def _turn_away(self, head: Head, status: HTTPStatus) -> Response:
        hint = f"a request comes whole and has at most {self._max_body_bytes} bytes"
        return self._refuse(head, status, hint)

    def _refuse(self, head: Head, status: HTTPStatus, message: str) -> Response:
        self._intake.refuse(f"{_find_signal(head)}.{status.name.lower()}", 1)
        # Always protobuf: that is what the specification says of errors.
        return Response(status, encode_status(RPC_CODES[status], message), PROTOBUF)


def _find_signal(head: Head) -> str:
    return head.path.removeprefix("/v1/")


def _decompress(body: bytes, max_bytes: int) -> bytes | None:
    """Return what gzip packed, None when it is more than `max_bytes`.

    Raises:
        ProtocolError: it is not gzip, or torn.
    """
    unpacked = bytearray()
    while body:  # gzip members may follow each other
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | GZIP)
        try:
            unpacked += member.decompress(body, max_bytes + 1 - len(unpacked))
        except zlib.error as error:
            raise ProtocolError(f"the body is not gzip: {error}") from None
        if len(unpacked) > max_bytes:
            return None
        if not member.eof:
            raise ProtocolError("the body is torn: its gzip stream has no end")
        body = member.unused_data
    return bytes(unpacked)
