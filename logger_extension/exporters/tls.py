"""Certificates and keys of a connection, from the files that the settings name.

Owns the translation of what is wrong with a file into a `ConfigError` that names the variable.
State: contexts by their files, for the life of the process: the system's authorities take 30 ms to
read, and all signals mostly share them. Must not know what goes over the connection.
"""

import ssl
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from logger_extension.errors import ConfigError
from logger_extension.settings.export import Target

T = TypeVar("T")

AUTHORITIES = "OTEL_EXPORTER_OTLP_CERTIFICATE"
IDENTITY = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY"


class Credentials(NamedTuple):
    """What the gRPC library takes: contents of PEM files, None for its own defaults."""

    authorities: bytes | None
    certificate: bytes | None
    key: bytes | None


def load_context(target: Target) -> ssl.SSLContext | None:
    """Return the context for a target, None where nothing is set: the library's own will do.

    Raises:
        ConfigError: a file is missing or is not what it should be.
    """
    if target.insecure:
        return None
    if target.client_key_file and not target.client_certificate_file:
        raise ConfigError("OTEL_EXPORTER_OTLP_CLIENT_KEY is set, its _CLIENT_CERTIFICATE is not")
    if not target.ca_file and not target.client_certificate_file:
        return None
    return _load(target.ca_file, target.client_certificate_file, target.client_key_file)


def read_credentials(target: Target) -> Credentials:
    """Return the files' contents, checked.

    Raises:
        ConfigError: a file is missing or is not what it should be.
    """
    # The gRPC library finds out about a bad file only when it connects, and again each time.
    load_context(target)
    certificate = _read(IDENTITY, target.client_certificate_file)
    return Credentials(
        authorities=_read(AUTHORITIES, target.ca_file),
        certificate=certificate,
        key=_read(IDENTITY, target.client_key_file) or certificate,
    )


@cache
def _load(ca_file: str, certificate_file: str, key_file: str) -> ssl.SSLContext:
    # With authorities of one's own, those of the system are not trusted besides.
    context = _attempt(
        AUTHORITIES, ca_file, lambda: ssl.create_default_context(cafile=ca_file or None)
    )
    if certificate_file:
        _attempt(
            IDENTITY,
            f"{certificate_file} {key_file}".rstrip(),
            # Without a password at hand OpenSSL would ask for one on the terminal.
            lambda: context.load_cert_chain(certificate_file, key_file or None, password=b""),
        )
    return context


def _read(name: str, file: str) -> bytes | None:
    return _attempt(name, file, Path(file).read_bytes) if file else None


def _attempt(name: str, files: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "reason", None) or error.strerror or error
        raise ConfigError(f"{name}: {files} cannot be used as PEM: {reason}") from None
