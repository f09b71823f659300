"""Every setting of the extension, read once from the environment.

Owns names, defaults, units and ranges. Standard `OTEL_*` variables come first and follow the
specification's rules (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
and https://opentelemetry.io/docs/specs/otel/protocol/exporter/); ours are `LOGGER_EXTENSION_*`.

A value without which nothing can be delivered (endpoint, headers, protocol) raises `ConfigError`:
the function then runs without us. Any other bad value is told in `Config.complaints` and its
default taken, as the specification asks. Must not read `os.environ` itself, nor log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from logger_extension.errors import ConfigError
from logger_extension.events import InitType

MIB = 1024 * 1024

# From this memory size on a function has one whole vCPU:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
ONE_VCPU_MB = 1769

LOCAL_HOSTS = frozenset(
    {"localhost", "127.0.0.1", "0.0.0.0", "::1", "::", "sandbox", "sandbox.localdomain"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings. Durations in milliseconds, sizes as their names say.

    Attributes:
        logs_url: where logs go, empty when logs are off; `traces_url` likewise.
        logs_headers: extra headers for logs, names in lower case; `traces_headers` likewise.
        gzip: whether bodies are compressed.
        export_timeout_ms: the most that one export may take; 0 is no limit of its own.
        deadline_margin_ms: how long before a deadline of Lambda's our work must be over.
        queue_max_bytes: the most that waits for export, a signal.
        flush_interval_ms: pause between flushes on Managed Instances, where nothing freezes.
        complaints: one sentence for each value that could not be used.
    """

    logs_url: str
    traces_url: str
    logs_headers: Mapping[str, str]
    traces_headers: Mapping[str, str]
    gzip: bool
    export_timeout_ms: int
    deadline_margin_ms: int
    queue_max_bytes: int
    flush_interval_ms: int
    service_name: str
    resource_attributes: Mapping[str, str]
    function_name: str
    function_version: str
    memory_mb: int
    region: str
    init_type: InitType
    complaints: tuple[str, ...] = ()

    @property
    def has_spare_cpu(self) -> bool:
        """Whether work beside the handler does not take its CPU."""
        return self.memory_mb > ONE_VCPU_MB

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, telemetry_port: int = 0) -> "Config":
        """Read every setting.

        Args:
            environ: the environment of the process.
            telemetry_port: our own listener, which must not be the collector.

        Raises:
            ConfigError: nothing can be delivered with these settings.
        """
        env = _Environment(environ)
        if env.text("OTEL_SDK_DISABLED").lower() == "true":
            raise ConfigError("OTEL_SDK_DISABLED is true: telemetry is off as asked")
        logs_url, logs_headers = env.signal("LOGS", "v1/logs", telemetry_port)
        traces_url, traces_headers = env.signal("TRACES", "v1/traces", telemetry_port)
        if not logs_url and not traces_url:
            raise ConfigError(
                "OTEL_LOGS_EXPORTER and OTEL_TRACES_EXPORTER are both none: all is off"
            )
        memory_mb = env.integer("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 128, 1, 1_000_000)
        function_name = env.text("AWS_LAMBDA_FUNCTION_NAME") or "unknown_function"
        resource_attributes = env.resource_attributes()
        config = cls(
            logs_url=logs_url,
            traces_url=traces_url,
            logs_headers=logs_headers,
            traces_headers=traces_headers,
            gzip=env.choice("OTEL_EXPORTER_OTLP_COMPRESSION", ("gzip", "none")) == "gzip",
            export_timeout_ms=env.integer("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000, 0, 2**31),
            deadline_margin_ms=env.integer("LOGGER_EXTENSION_DEADLINE_MARGIN_MS", 200, 10, 60_000),
            queue_max_bytes=env.integer(
                "LOGGER_EXTENSION_QUEUE_MAX_BYTES", _share_of(memory_mb), 64 * 1024, 2**40
            ),
            # The specification's own pause between exports of logs.
            flush_interval_ms=env.integer("OTEL_BLRP_SCHEDULE_DELAY", 1_000, 10, 900_000),
            service_name=env.text("OTEL_SERVICE_NAME")
            or resource_attributes.get("service.name")
            or function_name,
            resource_attributes=resource_attributes,
            function_name=function_name,
            function_version=env.text("AWS_LAMBDA_FUNCTION_VERSION") or "$LATEST",
            memory_mb=memory_mb,
            region=env.text("AWS_REGION"),
            init_type=InitType(env.text("AWS_LAMBDA_INITIALIZATION_TYPE") or InitType.ON_DEMAND),
            complaints=tuple(env.complaints),
        )
        if config.complaints and is_strict(environ):
            raise ConfigError("; ".join(config.complaints))
        return config


def is_strict(environ: Mapping[str, str]) -> bool:
    """Return whether bad settings end the process: for tests, never in production."""
    return environ.get("LOGGER_EXTENSION_STRICT", "").strip().lower() in ("1", "true")


def _share_of(memory_mb: int) -> int:
    # A sixteenth of the function's memory a signal: 8 MiB at 128 MB. The function's own memory is
    # not ours to take, and the interpreter with its libraries needs about 40 MiB besides.
    return min(max(memory_mb * MIB // 16, 4 * MIB), 64 * MIB)


class _Environment:
    """Reads single variables; collects complaints. Lives for the length of one `from_env`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.complaints: list[str] = []

    def text(self, name: str) -> str:
        """Return a value without blanks around it; empty means unset, as the spec demands."""
        return self._environ.get(name, "").strip()

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name)
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if least <= value <= most:
            return value
        self.complaints.append(
            f"{name}={text[:40]!r} is not a whole number from {least} to {most}: {default} is used"
        )
        return default

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        """Return one of the options, compared without case; the first one is the default."""
        text = self.text(name).lower()
        if text and text not in options:
            self.complaints.append(
                f"{name}={text[:40]!r} is not one of {', '.join(options)}: {options[0]} is used"
            )
        return text if text in options else options[0]

    def signal(self, signal: str, path: str, telemetry_port: int) -> tuple[str, dict[str, str]]:
        """Return URL and headers of one signal; an empty URL when the signal is off."""
        if self.choice(f"OTEL_{signal}_EXPORTER", ("otlp", "none")) == "none":
            return "", {}
        protocol = self._of_signal(signal, "PROTOCOL", str.lower)
        if protocol not in ("", "http/protobuf"):
            raise ConfigError(
                f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol!r} is not supported: set it to"
                " http/protobuf and the endpoint to the collector's HTTP port (usually 4318)"
            )
        own = self.text(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
        base = self.text("OTEL_EXPORTER_OTLP_ENDPOINT")
        if not own and not base:
            raise ConfigError(
                "no collector: set OTEL_EXPORTER_OTLP_ENDPOINT, for example http://collector:4318"
            )
        _check_endpoint(own or base, telemetry_port)
        return _join(own, base, path), _parse_headers(self._of_signal(signal, "HEADERS", str))

    def resource_attributes(self) -> dict[str, str]:
        """Return OTEL_RESOURCE_ATTRIBUTES; any error discards all of it, as the spec demands."""
        text = self.text("OTEL_RESOURCE_ATTRIBUTES")
        try:
            return _parse_pairs(text)
        except ValueError as error:
            self.complaints.append(f"OTEL_RESOURCE_ATTRIBUTES is not key=value,…: {error}; ignored")
            return {}

    def _of_signal(self, signal: str, name: str, convert: Callable[[str], str]) -> str:
        # The signal's variable replaces the general one; they are not merged.
        specific = self.text(f"OTEL_EXPORTER_OTLP_{signal}_{name}")
        return convert(specific or self.text(f"OTEL_EXPORTER_OTLP_{name}"))


def _join(own: str, base: str, path: str) -> str:
    """Return the URL of a signal from its own endpoint, or from the general one and a path."""
    if not own:
        return f"{base.rstrip('/')}/{path}"
    # A signal's endpoint is used as it is; only a missing path becomes "/".
    return own if urlsplit(own).path else f"{own}/"


def _check_endpoint(endpoint: str, telemetry_port: int) -> None:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"the collector's endpoint is not a URL ({error})") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(
            "the collector's endpoint must be a URL with http:// or https:// and a host,"
            f" for example http://collector:4318, not {endpoint[:80]!r}"
        )
    if host in LOCAL_HOSTS and port is not None and port == telemetry_port:
        raise ConfigError(
            f"the collector's endpoint is this extension's own telemetry listener (port {port}):"
            " set it to a collector, or LOGGER_EXTENSION_TELEMETRY_PORT to another port"
        )


def _parse_headers(text: str) -> dict[str, str]:
    try:
        pairs = _parse_pairs(text)
    except ValueError as error:
        # The values may be secrets: only the place is told.
        raise ConfigError(f"OTEL_EXPORTER_OTLP_HEADERS is not key=value,…: {error}") from None
    headers = {name.lower(): value for name, value in pairs.items()}
    for place, (name, value) in enumerate(headers.items(), 1):
        if not _is_token(name) or not value.isprintable():
            raise ConfigError(
                f"OTEL_EXPORTER_OTLP_HEADERS: pair {place} is not usable as an HTTP header"
            )
    return headers


def _is_token(name: str) -> bool:
    """Return whether a name is an HTTP token (RFC 9110 section 5.6.2)."""
    return bool(name) and all(c.isascii() and (c.isalnum() or c in "!#$%&'*+-.^_`|~") for c in name)


def _parse_pairs(text: str) -> dict[str, str]:
    """Read `k1=v1,k2=v2`, percent-decoded (the list form of W3C Baggage, without metadata)."""
    pairs: dict[str, str] = {}
    for place, item in enumerate(text.split(","), 1):
        if not item.strip():
            continue
        key, equals, value = item.partition("=")
        key = unquote(key.strip(), errors="strict")
        if not equals or not key:
            raise ValueError(f"pair {place} is not key=value")
        pairs[key] = unquote(value.strip(), errors="strict")
    return pairs
