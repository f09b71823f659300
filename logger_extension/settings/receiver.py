"""Settings of the receiver for the function's own telemetry."""

from dataclasses import dataclass
from typing import Self

from logger_extension.environment import Environment

MAX_PORT = 65_535
ENDPOINTS = ("ENDPOINT", "LOGS_ENDPOINT", "TRACES_ENDPOINT", "METRICS_ENDPOINT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSettings:
    """Where the function's SDK finds us, and what becomes of what it sends.

    Attributes:
        is_on: whether there is a receiver at all. By default there is one only where our collector
            is set apart from the SDK's: a port that another extension wants would fail that one,
            and with it the function.
        port: of OTLP/HTTP, on 127.0.0.1; `grpc_port` of OTLP/gRPC, where the layer carries it.
        traces: how spans join the invocation's trace: `join`, `link` or `keep`.
        enriches: whether missing resource attributes are added.
    """

    is_on: bool = False
    port: int = 4318
    grpc_port: int = 4317
    traces: str = "join"
    enriches: bool = True

    def own_ports(self) -> dict[int, str]:
        """Return where we listen, with the variable that moves it."""
        if not self.is_on:
            return {}
        return {
            self.port: "LOGGER_EXTENSION_OTLP_PORT",
            self.grpc_port: "LOGGER_EXTENSION_OTLP_GRPC_PORT",
        }

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read `LOGGER_EXTENSION_OTLP_*`; bad values are complaints."""
        return cls(
            is_on=_is_on(env),
            port=env.integer("LOGGER_EXTENSION_OTLP_PORT", 4318, 1, MAX_PORT),
            grpc_port=env.integer("LOGGER_EXTENSION_OTLP_GRPC_PORT", 4317, 1, MAX_PORT),
            traces=env.choice("LOGGER_EXTENSION_OTLP_TRACES", ("join", "link", "keep")),
            enriches=env.choice("LOGGER_EXTENSION_OTLP_ENRICH", ("on", "off")) == "on",
        )


def _is_on(env: Environment) -> bool:
    choice = env.choice("LOGGER_EXTENSION_OTLP_RECEIVER", ("auto", "on", "off"))
    if choice == "auto":
        return any(env.text(f"LOGGER_EXTENSION_EXPORTER_OTLP_{name}") for name in ENDPOINTS)
    return choice == "on"
