"""The choice of an exporter by protocol.

Owns the mapping from `Target.protocol` to the exporter that speaks it, and what the user is told
when the layer has no gRPC library. Must not know how any of them talks.
"""

from typing import TYPE_CHECKING

from logger_extension.errors import ConfigError
from logger_extension.exporters.otlp_http import HttpExporter
from logger_extension.settings.export import GRPC, Target

if TYPE_CHECKING:
    from logger_extension.exporters.otlp_grpc import GrpcExporter


def open_exporter(
    target: Target, *, compresses_aside: bool = False
) -> "HttpExporter | GrpcExporter":
    """Return the exporter for a target: a context manager that connects when it is needed.

    Args:
        target: where and how.
        compresses_aside: whether a thread compresses, beside the event loop.

    Raises:
        ConfigError: a certificate or key cannot be used, or the layer has no gRPC library.
    """
    if target.protocol != GRPC:
        return HttpExporter(target, compresses_aside=compresses_aside)
    try:
        from logger_extension.exporters.otlp_grpc import GrpcExporter  # noqa: PLC0415  (40 ms)
    except ImportError as error:
        raise ConfigError(
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs the layer with the grpc extra: use that layer,"
            " or set the protocol to http/protobuf and the endpoint to the collector's HTTP port"
            f" (usually 4318); {error}"
        ) from None
    return GrpcExporter(target)
