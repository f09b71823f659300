"""From telemetry bodies to exported records: everything once, in order, or counted."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from logger_extension.deadline import Deadline
from logger_extension.events import NANOS_PER_MS, InvokeEvent
from logger_extension.policy.outcome import Refused, Undelivered
from logger_extension.settings.delivery import REQUEST_MAX_BYTES
from tests.support.extension import (
    FUNCTION_NAME,
    NOW_UNIX_NANO,
    Extension,
    RecordingFallback,
    UsageReadings,
    open_window,
    read_logs,
)
from tests.support.function_requests import make_logs, make_request, make_span, make_traces
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


def _invoke(request_id: str, trace_header: str = "") -> InvokeEvent:
    return InvokeEvent(request_id, Deadline(0), "", trace_header)


def _bodies_of(extension: Extension) -> list[str]:
    return [record.body.string_value for record in extension.records]


def _server_spans(extension: Extension) -> list[Span]:
    return [span for span in extension.spans if span.kind == Span.SPAN_KIND_SERVER]


def _request_of(record: LogRecord | Span) -> str:
    ids = [a.value.string_value for a in record.attributes if a.key == "faas.invocation_id"]
    return ids[0] if ids else ""


def _marker_of(record: LogRecord) -> int:
    """Return the number that `_marked` put into a line."""
    text = record.body.string_value
    if text.startswith("#"):
        return int(text[1:].partition(" ")[0])
    pairs = [*record.attributes, *record.body.kvlist_value.values]
    (number,) = (pair.value.int_value for pair in pairs if pair.key == "marker")
    return number


def _marked(number: int, record: str | dict[str, Any]) -> str | dict[str, Any]:
    return f"#{number} {record}" if isinstance(record, str) else {**record, "marker": number}


async def test_one_cold_start_from_end_to_end() -> None:
    """Init, a line, an invocation and, one thaw later, its report."""
    extension = Extension()
    extension.pipeline.accept(
        to_body(
            [
                event("platform.initStart", {"phase": "init"}, "2026-11-23T09:51:33.000Z"),
                event("platform.initRuntimeDone", {"status": "success"}, "2026-11-23T09:51:33.5Z"),
                line("module loaded\n", "2026-11-23T09:51:33.4Z"),
            ]
        )
    )
    extension.pipeline.invoked(_invoke("r", HEADER))
    extension.pipeline.accept(to_body([start("r", HEADER), line("hello\n"), runtime_done("r")]))
    await extension.flush()
    extension.pipeline.accept(to_body([report("r")]))
    await extension.flush()
    init, hello = extension.records
    assert (init.body.string_value, init.trace_id) == ("module loaded", b"")
    assert (hello.body.string_value, _request_of(hello)) == ("hello", "r")
    server, init_span, overhead = extension.spans
    assert [span.name for span in extension.spans] == [
        FUNCTION_NAME,
        f"init {FUNCTION_NAME}",
        "extensionOverhead",
    ]
    assert (hello.trace_id, hello.span_id) == (server.trace_id, server.span_id)
    assert init_span.parent_span_id == overhead.parent_span_id == server.span_id
    assert extension.pipeline.count_lost() == {}


async def test_a_duplicate_body_is_counted_and_not_doubled() -> None:
    """Lambda repeats a POST whose answer it did not get."""
    extension = Extension()
    body = to_body([start("r"), line("once"), runtime_done("r")])
    for _ in range(3):
        extension.pipeline.accept(body)
    await extension.flush()
    assert _bodies_of(extension) == ["once"]
    assert len(extension.spans) == 1
    assert extension.pipeline.duplicates == 2
    assert extension.pipeline.count_lost() == {}


@LAW
@given(
    order=st.lists(st.integers(0, 20), max_size=80).filter(bool),
)
async def test_repeated_bodies_in_any_order_are_not_doubled(order: list[int]) -> None:
    """Each line once, in the order of its first coming."""
    extension = Extension()
    for number in order:
        extension.pipeline.accept(to_body([line(f"#{number}")]))
    await extension.flush()
    expected = [f"#{number}" for number in dict.fromkeys(order)]
    assert _bodies_of(extension) == expected
    assert extension.pipeline.duplicates == len(order) - len(expected)


@LAW
@given(
    items=st.lists(
        (st.text(max_size=30) | json_objects).map(lambda record: ("line", record))
        | valid_events.filter(lambda item: item["type"] != "function").map(lambda e: ("event", e))
        | garbage_items.map(lambda item: ("garbage", item)),
        max_size=20,
    ),
    cuts=st.sets(st.integers(0, 20), max_size=5),
    reads_at_once=st.booleans(),
    is_concurrent=st.booleans(),
)
async def test_whatever_is_decoded_can_be_encoded(
    items: list[tuple[str, Any]], cuts: set[int], *, reads_at_once: bool, is_concurrent: bool
) -> None:
    """Any events, garbage among them, in any batches: every line is out once and in order."""
    extension = Extension(is_concurrent=is_concurrent, reads_at_once=reads_at_once)
    batch: list[Any] = []
    lines = 0
    for place, (kind, item) in enumerate(items):
        if place in cuts:
            extension.pipeline.accept(to_body(batch))
            # No two bodies are the same, else the second would count as a duplicate.
            batch = [event("platform.extension", place)]
        batch.append(line(_marked(lines, item)) if kind == "line" else item)
        lines += kind == "line"
    extension.pipeline.accept(to_body(batch))
    await extension.flush()
    extension.pipeline.end_all("spindown")
    await extension.flush()
    assert [_marker_of(record) for record in extension.records] == list(range(lines))
    for span in extension.spans:
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
    server_ids = [span.span_id for span in _server_spans(extension)]
    assert len(server_ids) == len(set(server_ids))
    lost = extension.pipeline.count_lost()
    garbage = sum(kind == "garbage" for kind, _ in items)
    assert lost.get("telemetry.malformed_item", 0) == garbage
    assert {key.partition(".")[0] for key in lost} <= {"telemetry"}
    assert not extension.complaints.messages


@LAW
@given(bodies=st.lists(st.binary(max_size=200) | st.lists(json_values).map(to_body), max_size=5))
async def test_no_body_stops_the_pipeline(bodies: list[bytes]) -> None:
    """After any bytes the next good body gets through."""
    extension = Extension()
    for body in bodies:
        extension.pipeline.accept(body)
    extension.pipeline.accept(to_body([start("r"), line("still here"), runtime_done("r")]))
    await extension.flush()
    assert _bodies_of(extension)[-1] == "still here"
    assert _request_of(_server_spans(extension)[-1]) == "r"


@pytest.mark.parametrize("duration_ms", [2.0**53, 1e18, 86_400_000.0])
async def test_an_absurd_duration_costs_no_other_span(duration_ms: float) -> None:
    """A duration that no invocation lasts cannot make a request unencodable."""
    extension = Extension()
    extension.pipeline.accept(
        to_body(
            [
                start("absurd", time="2553-12-01T00:00:00Z"),
                runtime_done("absurd", duration_ms),
                report("absurd", duration_ms * 2),
                start("normal"),
                runtime_done("normal"),
            ]
        )
    )
    await extension.flush()
    assert [_request_of(span) for span in _server_spans(extension)] == ["absurd", "normal"]
    assert extension.pipeline.count_lost() == {}


async def test_a_line_that_names_its_request_belongs_to_that_one() -> None:
    """A late line of A is A's though B has started."""
    extension = Extension()
    late = {"requestId": "a", "message": "late"}
    extension.pipeline.accept(to_body([start("a"), runtime_done("a"), start("b"), line(late)]))
    extension.pipeline.accept(to_body([line({"requestId": "theirs", "message": "other"})]))
    await extension.flush()
    assert [_request_of(record) for record in extension.records] == ["a", "b"]


async def test_lines_of_several_at_once_are_told_apart_by_their_request() -> None:
    """On Managed Instances a line without a request id belongs to nobody known."""
    extension = Extension(is_concurrent=True)
    named = {"AWSRequestId": "b", "message": "named"}
    extension.pipeline.accept(to_body([start("a"), start("b"), line(named), line("unnamed")]))
    await extension.flush()
    assert [_request_of(record) for record in extension.records] == ["b", ""]


async def test_managed_instances_finish_by_report() -> None:
    """There is no runtimeDone, and no overhead that the report could tell apart."""
    extension = Extension(is_concurrent=True)
    extension.pipeline.accept(to_body([start("a"), start("b"), report("b"), report("a")]))
    await extension.flush()
    assert [_request_of(span) for span in extension.spans] == ["b", "a"]


async def test_what_lambda_itself_dropped_is_counted() -> None:
    """Lost before it reached us is lost all the same."""
    extension = Extension()
    dropped = {"droppedRecords": 123, "droppedBytes": 1, "reason": "slow"}
    extension.pipeline.accept(to_body([event("platform.logsDropped", dropped)]))
    assert extension.pipeline.count_lost() == {"telemetry.dropped_by_lambda": 123}


async def test_a_body_that_was_not_taken_is_counted() -> None:
    """By the receiver's reason."""
    extension = Extension()
    extension.pipeline.refuse("body_too_large")
    assert extension.pipeline.count_lost() == {"telemetry.body_too_large": 1}


async def test_without_spare_cpu_bodies_wait_until_the_handler_is_done() -> None:
    """Nothing is read while the handler needs the CPU; runtimeDone ends the wait."""
    extension = Extension(reads_at_once=False)
    extension.pipeline.accept(to_body([start("r")]))
    extension.pipeline.accept(to_body([line("hello")]))
    assert len(extension.pipeline._inbox) == 2
    extension.pipeline.invoked(InvokeEvent("r", Deadline(0), ""))
    waiting = asyncio.create_task(extension.pipeline.wait_finished("r"))
    await asyncio.sleep(0)
    assert len(extension.pipeline._inbox) == 2
    extension.pipeline.accept(to_body([runtime_done("r")]))
    await waiting
    assert len(extension.pipeline._inbox) == 0
    await extension.flush()
    assert _bodies_of(extension) == ["hello"]


async def test_what_waits_unread_is_bounded() -> None:
    """A handler that prints much is read while it runs, rather than held in memory twice."""
    extension = Extension(reads_at_once=False, max_unread_bytes=1_000)
    extension.pipeline.accept(to_body([line("x" * 500)]))
    assert len(extension.pipeline._inbox) == 1
    extension.pipeline.accept(to_body([line("y" * 500)]))
    assert len(extension.pipeline._inbox) == 1


@pytest.mark.parametrize("finish", [runtime_done, report])
async def test_the_wait_for_the_end_is_over_with_the_event(
    finish: Callable[[str], dict[str, Any]],
) -> None:
    """`wait_finished` wakes when the runtime is known to be done, and not before."""
    extension = Extension()
    extension.pipeline.invoked(_invoke("r"))
    waiting = asyncio.create_task(extension.pipeline.wait_finished("r"))
    extension.pipeline.accept(to_body([start("r"), line("x")]))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    extension.pipeline.accept(to_body([finish("r")]))
    await waiting


async def test_the_end_is_seen_though_more_waits_than_may() -> None:
    """Then the oldest body is read, and the one that tells of the end is the newest."""
    extension = Extension(reads_at_once=False, max_unread_bytes=1_000)
    extension.pipeline.invoked(InvokeEvent("r", Deadline(0), ""))
    waiting = asyncio.create_task(extension.pipeline.wait_finished("r"))
    await asyncio.sleep(0)
    for number in range(3):
        extension.pipeline.accept(to_body([line(f"{number} {'x' * 900}")]))
    extension.pipeline.accept(to_body([line("y" * 900), start("r"), runtime_done("r")]))
    async with asyncio.timeout(5):
        await waiting


async def test_the_wait_for_the_end_is_over_when_a_body_was_not_taken() -> None:
    """It may have been the one that is waited for; the next one is waited for again."""
    extension = Extension(reads_at_once=False)
    extension.pipeline.invoked(InvokeEvent("r", Deadline(0), ""))
    waiting = asyncio.create_task(extension.pipeline.wait_finished("r"))
    await asyncio.sleep(0)
    extension.pipeline.refuse("fault")
    await waiting
    again = asyncio.create_task(extension.pipeline.wait_finished("r"))
    await asyncio.sleep(0)
    assert not again.done()
    extension.pipeline.accept(to_body([start("r"), runtime_done("r")]))
    await again


async def test_the_wait_for_the_end_does_not_begin_when_it_is_over() -> None:
    """Telemetry may be quicker than INVOKE."""
    extension = Extension()
    extension.pipeline.accept(to_body([start("r"), runtime_done("r")]))
    extension.pipeline.invoked(_invoke("r"))
    await extension.pipeline.wait_finished("r")


async def test_the_wait_for_reports_is_over_with_the_last_one() -> None:
    """At SHUTDOWN the last report may be on its way."""
    extension = Extension()
    await extension.pipeline.wait_reported()
    extension.pipeline.accept(to_body([start("r"), runtime_done("r")]))
    waiting = asyncio.create_task(extension.pipeline.wait_reported())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    extension.pipeline.accept(to_body([report("r")]))
    await waiting


async def test_without_telemetry_a_span_comes_from_invoke_and_next() -> None:
    """Local tools: the times are estimates, and there is one span an invocation."""
    extension = Extension()
    extension.pipeline.invoked(_invoke("r", HEADER))
    extension.pipeline.end_unobserved("r")
    await extension.flush()
    (span,) = extension.spans
    assert span.start_time_unix_nano == NOW_UNIX_NANO
    assert span.trace_id.hex() == "5f35ae120c0fec141ab77a00bc047aa2"


async def test_shutdown_reads_what_waits_and_ends_what_is_open() -> None:
    """Nothing that came stays unread."""
    extension = Extension(reads_at_once=False)
    extension.pipeline.accept(to_body([start("r"), line("last words")]))
    extension.pipeline.end_all("timeout")
    await extension.flush()
    assert _bodies_of(extension) == ["last words"]
    (span,) = extension.spans
    error_types = [a.value.string_value for a in span.attributes if a.key == "error.type"]
    assert error_types == ["timeout"]


async def test_ten_mebibytes_of_lines_get_through() -> None:
    """In requests of bounded size, in order."""
    extension = Extension()
    texts = [f"{number:04}" + "x" * 1024 for number in range(10_000)]
    extension.pipeline.accept(to_body([line(text) for text in texts]))
    await extension.flush()
    assert _bodies_of(extension) == texts
    assert max(map(len, extension.logs.bodies)) <= REQUEST_MAX_BYTES


async def test_a_line_that_is_json_in_text_keeps_its_request() -> None:
    """With the text log format Lambda passes a JSON line on as text."""
    extension = Extension()
    text = json.dumps({"message": "hi", "level": "error"}) + "\n"
    extension.pipeline.accept(to_body([start("r"), line(text)]))
    await extension.flush()
    (record,) = extension.records
    assert (record.body.string_value, record.severity_number) == ("hi", 17)
    assert _request_of(record) == "r"


async def test_only_what_is_waited_for_is_read_early() -> None:
    """The end and the report of the invocation before wake nobody who waits for this one's."""
    extension = Extension(reads_at_once=False)
    extension.pipeline.accept(to_body([start("a"), line("before")]))
    extension.pipeline.invoked(_invoke("b"))
    waiting = asyncio.create_task(extension.pipeline.wait_finished("b"))
    for late in (runtime_done("a"), report("a"), line({"requestId": "b"})):
        await asyncio.sleep(0)
        extension.pipeline.accept(to_body([late]))
        await asyncio.sleep(0)
    assert len(extension.pipeline._inbox) == 4
    assert not waiting.done()
    extension.pipeline.accept(to_body([runtime_done("b")]))
    await waiting
    assert len(extension.pipeline._inbox) == 0


async def test_an_end_that_came_before_its_wait_is_found() -> None:
    """It lies unread in the inbox when the wait begins."""
    extension = Extension(reads_at_once=False)
    extension.pipeline.accept(to_body([start("r"), runtime_done("r")]))
    extension.pipeline.invoked(_invoke("r"))
    await extension.pipeline.wait_finished("r")
    assert len(extension.pipeline._inbox) == 0


async def test_what_lambda_lost_may_have_been_the_end() -> None:
    """It is not waited for then; what came before an invocation does not count."""
    extension = Extension(reads_at_once=False)
    dropped = {"droppedRecords": 3, "droppedBytes": 1, "reason": "slow"}
    extension.pipeline.accept(to_body([event("platform.logsDropped", dropped)]))
    await extension.pipeline.read()
    extension.pipeline.invoked(_invoke("r"))
    waiting = asyncio.create_task(extension.pipeline.wait_finished("r"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    extension.pipeline.accept(to_body([event("platform.logsDropped", {**dropped, "x": 1})]))
    await waiting


async def test_a_backlog_is_sent_while_it_is_read() -> None:
    """A queue holds a request's worth of it at a time, and never overflows."""
    extension = Extension(reads_at_once=False, queue_bytes=3 * REQUEST_MAX_BYTES)
    texts = [f"{number:04}" + "x" * 1_024 for number in range(5_000)]
    for first in range(0, len(texts), 100):
        extension.pipeline.accept(to_body([line(text) for text in texts[first : first + 100]]))
    await extension.flush()
    assert _bodies_of(extension) == texts
    assert extension.pipeline.count_lost() == {}


async def test_at_shutdown_a_report_is_read_though_nothing_else_is() -> None:
    """Then it is what is waited for."""
    extension = Extension(reads_at_once=False)
    extension.pipeline.accept(to_body([start("r"), runtime_done("r")]))
    waiting = asyncio.create_task(extension.pipeline.wait_reported())
    await asyncio.sleep(0)
    assert not waiting.done()
    extension.pipeline.accept(to_body([report("r")]))
    await waiting
    assert [facts.request_id for facts in extension.facts] == ["r"]


async def test_usage_is_measured_from_invoke_to_the_end_of_the_runtime() -> None:
    """The end is read when runtimeDone is, before the next invocation."""
    usage = UsageReadings()
    extension = Extension(usage=usage)
    extension.pipeline.invoked(_invoke("r"))
    assert usage.moments == ["begin"]
    extension.pipeline.accept(to_body([start("r"), line("x")]))
    assert usage.moments == ["begin"]
    extension.pipeline.accept(to_body([runtime_done("r")]))
    assert usage.moments == ["begin", "end"]
    extension.pipeline.accept(to_body([report("r")]))
    assert usage.moments == ["begin", "end"]


async def test_usage_is_not_measured_where_that_would_cost_the_invocation() -> None:
    """Reading /proc takes CPU, and an invocation that waits for nothing is not to pay it."""
    usage = UsageReadings()
    extension = Extension(usage=usage)
    extension.pipeline.invoked(_invoke("r"), is_measured=False)
    extension.pipeline.accept(to_body([start("r"), runtime_done("r"), report("r")]))
    assert usage.moments == []
    assert [facts.request_id for facts in extension.facts] == ["r"]


async def test_what_the_functions_sdk_sends_goes_out_with_the_next_flush() -> None:
    """It waits for the end of the handler, and whoever sends is told that it has come."""
    extension = Extension()
    waits = [extension.pipeline.has_waiting]
    assert extension.pipeline.accept_request("traces", make_traces(make_span(name="GET")))
    assert extension.pipeline.has_come.is_set()
    waits.append(extension.pipeline.has_waiting)
    await extension.flush()
    waits.append(extension.pipeline.has_waiting)
    assert [span.name for span in extension.spans] == ["GET"]
    assert waits == [False, True, False]


async def test_a_request_without_room_is_not_taken() -> None:
    """The receiver tells the SDK so."""
    body = make_request("logs")
    extension = Extension(queue_bytes=len(body))
    assert extension.pipeline.accept_request("logs", body)
    assert not extension.pipeline.accept_request("logs", body)


async def test_what_an_earlier_process_wrote_down_is_sent() -> None:
    """As it is; of a signal that is off nothing can be sent, and that is counted."""
    extension = Extension()
    body = make_logs(b"\1" * 16)
    extension.pipeline.take_back("logs", body)
    extension.pipeline.take_back("metrics", make_request("metrics"))
    assert extension.pipeline.has_come.is_set()
    await extension.flush()
    assert extension.logs.bodies == [body]
    assert extension.pipeline.count_lost() == {"telemetry.signal_is_off": 1}


async def test_what_comes_during_a_flush_is_as_old_as_that() -> None:
    """At most, which is all that is known of it."""
    extension = Extension(reads_at_once=False)
    extension.logs.is_open.clear()
    extension.pipeline.accept(to_body([line("first")]))
    extension.now_unix_nano += 500 * NANOS_PER_MS
    flush = asyncio.create_task(extension.flush())
    await extension.logs.asked.wait()
    extension.now_unix_nano += 100 * NANOS_PER_MS
    extension.pipeline.accept(to_body([line("second")]))
    extension.logs.is_open.set()
    await flush
    assert extension.pipeline.measure_age_ms() == 100.0


async def test_a_flush_that_nobody_waits_for_reads_nothing_more() -> None:
    """That would be work beside a handler; what it has asked is settled, and held until then."""
    extension = Extension(reads_at_once=False)
    extension.logs.is_open.clear()
    texts = [f"{number:03}" + "x" * 10_240 for number in range(100)]
    for text in texts:
        extension.pipeline.accept(to_body([line(text)]))
    window = open_window()
    flush = asyncio.create_task(extension.pipeline.flush(window))
    await extension.logs.asked.wait()
    window.is_left = True
    extension.pipeline.accept(to_body([line("later")]))
    assert extension.pipeline.count_held() == len(texts) + 1
    extension.logs.is_open.set()
    await flush
    sent = len(extension.records)
    assert 0 < sent < len(texts)
    assert extension.held[-1] == len(texts) + 1 - sent
    await extension.flush()
    assert _bodies_of(extension) == [*texts, "later"]


async def test_one_flush_at_a_time() -> None:
    """A second one would overtake what the first is sending."""
    extension = Extension()
    extension.logs.is_open.clear()
    extension.pipeline.accept(to_body([line("first")]))
    flushes = [asyncio.create_task(extension.flush())]
    await extension.logs.asked.wait()
    extension.pipeline.accept(to_body([line("second")]))
    flushes.append(asyncio.create_task(extension.flush()))
    for _ in range(10):
        await asyncio.sleep(0)
    assert extension.logs.bodies == []
    extension.logs.is_open.set()
    await asyncio.gather(*flushes)
    assert _bodies_of(extension) == ["first", "second"]


async def test_how_many_records_are_held_is_told() -> None:
    """Unread lines too: that is what a kill would lose."""
    extension = Extension(reads_at_once=False)
    extension.pipeline.accept(to_body([line("one"), line("two"), event("platform.extension", 1)]))
    assert extension.held[-1] == 2
    await extension.pipeline.read()
    assert extension.pipeline.count_held() == 2
    await extension.flush()
    assert extension.held[-1] == 0


async def test_what_is_refused_or_has_no_room_is_written_down() -> None:
    """By signal, as requests; at the end all that waits."""
    fallback = RecordingFallback()
    extension = Extension(fallback=fallback)
    extension.logs._outcomes = iter([Refused("HTTP 401"), Undelivered("HTTP 503")])
    extension.pipeline.accept(to_body([line("refused")]))
    await extension.flush()
    assert [signal for signal, _ in fallback.written] == ["logs"]
    extension.pipeline.accept(to_body([line("undelivered")]))
    await extension.flush()
    await extension.pipeline.spill()
    assert len(fallback.written) == 1
    await extension.pipeline.give_up()
    assert [r.body.string_value for _, body in fallback.written for r in read_logs(body)] == [
        "refused",
        "undelivered",
    ]
    assert extension.pipeline.count_written() == {"logs": 2}
    assert extension.pipeline.count_lost() == {}


async def test_spilling_writes_what_there_was_no_room_for() -> None:
    """Also while nothing is sent."""
    fallback = RecordingFallback()
    extension = Extension(queue_bytes=10_000, fallback=fallback)
    extension.pipeline.accept(to_body([line("x" * 1_000)] * 12))
    waiting = extension.pipeline.count_held()
    await extension.pipeline.spill()
    assert waiting == 12
    assert extension.pipeline.count_written()["logs"] + extension.pipeline.count_held() == 12
    assert extension.pipeline.count_written()["logs"] > 0


async def test_a_backlog_without_room_is_written_down_as_it_is_read() -> None:
    """Body by body: more than the queue holds loses nothing, however much was waiting unread."""
    fallback = RecordingFallback()
    extension = Extension(queue_bytes=10_000, reads_at_once=False, fallback=fallback)
    for number in range(20):
        extension.pipeline.accept(to_body([line(f"{number} {'x' * 1_000}")] * 4))
    await extension.pipeline.read()
    await extension.pipeline.give_up()
    assert extension.pipeline.count_written() == {"logs": 80}
    assert extension.pipeline.count_lost() == {}


async def test_a_flush_cut_off_in_the_middle_keeps_all() -> None:
    """Of every signal; the next one sends it."""
    extension = Extension()
    extension.logs.is_open.clear()
    extension.pipeline.accept(to_body([start("r"), line("hello"), runtime_done("r")]))
    flush = asyncio.create_task(extension.flush())
    await extension.logs.asked.wait()
    flush.cancel()
    await asyncio.gather(flush, return_exceptions=True)
    extension.logs.is_open.set()
    await extension.flush()
    assert _bodies_of(extension) == ["hello"]
    assert [span.name for span in extension.spans] == [FUNCTION_NAME]
    assert extension.pipeline.count_lost() == {}


async def test_a_fault_of_one_signal_does_not_cut_off_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is raised when all others have been sent, and what it was about is counted."""

    async def stumble(_body: bytes, _window: object) -> None:
        raise ZeroDivisionError

    extension = Extension()
    extension.logs.is_open.clear()
    monkeypatch.setattr(extension.traces, "send", stumble)
    extension.pipeline.accept(to_body([start("r"), line("hello"), runtime_done("r")]))
    flush = asyncio.create_task(extension.flush())
    await extension.logs.asked.wait()
    extension.logs.is_open.set()
    with pytest.raises(ExceptionGroup):
        await flush
    assert _bodies_of(extension) == ["hello"]
    assert extension.pipeline.count_lost() == {"traces.refused": 1}
