"""Settings of logs: what is sent of what a function prints, and in what form."""

# ruff: noqa: PLC0415  (most functions have no rules, and every import makes a cold start longer)

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.policy.log_sampling import SamplingRules

if TYPE_CHECKING:
    from logger_extension.policy.redaction import Redactor

# https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
MAX_LINE_BYTES = 2**30
MAX_SLOW_MS = 900_000.0
MAX_USD = 100.0

# `.*` in front of what is searched for anywhere says nothing, but would have to be tried.
IDLE_START = r"\.\*\??(?![?*+{])"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsSettings:
    """What is sent; everything, as it is, unless asked otherwise.

    Attributes:
        max_bytes: where longer lines are cut, 0 for no limit.
        has_platform_logs: whether Lambda's own events are sent as lines too.
        min_severity: the least severity number, 0 for any.
        include: what a line must match, None for anything.
        exclude: what a line must not match.
        sampling: which invocations' lines are kept, None for all.
        redactor: takes out what must not leave the process, None when nothing need be.
    """

    max_bytes: int = 0
    has_platform_logs: bool = False
    min_severity: int = 0
    include: re.Pattern[str] | None = None
    exclude: re.Pattern[str] | None = None
    sampling: SamplingRules | None = None
    redactor: "Redactor | None" = None

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read the variables.

        A rule that cannot be used is a complaint and left out: more is sent then.

        Raises:
            ConfigError: a redaction cannot be used: nothing may be sent then.
        """
        severity = env.choice("LOGGER_EXTENSION_LOG_MIN_SEVERITY", ("any", *SEVERITIES))
        return cls(
            max_bytes=env.integer("LOGGER_EXTENSION_LOG_MAX_BYTES", 0, 0, MAX_LINE_BYTES),
            has_platform_logs=env.boolean("LOGGER_EXTENSION_PLATFORM_LOGS", default=False),
            min_severity=SEVERITIES.get(severity, 0),
            include=_read_filter(env, "LOGGER_EXTENSION_LOG_INCLUDE"),
            exclude=_read_filter(env, "LOGGER_EXTENSION_LOG_EXCLUDE"),
            sampling=_read_sampling(env),
            redactor=_read_redactor(env),
        )


def _read_filter(env: Environment, name: str) -> re.Pattern[str] | None:
    text = env.text(name)
    if not text:
        return None
    from logger_extension.policy.log_patterns import compile_pattern

    try:
        idle = re.match(IDLE_START, text)
        return compile_pattern(text[idle.end() :] if idle else text)
    except ConfigError as error:
        env.complaints.append(f"{name}: {error}")
        return None


def _read_sampling(env: Environment) -> SamplingRules | None:
    ratio = env.number("LOGGER_EXTENSION_LOG_SAMPLE_RATIO", 0.0, 1.0)
    rules = SamplingRules(
        ratio=1.0 if ratio is None else ratio,
        slow_ms=env.number("LOGGER_EXTENSION_LOG_SAMPLE_SLOW_MS", 0.0, MAX_SLOW_MS),
        expensive_usd=env.number("LOGGER_EXTENSION_LOG_SAMPLE_EXPENSIVE_USD", 0.0, MAX_USD),
    )
    return rules if rules.ratio < 1 else None


def _read_redactor(env: Environment) -> "Redactor | None":
    listed = env.text("LOGGER_EXTENSION_LOG_REDACT").lower()
    own = env.text("LOGGER_EXTENSION_LOG_REDACT_PATTERN")
    if not listed and not own:
        return None
    from logger_extension.policy.redaction import PATTERNS, Redactor

    names = [name for part in listed.split(",") if (name := part.strip())]
    names = list(PATTERNS) if names == ["all"] else names
    if unknown := [name for name in names if name not in PATTERNS]:
        raise ConfigError(
            f"LOGGER_EXTENSION_LOG_REDACT: {unknown[0][:40]!r} is not one of {', '.join(PATTERNS)}:"
            " nothing is sent, as it would not be redacted"
        )
    try:
        return Redactor.build(names, [own] if own else [])
    except ConfigError as error:
        raise ConfigError(
            f"LOGGER_EXTENSION_LOG_REDACT_PATTERN: {error}: nothing is sent, as it would not be"
            " redacted"
        ) from None
