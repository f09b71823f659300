"""What is added up between two collections."""

from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.aggregation import (
    OVERFLOW,
    Aggregator,
    Instrument,
    Kind,
    Metric,
    Point,
    Temporality,
)
from logger_extension.policy.histogram import ExplicitHistogram
from tests.support.laws import LAW

T0 = 1_000
COUNTER = Instrument("counter", Kind.COUNTER, "1", "")
LEVEL = Instrument("level", Kind.UP_DOWN_COUNTER, "1", "")
GAUGE = Instrument("gauge", Kind.GAUGE, "1", "")
HISTOGRAM = Instrument("histogram", Kind.HISTOGRAM, "1", "", (10.0,))


def _aggregator(
    temporality: Temporality = Temporality.DELTA, cardinality_limit: int = 2_000
) -> Aggregator:
    return Aggregator(
        start_unix_nano=T0,
        temporality=temporality,
        is_exponential=False,
        cardinality_limit=cardinality_limit,
    )


def _only(metrics: list[Metric]) -> Point:
    [metric] = metrics
    [point] = metric.points
    return point


def test_nothing_measured_is_nothing_to_send() -> None:
    """Neither at first nor after a collection, in both temporalities."""
    for temporality in Temporality:
        aggregator = _aggregator(temporality)
        assert aggregator.collect(T0 + 1) == []
        aggregator.record(COUNTER, 1)
        assert aggregator.collect(T0 + 2) != []
        assert aggregator.collect(T0 + 3) == []


@LAW
@given(
    windows=st.lists(
        st.tuples(st.lists(st.integers(0, 9), min_size=1), st.integers(-50, 50)), min_size=1
    )
)
def test_deltas_add_up_to_the_cumulative_value(windows: list[tuple[list[int], int]]) -> None:
    """Windows are contiguous, each ends behind its start, and nothing is counted twice or lost."""
    deltas, cumulative = _aggregator(), _aggregator(Temporality.CUMULATIVE)
    total, end, time = 0, T0, T0
    for increments, step in windows:
        for increment in increments:
            deltas.record(COUNTER, increment)
            cumulative.record(COUNTER, increment)
        time += step
        delta, whole = _only(deltas.collect(time)), _only(cumulative.collect(time))
        assert delta.start_unix_nano == end < delta.time_unix_nano == whole.time_unix_nano
        assert delta.time_unix_nano == max(time, end + 1)
        assert whole.start_unix_nano == T0
        end = delta.time_unix_nano
        assert isinstance(delta.value, int)
        total += delta.value
        assert whole.value == total


def test_a_collected_histogram_does_not_change() -> None:
    """A cumulative histogram goes on; what was collected of it stays as it was."""
    aggregator = _aggregator(Temporality.CUMULATIVE)
    aggregator.record(HISTOGRAM, 5)
    first = _only(aggregator.collect(T0 + 1)).value
    aggregator.record(HISTOGRAM, 15)
    second = _only(aggregator.collect(T0 + 2)).value
    assert isinstance(first, ExplicitHistogram)
    assert isinstance(second, ExplicitHistogram)
    assert (first.counts, second.counts) == ([1, 0], [1, 1])


def test_levels_are_the_last_value_and_not_told_twice() -> None:
    """In both temporalities: a level that was not measured again is not known."""
    for temporality in Temporality:
        aggregator = _aggregator(temporality)
        for value in (3, 2):
            aggregator.record(LEVEL, value)
            aggregator.record(GAUGE, value)
        level, gauge = aggregator.collect(T0 + 5)
        assert level.temporality is Temporality.CUMULATIVE
        assert level.points == (Point((), T0, T0 + 5, 2),)
        assert gauge.points == (Point((), 0, T0 + 5, 2),)
        aggregator.record(COUNTER, 1)
        assert [each.instrument for each in aggregator.collect(T0 + 6)] == [COUNTER]


def test_too_many_attribute_sets_share_one_point() -> None:
    """What came before the limit keeps its point, what comes after is added up as overflow."""
    aggregator = _aggregator(cardinality_limit=2)
    for name in ("a", "b", "c", "a", "d"):
        aggregator.record(COUNTER, 1, (("name", name),))
    [metric] = aggregator.collect(T0 + 1)
    assert {point.attributes: point.value for point in metric.points} == {
        (("name", "a"),): 2,
        (("name", "b"),): 1,
        OVERFLOW: 2,
    }


def test_the_limit_is_each_window_s() -> None:
    """A delta window begins with no attribute sets; a cumulative one keeps those it has."""
    for temporality, expected in (
        (Temporality.DELTA, [(("name", "b"),)]),
        (Temporality.CUMULATIVE, [(("name", "a"),), OVERFLOW]),
    ):
        aggregator = _aggregator(temporality, cardinality_limit=1)
        aggregator.record(COUNTER, 1, (("name", "a"),))
        aggregator.collect(T0 + 1)
        aggregator.record(COUNTER, 1, (("name", "b"),))
        [metric] = aggregator.collect(T0 + 2)
        assert [point.attributes for point in metric.points] == expected
