"""The function's own telemetry on its way through: enriched, joined, or just as it came."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from logger_extension.policy.invocation import Invocation
from logger_extension.policy.self_time import TimedSpan
from logger_extension.policy.trace_context import TraceContext, derive_context
from logger_extension.settings.receiver import ReceiverSettings
from logger_extension.signals.forwarding import MAX_TRACES, Forwarding
from logger_extension.signals.requests import SIGNALS, items_of, parse, points_of
from tests.support.function_requests import (
    CLIENT,
    LOCAL,
    REMOTE,
    ROOT,
    SDK_TRACE,
    SERVER,
    START_UNIX_NANO,
    make_logs,
    make_metrics,
    make_request,
    make_span,
    make_traces,
)
from tests.support.laws import LAW

RESOURCE: dict[str, Any] = {
    "service.name": "shop",
    "cloud.provider": "aws",
    "faas.name": "checkout",
    "faas.max_memory": 134_217_728,
    "aws.log.group.names": ["/aws/lambda/checkout"],
    "telemetry.distro.name": "logger_extension",
    "team": "payments",
}
HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
CALLER = bytes.fromhex("2be948a625588e32")
CHILD = bytes.fromhex("00f067aa0ba902b7")
INVOCATION = Invocation(
    "request-1", derive_context("request-1", HEADER), start_unix_nano=START_UNIX_NANO
)
OURS = INVOCATION.context
ASKS_NOTHING = ReceiverSettings(traces="keep", enriches=False)
JOINS = ReceiverSettings(enriches=False)
LINKS = ReceiverSettings(traces="link", enriches=False)


def _spans(bodies: Iterable[bytes]) -> list[Span]:
    return [span for body in bodies for span in items_of("traces", parse("traces", body))]


def _forward(
    forwarding: Forwarding, *spans: Span, invocations: Sequence[Invocation] = (INVOCATION,)
) -> list[Span]:
    return _spans(forwarding.forward("traces", [make_traces(*spans)], invocations).bodies)


def _links(span: Span) -> list[tuple[bytes, bytes]]:
    return [(link.trace_id, link.span_id) for link in span.links]


def _ids(context: TraceContext) -> tuple[bytes, bytes]:
    return (context.trace_id, context.span_id)


@pytest.mark.parametrize("signal", SIGNALS)
def test_nothing_asked_nothing_touched(signal: str) -> None:
    """The very bytes go out, even such as cannot be read."""
    bodies = [make_request(signal), b"\xff unreadable"]
    forwarded = Forwarding(ASKS_NOTHING, RESOURCE).forward(signal, bodies, [INVOCATION])
    assert forwarded.bodies is bodies
    assert forwarded.spans == []


@pytest.mark.parametrize("signal", SIGNALS)
def test_missing_attributes_are_added(signal: str) -> None:
    """Cloud, function and service; not what describes us or what the SDK reads by itself."""
    forwarding = Forwarding(ReceiverSettings(traces="keep"), RESOURCE)
    ((body),) = forwarding.forward(signal, [make_request(signal)], []).bodies
    (entry,) = getattr(parse(signal, body), SIGNALS[signal].entries)
    added = {pair.key: pair.value for pair in entry.resource.attributes}
    assert set(added) == {
        "service.name",
        "cloud.provider",
        "faas.name",
        "faas.max_memory",
        "aws.log.group.names",
    }
    assert added["faas.max_memory"].int_value == 134_217_728
    assert added["aws.log.group.names"].array_value.values[0].string_value == "/aws/lambda/checkout"


def test_the_word_of_the_sdk_wins() -> None:
    """What the SDK says stays, and no key is doubled."""
    forwarding = Forwarding(ReceiverSettings(), RESOURCE)
    body = make_traces(make_span(), service_name="mine", faas_name="other", host_name="h")
    request = parse("traces", forwarding.forward("traces", [body], []).bodies[0])
    pairs = [(p.key, p.value.string_value) for p in request.resource_spans[0].resource.attributes]
    assert pairs[:3] == [("service.name", "mine"), ("faas.name", "other"), ("host.name", "h")]
    assert len({key for key, _ in pairs}) == len(pairs)


@pytest.mark.parametrize("name", ["unknown_service", "unknown_service:python"])
def test_an_unknown_service_gets_its_name(name: str) -> None:
    """The SDK's fallback says that nobody named the service: we know its name."""
    forwarding = Forwarding(ReceiverSettings(), RESOURCE)
    body = make_traces(make_span(), service_name=name)
    request = parse("traces", forwarding.forward("traces", [body], []).bodies[0])
    assert request.resource_spans[0].resource.attributes[0].value.string_value == "shop"


def test_a_trace_of_the_sdks_own_joins() -> None:
    """The whole trace gets our trace id; the root becomes our child and keeps its former id."""
    root = make_span(kind=SERVER, name="root", flags=LOCAL)
    child = make_span(CHILD, parent_span_id=ROOT, flags=LOCAL)
    moved_child, moved_root = _forward(Forwarding(JOINS, RESOURCE), child, root)
    assert (moved_root.trace_id, moved_root.parent_span_id) == (OURS.trace_id, OURS.span_id)
    assert (moved_child.trace_id, moved_child.parent_span_id) == (OURS.trace_id, ROOT)
    assert moved_root.span_id == ROOT
    (former,) = moved_root.attributes
    assert (former.key, former.value.string_value) == ("logger_extension.trace_id", SDK_TRACE.hex())
    assert moved_root.flags & 0x300 == 0x300


def test_what_comes_later_follows() -> None:
    """Later spans, links to the trace, log records and exemplars: all get the same id."""
    forwarding = Forwarding(JOINS, RESOURCE)
    _forward(forwarding, make_span())
    late = make_span(CHILD, parent_span_id=ROOT, flags=LOCAL)
    late.links.add(trace_id=SDK_TRACE, span_id=ROOT)
    (moved,) = _forward(forwarding, late)
    assert moved.trace_id == OURS.trace_id
    assert _links(moved) == [(OURS.trace_id, ROOT)]
    other = bytes(15) + b"\1"
    (logs,) = forwarding.forward("logs", [make_logs(SDK_TRACE, other)], []).bodies
    records = [record.trace_id for record in items_of("logs", parse("logs", logs))]
    assert records == [OURS.trace_id, other]
    (metrics,) = forwarding.forward("metrics", [make_metrics(SDK_TRACE)], []).bodies
    exemplars = [
        exemplar.trace_id
        for metric in items_of("metrics", parse("metrics", metrics))
        for point in points_of(metric)
        for exemplar in getattr(point, "exemplars", ())
    ]
    assert exemplars == [OURS.trace_id] * 2


def test_other_signals_pass_untouched_while_no_trace_has_moved() -> None:
    """Logs and metrics are not read for nothing."""
    forwarding = Forwarding(JOINS, RESOURCE)
    body = make_logs(SDK_TRACE)
    assert forwarding.forward("logs", [body], [INVOCATION]).bodies[0] is body


def test_the_traces_of_one_flush_are_seen_together() -> None:
    """Children that were sent before their root, in a request of their own, move with it."""
    child = make_traces(make_span(CHILD, parent_span_id=ROOT, flags=LOCAL))
    root = make_traces(make_span())
    bodies = Forwarding(JOINS, RESOURCE).forward("traces", [child, root], [INVOCATION]).bodies
    assert [span.trace_id for span in _spans(bodies)] == [OURS.trace_id] * 2


def test_a_trace_that_was_let_go_is_not_torn() -> None:
    """When children have gone out under the SDK's id, the root stays with them, and is linked."""
    forwarding = Forwarding(JOINS, RESOURCE)
    _forward(forwarding, make_span(CHILD, parent_span_id=ROOT, flags=LOCAL))
    (root,) = _forward(forwarding, make_span())
    assert (root.trace_id, root.parent_span_id) == (SDK_TRACE, b"")
    assert _links(root) == [_ids(OURS)]


def test_with_the_x_ray_header_the_span_becomes_our_child() -> None:
    """Same trace, same parent as ours: what were siblings become parent and child."""
    span = make_span(trace_id=OURS.trace_id, parent_span_id=CALLER, kind=SERVER, flags=REMOTE)
    (moved,) = _forward(Forwarding(JOINS, RESOURCE), span)
    assert (moved.trace_id, moved.parent_span_id) == (OURS.trace_id, OURS.span_id)
    assert _links(moved) == []


def test_in_our_trace_under_another_parent_it_stays() -> None:
    """A caller that is better known than ours keeps its child."""
    span = make_span(trace_id=OURS.trace_id, parent_span_id=CHILD, kind=SERVER, flags=REMOTE)
    assert _forward(Forwarding(JOINS, RESOURCE), span) == [span]


def test_the_trace_of_another_caller_is_linked() -> None:
    """A `traceparent` in the payload: its trace goes on, with a link to our span."""
    span = make_span(parent_span_id=CALLER, kind=SERVER, flags=REMOTE)
    child = make_span(CHILD, parent_span_id=ROOT, flags=LOCAL, kind=CLIENT)
    linked, unchanged = _forward(Forwarding(JOINS, RESOURCE), span, child)
    assert (linked.trace_id, linked.parent_span_id) == (SDK_TRACE, CALLER)
    assert _links(linked) == [_ids(OURS)]
    assert unchanged == child


def test_without_flags_the_kind_tells() -> None:
    """Older SDKs: an entry span whose parent is not here has a remote one; others are local."""
    entry = make_span(parent_span_id=CALLER, kind=SERVER)
    nested = make_span(CHILD, parent_span_id=ROOT, kind=SERVER)
    inner = make_span(b"12345678", parent_span_id=b"elsewher", kind=CLIENT)
    linked, *unchanged = _forward(Forwarding(JOINS, RESOURCE), entry, nested, inner)
    assert _links(linked) == [_ids(OURS)]
    assert unchanged == [nested, inner]


def test_links_on_request() -> None:
    """`link`: a trace of the SDK's own keeps its id, its root gets the link."""
    root = make_span()
    child = make_span(CHILD, parent_span_id=ROOT, flags=LOCAL)
    linked, unchanged = _forward(Forwarding(LINKS, RESOURCE), root, child)
    assert (linked.trace_id, linked.parent_span_id) == (SDK_TRACE, b"")
    assert _links(linked) == [_ids(OURS)]
    assert unchanged == child


def test_no_invocation_no_change() -> None:
    """Spans of init, and of an invocation whose span is not exported, stay what they are."""
    root = make_span()
    assert _forward(Forwarding(JOINS, RESOURCE), root, invocations=()) == [root]
    unsampled = Invocation("r", OURS, start_unix_nano=START_UNIX_NANO, is_sampled=False)
    assert _forward(Forwarding(JOINS, RESOURCE), root, invocations=[unsampled]) == [root]


def test_records_without_a_trace_stay_without() -> None:
    """A broken span without a trace id must not pull every log line into our trace."""
    forwarding = Forwarding(JOINS, RESOURCE)
    _forward(forwarding, make_span(trace_id=b""), make_span())
    (logs,) = forwarding.forward("logs", [make_logs(b"")], []).bodies
    assert [record.trace_id for record in items_of("logs", parse("logs", logs))] == [b""]


def test_what_is_remembered_is_bounded() -> None:
    """Only the latest traces are known; an older one that comes again is judged anew."""
    forwarding = Forwarding(JOINS, RESOURCE)
    _forward(forwarding, make_span())
    traces = [number.to_bytes(16, "big") for number in range(1, MAX_TRACES + 1)]
    _forward(forwarding, *(make_span(trace_id=trace) for trace in traces))
    assert len(forwarding._traces) == MAX_TRACES
    assert SDK_TRACE not in forwarding._traces


@pytest.mark.parametrize("settings", [ASKS_NOTHING, JOINS])
def test_times_for_the_cost_per_feature(settings: ReceiverSettings) -> None:
    """Each span's time with what it says of its feature, under the invocation it belongs to."""
    root = make_span(attributes={"http.route": "/cart"}, name="GET /cart")
    child = make_span(CHILD, parent_span_id=ROOT, flags=LOCAL, name="SELECT")
    stray = make_span(b"12345678", start=5, end=6)
    body = make_traces(root, child, stray)
    timed = Forwarding(settings, RESOURCE, "http.route").forward("traces", [body], [INVOCATION])
    end = START_UNIX_NANO + 10_000_000
    assert timed.spans == [
        ("request-1", TimedSpan(ROOT, b"", START_UNIX_NANO, end, "/cart")),
        ("request-1", TimedSpan(CHILD, ROOT, START_UNIX_NANO, end, None)),
    ]
    named = Forwarding(settings, RESOURCE, "name").forward("traces", [body], [INVOCATION])
    assert [span.feature for _, span in named.spans] == ["GET /cart", "SELECT"]


def test_a_span_that_names_its_invocation_belongs_to_it() -> None:
    """As the SDKs' Lambda instrumentations do, of several that run at once."""
    others = [
        Invocation(f"r{number}", derive_context(f"r{number}", ""), start_unix_nano=START_UNIX_NANO)
        for number in range(3)
    ]
    span = make_span(attributes={"faas.invocation_id": "r1"})
    (moved,) = _forward(Forwarding(JOINS, RESOURCE), span, invocations=others)
    assert (moved.trace_id, moved.parent_span_id) == _ids(others[1].context)


ids = st.sampled_from([ROOT, CHILD, CALLER, b"12345678"])
any_span = st.builds(
    make_span,
    ids,
    trace_id=st.sampled_from([SDK_TRACE, OURS.trace_id, bytes(16), b"short", b""]),
    parent_span_id=ids | st.just(b""),
    flags=st.sampled_from([0, 1, LOCAL, REMOTE]),
    kind=st.integers(0, 5),
    start=st.integers(0, 2**64 - 1) | st.just(START_UNIX_NANO),
    end=st.integers(0, 2**64 - 1),
)


@LAW
@given(
    st.lists(st.lists(st.lists(any_span, max_size=3), max_size=3), max_size=3),
    st.sampled_from(["join", "link", "keep"]),
    st.booleans(),
)
def test_no_span_is_lost_or_torn_from_its_trace(
    flushes: list[list[list[Span]]],
    mode: str,
    enriches: bool,  # noqa: FBT001  (hypothesis passes by position)
) -> None:
    """Whatever comes, all spans go out in order, and those of one trace stay in one trace."""
    forwarding = Forwarding(ReceiverSettings(traces=mode, enriches=enriches), RESOURCE, "name")
    became: dict[bytes, bytes] = {}
    for flush in flushes:
        bodies = [make_traces(*spans) for spans in flush]
        out = _spans(forwarding.forward("traces", bodies, [INVOCATION]).bodies)
        came = [span for spans in flush for span in spans]
        for before, after in zip(came, out, strict=True):
            assert (before.span_id, before.kind) == (after.span_id, after.kind)
            assert became.setdefault(before.trace_id, after.trace_id) == after.trace_id
