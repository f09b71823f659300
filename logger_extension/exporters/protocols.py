"""The choice of an exporter by protocol, and by what the target needs of AWS.

Owns the mapping from `Target.protocol` to the exporter that speaks it, and what the user is told
when the layer has no gRPC library. Must not know how any of them talks.
"""

import os
from typing import TYPE_CHECKING

from logger_extension.authorities import leave_unread
from logger_extension.errors import ConfigError
from logger_extension.settings.export import GRPC, ExportSettings, Target

if TYPE_CHECKING:
    from logger_extension.aws.secret_store import SecretStore
    from logger_extension.exporters.otlp_grpc import GrpcExporter
    from logger_extension.exporters.otlp_http import HttpExporter, Sign
    from logger_extension.exporters.resolving import ResolvingExporter


def open_exporter(
    target: Target, *, compresses_aside: bool = False, secrets: "SecretStore | None" = None
) -> "HttpExporter | GrpcExporter | ResolvingExporter":
    """Return the exporter for a target: a context manager that connects when it is needed.

    Args:
        target: where and how.
        compresses_aside: whether a thread compresses, beside the event loop.
        secrets: what `open_secrets` has returned, the same for all targets, so that each secret
            is fetched once; None for a store of this exporter's own where it needs one.

    Raises:
        ConfigError: a certificate or key cannot be used, or the layer has no gRPC library.
    """
    # What is wrong with files is told now, also where the exporter is made again with secrets.
    exporter = _make(target, None, compresses_aside=compresses_aside)
    if not target.references and target.scope is None:
        return exporter
    from logger_extension.aws.secret_store import SecretStore  # noqa: PLC0415  (few need it)
    from logger_extension.exporters.resolving import ResolvingExporter  # noqa: PLC0415
    from logger_extension.exporters.signing import make_signer  # noqa: PLC0415

    store = secrets or SecretStore(os.environ)

    def make(resolved: Target) -> "HttpExporter | GrpcExporter":
        sign = make_signer(resolved, store.signer)
        return _make(resolved, sign, compresses_aside=compresses_aside)

    return ResolvingExporter(target, store, make)


def open_secrets(settings: ExportSettings) -> "SecretStore | None":
    """Return what all targets share of AWS, None where none needs it."""
    if not settings.needs_aws:
        return None
    from logger_extension.aws.secret_store import SecretStore  # noqa: PLC0415  (few need it)

    return SecretStore(os.environ)


def _make(
    target: Target, sign: "Sign | None", *, compresses_aside: bool
) -> "HttpExporter | GrpcExporter":
    if target.protocol != GRPC:
        with leave_unread():
            from logger_extension.exporters.otlp_http import HttpExporter  # noqa: PLC0415  (80 ms)

        return HttpExporter(target, compresses_aside=compresses_aside, sign=sign)
    try:
        from logger_extension.exporters.otlp_grpc import GrpcExporter  # noqa: PLC0415  (40 ms)
    except ImportError as error:
        raise ConfigError(
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs the layer with the grpc extra: use that layer,"
            " or set the protocol to http/protobuf and the endpoint to the collector's HTTP port"
            f" (usually 4318); {error}"
        ) from None
    return GrpcExporter(target)
