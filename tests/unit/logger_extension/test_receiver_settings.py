"""Settings of the receiver and of the cost per feature."""

import pytest

from logger_extension.environment import Environment
from logger_extension.settings.features import FeatureSettings
from logger_extension.settings.receiver import ReceiverSettings


def test_defaults() -> None:
    """Off unless our collector is set apart; no cost per feature unless it is asked."""
    env = Environment({})
    assert ReceiverSettings.read(env) == ReceiverSettings()
    assert FeatureSettings.read(env) == FeatureSettings()
    assert not FeatureSettings().is_on
    assert env.complaints == []


def test_each_variable_is_read() -> None:
    """Every setting has its variable."""
    env = Environment(
        {
            "LOGGER_EXTENSION_OTLP_RECEIVER": "on",
            "LOGGER_EXTENSION_OTLP_PORT": "14318",
            "LOGGER_EXTENSION_OTLP_GRPC_PORT": "14317",
            "LOGGER_EXTENSION_OTLP_TRACES": "Link",
            "LOGGER_EXTENSION_OTLP_ENRICH": "off",
            "LOGGER_EXTENSION_FEATURE_ATTRIBUTE": "http.route",
            "LOGGER_EXTENSION_FEATURE_LOG_FIELD": "feature",
            "LOGGER_EXTENSION_FEATURE_LIMIT": "7",
            "LOGGER_EXTENSION_FEATURE_OVERHEAD": "split",
        }
    )
    assert ReceiverSettings.read(env) == ReceiverSettings(
        is_on=True, port=14318, grpc_port=14317, traces="link", enriches=False
    )
    assert FeatureSettings.read(env) == FeatureSettings(
        span_attribute="http.route", log_field="feature", max_features=7, splits_overhead=True
    )
    assert env.complaints == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOGGER_EXTENSION_OTLP_RECEIVER", "maybe"),
        ("LOGGER_EXTENSION_OTLP_PORT", "0"),
        ("LOGGER_EXTENSION_OTLP_GRPC_PORT", "65536"),
        ("LOGGER_EXTENSION_OTLP_TRACES", "merge"),
        ("LOGGER_EXTENSION_OTLP_ENRICH", "1"),
        ("LOGGER_EXTENSION_FEATURE_LIMIT", "many"),
        ("LOGGER_EXTENSION_FEATURE_OVERHEAD", "all"),
    ],
)
def test_bad_values_are_told(name: str, value: str) -> None:
    """The default stands in, and one sentence names the variable."""
    env = Environment({name: value})
    assert ReceiverSettings.read(env) == ReceiverSettings()
    assert FeatureSettings.read(env) == FeatureSettings()
    (complaint,) = env.complaints
    assert name in complaint


def test_our_own_collector_turns_the_receiver_on() -> None:
    """The SDK then has us to send to; `off` wins all the same."""
    own = {"LOGGER_EXTENSION_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}
    assert ReceiverSettings.read(Environment(own)).is_on
    off = own | {"LOGGER_EXTENSION_OTLP_RECEIVER": "off"}
    assert not ReceiverSettings.read(Environment(off)).is_on
