"""The spans of the synthetic telemetry: the extension's, and those of the function's own SDK."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

from otlp_viewer import SpanEvent, SpanRow
from otlp_viewer.rows import SPAN_KIND_SERVER, STATUS_CODE_ERROR
from tests.support.telemetry_facts import NANOS_PER_MS, NO_MEMORY, PICO, TIMEOUT, Facts

SCOPE, SCOPE_VERSION = "logger_extension", "0.9.0"
SERVER = "invocation"
_INTERNAL, _CLIENT = 1, 3
_ACCOUNT = "123456789012"
_OWN_SCOPE = "opentelemetry.instrumentation.botocore"


def make_spans(rng: random.Random, facts: Facts, resource: Mapping[str, Any]) -> Iterator[SpanRow]:
    """Yield what is known when the runtime is done: SERVER span, init, phases, the SDK's spans."""
    yield _make(
        facts,
        resource,
        (SERVER, ""),
        (0.0, facts.runtime_ms),
        name=facts.profile.name,
        kind=SPAN_KIND_SERVER,
        attributes=_describe(facts) | ({} if facts.has_late_report else describe_report(facts)),
        status_code=STATUS_CODE_ERROR if facts.error_type else 0,
    )
    if facts.is_cold_start:
        yield from _make_init(facts, resource)
    if facts.error_type != TIMEOUT:
        yield from _make_phases(facts, resource)
    if facts.feature:
        yield from _make_own(rng, facts, resource)


def make_late_spans(facts: Facts, resource: Mapping[str, Any]) -> Iterator[SpanRow]:
    """Yield what comes with the report: the extensions' time, mostly with what only it tells."""
    if facts.billed_ms is None:
        return
    told = describe_report(facts) if facts.has_late_report else {}
    yield _make(
        facts,
        resource,
        ("extensionOverhead", SERVER),
        (facts.runtime_ms, facts.runtime_ms + facts.extension_ms),
        attributes={"faas.invocation_id": facts.request_id, **told},
    )


def span_id_of(facts: Facts, key: str) -> str:
    """Return the id of an invocation's span, the same for the same key."""
    return hashlib.blake2b(f"{facts.request_id} {key}".encode(), digest_size=8).hexdigest()


def describe_report(facts: Facts) -> dict[str, Any]:
    """Return the attributes that only `platform.report` tells, and those of the cost."""
    told: dict[str, Any] = {}
    if facts.billed_ms is not None:
        told = {
            "aws.lambda.billed_duration_ms": facts.billed_ms,
            "aws.lambda.max_memory_used_mb": facts.max_memory_used_mb,
            "aws.lambda.memory_size_mb": facts.version.memory_mb,
        }
        if facts.is_cold_start:
            told["aws.lambda.init_duration_ms"] = facts.init_ms
        if facts.error_type == NO_MEMORY:
            told["aws.lambda.out_of_memory"] = True
    if facts.missing_reason:
        told["aws.lambda.cost.missing_reason"] = facts.missing_reason
    elif facts.pico_usd:
        handler, init, extension = facts.pico_usd
        told |= {
            "aws.lambda.cost_usd": sum(facts.pico_usd) / PICO,
            "aws.lambda.cost.handler_usd": handler / PICO,
            "aws.lambda.cost.init_usd": init / PICO,
            "aws.lambda.cost.extension_usd": extension / PICO,
        }
    return told


def _describe(facts: Facts) -> dict[str, Any]:
    profile = facts.profile
    arn = f"arn:aws:lambda:{profile.region}:{_ACCOUNT}:function:{profile.name}"
    invoked = f"{arn}:{profile.qualifier}" if profile.qualifier else arn
    attributes: dict[str, Any] = {
        "faas.invocation_id": facts.request_id,
        "faas.coldstart": facts.is_cold_start,
        "faas.trigger": "other",
        "aws.lambda.invoked_arn": invoked,
        "cloud.resource_id": f"{arn}:{facts.version.number}" if profile.qualifier else arn,
    }
    if facts.error_type:
        attributes["error.type"] = facts.error_type
    else:
        attributes["aws.lambda.produced_bytes"] = 312
    return attributes


def _make_init(facts: Facts, resource: Mapping[str, Any]) -> Iterator[SpanRow]:
    """Init lies before the invocation; the extensions' part of it is its last twentieth."""
    runtime_done_ms = -facts.init_ms / 20
    name = f"init {facts.profile.name}"
    attributes = {"faas.coldstart": True}
    init = (-facts.init_ms, runtime_done_ms)
    yield _make(facts, resource, ("init", SERVER), init, name=name, attributes=attributes)
    yield _make(facts, resource, ("init extensions", SERVER), (runtime_done_ms, 0.0))


def _make_phases(facts: Facts, resource: Mapping[str, Any]) -> Iterator[SpanRow]:
    latency_ms, response_ms = facts.runtime_ms * 0.9, facts.runtime_ms * 0.95
    yield _make(facts, resource, ("handler", SERVER), (0.0, response_ms))
    yield _make(facts, resource, ("responseLatency", "handler"), (0.0, latency_ms))
    yield _make(facts, resource, ("responseDuration", "handler"), (latency_ms, response_ms))
    yield _make(facts, resource, ("runtimeOverhead", SERVER), (response_ms, facts.runtime_ms))


def _make_own(rng: random.Random, facts: Facts, resource: Mapping[str, Any]) -> Iterator[SpanRow]:
    """The function's SDK: the feature, and a call to a table within it."""
    end_ms = facts.runtime_ms * 0.88
    begin_ms = end_ms * rng.uniform(0.05, 0.4)
    feature = {"http.route": facts.feature.split()[-1], "http.request.method": "GET"}
    failure = {"exception.type": facts.error_type, "exception.message": "<b>no</b> such item"}
    events = (
        (
            SpanEvent(
                name="exception",
                time_unix_nano=facts.start_unix_nano + int(end_ms * NANOS_PER_MS),
                attributes=failure,
            ),
        )
        if facts.error_type
        else ()
    )
    own: dict[str, Any] = {"scope": "shop.handlers", "scope_version": ""}
    yield _make(
        facts,
        resource,
        ("own", SERVER),
        (1.0, end_ms),
        name=facts.feature,
        attributes=feature,
        events=events,
        **own,
    )
    yield _make(
        facts,
        resource,
        ("own table", "own"),
        (begin_ms, end_ms * 0.9),
        name="DynamoDB.Query",
        kind=_CLIENT,
        attributes={"rpc.system": "aws-api", "aws.dynamodb.table_names": ["orders"]},
        scope=_OWN_SCOPE,
        scope_version="0.61b0",
    )


def _make(
    facts: Facts,
    resource: Mapping[str, Any],
    keys: tuple[str, str],
    between_ms: tuple[float, float],
    **values: Any,
) -> SpanRow:
    """Return a span; `keys` are its own and its parent's, times count from the invocation's start.

    It is named as its key, unless `values` name it otherwise.
    """
    key, parent_key = keys
    start_ms, end_ms = between_ms
    given: dict[str, Any] = {
        "name": key,
        "kind": _INTERNAL,
        "attributes": {},
        "status_code": 0,
        "events": (),
        "scope": SCOPE,
        "scope_version": SCOPE_VERSION,
    }
    return SpanRow(
        trace_id=facts.trace_id,
        span_id=span_id_of(facts, key),
        parent_span_id=span_id_of(facts, parent_key) if parent_key else "",
        start_unix_nano=facts.start_unix_nano + int(start_ms * NANOS_PER_MS),
        end_unix_nano=facts.start_unix_nano + int(end_ms * NANOS_PER_MS),
        status_message="",
        resource=resource,
        **(given | values),
    )
