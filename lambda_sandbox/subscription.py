"""The request body of a Telemetry API subscription.

Pure: bytes in, a checked `Subscription` out, or all reasons why not (contract section 6). It must
not know who asks or whether the time for it is over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lambda_sandbox.errors import ApiError

SCHEMA_VERSIONS = ("2022-07-01", "2022-12-13", "2025-01-29")
MANAGED_INSTANCES_SCHEMA_VERSION = "2025-01-29"
TYPES = ("platform", "function", "extension")
PROTOCOLS = ("HTTP", "TCP")
HOSTS = ("sandbox.localdomain", "sandbox")
RUNTIME_API_PORT = 9001
HIGHEST_PORT = 65_535
# Of each limit: the least, the most, and the default.
BUFFERING = {
    "maxItems": (1_000, 10_000, 10_000),
    "maxBytes": (262_144, 1_048_576, 262_144),
    "timeoutMs": (25, 30_000, 1_000),
}


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one extension asked for. `target` is the path and query of an HTTP destination."""

    schema_version: str
    types: tuple[str, ...]
    protocol: str
    port: int
    target: str = "/"
    max_items: int = BUFFERING["maxItems"][2]
    max_bytes: int = BUFFERING["maxBytes"][2]
    timeout_ms: int = BUFFERING["timeoutMs"][2]


def parse_subscription(body: bytes, *, managed_instances: bool) -> Subscription:
    """Check a body.

    Raises:
        ApiError: 400 `ValidationError`, its message all reasons joined by `; `.
    """
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ApiError(400, "ValidationError", "the body must be a JSON object")
    reasons: list[str] = []
    schema_version = document.get("schemaVersion")
    allowed = (MANAGED_INSTANCES_SCHEMA_VERSION,) if managed_instances else SCHEMA_VERSIONS
    if schema_version not in allowed:
        reasons.append(f"schemaVersion should be one of {', '.join(allowed)}")
    types = _types(document.get("types"), reasons)
    protocol, port, target = _destination(document.get("destination"), reasons)
    limits = _buffering(document.get("buffering", {}), reasons)
    if reasons:
        raise ApiError(400, "ValidationError", "; ".join(reasons))
    return Subscription(
        schema_version=str(schema_version),
        types=types,
        protocol=protocol,
        port=port,
        target=target,
        max_items=limits["maxItems"],
        max_bytes=limits["maxBytes"],
        timeout_ms=limits["timeoutMs"],
    )


def _types(value: Any, reasons: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        reasons.append("types should not be empty")
        return ()
    unknown = [item for item in value if item not in TYPES]
    if unknown:
        reasons.append(f"types should be of {', '.join(TYPES)}")
    return tuple(dict.fromkeys(str(item) for item in value))


def _destination(value: Any, reasons: list[str]) -> tuple[str, int, str]:
    destination = value if isinstance(value, dict) else {}
    protocol = destination.get("protocol")
    if protocol not in PROTOCOLS:
        reasons.append(f"destination.protocol should be one of {', '.join(PROTOCOLS)}")
        return "", 0, "/"
    if protocol == "TCP":
        return "TCP", _port(destination.get("port"), "destination.port", reasons), "/"
    return "HTTP", *_uri(destination.get("URI"), reasons)


def _uri(value: Any, reasons: list[str]) -> tuple[int, str]:
    try:
        uri = urlsplit(value if isinstance(value, str) else "")
        port = uri.port
    except ValueError:
        reasons.append("destination.URI is not a valid URI")
        return 0, "/"
    if uri.scheme != "http":
        reasons.append("destination.URI scheme must be http")
    if uri.hostname not in HOSTS:
        reasons.append(f"destination.URI host must be {HOSTS[0]}")
    if port is None:
        reasons.append("URI port is not provided")
    else:
        _port(port, "destination.URI port", reasons)
    target = (uri.path or "/") + (f"?{uri.query}" if uri.query else "")
    return port or 0, target


def _port(value: Any, name: str, reasons: list[str]) -> int:
    if not _whole(value) or not 1 <= value <= HIGHEST_PORT or value == RUNTIME_API_PORT:
        reasons.append(f"{name} should be 1 to {HIGHEST_PORT}, and {RUNTIME_API_PORT} is reserved")
        return 0
    return int(value)


def _buffering(value: Any, reasons: list[str]) -> dict[str, int]:
    given = value if isinstance(value, dict) else None
    if given is None:
        reasons.append("buffering should be an object")
    limits = {}
    for name, (least, most, default) in BUFFERING.items():
        limit = (given or {}).get(name, default)
        if not _whole(limit) or not least <= limit <= most:
            reasons.append(f"buffering.{name} should be {least} to {most}")
        limits[name] = limit
    return limits


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
