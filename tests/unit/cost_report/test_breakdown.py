"""What invocations cost, in all and by group."""

from itertools import groupby
from math import fsum
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_report.breakdown import FIELDS, CostGroup, break_down
from cost_report.errors import UnknownFieldError
from cost_report.invocations import find_invocations
from tests.support.cost_rows import make_row, make_table
from tests.support.cost_tables import CLICKHOUSE, DUCKDB, ENGINES, open_tables, spans_of
from tests.support.telemetry_facts import PICO, Facts
from tests.support.telemetry_story import make_story

STORY = make_story(11, functions=5, invocations=200)


def read_groups(engine: str, *by: str) -> list[CostGroup]:
    """Return the groups of the story, which came twice."""
    with open_tables(engine, spans=[*STORY.spans, *STORY.spans]) as source:
        return break_down(find_invocations(spans_of(source)), by)


def version_of(facts: Facts) -> tuple[str, str]:
    """Return what tells a version: the function's name and the number."""
    return facts.profile.name, facts.version.number


@pytest.mark.parametrize("engine", ENGINES)
def test_the_groups_are_those_of_the_story(engine: str) -> None:
    """Counts, totals and quantiles, by function and version."""
    groups = {
        tuple(group.fields.values()): group for group in read_groups(engine, "function", "version")
    }
    expected = {
        key: list(facts) for key, facts in groupby(sorted(STORY.facts, key=version_of), version_of)
    }
    assert groups.keys() == expected.keys()
    for key, facts in expected.items():
        group, costs = groups[key], [each.cost_usd for each in facts if each.cost_usd]
        assert group.invocations == len(facts)
        assert group.errors == sum(bool(each.error_type) for each in facts)
        assert group.cold_starts == sum(each.is_cold_start for each in facts)
        assert group.priced == len(costs)
        assert group.cost_usd == pytest.approx(sum(costs))
        assert group.billed_ms == sum(each.billed_ms or 0 for each in facts)
        durations = np.percentile([each.runtime_ms for each in facts], (50, 90, 99))
        found = group.duration_ms
        assert (found.p50, found.p90, found.p99) == pytest.approx(tuple(durations))
        if costs:
            assert group.cost_quantiles_usd is not None
            assert group.cost_quantiles_usd.p90 == pytest.approx(np.percentile(costs, 90))
            parts = [
                sum(each.pico_usd[i] for each in facts if each.pico_usd) / PICO for i in (1, 2)
            ]
            shares = group.init_share, group.extension_share
            assert shares == pytest.approx([part / sum(costs) for part in parts])


def test_the_engines_agree_on_quantiles_to_the_last_digit() -> None:
    """Only totals may differ, in the last digit: each engine adds in an order of its own."""
    both = [
        {str(group.fields): (group.duration_ms, group.cost_quantiles_usd) for group in groups}
        for groups in (read_groups(DUCKDB, *FIELDS), read_groups(CLICKHOUSE, *FIELDS))
    ]
    assert both[0] == both[1]


def test_groups_come_dearest_first() -> None:
    """And those without any cost last."""
    rows = [
        make_row(version="1", cost_usd=None),
        make_row(version="2", cost_usd=1e-6),
        *(make_row(version="3", cost_usd=8e-7) for _ in range(2)),
    ]
    groups = break_down(make_table(rows), ("version",))
    assert [group.fields["version"] for group in groups] == ["3", "2", "1"]
    assert [group.usd_per_million for group in groups] == [pytest.approx(0.8), 1.0, None]


def test_without_a_cost_there_is_no_share_and_no_quantile() -> None:
    """Not enough is said, not guessed."""
    nothing = {"cost_usd": None, "handler_usd": None, "init_usd": None, "extension_usd": None}
    [group] = break_down(make_table([make_row(**nothing, billed_ms=None)]))
    assert (group.priced, group.cost_usd, group.billed_ms) == (0, 0.0, 0.0)
    assert (group.cost_quantiles_usd, group.init_share, group.extension_share) == (None, None, None)


def test_no_invocations_are_no_group() -> None:
    """Neither one of all nor one of each."""
    assert break_down(make_table([])) == []
    assert break_down(make_table([]), ("function",)) == []


def test_a_share_is_of_what_has_its_parts() -> None:
    """A sender that tells only the whole of some does not make the share of init smaller."""
    whole_only = {"handler_usd": None, "init_usd": None, "extension_usd": None}
    rows = [make_row(init_usd=1e-6, handler_usd=9e-7), make_row(**whole_only)]
    [group] = break_down(make_table(rows))
    assert group.init_share == pytest.approx(0.5)


def test_an_unknown_field_is_told_with_the_known_ones() -> None:
    """Before anything is asked."""
    with pytest.raises(UnknownFieldError, match="'memory'; there are function, version"):
        break_down(make_table([]), ("memory",))


ROWS = st.lists(
    st.builds(
        make_row,
        function=st.sampled_from(["a", "b"]),
        version=st.sampled_from(["1", "2", ""]),
        memory_size_mb=st.sampled_from([128, 1024, None]),
        is_cold_start=st.booleans(),
        status=st.sampled_from(["ok", "error"]),
        cost_usd=st.one_of(st.none(), st.integers(1, 10**9).map(lambda pico: pico / PICO)),
        billed_ms=st.one_of(st.none(), st.integers(1, 1000).map(float)),
        duration_ms=st.integers(0, 10**6).map(lambda micro: micro / 1000),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=12, deadline=None)
@given(rows=ROWS, by=st.sets(st.sampled_from(FIELDS)))
def test_groups_add_up_to_the_whole(rows: list[dict[str, Any]], by: set[str]) -> None:
    """Whatever they are grouped by, nothing is lost and nothing counts twice."""
    table = make_table(rows)
    [whole] = break_down(table)
    groups = break_down(table, sorted(by))
    assert len({tuple(group.fields.items()) for group in groups}) == len(groups)
    for name in ("invocations", "errors", "cold_starts", "priced"):
        assert sum(getattr(group, name) for group in groups) == getattr(whole, name)
    for name in ("cost_usd", "billed_ms"):
        total = fsum(getattr(group, name) for group in groups)
        assert total == pytest.approx(getattr(whole, name))


@settings(max_examples=8, deadline=None)
@given(rows=ROWS)
def test_quantiles_are_those_of_numpy(rows: list[dict[str, Any]]) -> None:
    """With equal values, one value and many."""
    [whole] = break_down(make_table(rows))
    expected = np.percentile([row["duration_ms"] for row in rows], (50, 90, 99))
    found = whole.duration_ms
    assert (found.p50, found.p90, found.p99) == pytest.approx(tuple(expected), abs=1e-9)
