"""AWS's own hosts: which want a signature, for what, and how much they take."""

import pytest

from logger_extension.policy.aws_endpoints import (
    Limits,
    Scope,
    choose_scope,
    find_lacking_headers,
    find_limits,
    find_otlp_scope,
    find_service_url,
)

TRACES = "https://xray.us-east-1.amazonaws.com/v1/traces"
LOGS = "https://logs.eu-west-1.amazonaws.com/v1/logs"
METRICS = "https://monitoring.us-gov-west-1.amazonaws.com/v1/metrics"
ELSEWHERE = "https://collector:4318/v1/logs"


@pytest.mark.parametrize(
    ("url", "scope", "limits"),
    [
        (TRACES, Scope("xray", "us-east-1"), Limits(10_000, 5_000_000)),
        (LOGS, Scope("logs", "eu-west-1"), Limits(10_000, 1_000_000)),
        (METRICS, Scope("monitoring", "us-gov-west-1"), Limits(1_000, 1_000_000)),
        (
            "https://logs.cn-north-1.amazonaws.com.cn:443/v1/logs",
            Scope("logs", "cn-north-1"),
            Limits(10_000, 1_000_000),
        ),
    ],
)
def test_hosts_that_are_awss_own(url: str, scope: Scope, limits: Limits) -> None:
    """Service and region stand in the name."""
    assert find_otlp_scope(url) == scope
    assert find_limits(url) == limits


@pytest.mark.parametrize(
    "url",
    [
        "",
        ELSEWHERE,
        "https://s3.us-east-1.amazonaws.com/",
        "https://xray.amazonaws.com/",
        "https://xray.us-east-1.amazonaws.com.example.org/",
        "https://evil.xray.us-east-1.amazonaws.com/",
        "https://example.org/xray.us-east-1.amazonaws.com",
        "//ipv6:[::1:4317",
    ],
)
def test_other_hosts_are_not(url: str) -> None:
    """Nothing is signed for them, and there are no limits to know."""
    assert find_otlp_scope(url) is None
    assert find_limits(url) == Limits(0, 0)


@pytest.mark.parametrize(
    ("url", "headers", "mode", "scope"),
    [
        (TRACES, {}, "auto", Scope("xray", "us-east-1")),
        (TRACES, {}, "off", None),
        (ELSEWHERE, {}, "auto", None),
        (ELSEWHERE, {}, "aps", Scope("aps", "eu-central-1")),
        (TRACES, {}, "aps", Scope("aps", "us-east-1")),
        (LOGS, {"authorization": "Bearer x"}, "auto", None),
        (LOGS, {"authorization": "Bearer x"}, "logs", Scope("logs", "eu-west-1")),
        (LOGS, {"x-aws-log-group": "g"}, "auto", Scope("logs", "eu-west-1")),
    ],
)
def test_what_is_signed(url: str, headers: dict[str, str], mode: str, scope: Scope | None) -> None:
    """A bearer token takes the signature's place, unless a service was asked for."""
    assert choose_scope(url, headers, mode, "eu-central-1") == scope


@pytest.mark.parametrize(
    ("signal", "url", "headers", "lacking"),
    [
        ("logs", LOGS, {}, ["x-aws-log-group", "x-aws-log-stream"]),
        ("logs", LOGS, {"x-aws-log-group": "g"}, ["x-aws-log-stream"]),
        ("logs", LOGS, {"x-aws-log-group": "g", "x-aws-log-stream": "s"}, []),
        ("logs", ELSEWHERE, {}, []),
        ("traces", TRACES, {}, []),
    ],
)
def test_headers_that_logs_need(
    signal: str, url: str, headers: dict[str, str], lacking: list[str]
) -> None:
    """CloudWatch knows from them where to put records."""
    assert find_lacking_headers(signal, url, headers) == lacking


@pytest.mark.parametrize(
    ("service", "region", "environ", "url"),
    [
        ("ssm", "eu-west-1", {}, "https://ssm.eu-west-1.amazonaws.com/"),
        ("secretsmanager", "cn-north-1", {}, "https://secretsmanager.cn-north-1.amazonaws.com.cn/"),
        ("ssm", "eu-west-1", {"AWS_ENDPOINT_URL": "http://a"}, "http://a"),
        (
            "ssm",
            "r",
            {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SSM": "http://b"},
            "http://b",
        ),
        (
            "secretsmanager",
            "r",
            {"AWS_ENDPOINT_URL_SSM": "http://b", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://c"},
            "http://c",
        ),
    ],
)
def test_where_services_are_asked(
    service: str, region: str, environ: dict[str, str], url: str
) -> None:
    """The service's own variable wins over the general one, that over the public endpoint."""
    assert find_service_url(Scope(service, region), environ) == url
