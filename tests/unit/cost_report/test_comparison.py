"""Whether one group costs less than another."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_report.comparison import (
    LEAST_INVOCATIONS,
    MEASURES,
    Comparison,
    compare,
    say_comparison,
)
from cost_report.errors import UnknownFieldError
from cost_report.invocations import find_invocations, select_functions
from cost_report.values import NotEnoughData
from tests.support.cost_rows import make_row, make_table
from tests.support.cost_tables import CLICKHOUSE, DUCKDB, open_tables, spans_of
from tests.support.telemetry_story import make_story

STORY = make_story(5, functions=2, invocations=400)


def make_rows(version: str, costs_usd: list[float], **fields: Any) -> list[dict[str, Any]]:
    """Return one invocation for each cost."""
    return [make_row(version=version, cost_usd=cost, **fields) for cost in costs_usd]


def draw_costs(mean_usd: float, count: int, seed: int) -> list[float]:
    """Return costs about a mean, as spread as those of a handler."""
    return list(np.random.default_rng(seed).gamma(4.0, mean_usd / 4.0, count))


def compare_rows(rows: list[dict[str, Any]], **how: Any) -> Comparison:
    """Return version 7 compared with version 6."""
    result = compare(make_table(rows), "version", "6", "7", **how)
    assert isinstance(result, Comparison), result
    return result


def test_a_difference_is_told_with_how_sure_it_is() -> None:
    """Of means, in USD and as a share of the base."""
    rows = make_rows("6", draw_costs(2.0e-6, 4_000, 1)) + make_rows(
        "7", draw_costs(1.8e-6, 4_000, 2)
    )
    result = compare_rows(rows)
    assert result.is_clear
    assert result.difference.estimate == pytest.approx(result.other.mean - result.base.mean)
    assert result.relative.estimate == pytest.approx(result.other.mean / result.base.mean - 1)
    assert result.relative.low < -0.1 < result.relative.high < 0
    assert (result.base.invocations, result.other.measured) == (4_000, 4_000)
    assert say_comparison(result) == (
        "version 7 costs 8 % ± 2 % less a request than version 6 (95 % confidence)"
    )


def test_what_may_be_chance_is_no_difference() -> None:
    """The sentence says what was measured and what is possible."""
    rows = make_rows("6", draw_costs(2e-6, 60, 3)) + make_rows("7", draw_costs(2e-6, 60, 4))
    result = compare_rows(rows)
    assert not result.is_clear
    sentence = say_comparison(result)
    assert sentence.startswith("no clear difference: version 7 costs ")
    assert "less to" in sentence
    assert sentence.endswith("more is possible (95 % confidence)")


def test_it_says_what_else_differs() -> None:
    """A mean does not know why it is higher."""
    cold = make_rows("7", draw_costs(9e-6, 40, 5), is_cold_start=True)
    rows = make_rows("6", draw_costs(2e-6, 100, 6)) + make_rows("7", draw_costs(2e-6, 60, 7)) + cold
    result = compare_rows(rows)
    assert (result.base.cold_share, result.other.cold_share) == (0.0, 0.4)
    [caveat] = result.caveats
    assert caveat.startswith("the cold or warm start differs too")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (make_rows("6", [1e-6] * 50), "there are no invocations of version 7"),
        (
            make_rows("6", [1e-6] * 50) + make_rows("7", [1e-6] * (LEAST_INVOCATIONS - 1)),
            "29 of 29 invocations of version 7 have a cost, and a comparison needs 30",
        ),
        (
            make_rows("6", [1e-6] * 50 + [None] * 9) + make_rows("7", [None] * 50),  # type: ignore[list-item]
            "0 of 50 invocations of version 7",
        ),
        (make_rows("6", [0.0] * 50) + make_rows("7", [1e-6] * 50), "version 6 costs nothing"),
    ],
)
def test_not_enough_data_is_said(rows: list[dict[str, Any]], reason: str) -> None:
    """With how much there is and how much it takes."""
    result = compare(make_table(rows), "version", "6", "7")
    assert isinstance(result, NotEnoughData)
    assert reason in say_comparison(result)


def test_a_group_is_not_compared_with_itself() -> None:
    """That would be a difference of chance alone."""
    result = compare(make_table(make_rows("7", [1e-6] * 50)), "version", "7", "7")
    assert say_comparison(result) == "both sides are version 7: nothing to compare"


def test_sizes_can_be_compared_and_an_unknown_one_too() -> None:
    """Numbers as numbers, null as null."""
    rows = [make_row(memory_size_mb=size, cost_usd=1e-6) for size in (512, 1024, None) * 40]
    for other in (1024, None):
        result = compare(make_table(rows), "memory_size_mb", 512, other)
        assert isinstance(result, Comparison)
        assert result.relative.estimate == 0


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("cost_usd", "512 MB costs 100.0 % more a request than 1024 MB (95 % confidence)"),
        ("billed_ms", "512 MB is billed 50.0 % less time a request than 1024 MB (95 % confidence)"),
        ("duration_ms", "512 MB takes 200.0 % more time a request than 1024 MB (95 % confidence)"),
    ],
)
def test_other_measures_have_other_words(measure: str, words: str) -> None:
    """What is billed, and what a caller waits for."""
    small = {"memory_size_mb": 512, "cost_usd": 2e-6, "billed_ms": 50.0, "duration_ms": 300.0}
    large = {"memory_size_mb": 1024, "cost_usd": 1e-6, "billed_ms": 100.0, "duration_ms": 100.0}
    table = make_table([make_row(**each) for each in (small, large) for _ in range(50)])
    assert say_comparison(compare(table, "memory_size_mb", 1024, 512, measure=measure)) == words


def test_unknown_names_are_told_with_the_known_ones() -> None:
    """Before anything is asked."""
    with pytest.raises(UnknownFieldError, match="there are function"):
        compare(make_table([]), "size", 1, 2)
    with pytest.raises(UnknownFieldError, match="there are cost_usd, billed_ms"):
        compare(make_table([]), "version", "6", "7", measure="price")


@settings(max_examples=6, deadline=None)
@given(
    first=st.lists(st.integers(1, 10**7), min_size=30, max_size=60),
    second=st.lists(st.integers(1, 10**7), min_size=30, max_size=60),
    measure=st.sampled_from(MEASURES),
)
def test_the_other_way_round_is_the_other_sign(
    first: list[int], second: list[int], measure: str
) -> None:
    """The same rows, whatever their order, and the sides swapped."""
    rows = [make_row(version="6", **{measure: pico / 1e12}) for pico in first]
    rows += [make_row(version="7", **{measure: pico / 1e12}) for pico in second]
    there = compare(make_table(rows), "version", "6", "7", measure=measure)
    back = compare(make_table(rows[::-1]), "version", "7", "6", measure=measure)
    assert isinstance(there, Comparison)
    assert isinstance(back, Comparison)
    assert (there.base, there.other) == (back.other, back.base)
    mirrored = (-back.difference.estimate, -back.difference.high, -back.difference.low)
    found = there.difference
    assert (found.estimate, found.low, found.high) == pytest.approx(mirrored, rel=1e-9, abs=1e-18)
    assert there.is_clear == back.is_clear
    assert found.low <= found.estimate <= found.high
    assert there.relative.low <= there.relative.estimate <= there.relative.high


def test_the_engines_come_to_the_same_conclusion() -> None:
    """The seed is fixed, and so is what is drawn."""
    results = []
    for engine in (DUCKDB, CLICKHOUSE):
        with open_tables(engine, spans=STORY.spans) as source:
            shop = select_functions(find_invocations(spans_of(source)), ["shop-search"])
            results.append(compare(shop, "memory_size_mb", 512, 1769, measure="duration_ms"))
    assert isinstance(results[0], Comparison)
    assert results[0] == results[1]
