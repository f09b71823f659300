"""Parameters of addresses."""

import re
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web_view.errors import ParameterError
from web_view.parameters import (
    CostQuery,
    InvocationQuery,
    InvocationsQuery,
    LogsQuery,
    Query,
    change,
    read_key,
    read_query,
    write_key,
    write_query,
)

_MAX_INT64 = 2**63 - 1


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (InvocationsQuery, [("status", "bad")], "“status” must be one of ok, error, logged."),
        (InvocationsQuery, [("colour", "x")], "“colour” is no parameter of this page; it has:"),
        (InvocationsQuery, [("q", "a"), ("q", "b")], "“q” is given twice; once is enough."),
        (InvocationsQuery, [("q", "x" * 201)], "“q” must be at most 200 characters."),
        (InvocationsQuery, [("before", "x")], "“before” must be the key of a row"),
        (LogsQuery, [("after", f"{2**63}-1")], "“after” must be the key of a row"),
        (LogsQuery, [("after", "1-0x")], "“after” must be the key of a row"),
        (InvocationQuery, [("started", "-1")], "“started” must be nanoseconds since 1970."),
        (InvocationQuery, [("span", "xyz")], "“span” must be the id of a span in hex."),
        (CostQuery, [("by", "moon")], "“by” must be one of function, version, "),
        (Query, [("q", "x")], "“q” is no parameter of this page; it has: none."),
    ],
)
def test_what_is_not_understood_is_refused(
    kind: type, given: list[tuple[str, str]], expected: str
) -> None:
    """With what the page expects."""
    with pytest.raises(ParameterError, match=re.escape(expected)):
        read_query(kind, given)


def test_empty_is_not_given() -> None:
    """As forms send it."""
    query = read_query(InvocationsQuery, [("status", ""), ("before", ""), ("q", "x")])
    assert query == InvocationsQuery(q="x")


@given(
    query=st.builds(
        InvocationsQuery,
        function=st.text(max_size=20),
        status=st.sampled_from(["", "ok", "error", "logged"]),
        start=st.sampled_from(["", "cold", "warm"]),
        q=st.text(max_size=20),
        before=st.builds(
            lambda time, identity: write_key(time, f"{identity:x}"),
            st.integers(0, _MAX_INT64),
            st.integers(0, 2**64),
        ),
    )
)
def test_every_state_is_an_address(query: InvocationsQuery) -> None:
    """And the address says the same state."""
    address = write_query(query)
    assert read_query(InvocationsQuery, parse_qsl(address[1:])) == query


@given(time=st.integers(0, _MAX_INT64), identity=st.binary(max_size=16))
def test_a_key_says_what_it_was_made_of(time: int, identity: bytes) -> None:
    """Also where a span has no id at all."""
    key = write_key(time, identity.hex())
    read_query(InvocationsQuery, [("before", key)])
    assert read_key(key) == (time, identity.hex())


def test_a_change_leaves_the_rest() -> None:
    """As links of a page need it."""
    query = InvocationsQuery(function="f", before="1-a")
    assert change(query, before="", after="2-b") == InvocationsQuery(function="f", after="2-b")
    assert write_query(InvocationsQuery()) == ""
