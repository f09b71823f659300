"""What users of extensions suffer from, each a promise here: time, loss, copies, memory."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING

import pytest

from deploy.stage import NAME
from tests.support.faults import answers
from tests.support.faults.processes import find_python
from tests.support.faults.trial import run_trial
from tests.support.rotel import HAS_ROTEL, run_rotel
from tests.support.whole import EXTENSION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.faults.trial import Trial

BUDGET_MS = 600


def overheads_ms(trial: Trial) -> list[float]:
    """Return what was added to each invocation, in their order."""
    ends = trial.whole.sandbox.transcript.select("invoke.end")
    return [entry.details["extension_overhead_ms"] for entry in ends]


async def test_a_collector_that_hangs_is_paid_for_once(tmp_path: Path) -> None:
    """It costs its budget while it is found out, and nothing as long as the breaker is open."""
    environ = {"LOGGER_EXTENSION_COLLECTOR_BUDGET_MS": str(BUDGET_MS)}
    async with run_trial(tmp_path, environ=environ) as trial:
        trial.proxy.play(answers.hang)
        await trial.invoke_often(10)
        first, *rest = overheads_ms(trial)
        assert BUDGET_MS * 0.9 <= first < 3 * BUDGET_MS
        assert statistics.median(rest) < BUDGET_MS / 2
        requests = trial.proxy.requests
        await trial.invoke_often(3)
        assert trial.proxy.requests - requests <= 2


async def test_a_backend_that_is_slow_makes_no_timeout(tmp_path: Path) -> None:
    """The function does not hang until its timeout, nor is it billed for the backend."""
    async with run_trial(tmp_path, scenario={"timeout_ms": 2_000}) as trial:
        trial.proxy.play(answers.delay(30))
        await trial.invoke_often(5)
        figures = await trial.finish()
    assert figures.succeeded == figures.invocations
    assert figures.most_ms < 1_000
    assert trial.whole.sandbox.transcript.select("signal", name="SIGKILL") == []


async def test_a_collector_that_comes_back_gets_everything(tmp_path: Path) -> None:
    """What waited is sent when it answers again, before SHUTDOWN, and nothing goes elsewhere."""
    async with run_trial(tmp_path) as trial:
        await trial.proxy.refuse()
        await trial.invoke_often(3)
        await trial.proxy.listen()
        for _ in range(100):
            await trial.invoke_often(1, sleep_s=0.1)
            if any(row.body.startswith("i0.0") for row in trial.collector.store.logs):
                break
        else:
            pytest.fail("the collector got nothing although it is back")
        figures = await trial.finish()
    assert (figures.missing, figures.doubled, figures.fallback) == (frozenset(), 0, 0)


@pytest.mark.parametrize(
    ("event", "expected"), [({"sleep_s": 9}, "timeout"), ({"exit": 1}, "error")]
)
async def test_the_last_lines_before_a_failure_arrive(
    tmp_path: Path, event: dict[str, float], expected: str
) -> None:
    """A timeout or a crash loses neither what was printed nor the invocation itself."""
    async with run_trial(tmp_path, scenario={"timeout_ms": 1_200}) as trial:
        await trial.invoke(5, expected=expected, **event)
        figures = await trial.finish()
    assert (figures.missing, figures.fallback) == (frozenset(), 0)


async def test_a_kill_is_told_and_counted(tmp_path: Path) -> None:
    """What a killed process held is told on stderr, and reported when the next one can."""
    async with run_trial(tmp_path) as trial:
        await trial.invoke_often(2)
        trial.proxy.play(answers.refuse_with(503))
        await trial.invoke_often(2)
        pid = await find_python(trial)
        trial.whole.kill_python()
        trial.proxy.heal()
        while await find_python(trial) == pid:
            await trial.invoke_often(1)
        await trial.invoke_often(3)
        figures = await trial.finish()
        told = [line.text for line in trial.whole.sandbox.output[NAME] if "it held" in line.text]
        counted = [
            row.value
            for row in trial.collector.store.metrics
            if row.name == "logger_extension.dropped"
            and "process_killed" in json.dumps(dict(row.attributes))
        ]
    assert {id_.partition(".")[0] for id_ in figures.missing if id_[0] == "i"} <= {"i2", "i3"}
    assert len(told) == 1
    held = sum(value for value in counted if isinstance(value, int | float))
    assert held > 0
    assert f"it held {held:.0f} records" in told[0]


async def test_the_launcher_survives_its_children(tmp_path: Path) -> None:
    """Python may die as often as it likes: for Lambda nothing has happened."""
    async with run_trial(tmp_path) as trial:
        for _ in range(5):
            trial.whole.kill_python()
            await trial.invoke_often(2)
        figures = await trial.finish()
        [end] = trial.whole.sandbox.transcript.select("exit", actor=EXTENSION)
    assert figures.succeeded == figures.invocations == 10
    assert end.details["status"] == "exit status 0"


@pytest.mark.skipif(not HAS_ROTEL, reason="no rotel for this platform and Python")
@pytest.mark.parametrize(
    "fault",
    [answers.reset_in_request, answers.refuse_with(503), answers.refuse_with(429, retry_after_s=1)],
    ids=["reset", "503", "429"],
)
async def test_another_collector(
    tmp_path: Path, unused_port: int, unused_port_2: int, fault: answers.Fault
) -> None:
    """Rotel behind the same faults gets every line, once."""
    async with (
        run_rotel(unused_port, unused_port_2) as rotel,
        run_trial(tmp_path, upstream=f"http://127.0.0.1:{unused_port}") as trial,
    ):
        trial.proxy.play(fault, times=3)
        await trial.invoke_often(4, text="end")
        await trial.whole.sandbox.shutdown()
        spilled = [row.body for row in trial.read_fallback().logs]
        lines = [f"i{n}.{k} end" for n in range(4) for k in range(3)]
        arrived = [line for line in lines if line not in spilled]
        printed = await rotel.read_until(*arrived)
    for line in arrived:
        assert printed.count(f"Str({line})") == 1, printed
