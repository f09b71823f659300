"""Single environment variables, read by the OpenTelemetry specification's rules.

Owns what a value may look like: empty means unset, choices without case, numbers in a range, lists
of `key=value`, endpoints. What cannot be used is a complaint where a default can stand in, a
`ConfigError` where it cannot. Must not know what a setting is for.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#parsing-empty-value
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from ipaddress import ip_address
from math import nan
from urllib.parse import unquote, urlsplit

from logger_extension.errors import ConfigError

LOCAL_HOSTS = frozenset({"localhost", "sandbox", "sandbox.localdomain"})
DEFAULT_PORTS = {"http": 80, "https": 443}


class Environment:
    """Reads single variables; collects complaints. Lives for the length of one `from_env`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.complaints: list[str] = []

    def text(self, name: str) -> str:
        """Return a value without blanks around it; empty means unset, as the spec demands."""
        return self._environ.get(name, "").strip()

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number within its range, else the default and a complaint."""
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

    def number(self, name: str, least: float, most: float) -> float | None:
        """Return a number within its range; None when unset or, with a complaint, unusable."""
        text = self.text(name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = nan
        if least <= value <= most:
            return value
        self.complaints.append(
            f"{name}={text[:40]!r} is not a number from {least} to {most}: ignored"
        )
        return None

    def choice(self, name: str, options: tuple[str, ...], default: str = "") -> str:
        """Return one of the options, compared without case, else the default (or the first)."""
        text = self.text(name).lower()
        default = default or options[0]
        if text and text not in options:
            self.complaints.append(
                f"{name}={text[:40]!r} is not one of {', '.join(options)}: {default} is used"
            )
        return text if text in options else default

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return whether a value is `true`; anything but `true` and `false` is a complaint."""
        return self.choice(name, ("true", "false"), str(default).lower()) == "true"

    def resource_attributes(self) -> dict[str, str]:
        """Return OTEL_RESOURCE_ATTRIBUTES; any error discards all of it, as the spec demands."""
        text = self.text("OTEL_RESOURCE_ATTRIBUTES")
        try:
            return read_pairs(text.split(","), partial(unquote, errors="strict"))
        except ValueError as error:
            self.complaints.append(f"OTEL_RESOURCE_ATTRIBUTES is not key=value,…: {error}; ignored")
            return {}


def join_url(own: str, base: str, path: str) -> str:
    """Return the URL of a signal from its own endpoint, or from the general one and a path.

    A signal's endpoint is used as it is, only a missing path becomes "/"; a path goes before the
    query. https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
    """
    url, mark, query = (own or base).partition("?")
    if not own:
        url = f"{url.rstrip('/')}/{path}"
    elif not urlsplit(url).path:
        url += "/"
    return f"{url}{mark}{query}"


def check_endpoint(endpoint: str, own_ports: Mapping[int, str]) -> None:
    """Raise ConfigError, without any secret, for what is no http URL or is our own listener.

    Args:
        endpoint: the URL.
        own_ports: where we listen ourselves, with the variable that moves it.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        # Its words are not told: what it could not read as a port may be a part of a password.
        raise ConfigError("the collector's endpoint is not a URL") from None
    if parts.scheme not in ("http", "https") or not host or not _is_one_word(endpoint):
        raise ConfigError(
            "the collector's endpoint must be a URL with http:// or https:// and a host,"
            f" for example http://collector:4318; here the scheme is {parts.scheme!r}"
        )
    port = port or DEFAULT_PORTS[parts.scheme]
    if port in own_ports and _is_local(host):
        raise ConfigError(
            f"the collector's endpoint is this extension's own listener (port {port}): set"
            " LOGGER_EXTENSION_EXPORTER_OTLP_ENDPOINT to the collector,"
            f" or {own_ports[port]} to another port"
        )


def _is_local(host: str) -> bool:
    """Return whether a host name or address reaches a listener on 0.0.0.0."""
    name = host.rstrip(".").lower()
    if name in LOCAL_HOSTS or name.startswith("127."):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _is_one_word(text: str) -> bool:
    return text.isprintable() and " " not in text


def read_pairs(items: Iterable[str], decode: Callable[[str], str]) -> dict[str, str]:
    """Read `key=value` items, keys percent-decoded (the list form of W3C Baggage, no metadata).

    Args:
        items: what stands between the commas; blank ones do not count.
        decode: decodes a value.

    Raises:
        ValueError: an item is no pair, or is not UTF-8; only its place is told.
    """
    pairs: dict[str, str] = {}
    for place, item in enumerate(items, 1):
        if not item.strip():
            continue
        key, equals, value = item.partition("=")
        key = unquote(key.strip(), errors="strict")
        if not equals or not key:
            raise ValueError(f"pair {place} is not key=value")
        pairs[key] = decode(value.strip())
    return pairs
