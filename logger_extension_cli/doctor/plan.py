"""What the extension would do with its settings, in sentences: what is sent, where to, and when.

Owns the words. Reads a `Config` alone, so that it says what the extension read, and not what was
meant. Must not know variables, nor open connections.
"""

from collections.abc import Iterator

from logger_extension.config import MIB, Config
from logger_extension.environment import join_url
from logger_extension.policy.flush import Policy
from logger_extension.policy.log_sampling import SamplingRules
from logger_extension.settings.export import Target
from logger_extension.settings.logs import SEVERITIES, LogsSettings
from logger_extension.signals.resource import describe_resource
from logger_extension_cli.doctor.masking import mask_address, mask_headers
from logger_extension_cli.doctor.report import Plan

KIB = 1024

WHEN = {
    Policy.END: "after each handler, before next: each invocation is billed for it",
    Policy.OVERLAP: "beside later handlers, or at SHUTDOWN",
    Policy.PERIODIC: "every {interval_ms:,} ms, beside handlers",
    Policy.AUTO: "auto: rare invocations at their end; frequent ones {beside}, so that nothing"
    " gets older than {staleness_ms:,} ms while invocations come",
}


def make_plans(config: Config, *, knows_memory: bool) -> list[Plan]:
    """Return what would be done, in the order of an invocation.

    Args:
        config: the settings.
        knows_memory: whether the function's memory size was told, or is a guess.
    """
    export = config.export
    guess = "" if knows_memory else ", a guess: see --function-config"
    function = f"{config.function_name}, {config.memory_mb:,} MB{guess}"
    return [
        Plan(name="function", text=function),
        Plan(name="resource", text=_describe_resource(config)),
        Plan(name="logs", text=_describe_target(export.logs)),
        Plan(name="log lines", text="; ".join(_describe_lines(config))),
        Plan(name="traces", text=_describe_target(export.traces)),
        Plan(name="spans", text="; ".join(_describe_spans(config))),
        Plan(name="metrics", text=_describe_target(export.metrics)),
        Plan(name="data points", text="; ".join(_describe_metrics(config))),
        Plan(name="flush", text=_describe_flush(config)),
        Plan(name="limits", text=_describe_limits(config)),
        Plan(name="queues", text=_describe_queues(config)),
        Plan(name="fallback", text=_describe_fallback(config)),
        Plan(name="receiver", text=_describe_receiver(config)),
    ]


def _describe_resource(config: Config) -> str:
    resource = describe_resource(config)
    return ", ".join(f"{name}={value}" for name, value in sorted(resource.items()))


def _describe_target(target: Target | None) -> str:
    if target is None:
        return "off"
    said = [
        f"{target.protocol} to {mask_address(_find_address(target))}",
        f"compressed by {target.compression}" if target.compression != "none" else "uncompressed",
        f"at most {target.timeout_ms:,} ms" if target.timeout_ms else "no time limit of its own",
    ]
    if target.headers:
        said.append("headers " + ", ".join(mask_headers(target.headers)))
    if target.scope is not None:
        said.append(f"signed for {target.scope.service} in {target.scope.region or '(no region)'}")
    if target.ca_file:
        said.append(f"trusts {target.ca_file} alone")
    if target.client_certificate_file:
        said.append(f"shows the certificate {target.client_certificate_file}")
    return ", ".join(said)


def _find_address(target: Target) -> str:
    """Return where requests go, as far as it is known without its secrets."""
    endpoint = target.endpoint
    if endpoint is None:
        return target.url
    if endpoint.is_grpc or endpoint.own:
        return endpoint.text
    return join_url("", endpoint.base, f"v1/{target.signal}")


def _describe_lines(config: Config) -> Iterator[str]:
    logs = config.logs
    names = {number: name for name, number in SEVERITIES.items()}
    if logs.min_severity:
        yield f"only {names[logs.min_severity]} and above"
    if logs.include is not None:
        yield f"only those that match {logs.include.pattern}"
    if logs.exclude is not None:
        yield f"not those that match {logs.exclude.pattern}"
    if logs.sampling is not None:
        yield _describe_sampling(logs.sampling)
    if logs.redactor is not None:
        yield f"redacted: {', '.join(name for name, _, _ in logs.redactor.patterns)}"
    if logs.max_bytes:
        yield f"cut at {logs.max_bytes:,} bytes"
    if logs.has_platform_logs:
        yield "Lambda's own events too"
    if logs == LogsSettings():
        yield "every line the function prints, as it is"


def _describe_sampling(rules: SamplingRules) -> str:
    always = ["failed", "cold"]
    if rules.slow_ms is not None:
        always.append(f"of {rules.slow_ms:g} ms or more")
    if rules.expensive_usd is not None:
        always.append(f"of {rules.expensive_usd:g} USD or more")
    return f"of all invocations that are {', '.join(always)}; of {rules.ratio * 100:g} % of others"


def _describe_spans(config: Config) -> Iterator[str]:
    sampler = config.traces.sampler
    yield f"{sampler.ratio * 100:g} % of the traces" + (
        " that have no decision of their caller's" if sampler.follows_parent else ""
    )
    if config.traces.awaits_report:
        yield "an invocation's spans with the next one, billed duration and memory on its own span"
    else:
        yield "an invocation's spans when its handler is done, extensionOverhead with the next one"


def _describe_metrics(config: Config) -> Iterator[str]:
    metrics = config.metrics
    yield f"{metrics.temporality.name.lower()} temporality"
    yield f"{'exponential' if metrics.is_exponential else 'explicit'} histograms"
    pause_ms = metrics.export_interval_ms
    yield f"every {pause_ms:,} ms at most" if pause_ms else "points of each invocation's own"
    yield f"{metrics.cardinality_limit:,} attribute sets each"
    if not metrics.reads_usage:
        yield "no usage"
    if config.features.is_on:
        named = config.features.span_attribute or config.features.log_field
        yield f"cost per feature, named by {named}"


def _describe_flush(config: Config) -> str:
    rules = config.delivery.flush
    beside = (
        "beside later handlers"
        if config.cpu.has_spare
        else "collected, in one of them now and then"
    )
    when = WHEN[rules.policy].format(
        interval_ms=rules.interval_ms, staleness_ms=rules.staleness_limit_ms, beside=beside
    )
    spare = "" if config.cpu.has_spare else ", none to spare"
    return f"{when} ({config.memory_mb:,} MB are {config.cpu.vcpus:.2f} vCPU{spare})"


def _describe_limits(config: Config) -> str:
    delivery = config.delivery
    return (
        f"a silent collector costs an invocation at most {delivery.collector_budget_ms:,} ms, a"
        f" flush {delivery.flush_timeout_ms:,} ms; all ends {delivery.deadline_margin_ms:,} ms"
        " before the function's timeout"
    )


def _describe_queues(config: Config) -> str:
    delivery = config.delivery
    return (
        f"{delivery.queue_max_bytes / MIB:.1f} MiB or {delivery.queue_max_records:,} records of"
        f" each signal; {delivery.request_max_bytes // KIB:,} KiB or"
        f" {delivery.request_max_records:,} records in a request"
    )


def _describe_fallback(config: Config) -> str:
    fallback = config.fallback
    if fallback.directory:
        return f"{fallback.directory}, at most {fallback.max_bytes:,} bytes; the rest to stdout"
    return {"stdout": "stdout, the function's log", "none": "none: it is counted as lost"}[
        fallback.destination
    ]


def _describe_receiver(config: Config) -> str:
    receiver = config.receiver
    if not receiver.is_on:
        return "off: the function's own SDK sends by itself"
    enriched = "resource completed" if receiver.enriches else "resource as it is"
    return (
        f"127.0.0.1:{receiver.port} (HTTP), :{receiver.grpc_port} (grpc, where the layer has it);"
        f" traces: {receiver.traces}, {enriched}"
    )
