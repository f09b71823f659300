"""Settings of metrics."""

import pytest

from logger_extension.environment import Environment
from logger_extension.policy.aggregation import Temporality
from logger_extension.settings.metrics import MetricsSettings


def test_without_variables() -> None:
    """Delta, explicit buckets, once a minute, with usage."""
    env = Environment({"OTEL_METRIC_EXPORT_INTERVAL": ""})
    assert MetricsSettings.read(env) == MetricsSettings(
        temporality=Temporality.DELTA,
        is_exponential=False,
        export_interval_ms=60_000,
        cardinality_limit=2_000,
        reads_usage=True,
    )
    assert env.complaints == []


@pytest.mark.parametrize(
    ("preference", "temporality"),
    [
        ("Cumulative", Temporality.CUMULATIVE),
        ("DELTA", Temporality.DELTA),
        ("lowmemory", Temporality.DELTA),
    ],
)
def test_temporality(preference: str, temporality: Temporality) -> None:
    """The three preferences of the specification, without case."""
    env = Environment({"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": preference})
    assert MetricsSettings.read(env).temporality is temporality


def test_the_others() -> None:
    """Exponential buckets, a point for each invocation, no usage."""
    settings = MetricsSettings.read(
        Environment(
            {
                "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": (
                    "base2_exponential_bucket_histogram"
                ),
                "OTEL_METRIC_EXPORT_INTERVAL": "0",
                "LOGGER_EXTENSION_METRICS_CARDINALITY_LIMIT": "10",
                "LOGGER_EXTENSION_USAGE_METRICS": "false",
            }
        )
    )
    assert settings.is_exponential
    assert not settings.reads_usage
    assert (settings.export_interval_ms, settings.cardinality_limit) == (0, 10)


def test_bad_values_are_complaints() -> None:
    """Each named, and its default taken."""
    env = Environment(
        {
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "both",
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "summary",
            "OTEL_METRIC_EXPORT_INTERVAL": "-1",
            "LOGGER_EXTENSION_METRICS_CARDINALITY_LIMIT": "0",
            "LOGGER_EXTENSION_USAGE_METRICS": "perhaps",
        }
    )
    assert MetricsSettings.read(env) == MetricsSettings.read(Environment({}))
    assert len(env.complaints) == 5
