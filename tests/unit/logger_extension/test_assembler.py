"""Events put together: which spans come when, and what is told of an invocation that is over."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.extension import Extension
from tests.support.telemetry_bodies import event, report, runtime_done, start, to_body

INIT = [
    event("platform.initStart", {"instanceId": "stream"}, "2026-10-08T07:30:27.000Z"),
    event("platform.initRuntimeDone", {"status": "success"}, "2026-10-08T07:30:27.200Z"),
    event(
        "platform.initReport",
        {"status": "success", "metrics": {"durationMs": 250.0}},
        "2026-10-08T07:30:27.250Z",
    ),
]


def _names(spans: list[Span]) -> list[str]:
    return [span.name for span in spans]


async def test_spans_go_when_the_runtime_is_done() -> None:
    """The default: fresh; what only the report tells follows on a child."""
    extension = Extension()
    extension.pipeline.accept(to_body([*INIT, start("r"), runtime_done("r")]))
    await extension.flush()
    assert _names(extension.spans) == ["checkout", "init checkout", "init extensions"]
    assert extension.facts == []
    extension.pipeline.accept(to_body([report("r")]))
    await extension.flush()
    late = extension.spans[3:]
    assert _names(late) == ["extensionOverhead"]
    assert "aws.lambda.cost_usd" in [a.key for a in late[0].attributes]
    assert [facts.request_id for facts in extension.facts] == ["r"]


async def test_spans_may_wait_for_the_report() -> None:
    """Then the invocation's own span has billed duration, memory and cost."""
    extension = Extension(awaits_report=True)
    extension.pipeline.accept(to_body([start("r"), runtime_done("r")]))
    await extension.flush()
    assert extension.traces.bodies == []
    extension.pipeline.accept(to_body([report("r")]))
    await extension.flush()
    server = extension.spans[0]
    assert server.name == "checkout"
    assert {"aws.lambda.billed_duration_ms", "aws.lambda.cost_usd"} <= {
        attribute.key for attribute in server.attributes
    }


async def test_a_report_that_never_comes_does_not_keep_the_span() -> None:
    """At SHUTDOWN what waits for its report is sent without it, and counted as unreported."""
    extension = Extension(awaits_report=True)
    extension.pipeline.accept(to_body([start("r"), runtime_done("r")]))
    extension.pipeline.end_all("spindown")
    await extension.flush()
    assert _names(extension.spans) == ["checkout"]
    [facts] = extension.facts
    assert (facts.is_reported, facts.billed_duration_ms) == (False, None)


async def test_facts_hold_what_report_and_runtime_done_tell() -> None:
    """Each figure from the event that knows it."""
    extension = Extension()
    done = runtime_done("r")
    done["record"]["metrics"] = {"durationMs": 17.12, "producedBytes": 50}
    done["record"]["spans"] = [
        {"name": "responseLatency", "start": "2026-10-08T07:30:28.000Z", "durationMs": 1.5},
        {"name": "odd"},
    ]
    reported = report("r")
    reported["record"]["metrics"] = {
        "durationMs": 27.5,
        "billedDurationMs": 28,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": 75,
        "initDurationMs": 235.086,
    }
    extension.pipeline.accept(to_body([start("r"), done, reported]))
    [facts] = extension.facts
    assert (facts.runtime_duration_ms, facts.duration_ms) == (17.12, 27.5)
    assert (facts.billed_duration_ms, facts.memory_size_mb) == (28, 128)
    assert (facts.max_memory_used_mb, facts.init_duration_ms) == (75, 235.086)
    assert (facts.produced_bytes, facts.response_latency_ms) == (50, 1.5)
    assert facts.extension_overhead_ms == 27.5 - 17.12


async def test_an_init_ahead_of_any_invocation_goes_by_itself() -> None:
    """Managed Instances: at once, as a trace of its own."""
    extension = Extension(is_concurrent=True)
    extension.pipeline.accept(to_body(INIT))
    await extension.flush()
    assert _names(extension.spans) == ["init checkout", "init extensions"]
    assert {span.parent_span_id for span in extension.spans} == {b""}


async def test_an_init_that_nobody_used_goes_at_shutdown() -> None:
    """A sandbox that was started for nothing is visible, and so is a failed init."""
    extension = Extension()
    extension.pipeline.accept(to_body(INIT))
    extension.pipeline.end_all("spindown")
    await extension.flush()
    assert _names(extension.spans) == ["init checkout", "init extensions"]


async def test_what_is_not_sampled_has_logs_and_no_spans() -> None:
    """The caller's Sampled=0 holds for the trace; lines and facts go on."""
    extension = Extension()
    header = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=0"
    line = event("function", "hello\n", "2026-10-08T07:30:28.100Z")
    events = [*INIT, start("r", header), line, runtime_done("r"), report("r")]
    extension.pipeline.accept(to_body(events))
    await extension.flush()
    assert extension.traces.bodies == []
    assert [record.body.string_value for record in extension.records] == ["hello"]
    assert [facts.request_id for facts in extension.facts] == ["r"]


async def test_the_instance_is_told() -> None:
    """The resource learns the log stream from init."""
    extension = Extension()
    extension.pipeline.accept(to_body(INIT))
    assert extension.instance_ids == ["stream"]
