"""The resource: which function the telemetry is about.

Names are those of the semantic conventions
(https://opentelemetry.io/docs/specs/semconv/resource/faas/, cloud, host and service), precedence
that of the specification: what the user sets in `OTEL_RESOURCE_ATTRIBUTES` wins over what we find
out, `OTEL_SERVICE_NAME` over both.
"""

from logger_extension import __version__
from logger_extension.config import MIB, Config

SCOPE_NAME = "logger_extension"
SCOPE_VERSION = __version__


# As the kernel names a machine, and as the semantic conventions do.
HOST_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

Resource = dict[str, str | int | list[str]]


def describe_resource(config: Config, *, account_id: str = "", machine: str = "") -> Resource:
    """Return the resource attributes; `account_id` and `machine`, the kernel's, may be unknown."""
    found: Resource = {
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": config.region,
        "cloud.account.id": account_id,
        "faas.name": config.function_name,
        "faas.version": config.function_version,
        # What duration costs depends on it.
        "host.arch": HOST_ARCHITECTURES.get(machine, ""),
        "faas.max_memory": config.memory_mb * MIB,
        # What opentelemetry-lambda's receiver sends, for dashboards made for it.
        "faas.invoked_provider": "aws",
        "faas.invoked_region": config.region,
        "telemetry.distro.name": SCOPE_NAME,
        "telemetry.distro.version": SCOPE_VERSION,
    }
    known = {name: value for name, value in found.items() if value != ""}
    return {**known, **config.resource_attributes, "service.name": config.service_name}


def learn_instance(resource: Resource, instance_id: str) -> None:
    """Add what `platform.initStart` tells of the sandbox: its log stream, by which it is known.

    An extension does not see these in its environment. What the user has set stays.
    """
    if instance_id:
        resource.setdefault("faas.instance", instance_id)
        resource.setdefault("service.instance.id", instance_id)
        resource.setdefault("aws.log.stream.names", [instance_id])
