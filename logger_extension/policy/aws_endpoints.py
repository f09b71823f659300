"""AWS's own endpoints: where services listen, which OTLP endpoints want a signature, their limits.

Owns hosts, services and limits. Must not know credentials, nor how a signature is made.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

OTLP_HOST = re.compile(
    r"(?P<service>xray|logs|monitoring)\.(?P<region>[a-z]{2}[a-z0-9-]*-[0-9]+)\.amazonaws\.com(\.cn)?"
)
SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

LOGS_HEADERS = ("x-aws-log-group", "x-aws-log-stream")

AUTO, OFF = "auto", "off"

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
URL_VARIABLES = {
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "ssm": "AWS_ENDPOINT_URL_SSM",
}


class Scope(NamedTuple):
    """What a signature is good for: one service in one region."""

    service: str
    region: str


class Limits(NamedTuple):
    """The most that one request may hold; 0 is no limit. Bytes are counted uncompressed."""

    max_records: int = 0
    max_request_bytes: int = 0


LIMITS = {
    "xray": Limits(10_000, 5_000_000),
    "logs": Limits(10_000, 1_000_000),
    "monitoring": Limits(1_000, 1_000_000),
}


def find_otlp_scope(url: str) -> Scope | None:
    """Return service and region when a URL is one of AWS's own OTLP endpoints."""
    try:
        match = OTLP_HOST.fullmatch(urlsplit(url).hostname or "")
    except ValueError:  # what only gRPC takes for an address
        return None
    return Scope(match["service"], match["region"]) if match else None


def find_limits(url: str) -> Limits:
    """Return what the endpoint takes in one request."""
    scope = find_otlp_scope(url)
    return LIMITS[scope.service] if scope else Limits()


def find_lacking_headers(signal: str, url: str, headers: Mapping[str, str]) -> list[str]:
    """Return the headers without which CloudWatch takes no logs, those of them that are not set."""
    scope = find_otlp_scope(url)
    if signal != "logs" or scope is None or scope.service != "logs":
        return []
    return [name for name in LOGS_HEADERS if name not in headers]


def choose_scope(url: str, headers: Mapping[str, str], mode: str, region: str) -> Scope | None:
    """Return what requests are signed for, None when they are not.

    Args:
        url: where they go.
        headers: those of the target. With an `authorization` among them (a bearer token; logs and
            metrics take one) only a service that was asked for is signed.
        mode: `auto`, `off`, or the service to sign for.
        region: where the function runs, for hosts that do not tell.
    """
    if mode == OFF or (mode == AUTO and "authorization" in headers):
        return None
    scope = find_otlp_scope(url)
    return scope if mode == AUTO else Scope(mode, scope.region if scope else region)


def find_service_url(scope: Scope, environ: Mapping[str, str]) -> str:
    """Return where a service is asked: what the environment says, else its public endpoint."""
    own = environ.get(URL_VARIABLES[scope.service]) or environ.get("AWS_ENDPOINT_URL")
    suffix = "amazonaws.com.cn" if scope.region.startswith("cn-") else "amazonaws.com"
    return own or f"https://{scope.service}.{scope.region}.{suffix}/"
