"""Settings of the cost per feature."""

from dataclasses import dataclass
from typing import Self

from logger_extension.environment import Environment

DEFAULT_MAX_FEATURES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings:
    """What names a feature. Both empty: no cost per feature.

    Attributes:
        span_attribute: the attribute of the function's own spans that names it, `name` for the
            span's name.
        log_field: the field of the function's JSON log lines that names it, used for invocations
            without such spans.
        max_features: how many names are told apart; what comes after is `other`.
        splits_overhead: whether init and extensions get shares of their own.
    """

    span_attribute: str = ""
    log_field: str = ""
    max_features: int = DEFAULT_MAX_FEATURES
    splits_overhead: bool = False

    @property
    def is_on(self) -> bool:
        """Whether anything names a feature."""
        return bool(self.span_attribute or self.log_field)

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read `LOGGER_EXTENSION_FEATURE_*`; bad values are complaints."""
        return cls(
            span_attribute=env.text("LOGGER_EXTENSION_FEATURE_ATTRIBUTE"),
            log_field=env.text("LOGGER_EXTENSION_FEATURE_LOG_FIELD"),
            max_features=env.integer(
                "LOGGER_EXTENSION_FEATURE_LIMIT", DEFAULT_MAX_FEATURES, 1, 10_000
            ),
            splits_overhead=(
                env.choice("LOGGER_EXTENSION_FEATURE_OVERHEAD", ("rest", "split")) == "split"
            ),
        )
