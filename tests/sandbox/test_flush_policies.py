"""Flush policies on the running whole: when data goes out, and what comes after the handler."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.whole import EXTENSION, Whole, run_whole

POLICY = "LOGGER_EXTENSION_FLUSH_POLICY"
DECISIONS = "logger_extension.flush.decisions"

# Above 1,769 MB a function has CPU to spare.
SMALL, SPARE = {"memory_size_mb": 512}, {"memory_size_mb": 2048}


def event(*lines: str, sleep_s: float = 0.0) -> bytes:
    """Return an event for the handler."""
    return json.dumps({"lines": lines, "sleep_s": sleep_s}).encode()


def is_asked_before_response(whole: Whole, number: int) -> bool:
    """Return whether we had asked `next` before an invocation's response, the first being 0."""
    transcript = whole.sandbox.transcript
    response = transcript.select("response", actor="runtime")[number]
    # Our first call belongs to init.
    following = transcript.select("next", actor=EXTENSION)[number + 1]
    return following.time_ms < response.time_ms


def decisions(whole: Whole) -> Mapping[tuple[str, str], float]:
    """Return how often each decision was taken, with its reason."""
    counts: dict[tuple[str, str], float] = {}
    for row in whole.collector.store.metrics:
        if row.name == DECISIONS:
            assert isinstance(row.value, int | float)
            key = (str(row.attributes["decision"]), str(row.attributes["reason"]))
            counts[key] = counts.get(key, 0) + row.value
    return counts


@pytest.mark.parametrize("scenario", [SMALL, SPARE], ids=["small", "spare"])
async def test_overlap_asks_next_while_the_handler_runs(
    tmp_path: Path, scenario: Mapping[str, int]
) -> None:
    """After the first invocation, which may still see our imports, nothing waits for us."""
    async with run_whole(tmp_path, environ={POLICY: "overlap"}, scenario=scenario) as whole:
        for n in range(4):
            await whole.sandbox.invoke(event(f"line {n}", sleep_s=0.1))
            await whole.sandbox.wait_idle()
        assert [is_asked_before_response(whole, n) for n in (1, 2, 3)] == [True] * 3
        await whole.sandbox.shutdown()
        assert whole.bodies() == [f"line {n}" for n in range(4)]
        assert len(whole.server_spans()) == 4


async def test_overlap_sends_while_a_later_handler_runs(tmp_path: Path) -> None:
    """What an invocation printed is at the collector before the next one has responded."""
    async with run_whole(tmp_path, environ={POLICY: "overlap"}, scenario=SPARE) as whole:
        await whole.sandbox.invoke(event("first"))
        # Longer than the least pause between two flushes beside handlers.
        await whole.sandbox.invoke(event("second", sleep_s=1.5))
        assert "first" in whole.bodies()


async def test_end_leaves_nothing_behind(tmp_path: Path) -> None:
    """With `end` all of an invocation has arrived when the sandbox freezes."""
    async with run_whole(tmp_path, environ={POLICY: "end"}) as whole:
        for n in range(6):
            result = await whole.sandbox.invoke(event(f"line {n}"))
            await whole.sandbox.wait_idle()
            assert whole.bodies() == [f"line {k}" for k in range(n + 1)]
            assert result.request_id in whole.server_spans()
            assert not is_asked_before_response(whole, n)


async def test_periodic_sends_during_long_invocations(tmp_path: Path) -> None:
    """A handler that runs for long has its first lines at the collector before it ends."""
    async with run_whole(tmp_path, environ={POLICY: "periodic,100"}) as whole:
        await whole.sandbox.invoke(event("early", sleep_s=1.0))
        assert whole.bodies() == ["early"]


async def test_auto_with_spare_cpu(tmp_path: Path) -> None:
    """Frequent invocations: beside the handlers once their rhythm is known."""
    async with run_whole(tmp_path, scenario=SPARE) as whole:
        for n in range(8):
            await whole.sandbox.invoke(event(f"line {n}", sleep_s=0.3))
        await whole.sandbox.shutdown()
        assert whole.bodies() == [f"line {n}" for n in range(8)]
        taken = decisions(whole)
        assert taken["end", "unknown_rhythm"] == 3
        assert taken["beside", "spare_cpu"] >= 1


async def test_auto_without_spare_cpu(tmp_path: Path) -> None:
    """Frequent invocations: bodies wait unread until the data is half the limit old."""
    environ = {"LOGGER_EXTENSION_STALENESS_LIMIT_MS": "1000"}
    async with run_whole(tmp_path, environ=environ, scenario=SMALL) as whole:
        for n in range(12):
            await whole.sandbox.invoke(event(f"line {n}", sleep_s=0.1))
        await whole.sandbox.shutdown()
        assert whole.bodies() == [f"line {n}" for n in range(12)]
        taken = decisions(whole)
        assert taken["later", "young"] >= 4
        assert taken["end", "getting_old"] >= 1
        assert not [decision for decision in taken if decision[0] == "beside"]


async def test_rare_invocations_are_flushed_at_their_end(tmp_path: Path) -> None:
    """Where the next chance comes too late, the data of each invocation goes at once."""
    environ = {"LOGGER_EXTENSION_STALENESS_LIMIT_MS": "100"}
    scenario = {**SMALL, "min_freeze_ms": 150}
    async with run_whole(tmp_path, environ=environ, scenario=scenario) as whole:
        for n in range(6):
            await whole.sandbox.invoke(event(f"line {n}"))
            await whole.sandbox.wait_idle()
            assert len(whole.bodies()) == n + 1
        await whole.sandbox.shutdown()
        assert decisions(whole)["end", "rare_invocations"] >= 2
