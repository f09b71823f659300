"""What a function prints and how long it took reaches the collector: all of it, once, in order."""

import json
from pathlib import Path

import pytest

from lambda_sandbox import TelemetryFaults
from tests.support.whole import run_whole

TRACE_ID = "5f35ae120c0fec141ab77a00bc047aa2"
PARENT_ID = "2be948a625588e32"
TRACE_HEADER = f"Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent={PARENT_ID};Sampled=1"
NANOS_PER_MS = 1_000_000


async def test_logs_and_span_of_one_invocation(tmp_path: Path) -> None:
    """The lines arrive in order with the ids of the invocation's span, before the next thaw."""
    async with run_whole(tmp_path) as whole:
        result = await whole.sandbox.invoke(json.dumps({"lines": ["one", "two"]}).encode())
        await whole.sandbox.wait_idle()
        assert whole.bodies() == ["one", "two"]
        span = whole.server_spans()[result.request_id]
        for row in whole.logs():
            assert (row.trace_id, row.span_id) == (span.trace_id, span.span_id)
            assert row.attributes["faas.invocation_id"] == result.request_id
            assert row.observed_time_unix_nano >= row.time_unix_nano > 0
        assert span.name == "sandbox-function"
        assert span.attributes["faas.coldstart"] is True
        assert span.resource["faas.name"] == "sandbox-function"
        assert span.resource["cloud.account.id"] == "123456789012"
        assert span.status_code == 0


async def test_span_has_the_times_of_start_and_runtime_done(tmp_path: Path) -> None:
    """The span lasts as long as Lambda says that the runtime took, from Lambda's own start."""
    async with run_whole(tmp_path) as whole:
        result = await whole.sandbox.invoke(b'{"sleep_s": 0.1}')
        await whole.sandbox.wait_idle()
        span = whole.server_spans()[result.request_id]
        took_ms = (span.end_unix_nano - span.start_unix_nano) / NANOS_PER_MS
        assert took_ms >= 100
        assert took_ms < result.response_ms + 100


async def test_report_joins_late(tmp_path: Path) -> None:
    """The time of extensions after the handler is known, and sent, only after the next thaw."""
    async with run_whole(tmp_path) as whole:
        await whole.sandbox.invoke()
        await whole.sandbox.wait_idle()
        assert "extensionOverhead" not in [span.name for span in whole.collector.store.spans]
        await whole.sandbox.invoke()
        await whole.sandbox.shutdown()
        late = [s for s in whole.collector.store.spans if s.name == "extensionOverhead"]
        parents = [span.span_id for span in whole.server_spans().values()]
        assert [span.parent_span_id for span in late] == parents


async def test_trace_of_the_caller_goes_on(tmp_path: Path) -> None:
    """With an X-Ray header the span is a child in the caller's trace."""
    async with run_whole(tmp_path) as whole:
        result = await whole.sandbox.invoke(trace_header=TRACE_HEADER)
        await whole.sandbox.wait_idle()
        span = whole.server_spans()[result.request_id]
        assert (span.trace_id, span.parent_span_id) == (TRACE_ID, PARENT_ID)


async def test_lines_of_init_belong_to_no_invocation(tmp_path: Path) -> None:
    """What is printed before the first invocation arrives without its ids."""
    handler = "print('at import')\ndef handler(event, context):\n    print('at work')\n"
    async with run_whole(tmp_path, handler=handler) as whole:
        await whole.sandbox.invoke()
        await whole.sandbox.wait_idle()
        at_import, at_work = whole.logs()
        assert (at_import.body, at_import.trace_id) == ("at import", "")
        assert "faas.invocation_id" not in at_import.attributes
        assert (at_work.body, at_work.trace_id != "") == ("at work", True)


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
async def test_json_lines_become_records(tmp_path: Path, log_format: str) -> None:
    """Level, message and fields of a JSON line land where they belong, in both log formats."""
    line = json.dumps({"level": "ERROR", "message": "no stock", "sku": 17})
    async with run_whole(tmp_path, scenario={"log_format": log_format}) as whole:
        await whole.sandbox.invoke(json.dumps({"lines": [line]}).encode())
        await whole.sandbox.wait_idle()
        [row] = whole.logs()
        assert (row.severity_number, row.severity_text, row.body) == (17, "ERROR", "no stock")
        assert row.attributes["sku"] == 17


async def test_a_failed_handler_is_an_invocation_like_any_other(tmp_path: Path) -> None:
    """An exception in the handler changes nothing for the extension."""
    async with run_whole(tmp_path) as whole:
        failed = await whole.sandbox.invoke(b'{"error": "boom"}')
        assert (failed.status, failed.error_type) == ("error", "ValueError")
        await whole.sandbox.wait_idle()
        assert failed.request_id in whole.server_spans()
        assert any("boom" in str(body) for body in whole.bodies())


async def test_a_timeout_gives_a_failed_span_and_the_last_lines(tmp_path: Path) -> None:
    """A timed-out invocation is told at SHUTDOWN, with what it printed."""
    async with run_whole(tmp_path, scenario={"timeout_ms": 600}) as whole:
        event = {"lines": ["before"], "sleep_s": 5}
        result = await whole.sandbox.invoke(json.dumps(event).encode())
        assert result.status == "timeout"
        await whole.sandbox.wait_idle()
        span = whole.server_spans()[result.request_id]
        assert (span.status_code, span.attributes["error.type"]) == (2, "timeout")
        assert whole.bodies() == ["before"]


async def test_a_crashed_runtime_gives_a_failed_span(tmp_path: Path) -> None:
    """A runtime that exits is an error with Lambda's own type."""
    async with run_whole(tmp_path) as whole:
        result = await whole.sandbox.invoke(b'{"lines": ["last words"], "exit": 3}')
        assert result.error_type == "Runtime.ExitError"
        await whole.sandbox.wait_idle()
        span = whole.server_spans()[result.request_id]
        assert (span.status_code, span.attributes["error.type"]) == (2, "Runtime.ExitError")
        assert whole.bodies() == ["last words"]


@pytest.mark.parametrize(
    "faults",
    [
        TelemetryFaults(failing_posts=3),
        TelemetryFaults(lost_answers=4),
        TelemetryFaults(delay_ms=60),
    ],
    ids=["posts fail", "answers get lost", "slow"],
)
async def test_faulty_delivery_to_us_loses_and_doubles_nothing(
    tmp_path: Path, faults: TelemetryFaults
) -> None:
    """Repeated, late and duplicate batches of the Telemetry API come to each line once."""
    async with run_whole(tmp_path, scenario={"telemetry": faults}) as whole:
        for n in range(5):
            await whole.sandbox.invoke(json.dumps({"lines": [f"line {n}"]}).encode())
        await whole.sandbox.shutdown()
        assert whole.bodies() == [f"line {n}" for n in range(5)]
        assert len(whole.server_spans()) == 5


async def test_works_with_spare_cpu(tmp_path: Path) -> None:
    """Above 1,769 MB the first next goes out before the imports, and nothing is lost by it."""
    async with run_whole(tmp_path, scenario={"memory_size_mb": 2048}) as whole:
        for n in range(3):
            await whole.sandbox.invoke(json.dumps({"lines": [f"line {n}"]}).encode())
        await whole.sandbox.shutdown()
        assert whole.bodies() == [f"line {n}" for n in range(3)]
        assert len(whole.server_spans()) == 3


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_thousand_invocations_lose_and_double_nothing(tmp_path: Path) -> None:
    """1,000 invocations with a freeze after each: every line once, in order, flushed in time."""
    environ = {"LOGGER_EXTENSION_FLUSH_POLICY": "end"}
    async with run_whole(tmp_path, environ=environ) as whole:
        expected: list[str] = []
        for n in range(1_000):
            lines = [f"{n}.{k}" for k in range(n % 4)]
            result = await whole.sandbox.invoke(json.dumps({"lines": lines}).encode())
            assert result.status == "success"
            expected += lines
            await whole.sandbox.wait_idle()
            if n % 50 == 0:
                # What `end` promises: a completed invocation is at the collector when it freezes.
                assert whole.bodies() == expected
        await whole.sandbox.shutdown()
        assert whole.bodies() == expected
        assert len(whole.server_spans()) == 1_000
        assert len(whole.sandbox.transcript.select("freeze")) >= 1_000
        overhead = [s for s in whole.collector.store.spans if s.name == "extensionOverhead"]
        assert len(overhead) == 1_000
