"""Where a target leads, through which proxy."""

import pytest
from aiohttp.helpers import get_env_proxy_for_url
from yarl import URL

from logger_extension_cli.doctor.places import Place, find_place
from tests.support.export_targets import make_target


@pytest.mark.parametrize(
    ("protocol", "url", "host", "port"),
    [
        ("http/protobuf", "http://collector/v1/logs", "collector", 80),
        ("http/json", "https://u:p@collector/v1/logs?a=b", "collector", 443),
        ("http/protobuf", "https://[::1]:4318/v1/logs", "::1", 4318),
        ("grpc", "collector:4317", "collector", 4317),
        ("grpc", "collector", "collector", 443),
        ("grpc", "dns:///collector:4317", "collector", 4317),
        ("grpc", "dns:collector", "collector", 443),
        ("grpc", "ipv6:[::1]:4317", "::1", 4317),
        ("grpc", "[::1]:4317", "::1", 4317),
    ],
)
def test_hosts_and_ports(protocol: str, url: str, host: str, port: int) -> None:
    """Of URLs and of the names that gRPC takes."""
    target = make_target(protocol=protocol, url=url, insecure=not url.startswith("https"))
    place = find_place(target, {})
    assert place is not None
    assert (place.host, place.port, place.is_proxy) == (host, port, False)
    assert place.is_tls is url.startswith("https")
    assert place.is_grpc is (protocol == "grpc")


@pytest.mark.parametrize("url", ["unix:/socket", "unix-abstract:x", "ipv4:1.2.3.4:1,1.2.3.5:1"])
def test_no_single_host(url: str) -> None:
    """Sockets and lists are the gRPC library's alone."""
    assert find_place(make_target(protocol="grpc", url=url), {}) is None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTP_PROXY": "http://upper:1"},
        {"http_proxy": "http://lower:2", "HTTP_PROXY": "http://upper:1"},
        {"https_proxy": "http://tls:3", "HTTP_PROXY": "http://upper:1"},
        {"https_proxy": "http://user:password@tls"},
        {"http_proxy": "https://unsupported:4", "https_proxy": "https://unsupported:4"},
        {"http_proxy": "HTTPS://unsupported:4", "https_proxy": "HTTPS://unsupported:4"},
        {"http_proxy": "http://p:1", "https_proxy": "http://p:1", "no_proxy": "collector"},
        {"http_proxy": "http://p:1", "https_proxy": "http://p:1", "NO_PROXY": ".internal"},
        {"http_proxy": "http://p:1", "https_proxy": "http://p:1", "no_proxy": "*"},
        {"all_proxy": "http://p:1"},
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["collector", "collector.internal"])
def test_proxies_of_http_are_those_that_aiohttp_takes(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], scheme: str, host: str
) -> None:
    """The library that the extension sends with is asked the same."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    url = f"{scheme}://{host}/v1/logs"
    try:
        proxy, _ = get_env_proxy_for_url(URL(url))
        expected = (proxy.host, proxy.port, True)
    except LookupError:
        expected = (host, 80 if scheme == "http" else 443, False)
    place = find_place(make_target(url=url, insecure=scheme == "http"), environ)
    assert place is not None
    assert (place.host, place.port, place.is_proxy) == expected


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"grpc_proxy": "http://a:1", "https_proxy": "http://b:1"}, "a"),
        ({"https_proxy": "http://b:1", "http_proxy": "http://c:1"}, "b"),
        ({"http_proxy": "http://c:1"}, "c"),
        ({"HTTP_PROXY": "http://c:1"}, "collector"),
        ({"http_proxy": "c:1"}, "collector"),
        ({"http_proxy": "socks5://c:1"}, "collector"),
        ({"https_proxy": "https://b:1", "http_proxy": "http://c:1"}, "collector"),
        ({"http_proxy": "http://c:1", "no_proxy": "collector"}, "collector"),
        ({"http_proxy": "http://c:1", "no_grpc_proxy": "x", "no_proxy": "collector"}, "c"),
    ],
)
def test_proxies_of_grpc(environ: dict[str, str], host: str) -> None:
    """As its documentation of variables has it."""
    place = find_place(make_target(protocol="grpc", url="collector:4317"), environ)
    assert place is not None
    assert place.host == host


@pytest.mark.parametrize("proxy", ["proxy:3128", "proxy", " ", "http://", "http://p:x", "http://["])
def test_a_proxy_that_is_no_address(proxy: str) -> None:
    """There is nothing to connect to: what comes of it is the export's to say."""
    assert find_place(make_target(), {"http_proxy": proxy, "https_proxy": proxy}) is None


def test_names() -> None:
    """An IPv6 address stands in brackets, a proxy is called one; its user is not told."""
    assert Place(host="::1", port=4317).name == "[::1]:4317"
    target = make_target(url="http://collector/v1/logs")
    place = find_place(target, {"http_proxy": "http://user:password@proxy:3128"})
    assert place is not None
    assert place.name == "proxy proxy:3128"
