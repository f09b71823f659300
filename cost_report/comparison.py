"""Whether one version or memory size costs less than another, and how sure that is.

Owns the choice of groups, the bootstrap of the difference of means, and the sentence that says it.
Must not know where rows come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np

from cost_report.bootstrap import Sample, draw_all, find_interval, make_sample
from cost_report.caveats import find_caveats
from cost_report.errors import UnknownFieldError
from cost_report.fields import FIELDS, FieldValue, check_fields, name_value
from cost_report.quantiles import count_values
from cost_report.reading import read_columns, read_rows
from cost_report.values import Interval, NotEnoughData
from cost_report.wording import say_bounds, say_change, say_percent, say_range

# Fewer invocations than this say more about chance than about the function.
LEAST_INVOCATIONS = 30

# What can be compared, means over invocations where they are known, and how that is said.
_WORDS: Mapping[str, tuple[str, str]] = {
    "cost_usd": ("costs", "a request"),
    "billed_ms": ("is billed", "time a request"),
    "duration_ms": ("takes", "time a request"),
}
MEASURES = tuple(_WORDS)


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
        field: what they differ in, one of fields.FIELDS.
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

    The intervals are percentile intervals of a bootstrap with a fixed seed: the same rows give the
    same figures. `fields.parse_value` makes a value of what a user writes.

    Raises:
        UnknownFieldError: `field` is not of fields.FIELDS, or `measure` not of MEASURES.
        DatabaseError: the engine refuses, or cannot be reached.
    """
    check_fields((field,))
    if measure not in MEASURES:
        raise UnknownFieldError(f"unknown measure {measure!r}; there are {', '.join(MEASURES)}")
    if base == other:
        return NotEnoughData(f"both sides are {name_value(field, base)}: nothing to compare")
    chosen = invocations.filter(_is(invocations, field, base) | _is(invocations, field, other))
    makeup = _read_makeup(chosen, measure)
    samples = _read_samples(chosen, field, measure)
    parts = [(value, [row for row in makeup if row[field] == value]) for value in (base, other)]
    sides = [_describe(value, kinds, samples) for value, kinds in parts]
    for side in sides:
        if side.measured < LEAST_INVOCATIONS:
            return _refuse(field, side, measure)
    if not sides[0].mean:
        return NotEnoughData(f"{name_value(field, base)} costs nothing: there is no share of that")
    return _compare_sides(field, measure, sides, samples, confidence, find_caveats(field, parts))


def _compare_sides(
    field: str,
    measure: str,
    sides: Sequence[Side],
    samples: Mapping[FieldValue, Sample],
    confidence: float,
    caveats: tuple[str, ...],
) -> Comparison:
    base, other = sides
    drawn = draw_all({str(side.value): samples[side.value] for side in sides})
    drawn_base, drawn_other = drawn[str(base.value)], drawn[str(other.value)]
    difference = find_interval(other.mean - base.mean, drawn_other - drawn_base, confidence)
    relative = find_interval(other.mean / base.mean - 1, drawn_other / drawn_base - 1, confidence)
    return Comparison(
        field=field,
        measure=measure,
        base=base,
        other=other,
        difference=difference,
        relative=relative,
        confidence=confidence,
        caveats=caveats,
    )


def say_comparison(result: Comparison | NotEnoughData) -> str:
    """Return a sentence: `version 7 costs 12 % ± 3 % less a request than version 6 (95 % ...)`."""
    if isinstance(result, NotEnoughData):
        return result.reason
    base = name_value(result.field, result.base.value)
    other = name_value(result.field, result.other.value)
    verb, what = _WORDS[result.measure]
    sure = f"{say_percent(result.confidence)} confidence"
    if result.is_clear:
        return f"{other} {verb} {say_range(result.relative)} {what} than {base} ({sure})"
    found = say_change(result.relative.estimate, result.relative.high - result.relative.low)
    return (
        f"no clear difference: {other} {verb} {found} {what} than {base} as measured,"
        f" but {say_bounds(result.relative)} is possible ({sure})"
    )


def _is(invocations: ir.Table, field: str, value: FieldValue) -> ir.BooleanValue:
    column = invocations[field]
    return column.isnull() if value is None else column == value


def _read_makeup(chosen: ir.Table, measure: str) -> list[dict[str, Any]]:
    """Return how many invocations there are of each kind, and how many have the measure."""
    kinds = chosen.group_by(*FIELDS)
    return read_rows(kinds.agg(invocations=chosen.count(), measured=chosen[measure].count()))


def _read_samples(chosen: ir.Table, field: str, measure: str) -> dict[FieldValue, Sample]:
    columns = read_columns(count_values(chosen, (field,), measure))
    sides = np.asarray(columns[field].to_pylist(), dtype=object)
    values, counts = columns["value"].to_numpy(), columns["count"].to_numpy()
    return {
        side: make_sample(values[sides == side], counts[sides == side])
        for side in dict.fromkeys(sides)
    }


def _describe(
    value: FieldValue, kinds: Sequence[Mapping[str, Any]], samples: Mapping[FieldValue, Sample]
) -> Side:
    count = sum(kind["invocations"] for kind in kinds)
    cold = sum(kind["invocations"] for kind in kinds if kind["is_cold_start"])
    return Side(
        value=value,
        invocations=count,
        measured=sum(kind["measured"] for kind in kinds),
        mean=samples[value].mean if value in samples else 0.0,
        cold_share=cold / count if count else 0.0,
    )


def _refuse(field: str, side: Side, measure: str) -> NotEnoughData:
    name = name_value(field, side.value)
    figure = "a cost" if measure == "cost_usd" else "that figure"
    if not side.invocations:
        return NotEnoughData(f"there are no invocations of {name}")
    return NotEnoughData(
        f"not enough data: {side.measured} of {side.invocations} invocations of {name} have"
        f" {figure}, and a comparison needs {LEAST_INVOCATIONS} on each side"
    )
