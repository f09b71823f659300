"""Rows as columns: names, times and numbers as the exporter has them."""

from typing import Any

import pytest

from otlp_viewer import Buckets, Distribution, Exemplar, LogRow, MetricRow, SpanEvent, SpanRow
from otlp_viewer.columns import arrange_logs, arrange_metrics, arrange_spans
from otlp_viewer.rows import SpanLink
from otlp_viewer.tables import EXP_HISTOGRAM, GAUGE, HISTOGRAM, LOGS, SUM, SUMMARY, TRACES, Table
from tests.support.viewer_rows import START_UNIX_NANO, make_log, make_metric, make_span

_RESOURCE = {"service.name": "shop", "faas.max_memory": 1024}


def _span(row: SpanRow) -> dict[str, Any]:
    return _only(TRACES, arrange_spans([row]))


def _log(row: LogRow) -> dict[str, Any]:
    return _only(LOGS, arrange_logs([row]))


def _point(table: Table, row: MetricRow) -> dict[str, Any]:
    return _only(table, arrange_metrics([row]))


def _only(table: Table, arranged: dict[Table, list[list[Any]]]) -> dict[str, Any]:
    """Return the values of the only row by the names of its columns."""
    assert list(arranged) == [table]
    names = [name for name, _ in table.columns]
    return {name: column[0] for name, column in zip(names, arranged[table], strict=True)}


def test_a_span_has_names_for_kind_and_status() -> None:
    """As ClickHouse's users know them."""
    values = _span(make_span(kind=2, status_code=2, resource=_RESOURCE))
    assert (values["SpanKind"], values["StatusCode"]) == ("Server", "Error")
    assert (values["ServiceName"], values["Duration"]) == ("shop", 100_000_000)
    assert values["ResourceAttributes"] == '{"service.name":"shop","faas.max_memory":"1024"}'


@pytest.mark.parametrize("number", [-1, 6, 99])
def test_an_enum_s_unknown_number_has_no_name(number: int) -> None:
    """As in the exporter."""
    values = _span(make_span(kind=number, status_code=number))
    assert (values["SpanKind"], values["StatusCode"]) == ("", "")


def test_events_and_links_are_lists_of_the_same_length() -> None:
    """ClickHouse's Nested."""
    event = SpanEvent(name="boom", time_unix_nano=5, attributes={"n": 1})
    link = SpanLink(trace_id="aa", span_id="bb", trace_state="x=y", attributes={"ok": True})
    values = _span(make_span(events=(event, event), links=(link,)))
    assert values["Events.Name"] == ["boom", "boom"]
    assert values["Events.Timestamp"] == [5, 5]
    assert values["Events.Attributes"] == '[{"n":"1"},{"n":"1"}]'
    assert values["Links.TraceId"] == ["aa"]
    assert values["Links.Attributes"] == '[{"ok":"true"}]'


def test_a_span_that_ends_before_it_starts_lasts_nothing() -> None:
    """The column is unsigned; a clock that was set back must not make an age of it."""
    assert _span(make_span(start_ms=5, end_ms=0))["Duration"] == 0


def test_times_beyond_the_column_are_the_last_one() -> None:
    """OTLP's are unsigned, the column's signed and less one."""
    values = _span(make_span(start_unix_nano=2**64 - 1, end_unix_nano=2**64 - 1))
    assert values["Timestamp"] == 2**63 - 2


def test_a_log_without_a_time_has_that_of_its_arrival() -> None:
    """As in the exporter."""
    assert _log(make_log(time_unix_nano=0))["Timestamp"] == START_UNIX_NANO


def test_numbers_of_a_log_are_cut_to_their_columns() -> None:
    """Flags to the trace flags, a severity that OTLP does not have to a byte."""
    values = _log(make_log(flags=0x301, severity_number=300, body={"a": 1}))
    assert (values["TraceFlags"], values["SeverityNumber"]) == (1, 255)
    assert values["Body"] == '{"a":1}'
    assert _log(make_log(severity_number=-1))["SeverityNumber"] == 0


def test_counters_and_gauges_are_numbers_of_64_bits() -> None:
    """A point without a value is 0, and has a flag that says so."""
    values = _point(SUM, make_metric(value=3, flags=1))
    assert (values["Value"], values["Flags"]) == (3.0, 1)
    assert (values["AggregationTemporality"], values["IsMonotonic"]) == (2, True)
    assert _point(GAUGE, make_metric(kind="gauge", value=None))["Value"] == 0.0


def test_exemplars_stand_beside_their_point() -> None:
    """Five lists of the same length."""
    exemplar = Exemplar(
        time_unix_nano=7, value=1, trace_id="aa", span_id="bb", attributes={"k": "v"}
    )
    values = _point(GAUGE, make_metric(kind="gauge", exemplars=(exemplar,)))
    found = {name: value for name, value in values.items() if name.startswith("Exemplars.")}
    assert found == {
        "Exemplars.FilteredAttributes": '[{"k":"v"}]',
        "Exemplars.TimeUnix": [7],
        "Exemplars.Value": [1.0],
        "Exemplars.SpanId": ["bb"],
        "Exemplars.TraceId": ["aa"],
    }


def test_each_kind_of_distribution_has_its_table() -> None:
    """With the columns that only it has."""
    explicit = Distribution(
        count=3, sum=4.5, min=None, max=2, explicit_bounds=(1.0,), bucket_counts=(1, 2)
    )
    values = _point(HISTOGRAM, make_metric(kind="histogram", value=explicit))
    assert (values["Count"], values["Sum"], values["Min"], values["Max"]) == (3, 4.5, 0.0, 2.0)
    assert (values["BucketCounts"], values["ExplicitBounds"]) == ([1, 2], [1.0])
    exponential = Distribution(
        count=1,
        sum=None,
        min=None,
        max=None,
        scale=3,
        zero_count=4,
        positive=Buckets(offset=-2, counts=(1,)),
    )
    values = _point(EXP_HISTOGRAM, make_metric(kind="exponential_histogram", value=exponential))
    assert (values["Scale"], values["ZeroCount"], values["PositiveOffset"]) == (3, 4, -2)
    assert (values["PositiveBucketCounts"], values["NegativeBucketCounts"]) == ([1], [])
    summary = Distribution(count=1, sum=2.0, min=None, max=None, quantiles=((0.5, 2.0),))
    values = _point(SUMMARY, make_metric(kind="summary", value=summary))
    assert values["ValueAtQuantiles.Quantile"] == [0.5]
    assert values["ValueAtQuantiles.Value"] == [2.0]
