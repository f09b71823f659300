"""Cost per feature: the shares of an invocation add up to its bill, whatever it did."""

from dataclasses import replace
from math import fsum, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.events import FunctionLog
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.features import (
    EXTENSION,
    INIT,
    MAX_AWAITING,
    MAX_ENTRIES,
    OTHER,
    ROUNDING,
    UNATTRIBUTED,
    Bill,
    FeatureCosts,
    Marker,
    Share,
    apportion,
    find_marker,
    make_bill,
)
from logger_extension.policy.self_time import TimedSpan
from logger_extension.settings.features import FeatureSettings
from tests.support.laws import LAW

MS = 1_000_000
START = 1_795_427_494_000 * MS
BILL = Bill(
    cost_usd=0.001,
    start_unix_nano=START,
    end_unix_nano=START + 80 * MS,
    billed_duration_ms=100,
    init_duration_ms=12,
    extension_duration_ms=7.5,
)
PLAIN = FeatureSettings(span_attribute="http.route")
SPLIT = replace(PLAIN, splits_overhead=True)
NAMES = st.none() | st.sampled_from(["/checkout", "/cart", "(init)", "other", "(unattributed)"])


def _span(
    name: str, parent: str, from_ms: float, to_ms: float, feature: str | None = None
) -> TimedSpan:
    start, end = START + int(from_ms * MS), START + int(to_ms * MS)
    return TimedSpan(name.encode(), parent.encode(), start, end, feature)


bills = st.builds(
    Bill,
    cost_usd=st.floats(0, 10),
    start_unix_nano=st.just(START),
    end_unix_nano=st.integers(START - 5 * MS, START + 900_000 * MS),
    billed_duration_ms=st.integers(0, 900_000),
    init_duration_ms=st.floats(0, 10_000),
    extension_duration_ms=st.floats(0, 2_000),
)
times = st.integers(START - 5 * MS, START + 900_000 * MS)
ids = st.binary(max_size=1)
works = st.lists(st.builds(TimedSpan, ids, ids, times, times, NAMES), max_size=20) | st.lists(
    st.builds(Marker, times, NAMES), max_size=20
)


@LAW
@given(bills, works, st.booleans())
def test_the_shares_add_up(
    bill: Bill,
    work: list[TimedSpan] | list[Marker],
    splits_overhead: bool,  # noqa: FBT001
) -> None:
    """Costs come to the bill's, times to the billed time or more; no share is negative."""
    settings = replace(PLAIN, splits_overhead=splits_overhead)
    shares = apportion(bill, work, settings).values()
    assert isclose(
        fsum(share.usd for share in shares), bill.cost_usd, rel_tol=2 * ROUNDING, abs_tol=1e-300
    )
    assert fsum(share.time_ms for share in shares) >= bill.billed_duration_ms * (1 - 2 * ROUNDING)
    assert all(share.usd >= 0 and share.time_ms >= 0 for share in shares)


@LAW
@given(bills, st.lists(works, max_size=6), st.integers(1, 3))
def test_overflow_keeps_the_sum(
    bill: Bill, all_work: list[list[TimedSpan] | list[Marker]], max_features: int
) -> None:
    """Names beyond the limit become one, and the shares still add up to each bill."""
    costs = FeatureCosts(replace(SPLIT, max_features=max_features))
    told: set[str] = set()
    for number, work in enumerate(all_work):
        for entry in work:
            if isinstance(entry, TimedSpan):
                costs.note_span(str(number), entry)
        shares = costs.settle(str(number), bill)
        assert isclose(
            fsum(share.usd for share in shares.values()),
            bill.cost_usd,
            rel_tol=2 * ROUNDING,
            abs_tol=1e-300,
        )
        told |= set(shares) - {UNATTRIBUTED, INIT, EXTENSION, OTHER}
    assert len(told) <= max_features


def _rounded(shares: dict[str, Share]) -> dict[str, tuple[float, float]]:
    return {name: (round(s.usd, 12), round(s.time_ms, 9)) for name, s in shares.items()}


def test_a_span_counts_for_the_feature_above_it() -> None:
    """A database call belongs to the route whose handling made it; the rest is the rest."""
    work = [
        _span("root", "", 0, 60, "/checkout"),
        _span("orm", "root", 10, 40),
        _span("db", "orm", 20, 30),
        _span("elsewhere", "gone", 60, 70),
    ]
    assert _rounded(dict(apportion(BILL, work, PLAIN))) == {
        "/checkout": (0.0006, 60.0),
        UNATTRIBUTED: (0.0004, 40.0),
    }


def test_the_nearest_name_wins() -> None:
    """A span that names its own feature does not count for the one above."""
    work = [_span("root", "", 0, 80, "/cart"), _span("price", "root", 20, 50, "pricing")]
    shares = apportion(BILL, work, PLAIN)
    assert shares["/cart"].time_ms == pytest.approx(50)
    assert shares["pricing"].time_ms == pytest.approx(30)


def test_init_and_extensions_apart() -> None:
    """On request they get shares of their own, out of the rest."""
    shares = apportion(BILL, [_span("root", "", 0, 80, "/cart")], SPLIT)
    assert _rounded(dict(shares)) == {
        "/cart": (0.0008, 80.0),
        INIT: (0.00012, 12.0),
        EXTENSION: (0.000075, 7.5),
        UNATTRIBUTED: (0.000005, 0.5),
    }


def test_time_between_markers() -> None:
    """A marker lasts until the next one; before the first, and after an empty one, is the rest."""
    work = [
        Marker(START + 60 * MS, None),
        Marker(START + 10 * MS, "load"),
        Marker(START + 30 * MS, "render"),
        Marker(START + 500 * MS, "after the end"),
    ]
    assert _rounded(dict(apportion(BILL, work, PLAIN))) == {
        "load": (0.0002, 20.0),
        "render": (0.0003, 30.0),
        UNATTRIBUTED: (0.0005, 50.0),
    }


def test_a_circle_of_spans_is_nobodys() -> None:
    """Spans that call each other their parent name no feature and break nothing."""
    work = [_span("a", "b", 0, 40), _span("b", "a", 0, 40), _span("c", "a", 0, 80)]
    assert _rounded(dict(apportion(BILL, work, PLAIN))) == {UNATTRIBUTED: (0.001, 100.0)}


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


FACTS = InvocationFacts(
    request_id="r",
    start_unix_nano=START,
    end_unix_nano=START + 80 * MS,
    is_reported=True,
    duration_ms=87.4,
    billed_duration_ms=88,
    init_duration_ms=150.25,
)


def test_init_that_is_not_billed_has_no_share() -> None:
    """Where the billed duration is the duration alone, init costs nothing."""
    bill = make_bill(FACTS, 0.5)
    assert bill is not None
    assert bill.init_duration_ms == 0
    assert bill.extension_duration_ms == pytest.approx(7.4)


def test_init_that_is_billed() -> None:
    """Where the billed duration holds init, that part is known."""
    bill = make_bill(replace(FACTS, billed_duration_ms=238), 0.5)
    assert bill is not None
    assert bill.init_duration_ms == 150.25
    assert bill.billed_duration_ms == 238


def test_no_bill_without_a_report() -> None:
    """Without figures there is nothing to divide."""
    assert make_bill(InvocationFacts(request_id="r"), 0.5) is None


def test_markers_count_where_no_span_does() -> None:
    """Spans go before markers; lines are read only when a field is named."""
    costs = FeatureCosts(FeatureSettings(span_attribute="name", log_field="feature"))
    line = FunctionLog({"feature": "from the log"})
    for request_id in ("one", "two"):
        costs.note_log(request_id, line, START)
    costs.note_span("two", _span("s", "", 0, 80, "from the span"))
    assert "from the log" in costs.settle("one", BILL)
    assert "from the log" not in costs.settle("two", BILL)
    silent = FeatureCosts(FeatureSettings(span_attribute="name"))
    silent.note_log("one", line, START)
    assert set(silent.settle("one", BILL)) == {UNATTRIBUTED}


def test_memory_is_bounded_and_what_is_dropped_is_counted() -> None:
    """Neither a flood of spans nor invocations without reports fill the memory."""
    costs = FeatureCosts(PLAIN)
    for _ in range(MAX_ENTRIES + 5):
        costs.note_span("flood", _span("s", "", 0, 1))
    assert costs.dropped == {"too_many": 5}
    for number in range(MAX_AWAITING):
        costs.note_span(str(number), _span("s", "", 0, 1))
    assert costs.dropped == {"too_many": 5, "no_report": MAX_ENTRIES}
