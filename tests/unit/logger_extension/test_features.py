"""Cost per feature: the shares of an invocation add up to its cost, whatever it did."""

from collections.abc import Mapping
from dataclasses import replace
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.events import FunctionLog
from logger_extension.policy.cost import Cost
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.features import (
    EXTENSION,
    INIT,
    MAX_AWAITING,
    MAX_ENTRIES,
    OUR_NAMES,
    UNATTRIBUTED,
    FeatureCosts,
    Marker,
    Share,
    Work,
    apportion,
    find_marker,
)
from logger_extension.policy.self_time import TimedSpan
from tests.support.laws import LAW

MS = 1_000_000
START = 1_795_427_494_000 * MS
# 80 ms of the handler, 7.5 of extensions, 12 of init, half a millisecond of rounding up.
FACTS = InvocationFacts(
    request_id="r",
    start_unix_nano=START,
    end_unix_nano=START + 80 * MS,
    is_reported=True,
    duration_ms=87.5,
    billed_duration_ms=100,
    init_duration_ms=12.0,
    extension_overhead_ms=7.5,
)
COST = Cost(8_050, 1_200, 750)
NAMES = st.none() | st.sampled_from(["/checkout", "/cart", "/pay", "(init)", "(unattributed)"])


def _span(
    name: str, parent: str, from_ms: float, to_ms: float, feature: str | None = None
) -> TimedSpan:
    start, end = START + int(from_ms * MS), START + int(to_ms * MS)
    return TimedSpan(name.encode(), parent.encode(), start, end, feature)


def _rounded(shares: Mapping[str, Share]) -> dict[str, tuple[int, float]]:
    return {name: (share.pico_usd, round(share.time_ms, 9)) for name, share in shares.items()}


amounts = st.integers(0, 10**13)
costs = st.builds(Cost, amounts, amounts, amounts)
all_facts = st.builds(
    InvocationFacts,
    request_id=st.just("r"),
    start_unix_nano=st.just(START),
    end_unix_nano=st.integers(START - 5 * MS, START + 900_000 * MS),
    billed_duration_ms=st.none() | st.integers(0, 900_000),
    init_duration_ms=st.none() | st.floats(0, 10_000),
    extension_overhead_ms=st.none() | st.floats(0, 2_000),
)
times = st.integers(START - 5 * MS, START + 900_000 * MS)
ids = st.binary(max_size=1)
works = st.lists(st.builds(TimedSpan, ids, ids, times, times, NAMES), max_size=20) | st.lists(
    st.builds(Marker, times, NAMES), max_size=20
)


@LAW
@given(costs, all_facts, works, st.booleans())
def test_the_shares_add_up(
    cost: Cost,
    facts: InvocationFacts,
    work: Work,
    splits_overhead: bool,  # noqa: FBT001  (hypothesis passes by position)
) -> None:
    """Costs come to the whole exactly, times to the billed time or more; none is negative."""
    shares = apportion(cost, facts, work, splits_overhead=splits_overhead).values()
    assert sum(share.pico_usd for share in shares) == cost.total_pico_usd
    billed_ms = facts.billed_duration_ms or 0
    if cost.init_pico_usd:
        assert fsum(share.time_ms for share in shares) >= billed_ms * (1 - 1e-9)
    assert all(share.pico_usd >= 0 and share.time_ms >= 0 for share in shares)


@LAW
@given(costs, all_facts, st.lists(works, max_size=6), st.integers(1, 2))
def test_overflow_keeps_the_sum(
    cost: Cost, facts: InvocationFacts, all_work: list[Work], max_features: int
) -> None:
    """Names beyond the limit become one, and the shares still add up to each invocation's cost."""
    features = FeatureCosts(log_field="", max_features=max_features, splits_overhead=True)
    told: set[str] = set()
    for work in all_work:
        for entry in work:
            if isinstance(entry, TimedSpan):
                features.note_span("r", entry)
        shares = features.settle(facts, cost)
        assert sum(share.pico_usd for share in shares.values()) == cost.total_pico_usd
        told |= set(shares) - OUR_NAMES
    assert len(told) <= max_features


def test_a_span_counts_for_the_feature_above_it() -> None:
    """A database call belongs to the route whose handling made it; the rest is the rest."""
    work = [
        _span("root", "", 0, 60, "/checkout"),
        _span("orm", "root", 10, 40),
        _span("db", "orm", 20, 30),
        _span("elsewhere", "gone", 60, 70),
    ]
    assert _rounded(apportion(COST, FACTS, work)) == {
        "/checkout": (6_000, 60.0),
        UNATTRIBUTED: (4_000, 40.0),
    }


def test_the_nearest_name_wins() -> None:
    """A span that names its own feature does not count for the one above."""
    work = [_span("root", "", 0, 80, "/cart"), _span("price", "root", 20, 50, "pricing")]
    shares = _rounded(apportion(COST, FACTS, work))
    assert shares["/cart"] == (5_000, 50.0)
    assert shares["pricing"] == (3_000, 30.0)


def test_init_and_extensions_apart() -> None:
    """On request they have what the cost says of them, out of the rest."""
    work = [_span("root", "", 0, 80, "/cart")]
    assert _rounded(apportion(COST, FACTS, work, splits_overhead=True)) == {
        "/cart": (8_000, 80.0),
        INIT: (1_200, 12.0),
        EXTENSION: (750, 7.5),
        UNATTRIBUTED: (50, 0.5),
    }


def test_init_that_was_not_billed_has_no_time() -> None:
    """With provisioned concurrency the figure is there, but nobody pays for it."""
    facts = replace(FACTS, billed_duration_ms=88)
    shares = apportion(Cost(8_050, 0, 750), facts, [], splits_overhead=True)
    assert _rounded(shares) == {UNATTRIBUTED: (8_050, 80.5), EXTENSION: (750, 7.5)}


def test_time_between_markers() -> None:
    """A marker lasts until the next one; before the first, and after an empty one, is the rest."""
    work = [
        Marker(START + 60 * MS, None),
        Marker(START + 10 * MS, "load"),
        Marker(START + 30 * MS, "render"),
        Marker(START + 500 * MS, "after the end"),
    ]
    shares = _rounded(apportion(COST, FACTS, work))
    assert shares == {
        "load": (2_000, 20.0),
        "render": (3_000, 30.0),
        UNATTRIBUTED: (5_000, 50.0),
    }


def test_a_circle_of_spans_is_nobodys() -> None:
    """Spans that call each other their parent name no feature and break nothing."""
    work = [_span("a", "b", 0, 40), _span("b", "a", 0, 40), _span("c", "a", 0, 80)]
    assert _rounded(apportion(COST, FACTS, work)) == {UNATTRIBUTED: (10_000, 100.0)}


@pytest.mark.parametrize(
    ("record", "feature"),
    [
        ({"feature": "cart", "message": "m"}, "cart"),
        ('{"feature": "cart"}\n', "cart"),
        ('{"feature": 7}', "7"),
        ({"feature": None}, None),
        ({"feature": ""}, None),
        ({"feature": "x" * 1_000}, "x" * 256),
    ],
)
def test_lines_that_are_markers(record: str | dict[str, object], feature: str | None) -> None:
    """The field at the top of a JSON line names the feature; empty or null ends it."""
    assert find_marker(FunctionLog(record), 5, "feature") == Marker(5, feature)


@pytest.mark.parametrize(
    "record",
    ["feature", '["feature"]', '{"feature": ', {"other": {"feature": "deep"}}, '{"a": "feature"}'],
)
def test_lines_that_are_none(record: str | dict[str, object]) -> None:
    """Text, broken JSON, and lines without the field at the top say nothing."""
    assert find_marker(FunctionLog(record), 5, "feature") is None


def test_markers_count_where_no_span_does() -> None:
    """Spans go before markers; lines are read only when a field is named."""
    features = FeatureCosts(log_field="feature", max_features=9, splits_overhead=False)
    line = FunctionLog({"feature": "from the log"})
    for request_id in ("one", "two"):
        features.note_log(request_id, line, START)
    features.note_span("two", _span("s", "", 0, 80, "from the span"))
    one, two = (replace(FACTS, request_id=request_id) for request_id in ("one", "two"))
    assert "from the log" in features.settle(one, COST)
    assert "from the log" not in features.settle(two, COST)
    silent = FeatureCosts(log_field="", max_features=9, splits_overhead=False)
    silent.note_log("one", line, START)
    assert set(silent.settle(one, COST)) == {UNATTRIBUTED}


def test_memory_is_bounded_and_what_is_dropped_is_counted() -> None:
    """Neither a flood of spans nor invocations without reports fill the memory."""
    features = FeatureCosts(log_field="", max_features=9, splits_overhead=False)
    for _ in range(MAX_ENTRIES + 5):
        features.note_span("flood", _span("s", "", 0, 1))
    assert features.dropped == {"too_many": 5}
    for number in range(MAX_AWAITING):
        features.note_span(str(number), _span("s", "", 0, 1))
    assert features.dropped == {"too_many": 5, "no_report": MAX_ENTRIES}
