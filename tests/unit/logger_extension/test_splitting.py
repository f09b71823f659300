"""Requests cut into smaller ones: nothing lost, nothing doubled, each a whole request."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from logger_extension.errors import ProtocolError
from logger_extension.signals.requests import SIGNALS, count_items, parse
from logger_extension.signals.splitting import split_request
from tests.support.function_requests import make_span, make_traces
from tests.support.laws import LAW
from tests.support.otlp_requests import SIGNAL_NAMES, list_all, list_items, requests

any_requests = st.sampled_from(SIGNAL_NAMES).flatmap(
    lambda signal: st.tuples(st.just(signal), requests(signal))
)


@LAW
@given(any_requests, st.integers(1, 400))
def test_parts_hold_the_same_items_and_keep_the_limit(
    case: tuple[str, Any], max_bytes: int
) -> None:
    """Any request, any limit: the same items in order, each with its resource, scope and metric."""
    signal, request = case
    parts = split_request(signal, request.SerializeToString(), max_bytes)
    assert list_all(signal, parts) == list_items(signal, request)
    for part in parts:
        assert len(part) <= max_bytes or count_items(signal, parse(signal, part)) == 1


@LAW
@given(any_requests)
def test_half_of_the_size_is_more_than_one_part(case: tuple[str, Any]) -> None:
    """What a collector finds too large can be halved down to single items."""
    signal, request = case
    body = request.SerializeToString()
    if count_items(signal, request) > 1:
        assert len(split_request(signal, body, len(body) // 2)) > 1


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_is_small_enough_stays_as_it_is(signal: str) -> None:
    """Not even read: what cannot be read is no concern then."""
    assert split_request(signal, b"\xff\xff", 2) == [b"\xff\xff"]


def test_parts_are_filled() -> None:
    """Spans of one scope share as few parts as their sizes allow."""
    body = make_traces(*(make_span(b"%08d" % n) for n in range(100)), service_name="shop")
    parts = split_request("traces", body, len(body) // 4)
    assert len(parts) <= 6
    for part in parts:
        (entry,) = ExportTraceServiceRequest.FromString(part).resource_spans
        assert entry.resource.attributes[0].value.string_value == "shop"
        assert len(entry.scope_spans) == 1


def test_a_metric_is_cut_between_its_points() -> None:
    """Each part has the metric's name, unit, kind and temporality."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="n", unit="By")
    metric.sum.is_monotonic = True
    for value in range(50):
        metric.sum.data_points.add(as_int=value)
    body = request.SerializeToString()
    parts = [parse("metrics", part) for part in split_request("metrics", body, len(body) // 3)]
    assert len(parts) > 2
    found = [part.resource_metrics[0].scope_metrics[0].metrics[0] for part in parts]
    assert {(each.name, each.unit, each.sum.is_monotonic) for each in found} == {("n", "By", True)}
    assert [point.as_int for each in found for point in each.sum.data_points] == list(range(50))


def test_no_request() -> None:
    """One error, as everywhere."""
    with pytest.raises(ProtocolError):
        split_request("logs", b"\xff\xff", 1)
