"""Checking subscriptions; the contract's own cases are in tests/sandbox/contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_sandbox import ApiError
from lambda_sandbox.subscription import Subscription, parse_subscription

GOOD: dict[str, Any] = {
    "schemaVersion": "2025-01-29",
    "types": ["platform", "function"],
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/a?b=c"},
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def parse(document: Any, *, managed_instances: bool = False) -> Subscription:
    """Check a document."""
    return parse_subscription(json.dumps(document).encode(), managed_instances=managed_instances)


def test_defaults() -> None:
    """Without `buffering` the documented defaults hold; the path and the query are kept."""
    subscription = parse(GOOD)
    assert subscription == Subscription(
        schema_version="2025-01-29",
        types=("platform", "function"),
        protocol="HTTP",
        port=4243,
        target="/a?b=c",
        max_items=10_000,
        max_bytes=262_144,
        timeout_ms=1_000,
    )


def test_all_reasons_are_given() -> None:
    """The message joins every reason, so that one attempt is enough to repair a body."""
    bad = {
        "types": [],
        "buffering": {"maxItems": 1},
        "destination": {"protocol": "HTTP", "URI": "http://sandbox/"},
    }
    with pytest.raises(ApiError) as refusal:
        parse(bad)
    assert refusal.value.status == 400
    assert refusal.value.message.split("; ") == [
        "schemaVersion should be one of 2022-07-01, 2022-12-13, 2025-01-29",
        "types should not be empty",
        "URI port is not provided",
        "buffering.maxItems should be 1000 to 10000",
    ]


def test_managed_instances_know_one_schema() -> None:
    """Managed Instances refuse the schema that on-demand functions may still use."""
    old = GOOD | {"schemaVersion": "2022-12-13"}
    assert parse(old).schema_version == "2022-12-13"
    with pytest.raises(ApiError):
        parse(old, managed_instances=True)


@given(
    st.sampled_from(["schemaVersion", "types", "destination", "buffering"]),
    JSON_VALUES,
)
def test_any_json_is_accepted_or_refused(field: str, value: Any) -> None:
    """Whatever stands in a field: a subscription or a 400, never another error."""
    try:
        parse(GOOD | {field: value})
    except ApiError as error:
        assert (error.status, error.error_type) == (400, "ValidationError")  # noqa: PT017 - a law


@given(st.binary())
def test_any_bytes_are_refused(body: bytes) -> None:
    """A body that is no JSON object is a 400."""
    with pytest.raises(ApiError):
        parse_subscription(body, managed_instances=False)


def test_limits_are_whole_numbers() -> None:
    """True and 1000.0 are no whole numbers."""
    for value in (True, 1000.0, "1000", None):
        with pytest.raises(ApiError):
            parse(GOOD | {"buffering": {"maxItems": value}})
