"""Invocations of a Lambda function, read off their spans. Pure.

An invocation is a SERVER span with the attribute `faas.invocation_id` (semantic conventions for
AWS Lambda). Its children tell more: `init <function>` the cold start, `extensionOverhead` what
extensions did after the handler; the attribute `aws.lambda.cost_usd`, on any of them, the price,
where the sender knows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from otlp_viewer.rows import SPAN_KIND_SERVER, SpanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One invocation; a duration is None where no span tells it (yet).

    `status` is "ok" or "error"; `error_type` is the attribute `error.type`, "" without one.
    A request id comes twice when Lambda retried the event.
    """

    request_id: str
    function: str
    start_unix_nano: int
    status: str
    error_type: str
    cold_start: bool
    init_ms: float | None
    handler_ms: float
    extension_ms: float | None
    cost_usd: float | None
    span: SpanRow


def find_invocations(spans: Iterable[SpanRow]) -> list[Invocation]:
    """Return the invocations among `spans` in order of their start."""
    servers = []
    children: dict[tuple[str, str], list[SpanRow]] = {}
    for span in spans:
        if span.kind == SPAN_KIND_SERVER and "faas.invocation_id" in span.attributes:
            servers.append(span)
        if span.parent_span_id:
            children.setdefault((span.trace_id, span.parent_span_id), []).append(span)
    servers.sort(key=lambda span: span.start_unix_nano)
    return [_invocation(span, children.get((span.trace_id, span.span_id), [])) for span in servers]


def _invocation(span: SpanRow, children: list[SpanRow]) -> Invocation:
    # Known only later, so mostly on a child that came with the next invocation.
    costs = [each.attributes.get("aws.lambda.cost_usd") for each in (span, *children)]
    known = [float(cost) for cost in costs if isinstance(cost, int | float)]
    return Invocation(
        request_id=str(span.attributes["faas.invocation_id"]),
        function=str(span.resource.get("faas.name") or span.name),
        start_unix_nano=span.start_unix_nano,
        status="error" if span.failed else "ok",
        error_type=str(span.attributes.get("error.type", "")),
        cold_start=span.attributes.get("faas.coldstart") is True,
        init_ms=_total_ms(
            child for child in children if child.name.startswith(("init ", "restore "))
        ),
        handler_ms=span.duration_ms,
        extension_ms=_total_ms(child for child in children if child.name == "extensionOverhead"),
        cost_usd=known[0] if known else None,
        span=span,
    )


def _total_ms(spans: Iterable[SpanRow]) -> float | None:
    durations = [span.duration_ms for span in spans]
    return sum(durations) if durations else None
