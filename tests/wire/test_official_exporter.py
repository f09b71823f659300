"""The official exporter as oracle of the wire: one environment, the same telemetry, one server.

What is compared is what the specification fixes: path and query, content type and encoding, the
user's headers, the form of the user agent, and the message. The official exporter reads timeouts
as seconds, takes a redirect for a success and never reads a partial success, so answers are not
compared. https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from logger_extension.environment import Environment
from logger_extension.exporters.protocols import open_exporter
from logger_extension.policy.outcome import Delivered
from logger_extension.settings.export import ExportSettings
from logger_extension.signals.otlp_json import REQUESTS
from tests.support.http_collector import HttpCollector

RESOURCE = Resource({"service.name": "oracle"})

# RFC 9110 section 10.1.5: products, and ours before the exporter's own.
USER_AGENT = re.compile(r"([\w-]+/[\w.]+ )*OTel-OTLP-Exporter-Python/[\w.]+")


def _make_logs() -> list[ReadableLogRecord]:
    record = LogRecord(
        timestamp=1_795_427_490_250_000_000,
        observed_timestamp=1_795_427_490_250_000_001,
        severity_number=SeverityNumber.ERROR,
        severity_text="ERROR",
        body="ü",
        attributes={"whole": 2**62, "part": 0.1},
    )
    return [ReadableLogRecord(record, RESOURCE, InstrumentationScope("scope"))]


def _make_spans() -> Sequence[Any]:
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("scope").start_as_current_span("span"):
        pass
    provider.shutdown()
    return memory.get_finished_spans()


def _make_metrics() -> Any:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], RESOURCE)
    provider.get_meter("scope").create_counter("count").add(17)
    metrics = reader.get_metrics_data()
    provider.shutdown()
    return metrics


SIGNALS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any], Callable[[], Any]]] = {
    "logs": (_make_logs, encode_logs, OTLPLogExporter),
    "traces": (_make_spans, encode_spans, OTLPSpanExporter),
    "metrics": (_make_metrics, encode_metrics, OTLPMetricExporter),
}

# What the server's address is put into, and variables beside it.
ENVIRONMENTS: list[tuple[str, str, dict[str, str]]] = [
    ("", "{}", {}),
    ("", "{}/", {}),
    ("", "{}/my/collector/", {"COMPRESSION": "gzip"}),
    ("", "{}/a/%2F", {"COMPRESSION": "none"}),
    ("{}_", "{}/in", {}),
    ("{}_", "{}/in/?sig=a%2Bb%3D%2F", {}),
    ("{}_", "{}", {}),
    ("", "{}", {"HEADERS": "api-key=abc,Authorization=Basic%20dXNlcg%3D%3D,x=a=b"}),
    ("", "{}", {"HEADERS": "x=general", "{}_HEADERS": "y=%2C%25%20own"}),
    ("", "{}", {"COMPRESSION": "none", "{}_COMPRESSION": "gzip"}),
    ("", "{}", {"HEADERS": "", "COMPRESSION": "none", "TIMEOUT": ""}),
]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both exporters reach this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize("signal", list(SIGNALS))
@pytest.mark.parametrize(("prefix", "endpoint", "variables"), ENVIRONMENTS)
async def test_the_same_environment_gives_the_same_request(
    monkeypatch: pytest.MonkeyPatch,
    signal: str,
    prefix: str,
    endpoint: str,
    variables: dict[str, str],
) -> None:
    """Path, headers and message, for each signal."""
    make, encode, official_exporter = SIGNALS[signal]
    data = make()
    collector = HttpCollector()
    async with collector.running():
        environ = {f"{prefix}ENDPOINT": endpoint.format(f"http://127.0.0.1:{collector.port}")}
        environ = {
            f"OTEL_EXPORTER_OTLP_{name.format(signal.upper())}": value
            for name, value in (environ | variables).items()
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        await asyncio.to_thread(_export_officially, official_exporter, data)
        target = getattr(ExportSettings.read(Environment(environ)), signal)
        async with open_exporter(target) as exporter:
            assert await exporter.export(encode(data).SerializeToString()) == Delivered()
    (official_path, official, official_body), (path, ours, body) = collector.requests
    assert path == official_path
    _assert_same_headers(ours, official, is_compressed_by_default=_is_by_default(variables))
    assert REQUESTS[signal].FromString(body) == REQUESTS[signal].FromString(official_body)


def _is_by_default(variables: dict[str, str]) -> bool:
    return not any("COMPRESSION" in name for name in variables)


def _export_officially(make_exporter: Callable[[], Any], data: Any) -> None:
    exporter = make_exporter()
    assert exporter.export(data).name == "SUCCESS"
    exporter.shutdown()


def _assert_same_headers(
    ours: dict[str, str], official: dict[str, str], *, is_compressed_by_default: bool
) -> None:
    """Compare all headers but those that are each client's own affair."""
    assert USER_AGENT.fullmatch(official.pop("user-agent"))
    assert USER_AGENT.fullmatch(ours.pop("user-agent"))
    if is_compressed_by_default:
        # The specification leaves the default open; theirs is none.
        assert ours.pop("content-encoding") == "gzip"
    for name in ("accept", "accept-encoding", "connection", "content-length"):
        official.pop(name, None)
        ours.pop(name, None)
    assert ours == official
