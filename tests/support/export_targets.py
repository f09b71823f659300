"""Targets of exporters with everything at rest but what a test asks for."""

from typing import Any

from logger_extension.settings.export import Target


def make_target(**fields: Any) -> Target:
    """Return a target for logs over plain http/protobuf, uncompressed, without a time limit."""
    defaults: dict[str, Any] = {
        "signal": "logs",
        "protocol": "http/protobuf",
        "url": "http://127.0.0.1:1/v1/logs",
        "headers": {},
        "compression": "none",
        "timeout_ms": 0,
        "ca_file": "",
        "client_certificate_file": "",
        "client_key_file": "",
        "insecure": True,
    }
    return Target(**defaults | fields)
