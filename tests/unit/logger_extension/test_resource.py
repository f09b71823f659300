"""The resource: what is found out, and who wins where several say something."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import OTELResourceDetector

from logger_extension import __version__
from logger_extension.config import Config
from logger_extension.signals.resource import Resource, describe_resource, learn_instance
from tests.support.laws import LAW

ENVIRON = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    "AWS_LAMBDA_FUNCTION_NAME": "checkout",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_REGION": "eu-west-1",
}


def _describe(account_id: str = "", **environ: str) -> Resource:
    config = Config.from_env(ENVIRON | environ)
    return describe_resource(config, account_id=account_id)


def test_all_that_lambda_tells_is_there() -> None:
    """Names of the semantic conventions, memory in bytes."""
    assert _describe("123456789012") == {
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": "eu-west-1",
        "cloud.account.id": "123456789012",
        "faas.name": "checkout",
        "faas.version": "7",
        "faas.max_memory": 512 * 1_048_576,
        "faas.invoked_provider": "aws",
        "faas.invoked_region": "eu-west-1",
        "telemetry.distro.name": "logger_extension",
        "telemetry.distro.version": __version__,
        "service.name": "checkout",
    }


def test_what_is_unknown_is_absent() -> None:
    """No attribute is empty."""
    resource = _describe(AWS_REGION="")
    assert "cloud.account.id" not in resource
    assert "cloud.region" not in resource


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("x86_64", "amd64"), ("aarch64", "arm64"), ("riscv64", None), ("", None)],
)
def test_the_architecture_has_the_name_of_the_conventions(
    machine: str, architecture: str | None
) -> None:
    """As what a function costs depends on it; one without a name there is left out."""
    resource = describe_resource(Config.from_env(ENVIRON), machine=machine)
    assert resource.get("host.arch") == architecture


def test_the_users_attributes_win_over_what_is_found_out() -> None:
    """And the service's own variable wins over both."""
    attributes = "faas.version=blue,team=shop,service.name=loser"
    resource = _describe(OTEL_RESOURCE_ATTRIBUTES=attributes, OTEL_SERVICE_NAME="winner")
    assert resource["faas.version"] == "blue"
    assert resource["team"] == "shop"
    assert resource["service.name"] == "winner"


def test_the_service_name_may_come_from_the_attributes() -> None:
    """Without its own variable."""
    resource = _describe(OTEL_RESOURCE_ATTRIBUTES="service.name=shop")
    assert resource["service.name"] == "shop"


def test_the_instance_is_learnt_from_init() -> None:
    """The log stream, which an extension does not see in its environment."""
    resource = _describe()
    learn_instance(resource, "")
    assert "faas.instance" not in resource
    learn_instance(resource, "2026/10/08/fn[$LATEST]22be")
    assert resource["faas.instance"] == "2026/10/08/fn[$LATEST]22be"
    assert resource["aws.log.stream.names"] == ["2026/10/08/fn[$LATEST]22be"]


def test_the_users_instance_stays() -> None:
    """What is set wins over what is learnt later as well."""
    resource = _describe(OTEL_RESOURCE_ATTRIBUTES="faas.instance=mine")
    learn_instance(resource, "theirs")
    assert resource["faas.instance"] == "mine"


@LAW
@given(
    st.dictionaries(
        st.text("abcdefgh.", min_size=1), st.text(st.characters(codec="utf-8")), max_size=5
    ),
    st.text("abc ", max_size=5),
)
def test_precedence_is_the_sdks(attributes: dict[str, str], service_name: str) -> None:
    """The SDK's own detector comes to the same attributes from the same two variables."""
    encoded = ",".join(f"{key}={quote(value, safe='')}" for key, value in attributes.items())
    environ = {"OTEL_RESOURCE_ATTRIBUTES": encoded, "OTEL_SERVICE_NAME": service_name.strip()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        expected = dict(OTELResourceDetector().detect().attributes)
    ours = _describe(**environ)
    expected.setdefault("service.name", "checkout")
    if not expected["service.name"]:
        # The SDK keeps an empty name here; ours falls back to the function's.
        expected["service.name"] = "checkout"
    assert {name: ours.get(name) for name in expected} == expected
