"""The handler of all benchmarks; runs as `app.py` of a function, so it imports nothing of ours.

An event says what one invocation does:

    parts     how many pieces of work
    times     steps of arithmetic in each piece: CPU time
    sleep_ms  waited in each piece: what a call to another service is to a function
    lines     printed in all, spread evenly over the pieces
    mark      ends each line, so that the collector knows which invocation it is of

and BENCHMARK_TELEMETRY how its lines go: `print` (the default), `powertools` (Logger of
aws-lambda-powertools, to stdout), or by the OpenTelemetry SDK in the handler, which also makes a
span and flushes before it returns: `simple` or `batch`, after the SDK's two processors.
"""

import importlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Log = Callable[[str], None]


class Telemetry:
    """What writes a line, what an invocation is wrapped in, and what ends it."""

    def __init__(self) -> None:
        self.log: Log = print
        self.flush: Callable[[], Any] = lambda: None

    @contextmanager
    def span(self) -> Iterator[None]:
        """Do nothing: the platform tells of invocations."""
        yield


class PowertoolsTelemetry(Telemetry):
    """aws-lambda-powertools writes JSON to stdout."""

    def __init__(self) -> None:
        super().__init__()
        powertools: Any = importlib.import_module("aws_lambda_powertools")
        self.log = powertools.Logger(service="benchmark").info


class SdkTelemetry(Telemetry):
    """The SDK as its own documentation sets it up for a process that may be frozen.

    Args:
        kind: `Simple` or `Batch`.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        logs: Any = importlib.import_module("opentelemetry.sdk._logs")
        logs_export: Any = importlib.import_module("opentelemetry.sdk._logs.export")
        traces: Any = importlib.import_module("opentelemetry.sdk.trace")
        traces_export: Any = importlib.import_module("opentelemetry.sdk.trace.export")
        package = "opentelemetry.exporter.otlp.proto.http"
        log_exporter: Any = importlib.import_module(f"{package}._log_exporter")
        span_exporter: Any = importlib.import_module(f"{package}.trace_exporter")
        logger_provider = logs.LoggerProvider()
        logger_provider.add_log_record_processor(
            getattr(logs_export, f"{kind}LogRecordProcessor")(log_exporter.OTLPLogExporter())
        )
        tracer_provider = traces.TracerProvider()
        tracer_provider.add_span_processor(
            getattr(traces_export, f"{kind}SpanProcessor")(span_exporter.OTLPSpanExporter())
        )
        self._tracer = tracer_provider.get_tracer("benchmark")
        logger = logging.getLogger("benchmark")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(logs.LoggingHandler(logger_provider=logger_provider))
        self.log = logger.info
        self.flush = lambda: (logger_provider.force_flush(), tracer_provider.force_flush())

    @contextmanager
    def span(self) -> Iterator[None]:
        """Make the span of an invocation."""
        with self._tracer.start_as_current_span("invocation"):
            yield


def choose_telemetry(name: str) -> Telemetry:
    """Return how lines go."""
    if name == "powertools":
        return PowertoolsTelemetry()
    if name in ("simple", "batch"):
        return SdkTelemetry(name.capitalize())
    return Telemetry()


def compute(times: int) -> int:
    """Use up CPU time."""
    value = 1
    for _ in range(times):
        value = value * 1103515245 + 12345 & 0x7FFFFFFF
    return value


def work(event: dict[str, Any], log: Log) -> None:
    """Do what an event says."""
    parts, lines, mark = event["parts"], event["lines"], event["mark"]
    for part in range(parts):
        compute(event["times"])
        if event["sleep_ms"]:
            time.sleep(event["sleep_ms"] / 1000)
        for number in range(lines * part // parts, lines * (part + 1) // parts):
            log(f"order {number} received, basket of {number * 7} kept, mark={mark};")


TELEMETRY = choose_telemetry(os.environ.get("BENCHMARK_TELEMETRY", "print"))


def handler(event: dict[str, Any], _context: Any) -> dict[str, float]:
    """Do what the event says.

    Returns:
        wall_ms, cpu_ms: of the whole, the flush included.
        logged_s: when the last line was written, by the monotonic clock.
    """
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    with TELEMETRY.span():
        work(event, TELEMETRY.log)
    logged_s = time.monotonic()
    TELEMETRY.flush()
    return {
        "wall_ms": (time.perf_counter() - wall_s) * 1000,
        "cpu_ms": (time.process_time() - cpu_s) * 1000,
        "logged_s": logged_s,
    }
