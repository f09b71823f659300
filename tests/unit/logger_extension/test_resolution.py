"""Targets whose references are known: as if the secrets had been set themselves."""

from dataclasses import replace

import pytest

from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.policy.aws_endpoints import Scope
from logger_extension.policy.references import Reference, Secret
from logger_extension.settings.export import ExportSettings, Target
from logger_extension.settings.resolution import resolve

KEY = Reference(Secret("ssm", "key"))
HOST = Reference(Secret("secretsmanager", "collector"), "host")
KEY_TEXT, HOST_TEXT = "{{resolve:ssm:key}}", "{{resolve:secretsmanager:collector::host}}"
PORT = 4328


def _read(signal: str = "logs", **environ: str) -> Target:
    """Return a target; variables are named without their prefix."""
    names = {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in environ.items()}
    env = Environment(names)
    settings = ExportSettings.read(env, own_ports={PORT: "LOGGER_EXTENSION_TELEMETRY_PORT"})
    assert env.complaints == []
    target: Target | None = getattr(settings, signal)
    assert target is not None
    return target


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])
def test_references_change_nothing_but_when(protocol: str) -> None:
    """A target with its secrets filled in is the one that plain variables would have given."""
    environ = {"PROTOCOL": protocol, "TIMEOUT": "7", "HEADERS": f"a=Bearer {KEY_TEXT},b=2"}
    target = _read(ENDPOINT=f"https://{HOST_TEXT}:9/?k={KEY_TEXT}", **environ)
    assert target.references == {KEY, HOST}
    assert target.url == ""
    plain = _read(ENDPOINT="https://c:9/?k=s3", **environ | {"HEADERS": "a=Bearer s3,b=2"})
    assert resolve(target, {KEY: "s3", HOST: "c"}) == plain


@pytest.mark.parametrize(
    ("names", "url"),
    [
        ({"ENDPOINT": KEY_TEXT}, "http://c:9/v1/traces"),
        ({"TRACES_ENDPOINT": KEY_TEXT, "ENDPOINT": "http://other"}, "http://c:9/"),
        ({"TRACES_ENDPOINT": f"{KEY_TEXT}/in", "ENDPOINT": "http://other"}, "http://c:9/in"),
        ({"TRACES_ENDPOINT": KEY_TEXT, "ENDPOINT": HOST_TEXT}, "http://c:9/"),
    ],
)
def test_an_endpoint_by_reference(names: dict[str, str], url: str) -> None:
    """The rules of the specification are kept when it is known; only what counts is fetched."""
    target = _read("traces", **names)
    assert target.references == {KEY}
    resolved = resolve(target, {KEY: "http://c:9"})
    assert (resolved.url, resolved.insecure) == (url, True)
    assert not _read("metrics", ENDPOINT="http://c").references


def test_headers_alone_leave_the_endpoint_as_it_is() -> None:
    """It was checked at the start, and is known to the limits."""
    target = _read(ENDPOINT="https://c", HEADERS=f"a={KEY_TEXT}")
    assert target.url == "https://c/v1/logs"
    assert resolve(target, {KEY: "s3"}) == replace(target, headers={"a": "s3"})


@pytest.mark.parametrize(
    "endpoint",
    ["hunter2", "hunter2:9", "hunter2://c", "http://", f"http://localhost:{PORT}/hunter2"],
)
@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_a_secret_that_is_no_endpoint(endpoint: str, protocol: str) -> None:
    """The secret is named, no part of it is told."""
    target = _read(ENDPOINT=HOST_TEXT, PROTOCOL=protocol)
    with pytest.raises(ConfigError, match="collector holds cannot be used") as caught:
        resolve(target, {HOST: endpoint})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("protocol", "value"), [("http/json", "hunter2\nx"), ("grpc", "hunter2ü")])
def test_a_secret_that_is_no_header(protocol: str, value: str) -> None:
    """The header is named."""
    target = _read(ENDPOINT="http://c", HEADERS=f"api-key={KEY_TEXT}", PROTOCOL=protocol)
    with pytest.raises(ConfigError, match="the header api-key with its secret") as caught:
        resolve(target, {KEY: value})
    assert "hunter2" not in str(caught.value)


def test_awss_own_endpoint_by_reference() -> None:
    """Signature and limits follow from the address when that is known."""
    target = _read("traces", ENDPOINT=KEY_TEXT)
    assert (target.scope, target.max_records) == (None, 0)
    resolved = resolve(target, {KEY: "https://xray.eu-west-1.amazonaws.com"})
    assert resolved.scope == Scope("xray", "eu-west-1")
    assert (resolved.max_records, resolved.max_request_bytes) == (10_000, 5_000_000)


def test_no_secret_is_shown() -> None:
    """Not in the repr of a target before, nor after."""
    target = _read(ENDPOINT=f"http://user:hunter2@c/{KEY_TEXT}", HEADERS=f"a=hunter2{KEY_TEXT}")
    assert target.endpoint is not None
    for shown in (target, target.endpoint, resolve(target, {KEY: "hunter2"})):
        assert "hunter2" not in repr(shown)
