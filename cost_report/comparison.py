"""Whether one version or memory size costs less than another, and how sure that is.

Owns the choice of groups, the bootstrap of the difference of means, and what makes two groups
unlike. Must not know where rows come from, nor how figures are shown.
"""

from dataclasses import dataclass

import ibis.expr.types as ir

from cost_report.breakdown import FieldValue
from cost_report.values import Interval, NotEnoughData

# Fewer invocations than this say more about chance than about the function.
LEAST_INVOCATIONS = 30

# What can be compared: columns of `find_invocations`, means over invocations where they are known.
MEASURES = ("cost_usd", "billed_ms", "duration_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two groups; `mean` is of the measure, over the `measured` of its `invocations`."""

    value: FieldValue
    invocations: int
    measured: int
    mean: float
    cold_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How `other` differs from `base`.

    Attributes:
        field: what they differ in, one of breakdown.FIELDS.
        measure: one of MEASURES.
        difference: mean of `other` less that of `base`, in the measure's unit.
        relative: the same as a share of the mean of `base` (-0.12 is 12 % less).
        confidence: of the intervals, 0.95 for 95 %.
        caveats: what else the groups differ in, a sentence each.
    """

    field: str
    measure: str
    base: Side
    other: Side
    difference: Interval
    relative: Interval
    confidence: float
    caveats: tuple[str, ...]

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out that there is no difference."""
        return not self.relative.low <= 0 <= self.relative.high


def compare(
    invocations: ir.Table,
    field: str,
    base: FieldValue,
    other: FieldValue,
    *,
    measure: str = "cost_usd",
    confidence: float = 0.95,
) -> Comparison | NotEnoughData:
    """Compare the invocations with `field` == `base` with those with `field` == `other`.

    The interval is the percentile interval of a bootstrap with a fixed seed: the same rows give the
    same figures.

    Raises:
        UnknownFieldError: `field` is not of breakdown.FIELDS, or `measure` not of MEASURES.
    """
    raise NotImplementedError


def say_comparison(result: Comparison | NotEnoughData) -> str:
    """Return a sentence: `version 7 costs 12 % ± 3 % less a request than version 6 (95 %)`."""
    raise NotImplementedError
