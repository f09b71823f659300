"""The resource: what is found out, and who wins where several say something."""

from logger_extension import __version__
from logger_extension.config import Config
from logger_extension.signals.resource import describe_resource

ENVIRON = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    "AWS_LAMBDA_FUNCTION_NAME": "checkout",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_REGION": "eu-west-1",
}


def _describe(account_id: str = "", **environ: str) -> dict[str, str | int]:
    config = Config.from_env(ENVIRON | environ)
    return dict(describe_resource(config, account_id=account_id))


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
        "telemetry.distro.name": "logger_extension",
        "telemetry.distro.version": __version__,
        "service.name": "checkout",
    }


def test_what_is_unknown_is_absent() -> None:
    """No attribute is empty."""
    resource = _describe(AWS_REGION="")
    assert "cloud.account.id" not in resource
    assert "cloud.region" not in resource


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
