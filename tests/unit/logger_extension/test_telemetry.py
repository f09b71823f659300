"""Telemetry API bodies to events: what is read, what is counted, and that nothing raises."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logger_extension.events import (
    FunctionLog,
    InitRuntimeDone,
    InitStart,
    InvocationStart,
    LogsDropped,
    Record,
    Report,
    RuntimeDone,
    TelemetryEvent,
    UnknownRecord,
)
from logger_extension.platform_records import parse_time
from logger_extension.telemetry import decode, tells_end
from tests.support.laws import LAW
from tests.support.telemetry_bodies import (
    event,
    garbage_items,
    json_objects,
    json_values,
    line,
    report,
    runtime_done,
    start,
    to_body,
    valid_events,
)

HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"


@pytest.mark.parametrize(
    ("event_type", "record", "expected"),
    [
        ("function", "hello\n", FunctionLog("hello\n")),
        ("function", {"level": "INFO"}, FunctionLog({"level": "INFO"})),
        ("function", [1, None], FunctionLog("[1,null]")),
        ("function", 7, FunctionLog("7")),
        ("platform.initStart", {"phase": "init", "instanceId": "i"}, InitStart("i")),
        ("platform.initStart", {}, InitStart()),
        ("platform.initRuntimeDone", {"status": "success"}, InitRuntimeDone("success")),
        (
            "platform.initRuntimeDone",
            {"status": "error", "errorType": "Runtime.ExitError"},
            InitRuntimeDone("error", "Runtime.ExitError"),
        ),
        (
            "platform.start",
            {"requestId": "r", "functionArn": ARN, "tracing": {"spanId": "s", "value": HEADER}},
            InvocationStart("r", ARN, HEADER),
        ),
        ("platform.start", {"requestId": "r", "tracing": None}, InvocationStart("r")),
        ("platform.start", {"requestId": "r", "tracing": {"value": 1}}, InvocationStart("r")),
        (
            "platform.runtimeDone",
            {
                "requestId": "r",
                "status": "success",
                "metrics": {"durationMs": 17.12, "producedBytes": 50},
            },
            RuntimeDone("r", "success", "", 17.12, 50),
        ),
        (
            "platform.runtimeDone",
            {"requestId": "r", "status": "timeout"},
            RuntimeDone("r", "timeout"),
        ),
        (
            "platform.report",
            {
                "requestId": "r",
                "status": "error",
                "errorType": "Extension.Crash",
                "metrics": {"durationMs": 519.416},
            },
            Report("r", "error", "Extension.Crash", 519.416),
        ),
        (
            "platform.logsDropped",
            {"droppedRecords": 123, "droppedBytes": 12345, "reason": "slow"},
            LogsDropped(123, 12345, "slow"),
        ),
        ("platform.logsDropped", {}, LogsDropped(0, 0, "")),
        ("platform.extension", {"name": "e"}, UnknownRecord()),
        ("platform.of.next.year", [1, 2], UnknownRecord()),
    ],
)
def test_each_type_becomes_its_record(event_type: str, record: Any, expected: Record) -> None:
    """Every type of the schema that is mapped, and any other as unknown."""
    batch = decode(to_body([event(event_type, record, "2026-11-23T09:51:34.620Z")]))
    assert batch.events == [TelemetryEvent(1_795_427_494_620_000_000, event_type, expected)]
    assert not batch.lost


@pytest.mark.parametrize(
    "number", [True, "17", None, -1, 2**60, 1e300, [17], {"value": 17}, "NaN"], ids=repr
)
def test_a_number_that_is_none_is_as_good_as_absent(number: Any) -> None:
    """A wrong duration or size costs only itself, never the event."""
    metrics = {"durationMs": number, "producedBytes": number}
    record = {"requestId": "r", "status": "success", "metrics": metrics}
    batch = decode(to_body([event("platform.runtimeDone", record)]))
    assert [e.record for e in batch.events] == [RuntimeDone("r", "success")]


@pytest.mark.parametrize(
    "item",
    [
        None,
        "text",
        12,
        [],
        {},
        {"type": None},
        {"type": 3, "record": "x"},
        {"type": "function"},
        {"type": "function", "record": None},
        {"type": "platform.start"},
        {"type": "platform.start", "record": "r"},
        {"type": "platform.start", "record": {}},
        {"type": "platform.start", "record": {"requestId": ""}},
        {"type": "platform.runtimeDone", "record": {"requestId": 5}},
        {"type": "platform.report", "record": ["r"]},
        {"type": "platform.initStart", "record": "x"},
        {"type": "platform.initRuntimeDone", "record": []},
        {"type": "platform.logsDropped", "record": 1},
    ],
    ids=json.dumps,
)
def test_an_item_of_the_wrong_shape_costs_only_itself(item: Any) -> None:
    """The neighbours of a wrong item are kept, and it is counted."""
    batch = decode(to_body([line("before"), item, line("after")]))
    assert [e.record for e in batch.events] == [FunctionLog("before"), FunctionLog("after")]
    assert dict(batch.lost) == {"malformed_item": 1}


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        (b"", {"malformed_batch": 1}),
        (b"[", {"malformed_batch": 1}),
        (b"not json", {"malformed_batch": 1}),
        (b"\xff\xfe\x00", {"malformed_batch": 1}),
        (b"[" * 1_000_000, {"malformed_batch": 1}),
        (b"[]", {}),
        (b"null", {"malformed_item": 1}),
        (b'"text"', {"malformed_item": 1}),
        (b"{}", {"malformed_item": 1}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_body_without_events_is_counted(body: bytes, lost: dict[str, int]) -> None:
    """A body that holds nothing readable gives no event and is counted by reason."""
    batch = decode(body)
    assert batch.events == []
    assert dict(batch.lost) == lost


def test_one_event_without_its_array_is_read() -> None:
    """A lone object, as line-based deliveries send it, is one event."""
    assert decode(json.dumps(line("x")).encode()).events[0].record == FunctionLog("x")


def test_a_byte_order_mark_costs_nothing() -> None:
    """A body with a byte order mark in front is read."""
    assert len(decode(b"\xef\xbb\xbf" + to_body([line("x")])).events) == 1


def test_invalid_utf8_in_a_line_is_replaced() -> None:
    """Bytes that are no UTF-8 become replacement characters; the line and its neighbours stay."""
    body = b'[{"type":"function","record":"a\xff\xc3b"},{"type":"function","record":"\xc3\xbc"}]'
    batch = decode(body)
    assert [e.record for e in batch.events] == [FunctionLog("a��b"), FunctionLog("ü")]
    assert not batch.lost


def test_lone_surrogates_are_replaced() -> None:
    """Half a surrogate pair cannot be written as UTF-8; the rest of the line stays."""
    body = b'[{"type":"function","record":"a\\ud800b"},{"type":"function","record":{"\\udfff":1}}]'
    batch = decode(body)
    assert [e.record for e in batch.events] == [FunctionLog("a?b"), FunctionLog({"?": 1})]
    assert not batch.lost


def test_nan_and_infinity_become_text() -> None:
    """JavaScript's numbers are no JSON; the object that holds them is kept all the same."""
    batch = decode(b'[{"type":"function","record":{"a":NaN,"b":-Infinity}}]')
    assert [e.record for e in batch.events] == [FunctionLog({"a": "NaN", "b": "-Infinity"})]
    assert not batch.lost


@pytest.mark.parametrize(
    "number", [b"1e999", b"9" * 400, b"9" * 5_000], ids=["1e999", "400 digits", "5000 digits"]
)
def test_a_number_beyond_all_floats_costs_at_most_its_item(number: bytes) -> None:
    """A number that no float holds: its item is kept or counted, its neighbours are kept."""
    body = (
        b'[{"type":"function","record":"before"},{"type":"function","record":{"n":'
        + number
        + b'}},{"type":"function","record":"after"}]'
    )
    batch = decode(body)
    texts = [e.record.record for e in batch.events if isinstance(e.record, FunctionLog)]
    assert texts[0] == "before"
    assert texts[-1] == "after"
    assert len(texts) - 2 + batch.lost.total() == 1


def test_integers_beyond_64_bits_are_read() -> None:
    """A large integer keeps its magnitude, as a float where it must."""
    (only,) = decode(b'[{"type":"function","record":{"n":36893488147419103232}}]').events
    assert only.record == FunctionLog({"n": 36893488147419103232.0})


@pytest.mark.parametrize("depth", [200, 300, 900])
def test_a_record_nested_deeper_than_can_be_written_back_is_a_line(depth: int) -> None:
    """A deep array as record, which Lambda never sends, is a line like any other."""
    nested = b"[" * depth + b"]" * depth
    batch = decode(b'[{"type":"function","record":' + nested + b"}]")
    assert len(batch.events) == 1
    assert isinstance(batch.events[0].record, FunctionLog)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["arrays", "objects"])
def test_nesting_without_end_costs_only_itself(opening: bytes) -> None:
    """An item nested deeper than any parser goes is counted, the one before it is kept."""
    batch = decode(
        b'[{"type":"function","record":"x"},{"type":"function","record":' + opening * 100_000
    )
    assert [e.record for e in batch.events] == [FunctionLog("x")]
    assert batch.lost.total() >= 1


def test_ten_mebibytes_in_one_body() -> None:
    """Ten lines of a mebibyte each are ten events."""
    lines = [str(number) * 1024 * 1024 for number in range(10)]
    batch = decode(to_body([line(text) for text in lines]))
    assert [e.record for e in batch.events] == [FunctionLog(text) for text in lines]


@LAW
@given(st.binary())
def test_no_bytes_raise(body: bytes) -> None:
    """Whatever the bytes are, there is a batch."""
    decode(body)


@LAW
@given(
    st.lists(
        st.sampled_from(
            [
                *(b"[", b"]", b"{", b"}", b"{}", b",", b":", b" ", b'"', b"\\", b"-"),
                *(b'"type"', b'"function"', b'"record"', b'"time"', b"null", b"NaN", b"1e999"),
                *(b"\xff", b"\\ud800"),
            ]
        ),
        max_size=40,
    ).map(b"".join)
)
def test_no_bytes_that_look_like_json_raise(body: bytes) -> None:
    """The same with bytes that reach further into the parsers."""
    decode(body)


@LAW
@given(
    st.lists(valid_events.map(lambda item: (item, True)) | garbage_items.map(lambda i: (i, False)))
)
@example([(line("a"), True), (float("inf"), False), (line("b"), True)])
def test_garbage_items_cost_only_themselves(items: list[tuple[Any, bool]]) -> None:
    """Valid events come out in order whatever stands between them, and that is counted exactly."""
    valid = [item for item, is_valid in items if is_valid]
    alone = [decode(to_body([item])).events for item in valid]
    batch = decode(to_body([item for item, _ in items]))
    assert all(len(events) == 1 for events in alone)
    assert batch.events == [events[0] for events in alone]
    assert batch.lost.total() == len(items) - len(valid)


@LAW
@given(st.lists(valid_events, max_size=4), st.lists(valid_events, max_size=4), st.data())
def test_a_broken_item_costs_only_itself(
    before: list[Any], after: list[Any], data: st.DataObject
) -> None:
    """Bytes changed inside one item: all events before and all after it come out, in order.

    What stands between them is the changed item, if it can still be read; if not, it is counted.
    """
    item = data.draw(valid_events)
    raw = json.dumps(item, ensure_ascii=False).encode()
    first = data.draw(st.integers(0, len(raw) - 1))
    last = data.draw(st.integers(first, min(first + 12, len(raw))))
    broken = raw[:first] + data.draw(st.binary(max_size=12)) + raw[last:]
    encoded = [json.dumps(e, ensure_ascii=False).encode() for e in (*before, *after)]
    body = b"[" + b",".join([*encoded[: len(before)], broken, *encoded[len(before) :]]) + b"]"
    events_before, events_after = decode(to_body(before)).events, decode(to_body(after)).events
    batch = decode(body)
    assert batch.events[: len(before)] == events_before
    assert batch.events[len(batch.events) - len(after) :] == events_after
    kept = len(batch.events) - len(before) - len(after)
    assert kept >= 1 or batch.lost.total() >= 1


@LAW
@given(st.lists(valid_events, min_size=1, max_size=4))
def test_a_torn_body_is_read_like_a_whole_one(items: list[Any]) -> None:
    """The reader of broken bodies gives the very same events as the fast one."""
    whole = to_body(items)
    batch = decode(whole[:-1])
    assert batch.events == decode(whole).events
    assert batch.lost.total() == 1


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        (b"[NaN,%s]", 1),
        (b"[%s,abc]", 1),
        (b"[%s,", 1),
        (b"[%s", 1),
        (b"[%s,{]", 1),
        (b"[BAD,%s,BAD]", 2),
        (b'[{"type":BAD},%s,{"type":BAD}]', 2),
        (b'[{"type":"function","record":"x"?},%s,{"type":"function","record"}]', 2),
    ],
)
def test_what_is_torn_is_counted(body: bytes, lost: int) -> None:
    """Each unreadable place in a body counts, also where it holds no object; so does a torn end."""
    batch = decode(body % json.dumps(line("x")).encode())
    assert [e.record for e in batch.events] == [FunctionLog("x")]
    assert dict(batch.lost) == {"malformed_item": lost}


@LAW
@given(json_objects, st.sampled_from(["runtimeDone", "report", "start"]))
def test_no_event_comes_out_of_the_inside_of_a_broken_item(
    fields: dict[str, Any], kind: str
) -> None:
    """A JSON line of the function cannot pass for an event of the platform, broken or not."""
    forged = fields | {"type": f"platform.{kind}", "record": {"requestId": "forged"}}
    raw = json.dumps(line(forged), ensure_ascii=False).encode()
    for broken in (raw[:-1] + b"?}", raw[:-1]):
        batch = decode(b"[" + broken + b"," + json.dumps(line("next")).encode() + b"]")
        assert [e.record for e in batch.events] == [FunctionLog("next")]
        assert batch.lost.total() >= 1


@LAW
@given(json_values)
def test_any_record_of_an_unknown_type_is_let_be(record: Any) -> None:
    """A type of tomorrow is noted as unknown, whatever it holds."""
    batch = decode(to_body([event("platform.tomorrow", record)]))
    assert [e.record for e in batch.events] == [UnknownRecord()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T09:51:34.620Z", 1_795_427_494_620_000_000),
        ("2026-11-23T09:51:34Z", 1_795_427_494_000_000_000),
        ("2026-11-23T10:51:34.000001+01:00", 1_795_427_494_000_001_000),
        ("2026-11-23T09:51:34.620123456Z", 1_795_427_494_620_123_000),
        ("2026-11-23T09:51:34.620", 0),  # no zone: there is no telling which
        ("1969-12-31T23:59:59Z", 0),
        ("2555-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00+23:59", 0),
        ("9999-12-31T23:59:59-23:59", 0),
        ("yesterday", 0),
        ("", 0),
        (1_795_427_494, 0),
        (None, 0),
        (["2026-11-23T09:51:34Z"], 0),
    ],
)
def test_times_are_nanoseconds_or_nought(text: object, expected: int) -> None:
    """An ISO time with a zone is a time; anything else is none."""
    assert parse_time(text) == expected


@LAW
@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2500, 1, 1)),  # noqa: DTZ001  (the zone is drawn)
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_every_time_is_exact_to_the_microsecond(moment: datetime, zone: timezone) -> None:
    """No rounding, in any zone."""
    aware = moment.replace(tzinfo=UTC).astimezone(zone)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    expected = (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
    assert parse_time(aware.isoformat()) == expected


@LAW
@given(json_values)
def test_any_value_as_time_is_harmless(value: Any) -> None:
    """A wrong time costs only itself."""
    batch = decode(to_body([{"time": value, "type": "function", "record": "x"}]))
    assert [e.record for e in batch.events] == [FunctionLog("x")]


def test_a_start_keeps_the_whole_header() -> None:
    """The trace header is handed on as it came, Lineage included."""
    header = "Root=1-67d448e8-3ae320be0e2cdf2f53ccdaba;Lineage=1:73f724a8:0"
    (only,) = decode(to_body([start("r", header)])).events
    assert only.record == InvocationStart("r", "", header)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([start("r"), line("x"), runtime_done("r")], True),
        ([start("r"), line("x")], False),
        ([runtime_done("other"), start("r")], False),
        ([runtime_done("other"), report("r")], False),
        ([line('{"type": "platform.runtimeDone", "requestId": "r"}'), start("r")], False),
        ([event("platform.logsDropped", {"droppedRecords": 1})], True),
    ],
)
def test_whether_a_body_tells_of_an_end(items: list[Any], *, expected: bool) -> None:
    """Of this invocation; what Lambda has lost may be it."""
    assert tells_end(to_body(items), "r") is expected


@pytest.mark.parametrize("body", [b'{"platform.runtimeDone": "r"}', b'["platform.runtimeDone" r'])
def test_a_body_that_cannot_be_read_may_tell_anything(body: bytes) -> None:
    """It is read rather than waited beside."""
    assert tells_end(body, "r")


@LAW
@given(
    items=st.lists(valid_events | garbage_items | json_objects, max_size=8),
    request_id=st.sampled_from(["r", "", "1", "é"]),
    own=st.booleans(),
)
def test_no_end_is_overlooked(items: list[Any], request_id: str, *, own: bool) -> None:
    """What decodes to the end of an invocation, or to a loss, was told to hold one."""
    if own:
        items = [*items, runtime_done(request_id)]
    body = to_body(items)
    records = [each.record for each in decode(body).events]
    ends = [r for r in records if isinstance(r, RuntimeDone) and r.request_id == request_id]
    if ends or any(isinstance(r, LogsDropped) for r in records):
        assert tells_end(body, request_id)
