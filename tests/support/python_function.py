"""What a function with the SDK for Python does in one invocation, as a program.

A SERVER span with a CLIENT child, a log record, a count; where it all goes is in the standard
OTEL_* variables. Run by tests, never imported by them.
"""

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

traces = TracerProvider()
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
tracer = traces.get_tracer("function")
INFO = SeverityNumber.INFO


def work() -> None:
    """Do what an invocation does."""
    attributes: dict[str, str | int] = {"http.route": "/cart", "retries": 2}
    kinds = trace.SpanKind
    with (
        tracer.start_as_current_span("GET /cart", kind=kinds.SERVER, attributes=attributes),
        tracer.start_as_current_span("SELECT", kind=kinds.CLIENT),
    ):
        logs.get_logger("function").emit(body="hello from python", severity_number=INFO)
    metrics.get_meter("function").create_counter("carts").add(1)


def flush() -> None:
    """Send all there is."""
    for provider in (traces, logs, metrics):
        provider.force_flush()


if __name__ == "__main__":
    work()
    for provider in (traces, logs, metrics):
        provider.shutdown()
