"""Where each signal goes and how: protocol, endpoint, headers, compression, timeout, TLS.

Owns the specification's variables of the OTLP exporter, where a signal's own variable replaces the
general one (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). What cannot be used as an
endpoint or as headers raises `ConfigError`. Must not open files or connections.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.policy.aws_endpoints import (
    AUTO,
    OFF,
    SERVICE_NAME,
    Scope,
    choose_scope,
    find_lacking_headers,
    find_limits,
    find_otlp_scope,
)
from logger_extension.policy.references import Reference, find_references
from logger_extension.settings.endpoint import Endpoint
from logger_extension.settings.headers import parse_headers

NO_PORTS: Mapping[int, str] = {}

SIGNALS = ("logs", "traces", "metrics")

HTTP_PROTOBUF, HTTP_JSON, GRPC = "http/protobuf", "http/json", "grpc"
PROTOCOLS = (HTTP_PROTOBUF, HTTP_JSON, GRPC)

# gzip is our choice among the two that the specification leaves open: the network costs more.
COMPRESSIONS = ("gzip", "none")

DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS = 10_000, 2**31


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
        max_records: the most log records, spans or data points in one request; 0 is no limit.
        max_request_bytes: the most bytes of one request before compression; 0 is no limit.
        sigv4: `auto`, `off`, or the service that requests are signed for.
        region: where the function runs, for signatures.
        endpoint: what was set, while it holds references and there is no `url` yet.
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
    max_records: int = 0
    max_request_bytes: int = 0
    sigv4: str = AUTO
    region: str = ""
    endpoint: Endpoint | None = field(default=None, repr=False)

    @property
    def references(self) -> frozenset[Reference]:
        """What must be fetched before anything can be sent."""
        texts = list(self.headers.values())
        return find_references([*texts, self.endpoint.text] if self.endpoint else texts)

    @property
    def scope(self) -> Scope | None:
        """What requests are signed for, None when they are not."""
        return choose_scope(self.url, self.headers, self.sigv4, self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """A target for each signal, None for a signal that is off."""

    logs: Target | None
    traces: Target | None
    metrics: Target | None

    @property
    def needs_aws(self) -> bool:
        """Whether a secret has to be fetched or a request to be signed."""
        targets = [each for each in (self.logs, self.traces, self.metrics) if each is not None]
        return any(each.references or each.scope for each in targets)

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
    sigv4: str
    region: str

    @classmethod
    def read(cls, env: Environment) -> Self:
        return cls(
            protocol=env.choice("OTEL_EXPORTER_OTLP_PROTOCOL", PROTOCOLS),
            compression=env.choice("OTEL_EXPORTER_OTLP_COMPRESSION", COMPRESSIONS),
            timeout_ms=env.integer(
                "OTEL_EXPORTER_OTLP_TIMEOUT", DEFAULT_TIMEOUT_MS, 0, MAX_TIMEOUT_MS
            ),
            insecure=env.boolean("OTEL_EXPORTER_OTLP_INSECURE", default=False),
            sigv4=_read_sigv4(env),
            region=env.text("AWS_REGION"),
        )


def _read_sigv4(env: Environment) -> str:
    text = env.text("LOGGER_EXTENSION_SIGV4").lower() or AUTO
    if SERVICE_NAME.fullmatch(text):
        return text
    env.complaints.append("LOGGER_EXTENSION_SIGV4 is not auto, off or a service: auto is used")
    return AUTO


def _is_on(env: Environment, signal: str) -> bool:
    return env.choice(f"OTEL_{signal.upper()}_EXPORTER", ("otlp", "none")) == "otlp"


def _read_specific(env: Environment, signal: str, name: str) -> str:
    """Return a signal's own value, else the general one: they are never merged."""
    return env.text(_find_name(env, signal, name))


def _find_name(env: Environment, signal: str, name: str) -> str:
    """Return which variable counts for a signal."""
    own = _name_of(signal, name)
    return own if env.text(own) else f"OTEL_EXPORTER_OTLP_{name}"


def _name_of(signal: str, name: str) -> str:
    return f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}"


def _read_target(
    env: Environment, signal: str, general: _General, own_ports: Mapping[int, str]
) -> Target | None:
    if not _read_specific(env, signal, "ENDPOINT"):
        env.complaints.append(
            f"{signal} are off, they have no collector: set {_name_of(signal, 'ENDPOINT')}"
            f" or OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_{signal.upper()}_EXPORTER to none"
        )
        return None
    protocol = env.choice(_name_of(signal, "PROTOCOL"), PROTOCOLS, general.protocol)
    headers = _find_name(env, signal, "HEADERS")
    target = Target(
        signal=signal,
        protocol=protocol,
        url="",
        headers=parse_headers(headers, env.text(headers), is_grpc=protocol == GRPC),
        compression=env.choice(_name_of(signal, "COMPRESSION"), COMPRESSIONS, general.compression),
        timeout_ms=env.integer(_name_of(signal, "TIMEOUT"), general.timeout_ms, 0, MAX_TIMEOUT_MS),
        ca_file=_read_specific(env, signal, "CERTIFICATE"),
        client_certificate_file=_read_specific(env, signal, "CLIENT_CERTIFICATE"),
        client_key_file=_read_specific(env, signal, "CLIENT_KEY"),
        insecure=False,
        sigv4=general.sigv4,
        region=general.region,
        endpoint=Endpoint.read(
            env,
            signal,
            own_ports,
            is_grpc=protocol == GRPC,
            insecure=env.boolean(_name_of(signal, "INSECURE"), default=general.insecure),
        ),
    )
    if target.endpoint is not None and not find_references([target.endpoint.text]):
        target = locate(target, target.endpoint)
    if lacking := find_lacking_headers(signal, target.url, target.headers):
        env.complaints.append(
            f"CloudWatch takes no logs without {' and '.join(lacking)}: set them in"
            " OTEL_EXPORTER_OTLP_LOGS_HEADERS to a log group and a stream that exist"
        )
    return target


def locate(target: Target, endpoint: Endpoint) -> Target:
    """Return a target with its address, and what follows from that.

    Raises:
        ConfigError: the endpoint cannot be used.
    """
    url, insecure = endpoint.locate(target.signal)
    asked = f"//{url}" if endpoint.is_grpc else url
    if endpoint.is_grpc and (find_otlp_scope(asked) or target.sigv4 not in (AUTO, OFF)):
        raise ConfigError(
            "AWS's own endpoints do not speak grpc, and only HTTP can be signed: set"
            " OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf"
        )
    limits = find_limits(asked)
    return replace(
        target,
        url=url,
        insecure=insecure,
        endpoint=None,
        max_records=limits.max_records,
        max_request_bytes=limits.max_request_bytes,
    )
