"""OTLP over gRPC: one call, one outcome.

Owns the channel. Foreign exceptions end here: whatever happens to a request becomes an `Outcome`.
Imported only when the protocol is chosen: the library takes 19 MB and 40 ms. Requests and answers
go through as bytes, so no generated service is needed.
https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
"""

import asyncio
from types import TracebackType
from typing import Self

import grpc
import grpc.aio

from logger_extension.exporters.otlp_http import USER_AGENT
from logger_extension.exporters.tls import read_credentials
from logger_extension.policy.outcome import (
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    Outcome,
    Refused,
    Undelivered,
    read_status,
    read_success,
)
from logger_extension.settings.export import Target

METHOD = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"
METHODS = {
    "logs": METHOD.format("logs", "Logs"),
    "traces": METHOD.format("trace", "Trace"),
    "metrics": METHOD.format("metrics", "Metrics"),
}

OPTIONS = (
    ("grpc.primary_user_agent", USER_AGENT),
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    # The queue behind us keeps what is not delivered; it knows of the freeze, the library does not.
    ("grpc.enable_retries", 0),
    # While the library waits to connect again every call fails at once: not for up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

# 50 ms in all, which only a collector that is unavailable costs.
DEATH_CHECKS, DEATH_CHECK_S = 10, 0.005

READY = grpc.ChannelConnectivity.READY


class GrpcExporter:
    """Sends serialized requests of one signal over one channel.

    Args:
        target: where and how.

    Raises:
        ConfigError: a certificate or key cannot be used.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._credentials = None
        if not target.insecure:
            files = read_credentials(target)
            self._credentials = grpc.ssl_channel_credentials(
                files.authorities, files.key, files.certificate
            )
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        """Open the channel; it connects when it is needed."""
        algorithm = grpc.Compression.NoCompression
        if self._target.compression == "gzip":
            algorithm = grpc.Compression.Gzip
        self._channel = (
            grpc.aio.insecure_channel(self._target.url, OPTIONS, algorithm)
            if self._credentials is None
            else grpc.aio.secure_channel(self._target.url, self._credentials, OPTIONS, algorithm)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the channel."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def connect(self) -> bool:
        """Make a connection ahead of the first request; return whether that succeeded."""
        if self._channel is None:
            return False
        await self._channel.channel_ready()
        return True

    async def export(self, body: bytes) -> Outcome:
        """Send one serialized request.

        A connection that died while the sandbox was frozen is found out by its first use; the call
        is then made once more. The collector may have seen the first: at least once is what OTLP
        promises.
        """
        if self._channel is None:
            return Undelivered("the exporter is not open")
        if len(body) > MAX_REQUEST_BYTES:
            return Refused("the request is longer than 64 MiB")
        for is_last in (False, True):
            was_ready = self._channel.get_state() is READY
            try:
                return read_success(await self._call(self._channel, body))
            except grpc.aio.AioRpcError as error:
                is_unavailable = error.code() is grpc.StatusCode.UNAVAILABLE
                if is_last or not (was_ready and is_unavailable and await _has_died(self._channel)):
                    return _explain(error)
        raise AssertionError("the last try returns")

    async def _call(self, channel: grpc.aio.Channel, body: bytes) -> bytes:
        export: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            METHODS[self._target.signal]
        )
        return await export(
            body,
            metadata=tuple(self._target.headers.items()),
        )


async def _has_died(channel: grpc.aio.Channel) -> bool:
    """Return whether a connection was lost, as opposed to a collector that is unavailable.

    The status is the same for both. The channel's state tells them apart, a little after the call
    has failed; the library's own wait for it cannot be cut short without leaving it behind.
    """
    for _ in range(DEATH_CHECKS):
        if channel.get_state() is not READY:
            return True
        await asyncio.sleep(DEATH_CHECK_S)
    return False


def _explain(error: grpc.aio.AioRpcError) -> Outcome:
    trailers = error.trailing_metadata() or ()
    return read_status(error.code().name, error.details() or "", trailers)
