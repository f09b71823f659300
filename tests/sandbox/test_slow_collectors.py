"""Collectors that take everything at once and answer later than an invocation waits for them."""

import json
from pathlib import Path

import pytest

from tests.support.faults import answers
from tests.support.faults.trial import Trial, run_trial
from tests.support.slow_grpc import SlowGrpc
from tests.support.whole import run_whole

POLICY = "LOGGER_EXTENSION_FLUSH_POLICY"
INVOCATIONS = 6

# After a freeze of more than a second a collector that was given up is asked again: each invocation
# meets it. Without, the next one comes while the request of the one before is in flight.
freezes = pytest.mark.parametrize("freeze_ms", [0, 1_050])
policies = pytest.mark.parametrize("policy", ["end", "auto"])
takes = pytest.mark.parametrize("answer_s", [0.15, 0.5])


async def play(trial: Trial, answer_s: float) -> None:
    """Invoke often, frozen in between, while answers take so long."""
    trial.proxy.play(answers.answer_late(answer_s))
    for _ in range(INVOCATIONS):
        await trial.invoke_often(1)


@freezes
@policies
@takes
async def test_each_record_arrives_once(
    tmp_path: Path, policy: str, answer_s: float, freeze_ms: int
) -> None:
    """What was not answered is in flight over the freeze; its answer is read afterwards."""
    scenario = {"min_freeze_ms": freeze_ms}
    async with run_trial(tmp_path, environ={POLICY: policy}, scenario=scenario) as trial:
        await play(trial, answer_s)
        figures = await trial.finish()
    assert (figures.missing, figures.doubled, figures.fallback) == (frozenset(), 0, 0)
    assert figures.succeeded == figures.invocations
    assert figures.told == ()


async def test_an_invocation_does_not_wait_for_it_again_and_again(tmp_path: Path) -> None:
    """The first one learns that answers take long: a later one has its data there when it ends."""
    environ, scenario = {POLICY: "end"}, {"min_freeze_ms": 1_050}
    async with run_trial(tmp_path, environ=environ, scenario=scenario) as trial:
        await play(trial, 0.15)
        rows = trial.collector.store.logs
        assert any(row.body.startswith(f"i{INVOCATIONS - 1}.") for row in rows)
        assert trial.proxy.requests <= 3 * (INVOCATIONS + 1)


@freezes
@policies
@takes
async def test_each_line_arrives_once_over_grpc(
    tmp_path: Path, policy: str, answer_s: float, freeze_ms: int
) -> None:
    """A call in flight behaves as a request of HTTP does."""
    collector = SlowGrpc(answer_s)
    lines = [f"line {number}" for number in range(INVOCATIONS)]
    environ = {POLICY: policy, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    scenario = {"min_freeze_ms": freeze_ms}
    async with (
        collector.running(),
        run_whole(
            tmp_path, endpoint=collector.endpoint, environ=environ, scenario=scenario
        ) as whole,
    ):
        for line in lines:
            await whole.sandbox.invoke(json.dumps({"lines": [line]}).encode())
            await whole.sandbox.wait_idle()
        await whole.sandbox.shutdown()
        assert whole.stderr == []
    assert sorted(collector.lines) == sorted(lines)
