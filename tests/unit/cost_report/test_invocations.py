"""Invocations read off spans, by DuckDB and by ClickHouse alike."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import pytest

from cost_report.columns import Period
from cost_report.invocations import find_invocations, select_functions
from cost_report.reading import read_rows
from cost_report.sources import open_source
from otlp_viewer import SpanRow
from otlp_viewer.invocations import find_invocations as find_in_rows
from tests.support.clickhouse_front import ClickHouseFront
from tests.support.cost_tables import CLICKHOUSE, DUCKDB, ENGINES, open_tables, spans_of
from tests.support.telemetry_facts import PICO, Facts
from tests.support.telemetry_story import make_story
from tests.support.viewer_rows import REQUEST_ID, START_UNIX_NANO, make_server_span, make_span

STORY = make_story(7, functions=5, invocations=160)
COLUMNS = (
    *("request_id", "trace_id", "span_id", "function", "version", "alias", "region"),
    *("architecture", "instance", "memory_size_mb", "start", "duration_ms", "is_cold_start"),
    *("status", "error_type", "billed_ms", "max_memory_used_mb", "init_ms", "extension_ms"),
    *("cost_usd", "handler_usd", "init_usd", "extension_usd", "missing_reason"),
)
MINUTE_MS = 60_000


def find(engine: str, spans: Sequence[SpanRow]) -> list[dict[str, Any]]:
    """Return the invocations among `spans`, by their start."""
    with open_tables(engine, spans=spans) as source:
        found = find_invocations(spans_of(source))
        assert found.columns == COLUMNS
        return sorted(read_rows(found), key=lambda row: (row["start"], row["request_id"]))


def make_overhead(**changes: Any) -> SpanRow:
    """Return the child that comes with the report of make_server_span's invocation."""
    attributes = {"faas.invocation_id": REQUEST_ID} | changes.pop("attributes", {})
    values = {"name": "extensionOverhead", "span_id": "bb" * 8, "parent_span_id": "aa" * 8}
    times = {"start_ms": 100, "end_ms": 104}
    return make_span(**(values | times | changes), attributes=attributes)


def make_init(**changes: Any) -> SpanRow:
    """Return the init that make_server_span's invocation waited for."""
    values = {"name": "init sandbox-function", "span_id": "cc" * 8, "parent_span_id": "aa" * 8}
    return make_span(**(values | {"start_ms": -300, "end_ms": -50} | changes))


def describe(facts: Facts) -> dict[str, Any]:
    """Return the row that an invocation of the story must give, less its start."""
    handler, init, extension = facts.pico_usd or (None, None, None)
    has_report = facts.billed_ms is not None
    qualifier = facts.profile.qualifier
    return {
        "request_id": facts.request_id,
        "function": facts.profile.name,
        "version": facts.version.number,
        "alias": qualifier if qualifier in ("live", "nightly") else "",
        "region": facts.profile.region,
        "architecture": facts.version.architecture,
        "instance": facts.instance,
        "memory_size_mb": facts.version.memory_mb,
        "duration_ms": pytest.approx(facts.runtime_ms, abs=1e-6),
        "is_cold_start": facts.is_cold_start,
        "status": "error" if facts.error_type else "ok",
        "error_type": facts.error_type,
        "billed_ms": facts.billed_ms,
        "max_memory_used_mb": facts.max_memory_used_mb if has_report else None,
        "init_ms": pytest.approx(facts.init_ms, abs=1e-5) if facts.is_cold_start else None,
        "extension_ms": pytest.approx(facts.extension_ms, abs=1e-5) if has_report else None,
        "cost_usd": facts.cost_usd,
        "handler_usd": None if handler is None else handler / PICO,
        "init_usd": None if init is None else init / PICO,
        "extension_usd": None if extension is None else extension / PICO,
        "missing_reason": facts.missing_reason,
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_every_invocation_of_the_story_is_found_as_it_was(engine: str) -> None:
    """Late reports, lost ones, errors and inits, whatever the order and however often they came."""
    spans = [*STORY.spans, *STORY.spans[::3]]
    random.Random(3).shuffle(spans)  # noqa: S311 - an order, not a secret
    found = {row["request_id"]: row for row in find(engine, spans)}
    assert len(found) == len(STORY.facts)
    for facts in STORY.facts:
        row = found[facts.request_id]
        expected = describe(facts)
        assert {name: row[name] for name in expected} == expected
        assert abs(row["start"].timestamp() * 1e9 - facts.start_unix_nano) < 1e6


def test_the_engines_agree_to_the_last_digit() -> None:
    """The same expression and the same rows are the same report, but for time's nanoseconds."""
    rows = [find(engine, STORY.spans) for engine in (DUCKDB, CLICKHOUSE)]
    for row in (*rows[0], *rows[1]):
        row["start"] = row["start"].isoformat(timespec="microseconds")[:23]
    assert rows[0] == rows[1]


def test_they_are_those_of_the_terminal_view() -> None:
    """The viewer finds them in its rows, this one in tables."""
    rows = find(DUCKDB, STORY.spans)
    for row, seen in zip(rows, find_in_rows(STORY.spans), strict=True):
        assert (row["request_id"], row["cost_usd"]) == (seen.request_id, seen.cost_usd)
        assert row["is_cold_start"] == seen.cold_start
        assert row["status"] == seen.status


@pytest.mark.parametrize("engine", ENGINES)
def test_what_nobody_told_is_null_or_empty(engine: str) -> None:
    """A bare SERVER span: figures are null, text is empty, the name is the span's."""
    [row] = find(engine, [make_server_span(resource={})])
    assert row["function"] == "sandbox-function"
    texts = ("version", "alias", "region", "architecture", "instance", "error_type")
    assert {row[name] for name in (*texts, "missing_reason")} == {""}
    figures = ("memory_size_mb", "billed_ms", "init_ms", "extension_ms", "cost_usd", "init_usd")
    assert {row[name] for name in figures} == {None}
    assert row["is_cold_start"] is False


@pytest.mark.parametrize("engine", ENGINES)
def test_a_retry_is_an_invocation_of_its_own(engine: str) -> None:
    """Lambda retries under the same request id, from which the span ids are derived."""
    spans = []
    for minute, cost in enumerate((3e-6, 5e-6, None)):
        at = minute * MINUTE_MS
        spans += [
            make_server_span(start_ms=at, end_ms=at + 100, attributes={"faas.coldstart": True}),
            make_init(start_ms=at - 300 - minute, end_ms=at - 50),
        ]
        if cost:
            attributes = {"aws.lambda.cost_usd": cost}
            times = {"start_ms": at + 100, "end_ms": at + 104 + minute}
            spans.append(make_overhead(attributes=attributes, **times))
    rows = find(engine, [*reversed(spans), *spans])
    assert [row["cost_usd"] for row in rows] == [3e-6, 5e-6, None]
    assert [row["init_ms"] for row in rows] == [250, 251, 252]
    assert [row["extension_ms"] for row in rows] == [4, 5, None]


@pytest.mark.parametrize("engine", ENGINES)
def test_spans_of_others_tell_nothing(engine: str) -> None:
    """A web server's span, a child without its parent, and a user's own that is named like ours."""
    spans = [
        make_span(kind=2, span_id="01" * 8),
        make_overhead(span_id="02" * 8, parent_span_id="03" * 8),
        make_server_span(attributes={"faas.invocation_id": "other"}, span_id="04" * 8, kind=1),
        make_server_span(),
        make_init(name="init database", scope="users.own"),
        make_overhead(scope="users.own", attributes={"aws.lambda.cost_usd": 1.0}),
    ]
    [row] = find(engine, spans)
    assert row["request_id"] == REQUEST_ID
    assert (row["init_ms"], row["extension_ms"], row["cost_usd"]) == (None, None, None)


@pytest.mark.parametrize("engine", ENGINES)
def test_odd_values_are_unknown_not_an_end(engine: str) -> None:
    """A figure that is none, or none that can be added up, must not spoil the others'."""
    odd = ["free", "NaN", "Infinity", "", "1e400", "0x10"]
    spans = [
        make_server_span(
            f"request {value}", span_id=f"{i:016x}", attributes={"aws.lambda.cost_usd": value}
        )
        for i, value in enumerate(odd)
    ]
    rows = find(engine, [*spans, make_server_span(attributes={"aws.lambda.cost_usd": "2e-6"})])
    assert sorted((row["cost_usd"] for row in rows), key=str) == [2e-6, *[None] * len(odd)]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_alias_is_the_qualifier_that_is_no_version(engine: str) -> None:
    """As Lambda writes ARNs; what is none tells none."""
    aliases = {
        "arn:aws:lambda:eu-west-1:123456789012:function:fn:live": "live",
        "arn:aws:lambda:eu-west-1:123456789012:function:fn:7": "",
        "arn:aws:lambda:eu-west-1:123456789012:function:fn:$LATEST": "",
        "arn:aws:lambda:eu-west-1:123456789012:function:fn": "",
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:fn:7a": "7a",
        "fn:live": "",
    }
    spans = [
        make_server_span(arn, span_id=f"{i:016x}", attributes={"aws.lambda.invoked_arn": arn})
        for i, arn in enumerate(aliases)
    ]
    assert {row["request_id"]: row["alias"] for row in find(engine, spans)} == aliases


@pytest.mark.parametrize("engine", ENGINES)
def test_a_reason_counts_only_without_a_cost(engine: str) -> None:
    """The SERVER span may say that no report came, and the child bring it all the same."""
    reason = {"aws.lambda.cost.missing_reason": "no_report"}
    [row] = find(engine, [make_server_span(attributes=reason)])
    assert row["missing_reason"] == "no_report"
    told = make_overhead(attributes={"aws.lambda.cost_usd": 1e-6})
    [row] = find(engine, [make_server_span(attributes=reason), told])
    assert (row["missing_reason"], row["cost_usd"]) == ("", 1e-6)


def test_an_older_collector_names_kinds_as_otlp_does() -> None:
    """`SPAN_KIND_SERVER` and `STATUS_CODE_ERROR` in place of `Server` and `Error`."""
    with open_tables(DUCKDB, spans=[make_server_span(status_code=2)]) as source:
        old = spans_of(source).mutate(
            SpanKind=ibis.literal("SPAN_KIND_SERVER"), StatusCode=ibis.literal("STATUS_CODE_ERROR")
        )
        [row] = read_rows(find_invocations(old))
    assert row["status"] == "error"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_period_holds_its_first_second_and_not_its_last(engine: str) -> None:
    """In UTC, whatever zone the server is in; what belongs to an invocation may lie outside."""
    start = datetime.fromtimestamp(START_UNIX_NANO // 10**9, UTC)
    second = timedelta(seconds=1)
    spans = [
        make_server_span(end_ms=5_000),
        make_init(start_ms=-3_000),
        make_overhead(start_ms=5_000, end_ms=5_010, attributes={"aws.lambda.cost_usd": 1e-6}),
    ]
    with open_tables(engine, spans=spans, time_zone="America/New_York") as source:

        def find_in(since: datetime | None, until: datetime | None) -> list[dict[str, Any]]:
            return read_rows(find_invocations(spans_of(source), Period(since, until)))

        [row] = find_in(start, start + second)
        assert (row["init_ms"], row["cost_usd"]) == (2950, 1e-6)
        assert find_in(start.replace(tzinfo=None), None) == [row]
        assert find_in(start + second, None) == []
        assert find_in(None, start) == []


def test_a_period_spares_a_server_the_other_days() -> None:
    """The exporter's tables are partitioned by day; of three weeks two days are read."""
    half_a_day_ms = 12 * 60 * MINUTE_MS
    spans = [
        make_server_span(str(n), span_id=f"{n:016x}", start_ms=n * half_a_day_ms) for n in range(42)
    ]
    start = datetime.fromtimestamp(START_UNIX_NANO // 10**9, UTC) + timedelta(days=7)
    with ClickHouseFront() as server:
        server.add_spans([replace(span, end_unix_nano=span.start_unix_nano) for span in spans])
        with open_source(server.url) as source:
            found = find_invocations(spans_of(source), Period(start, start + timedelta(days=1)))
            sql = ibis.to_sql(found.duration_ms.max(), dialect="clickhouse")
        plan = server.run(
            f"EXPLAIN indexes = 1 {sql}".replace('"otel_traces"', "otel.otel_traces")
        ).decode()
    read, there = re.findall(r"Parts: (\d+)/(\d+)", plan)[0]
    assert int(read) <= 3
    assert int(there) >= 21


def test_functions_are_chosen_by_name() -> None:
    """None named is all of them."""
    with open_tables(DUCKDB, spans=STORY.spans) as source:
        found = find_invocations(spans_of(source))
        some = read_rows(select_functions(found, ["shop-search", "nobody"]))
        assert {row["function"] for row in some} == {"shop-search"}
        assert select_functions(found, []) is found


def test_the_expression_can_be_a_view() -> None:
    """The web view makes SQL of it once, without a connection."""
    with open_tables(DUCKDB, spans=STORY.spans) as source:
        table = spans_of(source)
        unbound = ibis.table(table.schema(), name="otel_traces")
        sql = ibis.to_sql(find_invocations(unbound), dialect="duckdb")
        backend = table.get_backend()
        backend.raw_sql(f"CREATE TEMP VIEW invocations AS {sql}")
        one = STORY.facts[0]
        question = f"SELECT request_id FROM invocations WHERE trace_id = '{one.trace_id}'"  # noqa: S608
        assert backend.raw_sql(question).fetchall() == [(one.request_id,)]
