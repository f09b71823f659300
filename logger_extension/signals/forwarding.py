"""The function's own telemetry on its way through: enriched, and its spans in our trace.

What is asked of a request decides what it costs. Nothing asked: it passes as it came, for
serialized requests joined together are one valid request. Otherwise it is parsed and serialized
again: 2 us a span, 6 with the cost per feature, at a flush, when the handler is done.

How a trace of the SDK's joins the invocation's (`ReceiverSettings.traces`):

    the SDK took the X-Ray header       same trace: its top span, so far our span's sibling, becomes
                                        the child of our SERVER span
    the SDK began a trace of its own    `join`: the whole trace gets the invocation's trace id, its
                                        root our SERVER span as parent, and keeps its former id in
                                        `logger_extension.trace_id`; `link`: as below
    the SDK followed another caller     (`traceparent` in the payload) that trace is not ours to
                                        move: its top span gets a link to our SERVER span
    no invocation can be told, or it    left as it is
    is not sampled

State (`Forwarding`): what was decided of a trace, bounded, so that requests that come later are
treated alike. Must not know queues nor exporters.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from logger_extension.policy.invocation import Invocation
from logger_extension.policy.owner import Owners
from logger_extension.policy.self_time import TimedSpan
from logger_extension.settings.receiver import ReceiverSettings
from logger_extension.signals.requests import SIGNALS, items_of, parse, points_of
from logger_extension.signals.traces import HAS_IS_REMOTE, IS_REMOTE
from logger_extension.signals.values import set_attributes

# What we know better than the SDK, where it says nothing. Its own word always wins.
ADDED_PREFIXES = ("cloud.", "faas.", "aws.")
# "If the value was not specified, SDKs MUST fall back to unknown_service": as good as missing.
# https://opentelemetry.io/docs/specs/semconv/resource/#service
UNKNOWN_SERVICE = "unknown_service"

# The names under which SDKs have written the request id, newest first.
REQUEST_ID_NAMES = ("faas.invocation_id", "faas.execution")
SPAN_NAME = "name"
MAX_FEATURE_NAME = 256

MAX_TRACES = 1_024

ENTRY_SPAN_KINDS = (SpanMessage.SPAN_KIND_SERVER, SpanMessage.SPAN_KIND_CONSUMER)


@dataclass(slots=True)
class Forwarded:
    """What goes out, and what is learnt on the way.

    Attributes:
        bodies: serialized requests, in order.
        spans: for the cost per feature: a request id and the time of a span that belongs to it.
    """

    bodies: Sequence[bytes]
    spans: list[tuple[str, TimedSpan]] = field(default_factory=list)


class Forwarding:
    """Prepares requests for export. Give it the traces of a flush before its other signals.

    Args:
        settings: what is asked.
        resource: what we know of the function, `service.name` among it.
        feature_attribute: the attribute that names a span's feature, `name` for its name, empty
            when nobody asks.
    """

    def __init__(
        self, settings: ReceiverSettings, resource: Mapping[str, Any], feature_attribute: str = ""
    ) -> None:
        self._mode = settings.traces
        self._feature_attribute = feature_attribute
        # Read at each flush: `faas.instance` is learnt when telemetry comes.
        self._resource = resource
        self._enriches = settings.enriches
        # A trace's new id; None where it keeps its own.
        self._traces: OrderedDict[bytes, bytes | None] = OrderedDict()

    def forward(
        self, signal: str, bodies: Sequence[bytes], invocations: Iterable[Invocation]
    ) -> Forwarded:
        """Return the requests of a signal as they go out.

        Args:
            signal: `logs`, `traces` or `metrics`.
            bodies: serialized requests that the receiver has checked.
            invocations: those that the requests may be about.
        """
        if not self._has_work(signal):
            return Forwarded(bodies)
        requests = [parse(signal, body) for body in bodies]
        if self._enriches:
            for request in requests:
                for entry in getattr(request, SIGNALS[signal].entries):
                    _enrich(entry.resource, self._resource)
        timed = []
        if signal == "traces":
            spans = [span for request in requests for span in items_of(signal, request)]
            owners = Owners(invocations)
            timed = list(self._time(spans, owners))
            self._place(spans, owners)
        if any(self._traces.values()):
            for request in requests:
                self._move(_carriers_of(signal, request))
        return Forwarded([request.SerializeToString() for request in requests], timed)

    def _has_work(self, signal: str) -> bool:
        if signal == "traces":
            asks = self._mode != "keep" or bool(self._feature_attribute)
        else:
            asks = any(self._traces.values())
        return self._enriches or asks

    def _place(self, spans: Sequence[SpanMessage], owners: Owners) -> None:
        """Decide for each trace, and tie its top spans to our own."""
        if self._mode == "keep":
            return
        known_ids = {span.span_id for span in spans}
        for span in spans:
            if _is_top(span, known_ids):
                texts = _read_texts(span, REQUEST_ID_NAMES)
                self._tie(span, _find_owner(span, texts, owners))
        for span in spans:
            # Not decided yet: its root came elsewhere or never, and it is too late to move it.
            self._remember(span.trace_id, None)

    def _tie(self, span: SpanMessage, invocation: Invocation | None) -> None:
        """Make a top span the child of our SERVER span, or link it."""
        if invocation is None or not invocation.is_sampled or not span.trace_id:
            return
        context = invocation.context
        is_root = not span.parent_span_id
        if span.trace_id == context.trace_id:
            if is_root or span.parent_span_id == context.parent_span_id:
                _set_parent(span, context.span_id)
        elif is_root and self._mode == "join" and span.trace_id not in self._traces:
            self._remember(span.trace_id, context.trace_id)
            _set_parent(span, context.span_id)
            set_attributes(span.attributes, {"logger_extension.trace_id": span.trace_id.hex()})
        else:
            span.links.add(trace_id=context.trace_id, span_id=context.span_id)

    def _remember(self, trace_id: bytes, moved_to: bytes | None) -> None:
        self._traces.setdefault(trace_id, moved_to)
        if len(self._traces) > MAX_TRACES:
            self._traces.popitem(last=False)

    def _move(self, carriers: Iterable[Any]) -> None:
        for carrier in carriers:
            if moved_to := self._traces.get(carrier.trace_id):
                carrier.trace_id = moved_to

    def _time(
        self, spans: Sequence[SpanMessage], owners: Owners
    ) -> Iterator[tuple[str, TimedSpan]]:
        """Return the times of spans, each with the request id of its invocation."""
        if not self._feature_attribute:
            return
        names = frozenset({*REQUEST_ID_NAMES, self._feature_attribute})
        is_name = self._feature_attribute == SPAN_NAME
        for span in spans:
            texts = _read_texts(span, names)
            if invocation := _find_owner(span, texts, owners):
                feature = span.name if is_name else texts.get(self._feature_attribute, "")
                yield invocation.request_id, _time_span(span, feature)


def _enrich(resource: Resource, known: Mapping[str, Any]) -> None:
    """Add what is missing."""
    present = {pair.key: pair.value for pair in resource.attributes}
    missing = {
        key: value
        for key, value in known.items()
        if key not in present and key.startswith(ADDED_PREFIXES)
    }
    name = present.get("service.name")
    if name is None:
        missing["service.name"] = known["service.name"]
    elif name.string_value.startswith(UNKNOWN_SERVICE):
        name.string_value = known["service.name"]
    set_attributes(resource.attributes, missing)


def _is_top(span: SpanMessage, known_ids: Collection[bytes]) -> bool:
    """Return whether a span's parent is none, or not in this function.

    Newer SDKs say in the flags whether it is remote; of other spans it is told by the kind.
    """
    if not span.parent_span_id:
        return True
    if span.flags & HAS_IS_REMOTE:
        return bool(span.flags & IS_REMOTE)
    return span.kind in ENTRY_SPAN_KINDS and span.parent_span_id not in known_ids


def _set_parent(span: SpanMessage, parent_span_id: bytes) -> None:
    span.parent_span_id = parent_span_id
    span.flags |= HAS_IS_REMOTE | IS_REMOTE


def _time_span(span: SpanMessage, feature: str) -> TimedSpan:
    return TimedSpan(
        span.span_id,
        span.parent_span_id,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        feature[:MAX_FEATURE_NAME] or None,
    )


def _find_owner(span: SpanMessage, texts: Mapping[str, str], owners: Owners) -> Invocation | None:
    request_id = next((texts[name] for name in REQUEST_ID_NAMES if name in texts), "")
    return owners.find(request_id, span.trace_id, span.start_time_unix_nano)


def _read_texts(span: SpanMessage, names: Collection[str]) -> dict[str, str]:
    """Return those of a span's attributes, as text, that have one of these names."""
    texts: dict[str, str] = {}
    for pair in span.attributes:
        key = pair.key
        if key in names and (kind := pair.value.WhichOneof("value")):
            texts[key] = str(getattr(pair.value, kind))
    return texts


def _carriers_of(signal: str, request: Any) -> Iterator[Any]:
    """Return every part of a request that carries a trace id."""
    for item in items_of(signal, request):
        if signal == "metrics":
            for point in points_of(item):
                yield from getattr(point, "exemplars", ())
        else:
            yield item
            yield from getattr(item, "links", ())
