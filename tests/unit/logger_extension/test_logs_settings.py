"""Settings of logs."""

import pytest

from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.policy.log_sampling import SamplingRules
from logger_extension.policy.redaction import PATTERNS
from logger_extension.settings.logs import LogsSettings

LOG = "LOGGER_EXTENSION_LOG_"


def _read(**variables: str) -> tuple[LogsSettings, list[str]]:
    env = Environment({LOG + name: value for name, value in variables.items()})
    return LogsSettings.read(env), env.complaints


def test_by_default_everything_is_sent_as_it_is() -> None:
    """Nothing is dropped, cut or looked at unasked."""
    settings, complaints = _read()
    assert settings == LogsSettings()
    assert complaints == []


def test_every_setting() -> None:
    """Each is read from its variable."""
    settings, complaints = _read(
        MAX_BYTES="1000",
        MIN_SEVERITY="Warn",
        INCLUDE="order",
        EXCLUDE="health|^START",
        SAMPLE_RATIO="0.1",
        SAMPLE_SLOW_MS="500",
        SAMPLE_EXPENSIVE_USD="0.001",
        REDACT="email, card",
        REDACT_PATTERN=r"ssn: \d+",
    )
    assert complaints == []
    assert (settings.max_bytes, settings.min_severity) == (1_000, 13)
    assert settings.include is not None
    assert settings.include.search("an order")
    assert settings.exclude is not None
    assert settings.exclude.search("GET /health")
    assert settings.sampling == SamplingRules(ratio=0.1, slow_ms=500.0, expensive_usd=0.001)
    assert settings.redactor is not None
    assert settings.redactor.redact("a@b.cd ssn: 12") == "[REDACTED:email] [REDACTED:own]"


def test_platform_logs_can_be_turned_on() -> None:
    """They are off by default."""
    env = Environment({"LOGGER_EXTENSION_PLATFORM_LOGS": "true"})
    assert LogsSettings.read(env).has_platform_logs


@pytest.mark.parametrize("name", ["INCLUDE", "EXCLUDE"])
@pytest.mark.parametrize("pattern", ["(", "(a+)+$", "a.*b"])
def test_a_filter_that_cannot_be_used_is_left_out(name: str, pattern: str) -> None:
    """With a complaint that names the variable: more is sent, nothing is lost."""
    settings, complaints = _read(**{name: pattern})
    assert (settings.include, settings.exclude) == (None, None)
    [complaint] = complaints
    assert complaint.startswith(f"{LOG}{name}: the regular expression")


@pytest.mark.parametrize("pattern", [".*health", ".*?health.*", "(?i).{0,9}health"])
def test_a_filter_may_begin_with_anything(pattern: str) -> None:
    """`.*` in front says nothing where a match may be anywhere, and is a habit of many."""
    settings, complaints = _read(EXCLUDE=pattern)
    assert complaints == []
    assert settings.exclude is not None
    assert settings.exclude.search("GET\n/health")


@pytest.mark.parametrize(
    "variables",
    [
        {"REDACT": "email,emial"},
        {"REDACT_PATTERN": "("},
        {"REDACT_PATTERN": "(a|aa)+$"},
        {"REDACT": "card", "REDACT_PATTERN": r"\w+@"},
    ],
)
def test_a_redaction_that_cannot_be_used_stops_everything(variables: dict[str, str]) -> None:
    """What it should hide would be sent otherwise."""
    with pytest.raises(ConfigError, match="nothing is sent"):
        _read(**variables)


def test_all_redactions_at_once() -> None:
    """Every named pattern passes the check that own ones must pass."""
    settings, _ = _read(REDACT="ALL")
    assert settings.redactor is not None
    assert [name for name, _, _ in settings.redactor.patterns] == list(PATTERNS)


@pytest.mark.parametrize("ratio", ["", "1", "1.0", "2", "-1", "half"])
def test_no_sampling_unless_a_share_is_asked_for(ratio: str) -> None:
    """A share of one keeps everything, and nothing need wait for a decision."""
    assert _read(SAMPLE_RATIO=ratio)[0].sampling is None


@pytest.mark.parametrize(
    "variables", [{"MAX_BYTES": "-1"}, {"MIN_SEVERITY": "loud"}, {"SAMPLE_RATIO": "2"}]
)
def test_any_other_bad_value_is_a_complaint(variables: dict[str, str]) -> None:
    """And its default is used."""
    settings, complaints = _read(**variables)
    assert settings == LogsSettings()
    assert len(complaints) == 1
