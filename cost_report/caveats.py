"""In what two groups of invocations are unlike, beside what they are compared in. Pure.

A difference of means says what two groups cost, not why. Must not know the figures themselves.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cost_report.fields import FIELDS, FieldValue, name_field, name_value
from cost_report.wording import say_percent

# From this share on that would have to change sides for two groups to be alike.
_UNLIKE = 0.1
# From this share on that has no figure.
_MANY_MISSING = 0.05
_NAMED_VALUES = 3


def find_caveats(
    field: str, parts: Sequence[tuple[FieldValue, Sequence[Mapping[str, Any]]]]
) -> tuple[str, ...]:
    """Return a sentence for each way in which the groups are unlike.

    Args:
        field: what they are compared in.
        parts: its two values, each with the kinds of invocations: fields.FIELDS, how many
            `invocations` and how many of them are `measured`.
    """
    sentences = []
    for other_field in FIELDS:
        # An alias is a name: it costs nothing by itself.
        if other_field in (field, "alias"):
            continue
        first, second = (_count(kinds, other_field) for _, kinds in parts)
        if _measure_distance(first, second) > _UNLIKE:
            mixes = (
                f"{_say_mix(other_field, mix)} of {name_value(field, value)}"
                for (value, _), mix in zip(parts, (first, second), strict=True)
            )
            sentences.append(f"the {name_field(other_field)} differs too: {', '.join(mixes)}")
    for value, kinds in parts:
        count = sum(kind["invocations"] for kind in kinds)
        missing = count - sum(kind["measured"] for kind in kinds)
        if missing > count * _MANY_MISSING:
            name = name_value(field, value)
            sentences.append(f"{missing} of {count} invocations of {name} have no figure")
    return tuple(sentences)


def _count(kinds: Sequence[Mapping[str, Any]], field: str) -> Counter[FieldValue]:
    counts: Counter[FieldValue] = Counter()
    for kind in kinds:
        counts[kind[field]] += kind["invocations"]
    return counts


def _measure_distance(first: Counter[FieldValue], second: Counter[FieldValue]) -> float:
    """Return what share would have to be of other values: 0 where alike, 1 where none is shared."""
    shared = (
        min(first[value] / first.total(), second[value] / second.total())
        for value in first.keys() & second.keys()
    )
    return 1 - sum(shared)


def _say_mix(field: str, counts: Counter[FieldValue]) -> str:
    """Return `x86_64 for 90 % and arm64 for 10 %`, the most frequent values only."""
    named = (
        f"{name_value(field, value)} for {say_percent(count / counts.total())}"
        for value, count in counts.most_common(_NAMED_VALUES)
    )
    return " and ".join(named)
