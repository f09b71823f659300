"""Records of the platform's events: what is in, what is left out, what is billed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambda_sandbox import InitType, Scenario, records
from lambda_sandbox.agents import Agent
from lambda_sandbox.invocation import Invocation
from lambda_sandbox.records import Outcome

if TYPE_CHECKING:
    from pathlib import Path

UNIX_MS = 1_795_427_494_620
TRACE = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    """A function on demand."""
    return Scenario(task_root=tmp_path, function_name="f", memory_size_mb=256)


def invocation(trace_header: str | None = None) -> Invocation:
    """An invocation that took 20 ms in the handler, answered after 10 ms."""
    made = Invocation("r", b"{}", called=99.0, timeout_ms=3_000, trace_header=trace_header)
    made.begin(100.0, UNIX_MS)
    made.released = 100.001
    made.response_began, made.response_ended, made.runtime_next = 100.010, 100.011, 100.020
    made.produced_bytes = 9
    return made


async def test_runtime_done(scenario: Scenario) -> None:
    """Duration from the release to the next call, spans with their real starts."""
    kind, record = records.runtime_done(scenario, invocation(), (100.020, UNIX_MS + 20), "success")
    assert kind == "platform.runtimeDone"
    assert record == {
        "requestId": "r",
        "status": "success",
        "metrics": {"durationMs": 19.0, "producedBytes": 9},
        "spans": [
            {"name": "responseLatency", "start": "2026-11-23T09:51:34.621Z", "durationMs": 9.0},
            {"name": "responseDuration", "start": "2026-11-23T09:51:34.630Z", "durationMs": 1.0},
            {"name": "runtimeOverhead", "start": "2026-11-23T09:51:34.631Z", "durationMs": 9.0},
        ],
    }


@pytest.mark.parametrize(
    ("init_type", "init_ms", "billed"),
    [
        (InitType.ON_DEMAND, None, 51),
        (InitType.ON_DEMAND, 99.7, 151),
        (InitType.PROVISIONED_CONCURRENCY, 99.7, 51),
    ],
)
async def test_report(
    tmp_path: Path, init_type: InitType, init_ms: float | None, billed: int
) -> None:
    """Billed are whole milliseconds of the whole phase, with init only on demand."""
    scenario = Scenario(task_root=tmp_path, init_type=init_type)
    outcome = Outcome(
        status="success",
        ended=(100.0505, UNIX_MS + 50),
        runtime_done=100.020,
        init_ms=init_ms,
        max_memory_bytes=75 * 1024 * 1024,
    )
    _, record = records.report(scenario, invocation(), outcome)
    metrics = record["metrics"]
    assert metrics["durationMs"] == 50.5
    assert metrics["billedDurationMs"] == billed
    assert metrics["memorySizeMB"] == 128
    assert metrics["maxMemoryUsedMB"] == 75
    assert metrics.get("initDurationMs") == init_ms
    assert [span["durationMs"] for span in record["spans"]] == [30.5]


async def test_report_of_a_timeout(scenario: Scenario) -> None:
    """A timeout is reported with the timeout itself, not with when it was noticed."""
    outcome = Outcome(status="timeout", ended=(103.002, UNIX_MS + 3_002))
    _, record = records.report(scenario, invocation(), outcome)
    assert record["metrics"]["durationMs"] == 3_000.0
    assert record["metrics"]["billedDurationMs"] == 3_000
    assert "spans" not in record


async def test_report_on_managed_instances(tmp_path: Path) -> None:
    """Nothing but the duration, and the response spans."""
    scenario = Scenario(task_root=tmp_path, init_type=InitType.MANAGED_INSTANCES)
    done = invocation()
    done.runtime_next = None
    _, record = records.report(
        scenario, done, Outcome(status="success", ended=(100.02, UNIX_MS + 20), init_ms=5.0)
    )
    assert record["metrics"] == {"durationMs": 20.0}
    assert [span["name"] for span in record["spans"]] == ["responseLatency", "responseDuration"]


@pytest.mark.parametrize(
    ("header", "traced"),
    [(None, False), (TRACE, True), (TRACE.replace("Sampled=1", "Sampled=0"), False)],
)
async def test_tracing_only_when_sampled(
    scenario: Scenario, header: str | None, traced: object
) -> None:
    """`tracing` is the whole header, and only of a sampled request."""
    _, record = records.start(scenario, invocation(header))
    assert ("tracing" in record) is traced
    if traced:
        assert record["tracing"]["value"] == header


def test_init_events(scenario: Scenario) -> None:
    """Memory in bytes, the same init type and phase everywhere, errorType only if there is one."""
    _, start = records.init_start(scenario, "init", "stream")
    _, failed = records.init_report(scenario, "invoke", "error", 12.5, "Extension.Crash")
    _, good = records.init_runtime_done(scenario, "init", "success")
    assert start["instanceMaxMemory"] == 256 * 1024 * 1024
    assert start["instanceId"] == "stream"
    assert failed["errorType"] == "Extension.Crash"
    assert failed["metrics"] == {"durationMs": 12.5}
    assert "errorType" not in good


def test_extension_and_drops() -> None:
    """The state of an extension, and the count of what was dropped with a reason."""
    _, record = records.extension(Agent("a", external=True, events=("INVOKE",)))
    assert record == {"name": "a", "state": "Started", "events": ["INVOKE"]}
    dropped: dict[str, Any] = records.logs_dropped(10, 2)[1]
    assert (dropped["droppedBytes"], dropped["droppedRecords"]) == (10, 2)
    assert dropped["reason"]


def test_log_stream(scenario: Scenario) -> None:
    """The name of the log stream is also the instance id."""
    assert records.log_stream(scenario, UNIX_MS, "abc") == "2026/11/23/f[$LATEST]abc"
