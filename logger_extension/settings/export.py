"""Where each signal goes and how: protocol, endpoint, headers, compression, timeout, TLS.

Owns the specification's variables of the OTLP exporter, where a signal's own variable replaces the
general one (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). What cannot be used as an
endpoint or as headers raises `ConfigError`. Must not open files or connections.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_lowercase, digits
from typing import Self
from urllib.parse import urlsplit

from logger_extension.environment import (
    DEFAULT_PORTS,
    Environment,
    check_endpoint,
    join_url,
    parse_headers,
)
from logger_extension.errors import ConfigError

NO_PORTS: Mapping[int, str] = {}

SIGNALS = ("logs", "traces", "metrics")

HTTP_PROTOBUF, HTTP_JSON, GRPC = "http/protobuf", "http/json", "grpc"
PROTOCOLS = (HTTP_PROTOBUF, HTTP_JSON, GRPC)

# gzip is our choice among the two that the specification leaves open: the network costs more.
COMPRESSIONS = ("gzip", "none")

DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS = 10_000, 2**31

# https://github.com/grpc/grpc/blob/master/doc/naming.md
NAME_RESOLVERS = frozenset({"dns", "ipv4", "ipv6"})
LOCAL_CHANNELS = frozenset({"unix", "unix-abstract", "vsock"})

# https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Custom-Metadata"
METADATA_NAME = frozenset(ascii_lowercase + digits + "_-.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where one signal goes. Addresses and headers may hold secrets, so `repr` leaves them out.

    Attributes:
        signal: `logs`, `traces` or `metrics`.
        protocol: `http/protobuf`, `http/json` or `grpc`.
        url: the whole URL; with grpc the name that a channel takes, for example `collector:4317`.
        headers: extra headers (grpc: metadata), names in lower case.
        compression: `gzip` or `none`.
        timeout_ms: the most that one export may take; 0 is no limit of its own.
        ca_file: PEM file with the authorities to trust, empty for the system's.
        client_certificate_file: PEM file with our certificate and its chain, empty for none.
        client_key_file: PEM file with its key, empty when it stands in the certificate's file.
        insecure: whether the connection is without TLS.
    """

    signal: str
    protocol: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    compression: str
    timeout_ms: int
    ca_file: str
    client_certificate_file: str
    client_key_file: str
    insecure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """A target for each signal, None for a signal that is off."""

    logs: Target | None
    traces: Target | None
    metrics: Target | None

    @classmethod
    def read(cls, env: Environment, *, own_ports: Mapping[int, str] = NO_PORTS) -> Self:
        """Read the targets.

        Args:
            env: the environment; values that have a default to fall back to are complaints.
            own_ports: where we listen ourselves, which must not be the collector; with the
                variable that moves it.

        Raises:
            ConfigError: nothing can be delivered with these settings.
        """
        wanted = [s for s in SIGNALS if _is_on(env, s)]
        if not wanted:
            names = ", ".join(f"OTEL_{signal.upper()}_EXPORTER" for signal in SIGNALS)
            raise ConfigError(f"{names} are all none: all is off")
        if not any(_read_specific(env, signal, "ENDPOINT") for signal in wanted):
            raise ConfigError(
                "no collector: set OTEL_EXPORTER_OTLP_ENDPOINT, for example http://collector:4318"
            )
        general = _General.read(env)
        targets = {s: _read_target(env, s, general, own_ports) for s in wanted}
        return cls(**{signal: targets.get(signal) for signal in SIGNALS})


@dataclass(frozen=True, slots=True, kw_only=True)
class _General:
    """The variables of all signals whose bad values are told once."""

    protocol: str
    compression: str
    timeout_ms: int
    insecure: bool

    @classmethod
    def read(cls, env: Environment) -> Self:
        return cls(
            protocol=env.choice("OTEL_EXPORTER_OTLP_PROTOCOL", PROTOCOLS),
            compression=env.choice("OTEL_EXPORTER_OTLP_COMPRESSION", COMPRESSIONS),
            timeout_ms=env.integer(
                "OTEL_EXPORTER_OTLP_TIMEOUT", DEFAULT_TIMEOUT_MS, 0, MAX_TIMEOUT_MS
            ),
            insecure=env.boolean("OTEL_EXPORTER_OTLP_INSECURE", default=False),
        )


def _is_on(env: Environment, signal: str) -> bool:
    return env.choice(f"OTEL_{signal.upper()}_EXPORTER", ("otlp", "none")) == "otlp"


def _read_specific(env: Environment, signal: str, name: str) -> str:
    """Return a signal's own value, else the general one: they are never merged."""
    return env.text(_name_of(signal, name)) or env.text(f"OTEL_EXPORTER_OTLP_{name}")


def _name_of(signal: str, name: str) -> str:
    return f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}"


def _read_target(
    env: Environment, signal: str, general: _General, own_ports: Mapping[int, str]
) -> Target | None:
    endpoint = _read_specific(env, signal, "ENDPOINT")
    if not endpoint:
        env.complaints.append(
            f"{signal} are off, they have no collector: set {_name_of(signal, 'ENDPOINT')}"
            f" or OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_{signal.upper()}_EXPORTER to none"
        )
        return None
    protocol = env.choice(_name_of(signal, "PROTOCOL"), PROTOCOLS, general.protocol)
    insecure = env.boolean(_name_of(signal, "INSECURE"), default=general.insecure)
    if protocol == GRPC:
        url, insecure = _read_channel(endpoint, own_ports, insecure=insecure)
    else:
        url = _read_url(env, signal, own_ports)
        insecure = urlsplit(url).scheme == "http"
    return Target(
        signal=signal,
        protocol=protocol,
        url=url,
        headers=_read_headers(env, signal, is_grpc=protocol == GRPC),
        compression=env.choice(_name_of(signal, "COMPRESSION"), COMPRESSIONS, general.compression),
        timeout_ms=env.integer(_name_of(signal, "TIMEOUT"), general.timeout_ms, 0, MAX_TIMEOUT_MS),
        ca_file=_read_specific(env, signal, "CERTIFICATE"),
        client_certificate_file=_read_specific(env, signal, "CLIENT_CERTIFICATE"),
        client_key_file=_read_specific(env, signal, "CLIENT_KEY"),
        insecure=insecure,
    )


def _read_url(env: Environment, signal: str, own_ports: Mapping[int, str]) -> str:
    own = env.text(_name_of(signal, "ENDPOINT"))
    base = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
    check_endpoint(own or base, own_ports)
    return join_url(own, base, f"v1/{signal}")


def _read_channel(
    endpoint: str, own_ports: Mapping[int, str], *, insecure: bool
) -> tuple[str, bool]:
    """Return the name that a channel of gRPC takes, and whether it is without TLS.

    Of a URL only host and port count. Without http or https the endpoint goes to the gRPC library
    as it is: it knows `collector:4317` as well as `dns:///collector:4317` and `unix:/socket`.
    """
    scheme, _, rest = endpoint.partition(":")
    if scheme in LOCAL_CHANNELS:
        return endpoint, insecure
    if scheme in NAME_RESOLVERS or "://" not in endpoint:
        authority = rest.rpartition("/")[2] if scheme in NAME_RESOLVERS else endpoint
        check_endpoint(f"https://{authority}", own_ports)
        return endpoint, insecure
    check_endpoint(endpoint, own_ports)
    parts = urlsplit(endpoint)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}", parts.scheme == "http"


def _read_headers(env: Environment, signal: str, *, is_grpc: bool) -> dict[str, str]:
    own = _name_of(signal, "HEADERS")
    name = own if env.text(own) else "OTEL_EXPORTER_OTLP_HEADERS"
    headers = parse_headers(name, env.text(name))
    for place, (key, value) in enumerate(headers.items(), 1):
        if is_grpc and not _is_metadata(key, value):
            raise ConfigError(f"{name}: pair {place} is not usable as metadata of gRPC")
    return headers


def _is_metadata(name: str, value: str) -> bool:
    """Return whether gRPC takes a pair: ASCII only, no binary header, no name of its own."""
    is_reserved = name.startswith("grpc-") or name.endswith("-bin")
    return METADATA_NAME.issuperset(name) and value.isascii() and not is_reserved
