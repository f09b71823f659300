"""The metrics that we send: names, units, buckets.

Names come from the semantic conventions where they have one
(https://opentelemetry.io/docs/specs/semconv/faas/faas-metrics/, system and process metrics), and
are ours under `aws.lambda.` and `logger_extension.` where they do not. The `faas.` set is also what
opentelemetry-lambda's telemetryapireceiver sends, with its units and bounds. Must not know how
values come about.
"""

from collections.abc import Mapping

from logger_extension.policy.aggregation import Instrument, Kind

KIB, MIB, GIB = 1024, 1024**2, 1024**3

# The conventions' buckets for durations in seconds.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

# The receiver's buckets for memory; the conventions name none.
MEMORY_BYTES = tuple(
    float(each)
    for each in (
        *(n * MIB for n in (16, 32, 64, 128, 256, 512, 768)),
        *(n * GIB for n in (1, 2, 3, 4, 6, 8)),
    )
)

# A response is at most 6 MiB, a streamed one 200 MiB.
TRANSFER_BYTES = tuple(
    float(each)
    for each in (*(n * KIB for n in (1, 4, 16, 64, 256)), *(n * MIB for n in (1, 6, 20, 200)))
)

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


def _counter(name: str, unit: str, description: str) -> Instrument:
    return Instrument(name, Kind.COUNTER, unit, description)


def _level(name: str, unit: str, description: str) -> Instrument:
    return Instrument(name, Kind.UP_DOWN_COUNTER, unit, description)


def _histogram(name: str, unit: str, description: str, bounds: tuple[float, ...]) -> Instrument:
    return Instrument(name, Kind.HISTOGRAM, unit, description, bounds)


INVOCATIONS = _counter("faas.invocations", "{invocation}", "Number of successful invocations")
ERRORS = _counter("faas.errors", "{error}", "Number of invocation errors")
TIMEOUTS = _counter("faas.timeouts", "{timeout}", "Number of invocation timeouts")
COLD_STARTS = _counter("faas.coldstarts", "{coldstart}", "Number of invocation cold starts")
INVOKE_DURATION = _histogram(
    "faas.invoke_duration",
    "s",
    "Measures the duration of the function's logic execution",
    SECONDS,
)
INIT_DURATION = _histogram(
    "faas.init_duration",
    "s",
    "Measures the duration of the function's initialization, such as a cold start",
    SECONDS,
)
MEMORY_USAGE = _histogram(
    "faas.mem_usage", "By", "Distribution of max memory usage per invocation", MEMORY_BYTES
)
CPU_USAGE = _histogram("faas.cpu_usage", "s", "Distribution of CPU usage per invocation", SECONDS)
NETWORK_IO = _histogram(
    "faas.net_io", "By", "Distribution of net I/O usage per invocation", TRANSFER_BYTES
)

BILLED_DURATION = _histogram(
    "aws.lambda.billed_duration", "s", "Duration that AWS bills for an invocation", SECONDS
)
MEMORY_UTILIZATION = _histogram(
    "aws.lambda.memory.utilization",
    "1",
    "Largest share of its memory that the sandbox has used so far",
    SHARES,
)
RESPONSE_SIZE = _histogram(
    "aws.lambda.response.size", "By", "Size of the function's response", TRANSFER_BYTES
)
EXTENSION_OVERHEAD = _histogram(
    "aws.lambda.extension.overhead",
    "s",
    "Time that extensions took after the handler",
    SECONDS,
)
LOGS_DROPPED = _counter(
    "aws.lambda.logs.dropped", "{record}", "Records that Lambda lost before they reached us"
)
COST = _counter("aws.lambda.cost", "{USD}", "Cost of invocations at the known prices")
FEATURE_COST = _counter("aws.lambda.feature.cost", "{USD}", "Cost of invocations by feature")
DROPPED = _counter(
    "logger_extension.dropped", "{item}", "Telemetry that this extension lost, by reason"
)

CPU_TIME = _counter(
    "system.cpu.time", "s", "Seconds that the sandbox's CPUs spent on each mode in invocations"
)
CPU_UTILIZATION = Instrument(
    "system.cpu.utilization",
    Kind.GAUGE,
    "1",
    "Share of the sandbox's CPU time by mode in the last invocation",
)
NETWORK_BYTES = _counter("system.network.io", "By", "Bytes transmitted and received in invocations")
STORAGE_USAGE = _level("system.filesystem.usage", "By", "Space of /tmp by state")
STORAGE_LIMIT = _level("system.filesystem.limit", "By", "Size of /tmp")
DESCRIPTORS = _level(
    "process.unix.file_descriptor.count",
    "{file_descriptor}",
    "File descriptors in use by all processes of the sandbox",
)
THREADS = _level("process.thread.count", "{thread}", "Threads of all processes of the sandbox")

# What follows is about this extension itself. Names of the conventions for an SDK's own metrics
# where they fit (https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/).
EXPORTED: Mapping[str, Instrument] = {
    "logs": _counter("otel.sdk.exporter.log.exported", "{log_record}", "Log records delivered"),
    "traces": _counter("otel.sdk.exporter.span.exported", "{span}", "Spans delivered"),
    "metrics": _counter(
        "otel.sdk.exporter.metric_data_point.exported", "{data_point}", "Data points delivered"
    ),
}
EXPORT_DURATION = _histogram(
    "otel.sdk.exporter.operation.duration", "s", "Duration of one export", SECONDS
)
QUEUE_SIZE: Mapping[str, Instrument] = {
    "logs": _level("otel.sdk.processor.log.queue.size", "{log_record}", "Log records that wait"),
    "traces": _level("otel.sdk.processor.span.queue.size", "{span}", "Spans that wait"),
}
QUEUE_CAPACITY: Mapping[str, Instrument] = {
    "logs": _level(
        "otel.sdk.processor.log.queue.capacity", "{log_record}", "Log records that may wait"
    ),
    "traces": _level("otel.sdk.processor.span.queue.capacity", "{span}", "Spans that may wait"),
}
RETRIES = _counter("logger_extension.retries", "{try}", "Exports that were tried again")
FALLBACK = _counter(
    "logger_extension.fallback", "{item}", "Telemetry that the fallback took instead of a collector"
)
FLUSH_DURATION = _histogram(
    "logger_extension.flush.duration", "s", "Duration of a flush, all signals", SECONDS
)
FLUSH_DECISIONS = _counter(
    "logger_extension.flush.decisions", "{decision}", "Decisions about flushes, with their reasons"
)
ADDED_TIME = _histogram(
    "logger_extension.added_time",
    "s",
    "Time from the end of the handler, as far as known, to our next call",
    SECONDS,
)
OWN_CPU = _counter("logger_extension.cpu.time", "s", "CPU time of this extension")
OWN_MEMORY = _level("logger_extension.memory.usage", "By", "Resident memory of this extension")
START_UP = Instrument(
    "logger_extension.startup.duration",
    Kind.GAUGE,
    "s",
    "From the start of the interpreter to the end of each phase",
)
