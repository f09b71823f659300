"""Invocations of Lambda functions, read off spans: one row each, as an Ibis expression.

An invocation is a SERVER span with the attribute `faas.invocation_id`; children of the same scope
tell of init and of what came with `platform.report`. Owns the columns that all reports build on.
Must not know how they are grouped, nor which engine runs the expression.

Three things make it more than a filter:

- A row may come twice (OTLP promises at least once). All of one span's rows agree, so the greatest
  of each column is the value.
- Lambda retries an asynchronous event under its request id, and our ids are derived from that, so
  both attempts have the same span ids. They differ in time: what is after a SERVER span belongs to
  that attempt, an init before one to that one.
- The report of the last invocation may still be missing. Then so are the figures.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from cost_report.columns import ALWAYS, Period, keep_period, number, text, unix_seconds

NANOS_PER_MS = 1e6
BYTES_PER_MB = 1024 * 1024

# Older collectors wrote the names of OTLP's enums.
_SERVER_KINDS = ("Server", "SPAN_KIND_SERVER")
_ERROR_CODES = ("Error", "STATUS_CODE_ERROR")

_OVERHEAD = "extensionOverhead"
_INIT_EXTENSIONS = ("init extensions", "restore extensions")
_INIT_PREFIXES = ("init ", "restore ")
# The ARN of what was invoked ends in the qualifier, where one was named.
_QUALIFIER = r"^arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]+:(.+)$"
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}

# Children lie no further from their invocation than the longest that Lambda allows.
_LONGEST_S = 900

_REPORTED = {
    "billed_ms": "aws.lambda.billed_duration_ms",
    "max_memory_used_mb": "aws.lambda.max_memory_used_mb",
    "reported_memory_mb": "aws.lambda.memory_size_mb",
    "reported_init_ms": "aws.lambda.init_duration_ms",
    "reported_restore_ms": "aws.lambda.restore_duration_ms",
    "cost_usd": "aws.lambda.cost_usd",
    "handler_usd": "aws.lambda.cost.handler_usd",
    "init_usd": "aws.lambda.cost.init_usd",
    "extension_usd": "aws.lambda.cost.extension_usd",
}


def find_invocations(traces: ir.Table, period: Period = ALWAYS) -> ir.Table:
    """Return one row for each invocation that started in a period.

    Args:
        traces: `otel_traces`, as the collector's ClickHouse exporter has it.
        period: when; a bound also spares the engine reading the spans before and after.

    Returns:
        A table with the columns request_id, trace_id, span_id, function, version, alias ('' where
        none was invoked), region, architecture ('x86_64', 'arm64' or ''), instance,
        memory_size_mb, start (UTC), duration_ms (of the SERVER span), is_cold_start, status ('ok'
        or 'error'), error_type, billed_ms, max_memory_used_mb, init_ms (as reported, else of the
        init spans), extension_ms (after the handler), cost_usd, handler_usd, init_usd,
        extension_usd, missing_reason (why there is no cost, '' where nobody said). Text is never
        null; figures are where they are not known.
    """
    spans = _assign_attempts(_read_spans(traces, period))
    attempts = spans.group_by("trace_id", "span_id", "scope", "attempt").agg(**_gather(spans))
    found = attempts.filter(attempts["is_invocation"] == 1)
    found = found.select(**_describe(found))
    return keep_period(found, unix_seconds(found.start), period)


def select_functions(invocations: ir.Table, functions: Sequence[str]) -> ir.Table:
    """Return the invocations of some functions by name; of all where none is named."""
    if not functions:
        return invocations
    return invocations.filter(invocations["function"].isin(list(functions)))


def name_architecture(host_arch: ir.StringValue) -> ir.StringValue:
    """Return Lambda's name of an architecture for that of the conventions, '' for any other."""
    return host_arch.fill_null("").cases(*_ARCHITECTURES.items(), else_="")


def _read_spans(traces: ir.Table, period: Period) -> ir.Table:
    """Return SERVER spans of invocations and their children that tell of them, as flat columns."""
    traces = keep_period(traces, unix_seconds(traces.Timestamp), period, margin_s=_LONGEST_S)
    name, attributes, resource = traces.SpanName, traces.SpanAttributes, traces.ResourceAttributes
    request_id = text(attributes, "faas.invocation_id")
    is_server = traces.SpanKind.isin(_SERVER_KINDS) & request_id.notnull()
    is_init = name.startswith(_INIT_PREFIXES[0]) | name.startswith(_INIT_PREFIXES[1])
    is_child = ~is_server & (traces.ParentSpanId != "") & (is_init | (name == _OVERHEAD))
    is_extensions = name.isin(_INIT_EXTENSIONS)
    reported = {column: number(attributes, key) for column, key in _REPORTED.items()}
    return traces.filter(is_server | is_child).select(
        trace_id=traces.TraceId,
        span_id=ibis.ifelse(is_server, traces.SpanId, traces.ParentSpanId),
        scope=traces.ScopeName,
        time=traces.Timestamp,
        # Of spans that begin together an init comes first and an overhead last.
        stage=ibis.cases((is_server, 1), (name == _OVERHEAD, 2), else_=0),
        duration_ms=traces.Duration.cast("float64") / NANOS_PER_MS,
        is_init_of_extensions=is_extensions,
        request_id=request_id,
        function=ibis.coalesce(text(resource, "faas.name"), name),
        version=text(resource, "faas.version"),
        qualifier=attributes.get("aws.lambda.invoked_arn", "").re_extract(_QUALIFIER, 1),
        region=text(resource, "cloud.region"),
        architecture=text(resource, "host.arch"),
        instance=text(resource, "faas.instance"),
        max_memory_bytes=number(resource, "faas.max_memory"),
        is_cold_start=(attributes.get("faas.coldstart", "") == "true").cast("int8"),
        is_error=traces.StatusCode.isin(_ERROR_CODES).cast("int8"),
        error_type=text(attributes, "error.type"),
        missing_reason=text(attributes, "aws.lambda.cost.missing_reason"),
        **reported,
    )


def _assign_attempts(spans: ir.Table) -> ir.Table:
    """Add the start of the SERVER span that a row belongs to, null where there is none."""
    starts = ibis.ifelse(spans.stage == 1, spans.time, ibis.null())
    own = {"group_by": ["trace_id", "span_id", "scope"], "order_by": [spans.time, spans.stage]}
    last = starts.max().over(ibis.window(**own, preceding=None, following=0))
    next_ = starts.min().over(ibis.window(**own, preceding=0, following=None))
    return spans.mutate(attempt=ibis.ifelse(spans.stage == 0, next_, last))


def _gather(spans: ir.Table) -> dict[str, ir.Scalar]:
    """Return the aggregates that make one row of an attempt's rows."""
    is_server, is_init = spans.stage == 1, spans.stage == 0
    own = (
        *("request_id", "function", "version", "qualifier", "region", "architecture", "instance"),
        *("max_memory_bytes", "duration_ms", "is_cold_start", "is_error", "error_type"),
    )
    return {
        "is_invocation": is_server.cast("int8").max(),
        **{column: spans[column].max(where=is_server) for column in own},
        # On the SERVER span, or on the child that came with the next invocation.
        **{column: spans[column].max() for column in (*_REPORTED, "missing_reason")},
        "init_span_ms": spans.duration_ms.max(where=is_init & ~spans.is_init_of_extensions),
        "init_extensions_ms": spans.duration_ms.max(where=is_init & spans.is_init_of_extensions),
        "extension_ms": spans.duration_ms.max(where=spans.stage == 2),  # noqa: PLR2004
    }


def _describe(found: ir.Table) -> dict[str, ir.Value]:
    """Return the public columns, in their order."""
    qualifier = found.qualifier.fill_null("")
    is_version = qualifier.re_search(r"^\d+$") | (qualifier == "$LATEST")
    memory_mb = ibis.coalesce(found.reported_memory_mb, found.max_memory_bytes / BYTES_PER_MB)
    spans_ms = found.init_span_ms + found.init_extensions_ms.fill_null(0.0)
    return {
        **{column: found[column] for column in ("request_id", "trace_id", "span_id", "function")},
        "version": found.version.fill_null(""),
        "alias": ibis.ifelse(is_version, "", qualifier),
        "region": found.region.fill_null(""),
        "architecture": name_architecture(found.architecture),
        "instance": found.instance.fill_null(""),
        "memory_size_mb": memory_mb.round().cast("int64"),
        "start": found.attempt,
        "duration_ms": found.duration_ms,
        # Not the bare condition, which is a number in ClickHouse, and Ibis cannot read it.
        "is_cold_start": ibis.ifelse(found.is_cold_start == 1, True, False),  # noqa: FBT003
        "status": ibis.ifelse(found.is_error == 1, "error", "ok"),
        "error_type": found.error_type.fill_null(""),
        "billed_ms": found.billed_ms,
        "max_memory_used_mb": found.max_memory_used_mb,
        "init_ms": ibis.coalesce(found.reported_init_ms, found.reported_restore_ms, spans_ms),
        "extension_ms": found.extension_ms,
        "cost_usd": found.cost_usd,
        "handler_usd": found.handler_usd,
        "init_usd": found.init_usd,
        "extension_usd": found.extension_usd,
        "missing_reason": ibis.ifelse(
            found.cost_usd.isnull(), found.missing_reason.fill_null(""), ""
        ),
    }
