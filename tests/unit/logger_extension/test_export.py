"""The exporter's variables: the specification's rules for each signal and each protocol."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.policy.aws_endpoints import Scope
from logger_extension.settings.export import SIGNALS, ExportSettings, Target
from tests.support.laws import LAW

PORT = 4328
COLLECTOR = "http://collector:4318"
ALL_SIGNALS = pytest.mark.parametrize("signal", SIGNALS)


def _read(environ: dict[str, str]) -> tuple[dict[str, Target | None], list[str]]:
    env = Environment(environ)
    settings = ExportSettings.read(env, own_ports={PORT: "LOGGER_EXTENSION_TELEMETRY_PORT"})
    targets = {signal: getattr(settings, signal) for signal in SIGNALS}
    return targets, env.complaints


def _target(signal: str = "logs", **environ: str) -> Target:
    """Return one signal's target; variables are named without their prefix."""
    names = {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in environ.items()}
    targets, complaints = _read({"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR} | names)
    target = targets[signal]
    assert target is not None
    assert complaints == []
    return target


@ALL_SIGNALS
def test_the_defaults(signal: str) -> None:
    """One variable is enough for all three signals."""
    assert _target(signal) == Target(
        signal=signal,
        protocol="http/protobuf",
        url=f"{COLLECTOR}/v1/{signal}",
        headers={},
        compression="gzip",
        timeout_ms=10_000,
        ca_file="",
        client_certificate_file="",
        client_key_file="",
        insecure=True,
    )


NAMES = (
    "ENDPOINT",
    "PROTOCOL",
    "HEADERS",
    "COMPRESSION",
    "TIMEOUT",
    "CERTIFICATE",
    "CLIENT_CERTIFICATE",
    "CLIENT_KEY",
    "INSECURE",
)


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_empty_is_unset(blank: str) -> None:
    """Every variable that is empty has its default, without a complaint."""
    blanks = {f"{s.upper()}_{name}": blank for s in SIGNALS for name in NAMES}
    blanks |= {name: blank for name in NAMES if name != "ENDPOINT"}
    for signal in SIGNALS:
        assert _target(signal, **blanks) == _target(signal)


GENERAL = {
    "ENDPOINT": "https://general:1",
    "PROTOCOL": "http/json",
    "HEADERS": "general=1,both=1",
    "COMPRESSION": "none",
    "TIMEOUT": "1",
    "CERTIFICATE": "/general/ca",
    "CLIENT_CERTIFICATE": "/general/certificate",
    "CLIENT_KEY": "/general/key",
}
OWN = {
    "ENDPOINT": "https://own:2/in",
    "PROTOCOL": "http/protobuf",
    "HEADERS": "both=2",
    "COMPRESSION": "gzip",
    "TIMEOUT": "2",
    "CERTIFICATE": "/own/ca",
    "CLIENT_CERTIFICATE": "/own/certificate",
    "CLIENT_KEY": "/own/key",
}


@ALL_SIGNALS
def test_a_signals_variable_replaces_the_general_one(signal: str) -> None:
    """Nothing is merged, headers neither; the other signals keep the general ones."""
    environ = GENERAL | {f"{signal.upper()}_{name}": value for name, value in OWN.items()}
    assert _target(signal, **environ) == Target(
        signal=signal,
        protocol="http/protobuf",
        url="https://own:2/in",
        headers={"both": "2"},
        compression="gzip",
        timeout_ms=2,
        ca_file="/own/ca",
        client_certificate_file="/own/certificate",
        client_key_file="/own/key",
        insecure=False,
    )
    for other in set(SIGNALS) - {signal}:
        assert _target(other, **environ) == _target(other, **GENERAL)
        assert _target(other, **environ).url == f"https://general:1/v1/{other}"


@ALL_SIGNALS
@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://c:4318", "http://c:4318/v1/{}"),
        ("http://c:4318/", "http://c:4318/v1/{}"),
        ("http://c:4318/my", "http://c:4318/my/v1/{}"),
        ("http://c:4318/my/", "http://c:4318/my/v1/{}"),
        ("https://c", "https://c/v1/{}"),
        ("http://c?key=a/b", "http://c/v1/{}?key=a/b"),
        ("http://c/my/?key=a", "http://c/my/v1/{}?key=a"),
        ("http://u:p%40@[2001:db8::1]:1/%2F", "http://u:p%40@[2001:db8::1]:1/%2F/v1/{}"),
    ],
)
def test_the_general_endpoint_gets_the_signals_path(base: str, url: str, signal: str) -> None:
    """A trailing slash makes no difference, a query stays behind the path."""
    assert _target(signal, ENDPOINT=base).url == url.format(signal)


@ALL_SIGNALS
@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://c:4318", "http://c:4318/"),
        ("http://c:4318/", "http://c:4318/"),
        ("http://c:4318/in", "http://c:4318/in"),
        ("http://c:4318/in/", "http://c:4318/in/"),
        ("http://c:4318?key=a", "http://c:4318/?key=a"),
        ("http://c:4318/in?key=a/", "http://c:4318/in?key=a/"),
    ],
)
def test_a_signals_endpoint_is_used_as_it_is(endpoint: str, url: str, signal: str) -> None:
    """Only a missing path becomes "/"."""
    assert _target(signal, **{f"{signal.upper()}_ENDPOINT": endpoint}).url == url


@LAW
@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"(/[a-z]{1,3}){0,3}/?", fullmatch=True),
    st.from_regex(r"(\?[a-z]{1,3}=[a-z/?]{0,3})?", fullmatch=True),
)
def test_only_the_path_of_a_general_endpoint_changes(scheme: str, path: str, query: str) -> None:
    """Scheme, host, port and query are the user's; the path ends in the signal's own."""
    asked = urlsplit(f"{scheme}://c:9{path}{query}")
    made = urlsplit(_target("traces", ENDPOINT=asked.geturl()).url)
    assert made._replace(path="") == asked._replace(path="")
    assert made.path == f"{asked.path.rstrip('/')}/v1/traces"


def test_signals_endpoints_are_enough() -> None:
    """Without a general endpoint, a signal with none of its own is off, and that is told."""
    targets, complaints = _read(
        {
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://l:1/a",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:2/b",
        }
    )
    assert [t and t.url for t in targets.values()] == ["http://l:1/a", "http://t:2/b", None]
    (complaint,) = complaints
    assert "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" in complaint
    assert "OTEL_METRICS_EXPORTER" in complaint


@pytest.mark.parametrize("exporters", [{}, {"OTEL_LOGS_EXPORTER": "none"}])
def test_without_a_collector_nothing_can_be_delivered(exporters: dict[str, str]) -> None:
    """The message names the variable to set."""
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        _read(exporters)


@ALL_SIGNALS
@pytest.mark.parametrize("word", ["none", "None"])
def test_a_signal_can_be_off(signal: str, word: str) -> None:
    """Whatever else is set for it does not matter."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR,
        f"OTEL_{signal.upper()}_EXPORTER": word,
        f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT": "no URL",
    }
    targets, complaints = _read(environ)
    assert [name for name, target in targets.items() if target is None] == [signal]
    assert complaints == []


def test_all_signals_off_is_nothing_to_do() -> None:
    """The function then runs without us."""
    environ = {f"OTEL_{signal.upper()}_EXPORTER": "none" for signal in SIGNALS}
    with pytest.raises(ConfigError, match="all none"):
        _read(environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR})


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_{}", "OTEL_EXPORTER_OTLP_TRACES_{}"])
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROTOCOL", "carrier pigeon"),
        ("COMPRESSION", "zstd"),
        ("TIMEOUT", "ten"),
        ("TIMEOUT", "-1"),
        ("TIMEOUT", "1.5"),
        ("TIMEOUT", "10s"),
        ("TIMEOUT", "9" * 5_000),
        ("INSECURE", "yes"),
    ],
)
def test_a_bad_value_is_told_once_and_ignored(name: str, variable: str, value: str) -> None:
    """As the specification demands: the general value, or the default, stands in."""
    targets, complaints = _read(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, name.format(variable): value}
    )
    (complaint,) = complaints
    assert complaint.startswith(name.format(variable))
    assert len(complaint) < 300
    assert targets == {signal: _target(signal) for signal in SIGNALS}


def test_a_bad_value_of_a_signal_leaves_the_general_one() -> None:
    """An ignored value is an unset one."""
    targets, complaints = _read(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "7",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "soon",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "smoke",
        }
    )
    assert targets["logs"] == _target(TIMEOUT="7", PROTOCOL="http/json")
    assert len(complaints) == 2


@pytest.mark.parametrize(("value", "timeout_ms"), [("500", 500), ("0", 0), (" 250 ", 250)])
def test_the_timeout_is_in_milliseconds(value: str, timeout_ms: int) -> None:
    """And nought is no limit."""
    assert _target(TIMEOUT=value).timeout_ms == timeout_ms
    assert _target(TRACES_TIMEOUT=value, TIMEOUT="9", signal="traces").timeout_ms == timeout_ms


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc", "GRPC", "HTTP/JSON"])
def test_protocols_are_compared_without_case(protocol: str) -> None:
    """Enumerations are, says the specification."""
    assert _target(PROTOCOL=protocol).protocol == protocol.lower()


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("API-Key=abc, X=1", {"api-key": "abc", "x": "1"}),
        ("authorization=Basic%20dXNlcg%3D%3D", {"authorization": "Basic dXNlcg=="}),
        ("authorization=Basic dXNlcg==", {"authorization": "Basic dXNlcg=="}),
        ("a=b=c", {"a": "b=c"}),
        ("a=%2C%25,b=%3D+", {"a": ",%", "b": "=+"}),
        ("a=", {"a": ""}),
        (" a = b ,, ", {"a": "b"}),
    ],
)
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_headers_are_pairs_percent_decoded(
    text: str, headers: dict[str, str], protocol: str
) -> None:
    """`=` inside a value is the value's; a plus is a plus."""
    assert _target(HEADERS=text, PROTOCOL=protocol).headers == headers


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])
@pytest.mark.parametrize(
    "text", ["hunter2", "=hunter2", "a b=hunter2", "a=hunter2%0d%0aX: y", "a=hunter2%ff"]
)
@pytest.mark.parametrize("name", ["HEADERS", "METRICS_HEADERS"])
def test_bad_headers_are_refused(name: str, text: str, protocol: str) -> None:
    """The message names the variable and the place, never the value."""
    with pytest.raises(ConfigError, match=f"OTEL_EXPORTER_OTLP_{name}\\b") as caught:
        _target(**{name: text, "PROTOCOL": protocol})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("pair", ["a!b=hunter2", "a=hunter2ü", "grpc-status=hunter2", "a-bin=1"])
def test_what_only_http_takes_is_refused_for_grpc(pair: str) -> None:
    """The library would fail every call."""
    assert _target(HEADERS=pair).headers
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_HEADERS: pair 1") as caught:
        _target(HEADERS=pair, PROTOCOL="grpc")
    assert "hunter2" not in str(caught.value)


def test_no_secret_is_shown() -> None:
    """Neither headers nor credentials inside a URL stand in a target's repr."""
    target = _target(HEADERS="authorization=hunter2", ENDPOINT="http://user:hunter2@c:1")
    assert target.headers == {"authorization": "hunter2"}
    assert "hunter2" in target.url
    assert "hunter2" not in repr(target)


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])
@pytest.mark.parametrize(
    "endpoint",
    [
        "ftp://user:hunter2@collector",
        "http://user:hunter2@c:port",
        "http://hunter2:hunter2",
        "http://",
        "http:///path",
        "//collector",
        "http://a b",
        "http://c/\x00",
        "http://[::1",
    ],
)
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str, protocol: str) -> None:
    """With what it should look like, and without what may be a secret in it."""
    with pytest.raises(ConfigError, match="endpoint") as caught:
        _target(ENDPOINT=endpoint, PROTOCOL=protocol)
    assert "hunter2" not in str(caught.value)


def test_http_needs_a_scheme() -> None:
    """Host and port alone are for gRPC."""
    with pytest.raises(ConfigError, match="http://"):
        _target(ENDPOINT="collector:4318")


@pytest.mark.parametrize(
    ("endpoint", "insecure", "url", "is_plain"),
    [
        ("http://c:4317", "", "c:4317", True),
        ("http://c:4317/", "false", "c:4317", True),
        ("HTTP://c:4317/ignored?too", "", "c:4317", True),
        ("https://c:4317", "true", "c:4317", False),
        ("http://c", "", "c:80", True),
        ("https://c", "", "c:443", False),
        ("https://[::1]:4317", "", "[::1]:4317", False),
        ("https://user:pass@c:4317", "", "c:4317", False),
        ("c:4317", "", "c:4317", False),
        ("c:4317", "true", "c:4317", True),
        ("c:4317", "TRUE", "c:4317", True),
        ("c:4317", "false", "c:4317", False),
        ("c", "true", "c", True),
        ("127.0.0.1:4317", "true", "127.0.0.1:4317", True),
        ("[::1]:4317", "true", "[::1]:4317", True),
        ("dns:///c:4317", "true", "dns:///c:4317", True),
        ("dns://8.8.8.8/c:4317", "", "dns://8.8.8.8/c:4317", False),
        ("ipv4:10.0.0.1:4317", "", "ipv4:10.0.0.1:4317", False),
        ("unix:/run/c.sock", "true", "unix:/run/c.sock", True),
        ("unix:///run/c.sock", "true", "unix:///run/c.sock", True),
    ],
)
def test_endpoints_of_grpc(endpoint: str, insecure: str, url: str, *, is_plain: bool) -> None:
    """A scheme decides about TLS; without http or https INSECURE does, and a path means nothing."""
    target = _target(ENDPOINT=endpoint, PROTOCOL="grpc", INSECURE=insecure)
    assert (target.url, target.insecure) == (url, is_plain)
    own = {"LOGS_ENDPOINT": endpoint, "LOGS_PROTOCOL": "grpc", "LOGS_INSECURE": insecure}
    assert _target(**own) == target


def test_insecure_says_nothing_about_http() -> None:
    """There the scheme always decides."""
    assert not _target(ENDPOINT="https://c", INSECURE="true").insecure
    assert _target(ENDPOINT="http://c", INSECURE="false").insecure


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("http/protobuf", f"http://localhost:{PORT}"),
        ("http/json", f"http://127.0.0.1:{PORT}/v1"),
        ("grpc", f"http://localhost:{PORT}"),
        ("grpc", f"localhost:{PORT}"),
        ("grpc", f"127.0.0.1:{PORT}"),
        ("grpc", f"[::1]:{PORT}"),
        ("grpc", f"dns:///sandbox:{PORT}"),
        ("grpc", f"ipv4:127.0.0.1:{PORT}"),
    ],
)
@pytest.mark.parametrize("name", ["ENDPOINT", "TRACES_ENDPOINT"])
def test_our_own_receiver_is_refused(name: str, protocol: str, endpoint: str) -> None:
    """In every spelling that reaches it: telemetry would run in a circle."""
    with pytest.raises(ConfigError, match="own listener"):
        _target(**{name: endpoint, "PROTOCOL": protocol})


@LAW
@given(
    st.dictionaries(
        st.sampled_from([f"{p}{name}" for p in ("", "LOGS_", "METRICS_") for name in NAMES]),
        st.text(max_size=20) | st.sampled_from(["grpc", "http/json", "c:1", "http://c", "true"]),
    )
)
def test_any_environment_works_or_is_refused(environ: dict[str, str]) -> None:
    """Whatever stands there: targets, or an error of ours."""
    names = {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in environ.items()}
    try:
        targets, _ = _read(names)
    except ConfigError:
        return
    assert any(targets.values())


@pytest.mark.parametrize("name", ["ENDPOINT", "LOGS_ENDPOINT"])
def test_a_malformed_reference_in_an_endpoint_is_refused(name: str) -> None:
    """The variable is named, the value is not."""
    with pytest.raises(ConfigError, match=f"^OTEL_EXPORTER_OTLP_{name}: a reference") as caught:
        _target(**{name: "https://{{resolve:vault:hunter2}}"})
    assert "hunter2" not in str(caught.value)


XRAY = "https://xray.us-east-1.amazonaws.com/v1/traces"
CLOUDWATCH = "https://logs.us-east-1.amazonaws.com/v1/logs"


def test_awss_own_endpoints_are_signed_and_limited() -> None:
    """Without a variable of ours; other collectors are neither."""
    target = _target("traces", TRACES_ENDPOINT=XRAY)
    assert target.scope == Scope("xray", "us-east-1")
    assert (target.max_records, target.max_request_bytes) == (10_000, 5_000_000)
    plain = _target("metrics", TRACES_ENDPOINT=XRAY)
    assert (plain.scope, plain.max_records, plain.max_request_bytes) == (None, 0, 0)


@pytest.mark.parametrize(
    ("word", "scope"),
    [("auto", None), ("OFF", None), ("aps", Scope("aps", "eu-central-1")), ("", None)],
)
def test_signatures_can_be_asked_for(word: str, scope: Scope | None) -> None:
    """For every target, in the function's region."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR,
        "LOGGER_EXTENSION_SIGV4": word,
        "AWS_REGION": "eu-central-1",
    }
    targets, complaints = _read(environ)
    assert [target and target.scope for target in targets.values()] == [scope] * 3
    assert complaints == []


def test_a_service_that_is_none_is_told() -> None:
    """And auto is used."""
    targets, (complaint,) = _read(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "LOGGER_EXTENSION_SIGV4": "x ray"}
    )
    assert complaint.startswith("LOGGER_EXTENSION_SIGV4")
    assert targets["logs"] == _target()


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://xray.us-east-1.amazonaws.com"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "xray.us-east-1.amazonaws.com:443"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "LOGGER_EXTENSION_SIGV4": "xray"},
    ],
)
def test_grpc_cannot_be_signed(environ: dict[str, str]) -> None:
    """Nor do AWS's own endpoints speak it."""
    with pytest.raises(ConfigError, match="http/protobuf"):
        _read(environ | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_cloudwatch_logs_need_a_place() -> None:
    """Group and stream; what is missing is told, the function runs."""
    endpoints = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR,
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": CLOUDWATCH,
    }
    headers = "OTEL_EXPORTER_OTLP_LOGS_HEADERS"
    _, (complaint,) = _read(endpoints | {headers: "x-aws-log-group=g"})
    assert "x-aws-log-stream" in complaint
    assert headers in complaint
    _, complaints = _read(endpoints | {headers: "X-Aws-Log-Group=g,x-aws-log-stream=s"})
    assert complaints == []


@pytest.mark.parametrize(
    ("environ", "needs_aws"),
    [
        ({}, False),
        ({"LOGGER_EXTENSION_SIGV4": "aps"}, True),
        ({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": CLOUDWATCH}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_HEADERS": "a={{resolve:ssm:k}}"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "{{resolve:ssm:k}}"}, True),
    ],
)
def test_whether_aws_is_needed(environ: dict[str, str], *, needs_aws: bool) -> None:
    """Nothing is imported for it otherwise."""
    settings = ExportSettings.read(
        Environment({"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR} | environ)
    )
    assert settings.needs_aws is needs_aws
