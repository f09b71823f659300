"""An endpoint as it was set, and the address that it becomes.

Owns the specification's rules for the two protocols: which path is appended to a URL, what a
channel of gRPC takes (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). An endpoint may
hold secrets, so neither `repr` nor errors repeat it. Must not know headers nor certificates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import urlsplit

from logger_extension.environment import DEFAULT_PORTS, Environment, check_endpoint, join_url
from logger_extension.errors import ConfigError
from logger_extension.policy.references import Reference, fill_references, find_references

# https://github.com/grpc/grpc/blob/master/doc/naming.md
NAME_RESOLVERS = frozenset({"dns", "ipv4", "ipv6"})
LOCAL_CHANNELS = frozenset({"unix", "unix-abstract", "vsock"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What the variables say.

    Attributes:
        own: the signal's own endpoint, used as it is; empty for none.
        base: the general one, to which the signal's path is appended.
        is_grpc: whether it is spoken to by gRPC.
        insecure: for gRPC without a scheme: whether TLS is not wanted.
        own_ports: where we listen ourselves, with the variable that moves it.
    """

    own: str = field(repr=False)
    base: str = field(repr=False)
    is_grpc: bool
    insecure: bool
    own_ports: Mapping[int, str]

    @classmethod
    def read(
        cls,
        env: Environment,
        signal: str,
        own_ports: Mapping[int, str],
        *,
        is_grpc: bool,
        insecure: bool,
    ) -> Self:
        """Read the endpoint of a signal; its own variable replaces the general one.

        Raises:
            ConfigError: a reference in it is malformed.
        """
        general = "OTEL_EXPORTER_OTLP_ENDPOINT"
        specific = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
        own, base = env.text(specific), env.text(general)
        try:
            find_references([own or base])
        except ValueError as error:
            raise ConfigError(f"{specific if own else general}: {error}") from None
        return cls(own=own, base=base, is_grpc=is_grpc, insecure=insecure, own_ports=own_ports)

    @property
    def text(self) -> str:
        """The one of the two that counts."""
        return self.own or self.base

    def fill(self, values: Mapping[Reference, str]) -> Self:
        """Return the same with the references of what counts replaced."""
        if self.own:
            return replace(self, own=fill_references(self.own, values))
        return replace(self, base=fill_references(self.base, values))

    def locate(self, signal: str) -> tuple[str, bool]:
        """Return the URL for a signal, or the name of a channel, and whether it is without TLS.

        Raises:
            ConfigError: it cannot be used.
        """
        if self.is_grpc:
            return self._find_channel()
        check_endpoint(self.text, self.own_ports)
        url = join_url(self.own, self.base, f"v1/{signal}")
        return url, urlsplit(url).scheme == "http"

    def _find_channel(self) -> tuple[str, bool]:
        """Return the name that a channel of gRPC takes, and whether it is without TLS.

        Of a URL only host and port count. Without http or https the endpoint goes to the gRPC
        library as it is: it knows `collector:4317` as well as `dns:///collector:4317` and
        `unix:/socket`.
        """
        endpoint = self.text
        scheme, _, rest = endpoint.partition(":")
        if scheme in LOCAL_CHANNELS:
            return endpoint, self.insecure
        if scheme in NAME_RESOLVERS or "://" not in endpoint:
            authority = rest.rpartition("/")[2] if scheme in NAME_RESOLVERS else endpoint
            check_endpoint(f"https://{authority}", self.own_ports)
            return endpoint, self.insecure
        check_endpoint(endpoint, self.own_ports)
        parts = urlsplit(endpoint)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}", parts.scheme == "http"
