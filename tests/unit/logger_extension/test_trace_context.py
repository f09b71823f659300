"""Ids of an invocation: from the X-Ray header, else from the request id, the same each time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.trace_context import (
    NO_PARENT,
    TraceContext,
    derive_context,
    derive_span_id,
)
from tests.support.laws import LAW

TRACE = bytes.fromhex("5f35ae120c0fec141ab77a00bc047aa2")
PARENT = bytes.fromhex("2be948a625588e32")
ROOT = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2"


@pytest.mark.parametrize(
    "header",
    [
        f"{ROOT};Parent=2be948a625588e32;Sampled=1",
        f"{ROOT};Parent=2be948a625588e32;Sampled=0",
        f"{ROOT};Parent=2be948a625588e32",
        f"Sampled=1;Parent=2be948a625588e32;{ROOT}",
        f"{ROOT}; Parent=2be948a625588e32; Sampled=1",
        f"Self=1-00000001-000000000000000000000001;{ROOT};Parent=2be948a625588e32;Lineage=1:73f724a8:0",
        "Root=1-5F35AE12-0C0FEC141AB77A00BC047AA2;Parent=2BE948A625588E32;Sampled=1",
    ],
)
def test_root_and_parent_are_the_trace_and_the_parent_span(header: str) -> None:
    """In any order, with any other fields beside them."""
    context = derive_context("request", header)
    assert context.trace_id == TRACE
    assert context.parent_span_id == PARENT
    assert context.trace_header == header


@pytest.mark.parametrize(
    "header",
    [
        ROOT,
        f"{ROOT};Lineage=1:73f724a8:0",
        f"{ROOT};Sampled=0",
        f"{ROOT};Parent=;Sampled=1",
        f"{ROOT};Parent=2be948a6;Sampled=1",
        f"{ROOT};Parent=2be948a625588e3g;Sampled=1",
        f"{ROOT};Parent=0000000000000000;Sampled=1",
    ],
)
def test_a_root_without_a_usable_parent_keeps_the_trace(header: str) -> None:
    """Load balancers and pass-through send no Parent: the trace is kept and no parent invented."""
    context = derive_context("request", header)
    assert context.trace_id == TRACE
    assert context.parent_span_id == NO_PARENT
    assert context.trace_header == header


@pytest.mark.parametrize(
    "header",
    [
        "",
        ";",
        "Root",
        "Root=",
        "Root=;Parent=2be948a625588e32",
        "Parent=2be948a625588e32;Sampled=1",
        "Root=5f35ae12-0c0fec141ab77a00bc047aa2",
        "Root=2-5f35ae12-0c0fec141ab77a00bc047aa2",
        "Root=1-5f35ae12-0c0fec141ab77a00bc047aa",
        "Root=1-5f35ae12-0c0fec141ab77a00bc047aa22",
        "Root=1-5f35ae1z-0c0fec141ab77a00bc047aa2",
        "Root=1-00000000-000000000000000000000000",
        "00-5f35ae120c0fec141ab77a00bc047aa2-2be948a625588e32-01",
        "root=1-5f35ae12-0c0fec141ab77a00bc047aa2",
    ],
)
def test_a_header_without_a_usable_root_is_as_good_as_none(header: str) -> None:
    """The trace then comes from the request id, and a parent without its trace means nothing."""
    context = derive_context("request", header)
    assert context == derive_context("request", "")
    assert context.parent_span_id == NO_PARENT
    assert context.trace_header == ""


def test_the_same_request_has_the_same_ids_in_every_process() -> None:
    """Ids depend on nothing but the request: a restarted extension goes on in the same trace."""
    assert derive_context("b397bf4c-7424-4baa-b7e2-ab6e11d76a35", "") == TraceContext(
        trace_id=bytes.fromhex("d405ff6d5ec0ffe6ab2c61900b5b7a23"),
        span_id=bytes.fromhex("8bcf2fbdbe20a2c0"),
    )


def test_spans_of_one_invocation_have_ids_of_their_own() -> None:
    """Each span's name gives another id."""
    names = ("invocation", "init checkout", "extensionOverhead")
    assert len({derive_span_id("request", name) for name in names}) == len(names)


@LAW
@given(st.text(max_size=40), st.text(max_size=80))
def test_any_header_gives_usable_ids(request_id: str, header: str) -> None:
    """Whatever Lambda sends, ids have their sizes and are not all nought."""
    context = derive_context(request_id, header)
    assert len(context.trace_id) == 16
    assert any(context.trace_id)
    assert len(context.span_id) == 8
    assert any(context.span_id)
    assert context == derive_context(request_id, header)


@LAW
@given(
    st.lists(
        st.sampled_from(
            ["Root=", "1-", "5f35ae12", "-", "0c0fec141ab77a00bc047aa2", ";", "Parent="]
        )
        | st.text(max_size=3),
        max_size=10,
    ).map("".join)
)
def test_headers_that_look_right_give_usable_ids(header: str) -> None:
    """The same for texts that reach further into the parser; a parent is whole or missing."""
    context = derive_context("request", header)
    assert len(context.trace_id) == 16
    assert len(context.parent_span_id) in (0, 8)


@LAW
@given(st.sets(st.uuids().map(str), min_size=2, max_size=20))
def test_different_requests_have_different_ids(request_ids: set[str]) -> None:
    """No two requests share a trace or a span."""
    contexts = [derive_context(request_id, "") for request_id in request_ids]
    assert len({context.trace_id for context in contexts}) == len(request_ids)
    assert len({context.span_id for context in contexts}) == len(request_ids)
