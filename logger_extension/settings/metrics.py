"""Settings of metrics: how they are added up and how often they go."""

from dataclasses import dataclass
from typing import Self

from logger_extension.environment import Environment
from logger_extension.policy.aggregation import Temporality

# The specification's default.
CARDINALITY_LIMIT = 2_000
EXPORT_INTERVAL_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """How metrics are collected.

    Attributes:
        temporality: of counters and histograms. `lowmemory` is delta here: it differs only for
            counters that are observed, and ours are all added to.
        is_exponential: whether histograms have exponential buckets.
        export_interval_ms: the least pause between two collections; 0 gives each invocation data
            points of its own.
        cardinality_limit: attribute sets a metric.
        reads_usage: whether CPU, network, storage, descriptors and threads are measured.
    """

    temporality: Temporality
    is_exponential: bool
    export_interval_ms: int
    cardinality_limit: int
    reads_usage: bool

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read the variables; what cannot be used is a complaint, and its default is taken."""
        preference = env.choice(
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            ("delta", "cumulative", "lowmemory"),
        )
        aggregation = env.choice(
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            ("explicit_bucket_histogram", "base2_exponential_bucket_histogram"),
        )
        is_cumulative = preference == "cumulative"
        return cls(
            temporality=Temporality.CUMULATIVE if is_cumulative else Temporality.DELTA,
            is_exponential=aggregation == "base2_exponential_bucket_histogram",
            export_interval_ms=env.integer(
                "OTEL_METRIC_EXPORT_INTERVAL", EXPORT_INTERVAL_MS, 0, 2**31
            ),
            cardinality_limit=env.integer(
                "LOGGER_EXTENSION_METRICS_CARDINALITY_LIMIT", CARDINALITY_LIMIT, 1, 100_000
            ),
            reads_usage=env.choice("LOGGER_EXTENSION_USAGE_METRICS", ("true", "false")) == "true",
        )
