"""Where a connection goes: host and port of a collector, or of the proxy before it.

Owns how an address is taken apart, and which proxies count: those that the extension's libraries
honour. aiohttp takes `http_proxy` or `https_proxy` by the collector's scheme, and no `https://`
proxy; gRPC takes `grpc_proxy`, `https_proxy` or `http_proxy`, in lower case only, and no proxy
but an `http://` one (https://github.com/grpc/grpc/blob/master/doc/environment_variables.md). Must
not open connections.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from logger_extension.environment import DEFAULT_PORTS
from logger_extension.settings.endpoint import LOCAL_CHANNELS, NAME_RESOLVERS
from logger_extension.settings.export import GRPC, Target

GRPC_PORT = 443
GRPC_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
GRPC_BYPASSES = ("no_grpc_proxy", "no_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is connected to.

    Attributes:
        host: a name or an address.
        port: its port.
        is_proxy: whether it is a proxy before the collector.
        is_tls: whether it is spoken to by TLS. What is behind a proxy is not seen from here.
        is_grpc: whether gRPC is spoken there.
        ca_file: see `Target`; the same for the next two.
        label: what it is called where host and port come from a secret.
    """

    host: str
    port: int
    is_proxy: bool = False
    is_tls: bool = False
    is_grpc: bool = False
    ca_file: str = ""
    client_certificate_file: str = ""
    client_key_file: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        """What the report calls it."""
        if self.label:
            return self.label
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'proxy ' if self.is_proxy else ''}{host}:{self.port}"


def find_place(target: Target, environ: Mapping[str, str]) -> Place | None:
    """Return what is connected to for a target with an address, None for what is no host.

    A proxy that is no address is none either: what comes of it is the export's to say.

    Args:
        target: without references in its address.
        environ: the function's environment, for proxies.
    """
    is_grpc = target.protocol == GRPC
    address = _split_channel(target.url) if is_grpc else _split_url(target.url)
    if address is None:
        return None
    host, port = address
    if proxy := _find_proxy(target, host, environ):
        through = split_proxy(proxy)
        return Place(host=through[0], port=through[1], is_proxy=True) if through else None
    return Place(
        host=host,
        port=port,
        is_tls=not target.insecure,
        is_grpc=is_grpc,
        ca_file=target.ca_file,
        client_certificate_file=target.client_certificate_file,
        client_key_file=target.client_key_file,
    )


def split_proxy(proxy: str) -> tuple[str, int] | None:
    """Return host and port of a proxy, None for what is no address."""
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port or DEFAULT_PORTS["http"]) if parts.scheme and host else None


def _split_url(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]


def _split_channel(name: str) -> tuple[str, int] | None:
    """Return host and port of a name of gRPC's; None for sockets, and for lists of addresses."""
    scheme, _, rest = name.partition(":")
    if scheme in LOCAL_CHANNELS or "," in name:
        return None
    parts = urlsplit(f"//{rest.rpartition('/')[2] if scheme in NAME_RESOLVERS else name}")
    return (parts.hostname, parts.port or GRPC_PORT) if parts.hostname else None


def _find_proxy(target: Target, host: str, environ: Mapping[str, str]) -> str:
    if target.protocol == GRPC:
        proxy = next((environ[name] for name in GRPC_PROXIES if environ.get(name)), "")
        proxy = proxy if proxy.lower().startswith("http://") else ""
        bypass = next((environ[name] for name in GRPC_BYPASSES if environ.get(name)), "")
        return "" if proxy_bypass_environment(host, {"no": bypass}) else proxy
    # As urllib has it, which aiohttp asks: names in lower case win.
    names = sorted((name for name in environ if name.lower().endswith("_proxy")), key=str.islower)
    proxies = {name.lower().removesuffix("_proxy"): environ[name] for name in names}
    proxy = proxies.get(urlsplit(target.url).scheme, "")
    is_bypassed = proxy_bypass_environment(host, {"no": proxies.get("no", "")})
    return "" if is_bypassed or proxy.lower().startswith("https://") else proxy
