"""Every setting of the extension, read once from the environment.

Owns names, defaults, units and ranges. Standard `OTEL_*` variables come first and follow the
specification's rules (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
and https://opentelemetry.io/docs/specs/otel/protocol/exporter/); ours are `LOGGER_EXTENSION_*`.

A value without which nothing can be delivered (endpoint, headers, protocol) raises `ConfigError`:
the function then runs without us. Any other bad value is told in `Config.complaints` and its
default taken, as the specification asks. Must not read `os.environ` itself, nor log.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.events import InitType
from logger_extension.policy.cpu import CpuShare, find_cpu_share
from logger_extension.settings.cost import CostSettings
from logger_extension.settings.delivery import DeliverySettings
from logger_extension.settings.export import ExportSettings
from logger_extension.settings.fallback import FallbackSettings
from logger_extension.settings.features import FeatureSettings
from logger_extension.settings.logs import LogsSettings
from logger_extension.settings.metrics import MetricsSettings
from logger_extension.settings.receiver import ReceiverSettings
from logger_extension.settings.traces import TracesSettings

MIB = 1024 * 1024

OWN_EXPORTER = "LOGGER_EXTENSION_EXPORTER_OTLP_"
SIGNALS = ("LOGS", "TRACES", "METRICS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings. Durations in milliseconds, sizes as their names say.

    Attributes:
        export: where each signal goes, and how.
        delivery: what sending may cost, in time and memory.
        fallback: where goes what cannot be delivered.
        cpu: what the function has.
        complaints: one sentence for each value that could not be used.
    """

    export: ExportSettings
    logs: LogsSettings
    traces: TracesSettings
    metrics: MetricsSettings
    cost: CostSettings
    receiver: ReceiverSettings
    features: FeatureSettings
    delivery: DeliverySettings
    fallback: FallbackSettings
    cpu: CpuShare
    service_name: str
    resource_attributes: Mapping[str, str]
    function_name: str
    function_version: str
    memory_mb: int
    region: str
    init_type: InitType
    complaints: tuple[str, ...] = ()

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str],
        *,
        telemetry_port: int = 0,
        processors: int | None = None,
        memory_limit_bytes: int | None = None,
    ) -> "Config":
        """Read every setting.

        Args:
            environ: the environment of the process.
            telemetry_port: our own listener, which must not be the collector.
            processors: what the kernel shows, None when it does not say.
            memory_limit_bytes: a limit of the process below the function's memory, None without.

        Raises:
            ConfigError: nothing can be delivered with these settings.
        """
        env = Environment(_override(environ))
        if env.text("OTEL_SDK_DISABLED").lower() == "true":
            raise ConfigError("OTEL_SDK_DISABLED is true: telemetry is off as asked")
        # The bootstrap has read it already and taken its default where it must; here it is told.
        env.integer("LOGGER_EXTENSION_TELEMETRY_PORT", 4328, 0, 65_535)
        memory_mb = env.integer("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 128, 1, 1_000_000)
        memory_bytes = min(memory_mb * MIB, memory_limit_bytes or memory_mb * MIB)
        cpu = find_cpu_share(memory_mb, processors)
        init_type = InitType(env.text("AWS_LAMBDA_INITIALIZATION_TYPE") or InitType.ON_DEMAND)
        is_managed = init_type is InitType.MANAGED_INSTANCES
        function_name = env.text("AWS_LAMBDA_FUNCTION_NAME") or "unknown_function"
        service_name = env.text("OTEL_SERVICE_NAME")
        resource_attributes = env.resource_attributes()
        receiver = ReceiverSettings.read(env)
        own_ports = {telemetry_port: "LOGGER_EXTENSION_TELEMETRY_PORT"} | receiver.own_ports()
        config = cls(
            export=ExportSettings.read(env, own_ports=own_ports),
            receiver=receiver,
            features=FeatureSettings.read(env),
            logs=LogsSettings.read(env),
            traces=TracesSettings.read(env),
            metrics=MetricsSettings.read(env),
            cost=CostSettings.read(env),
            delivery=DeliverySettings.read(
                env, memory_bytes=memory_bytes, vcpus=cpu.vcpus, is_managed=is_managed
            ),
            fallback=FallbackSettings.read(env),
            cpu=cpu,
            service_name=service_name or resource_attributes.get("service.name") or function_name,
            resource_attributes=resource_attributes,
            function_name=function_name,
            function_version=env.text("AWS_LAMBDA_FUNCTION_VERSION") or "$LATEST",
            memory_mb=memory_mb,
            region=env.text("AWS_REGION"),
            init_type=init_type,
            complaints=tuple(env.complaints),
        )
        if config.complaints and is_strict(environ):
            raise ConfigError("; ".join(config.complaints))
        return config


def _override(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with our own exporter variables in place of the standard ones.

    The function's SDK reads the same `OTEL_EXPORTER_OTLP_*`: where those point it to our receiver,
    `LOGGER_EXTENSION_EXPORTER_OTLP_*` tell us where the collector is.
    """
    own = {n.removeprefix(OWN_EXPORTER): v for n, v in environ.items() if _is_own(n, v)}
    # Our general variable wins over the SDK's for a signal; only ours for that signal wins over it.
    beaten = {f"OTEL_EXPORTER_OTLP_{signal}_{name}" for signal in SIGNALS for name in own}
    rest = {name: value for name, value in environ.items() if name not in beaten}
    return rest | {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in own.items()}


def _is_own(name: str, value: str) -> bool:
    return name.startswith(OWN_EXPORTER) and bool(value.strip())


def is_strict(environ: Mapping[str, str]) -> bool:
    """Return whether bad settings end the process: for tests, never in production."""
    return environ.get("LOGGER_EXTENSION_STRICT", "").strip().lower() in ("1", "true")
