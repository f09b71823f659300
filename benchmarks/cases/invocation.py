"""What a warm invocation costs: on the caller's path, after the handler, and on the bill.

    response        from the call until the caller has its answer
    after_handler   from the runtime's next call until all extensions have called next:
                    `extensionOverhead` of `platform.report`
    billed          the whole phase; with list prices that is what a million invocations cost more
    freshness       from the last line of the handler until the collector has all its lines
    sent_bytes      by an invocation on the wire, heads of HTTP included

Functions stand side by side in local Lambdas that freeze, and are invoked in turn, in another order
each round, so each stands still while the others have their turn: `freshness` of what goes out
beside a later handler has that in it. What the SDK exports line by line is there before the handler
goes on: then it is negative. The handler waits 20 ms in pieces and prints its lines
between. That the collector has every line of ours is checked: cheap because it loses would be no
figure. What it has twice is noted: a request that is cut off, because its answer takes longer than
a collector may cost, is sent again. The CPU share of the memory size is enforced where sizes are
compared.
"""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.frame import Plan, Results, Series
from benchmarks.local_lambda import Lane, open_lane, run_server, turn
from benchmarks.subjects import (
    BATCH,
    NONE,
    NOOP,
    OURS,
    SIMPLE,
    Collecting,
    make_setup,
    name_subjects,
    name_way,
    sends,
)

LINES = 10
PIECES, PIECE_MS = 4, 5
ROUNDS = (20, 40)
# Of the product of ways, and of memory sizes, a full run has many.
MANY_ROUNDS = 10
WARM_UPS = 3
POLICIES = (("end", "overlap", "auto"), ("end", "overlap", "auto", "periodic,1000"))
ROUND_TRIPS_MS = ((1, 20), (1, 20, 100, 500))
PROTOCOLS = ("http/protobuf", "http/json", "grpc")
COMPRESSIONS = ("gzip", "none")
SIZES_MB = (128, 512, 1_024, 1_769, 3_538, 10_240)
# Rounds are fewer where the subject that waits longest, once a line, would take minutes.
MOST_WAIT_MS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One place in the space of settings.

    Attributes:
        is_limited: whether the CPU share of the memory size is enforced.
        is_crossed: one of the product of all ways to the collector, in which only what goes by
            them is measured, beside what there is to compare it with.
    """

    collecting: Collecting
    memory_mb: int = 3_538
    is_limited: bool = False
    lines: int = LINES
    is_crossed: bool = False

    def parameters(self) -> dict[str, str | int | float]:
        """What a measurement is told apart by."""
        return {
            "round_trip_ms": self.collecting.round_trip_ms,
            "protocol": self.collecting.protocol,
            "compression": self.collecting.compression,
            "memory_mb": self.memory_mb,
            "lines": self.lines,
            "cpu": "share" if self.is_limited else "all",
        }


@dataclass(slots=True)
class Logged:
    """When the handlers of a lane wrote their last lines, by mark, in monotonic seconds."""

    at_s: dict[str, float] = field(default_factory=dict)


def choose_settings(plan: Plan) -> list[Setting]:
    """Return where to measure: the short selection is the far end of each dimension."""
    far = [
        Setting(collecting=Collecting(round_trip_ms=each)) for each in plan.choose(*ROUND_TRIPS_MS)
    ]
    if not plan.is_full:
        return far
    crossed = [
        Collecting(round_trip_ms=trip_ms, protocol=protocol, compression=compression)
        for trip_ms in ROUND_TRIPS_MS[1]
        for protocol in PROTOCOLS
        for compression in COMPRESSIONS
    ]
    near = Collecting(round_trip_ms=20)
    return [
        *far,
        *(
            Setting(collecting=each, is_crossed=True)
            for each in crossed
            if each not in [setting.collecting for setting in far]
        ),
        *(Setting(collecting=near, memory_mb=size, is_limited=True) for size in SIZES_MB),
        Setting(collecting=near, lines=1_000),
    ]


def choose_subjects(plan: Plan, results: Results, setting: Setting) -> list[str]:
    """Return who is measured in a setting."""
    subjects = name_subjects(plan, results, plan.choose(*POLICIES))
    if setting.lines > LINES:
        subjects.remove(SIMPLE)  # a round trip a line
    if setting.is_crossed:
        # The batches are the baseline of what arrives, whatever the protocol.
        compared = (NONE, NOOP, BATCH)
        return [each for each in subjects if each in compared or each.startswith(OURS)]
    return subjects


def choose_rounds(plan: Plan, setting: Setting, subjects: Sequence[str]) -> int:
    """Return how often a setting is repeated."""
    trips = setting.lines if SIMPLE in subjects else 1
    most = int(MOST_WAIT_MS / (setting.collecting.round_trip_ms * trips))
    is_of_many = setting.is_crossed or setting.is_limited
    return min(plan.rounds(*ROUNDS), most, MANY_ROUNDS if is_of_many else most)


def run(plan: Plan, results: Results) -> None:
    """Invoke all subjects in each setting."""
    for setting in choose_settings(plan):
        subjects = choose_subjects(plan, results, setting)
        asyncio.run(_measure(plan, results, setting, subjects))


async def _measure(plan: Plan, results: Results, setting: Setting, subjects: Sequence[str]) -> None:
    trip_ms = setting.collecting.round_trip_ms
    rounds = choose_rounds(plan, setting, subjects)
    ways = {each: name_way(each, setting.collecting.protocol) for each in subjects}
    logged = Logged()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector = await stack.enter_async_context(
            run_server("collector", *(f"{way}={trip_ms}" for way in ways.values()))
        )
        async with AsyncExitStack() as opened:
            lanes = []
            for subject in subjects:
                scenario = {"memory_size_mb": setting.memory_mb, "enforce_cpu": setting.is_limited}
                address = collector.addresses[ways[subject]]
                setup = make_setup(plan, subject, setting.collecting, address, scenario)
                lanes.append(await opened.enter_async_context(open_lane(folder, setup)))
            for note in lanes[0].sandbox.notes:
                results.note(note)
            warm_ups = plan.warm_ups(WARM_UPS)
            for number in range(-warm_ups, rounds):
                for lane in turn(lanes, number):
                    mark = f"{ways[lane.name]}.{number + warm_ups}"
                    await _invoke(results, setting, lane, mark, logged, is_kept=number >= 0)
        counts = await collector.finish()
    _add_arrivals(plan, results, setting, ways, counts, logged)


async def _invoke(
    results: Results, setting: Setting, lane: Lane, mark: str, logged: Logged, *, is_kept: bool
) -> None:
    event = {
        "parts": PIECES,
        "times": 0,
        "sleep_ms": PIECE_MS,
        "lines": setting.lines,
        "mark": mark,
    }
    invoked = await lane.invoke(event)
    logged.at_s[mark] = invoked.answer["logged_s"]
    if not is_kept:
        return
    results.add(_series(setting, "response"), lane.name, invoked.response_ms)
    if lane.sandbox.extension_pids:
        results.add(_series(setting, "after_handler", NOOP), lane.name, invoked.after_ms)
    billed_ms = invoked.before_ms + invoked.after_ms
    results.add(_series(setting, "billed"), lane.name, billed_ms)


def _add_arrivals(
    plan: Plan,
    results: Results,
    setting: Setting,
    ways: Mapping[str, str],
    counts: Mapping[str, Any],
    logged: Logged,
) -> None:
    """Add what only the collector knows.

    Raises:
        SystemExit: it does not have every line of ours.
    """
    trip_ms = setting.collecting.round_trip_ms
    for subject, way in ways.items():
        if not sends(plan, subject):
            continue
        marks = [mark for mark in logged.at_s if mark.rpartition(".")[0] == way]
        asked, arrived = setting.lines * len(marks), sum(counts["lines"].get(m, 0) for m in marks)
        if arrived < asked and subject.startswith(OURS):
            raise SystemExit(f"{subject}: the collector has {arrived} lines of {asked}")
        if arrived != asked:
            results.note(f"{subject} at {trip_ms} ms: the collector has {arrived} lines of {asked}")
        fresh = [
            (counts["arrived_s"][mark] - logged.at_s[mark]) * 1000
            for mark in marks[plan.warm_ups(WARM_UPS) :]
            if mark in counts["arrived_s"]
        ]
        if fresh:
            results.add(_series(setting, "freshness", BATCH), subject, *fresh)
        if marks:
            sent = counts["bytes"].get(way, 0) / len(marks)
            results.add(_series(setting, "sent_bytes", BATCH, "ratio"), subject, sent)


def _series(
    setting: Setting,
    case: str,
    baseline: str = NONE,
    relation: Literal["ratio", "difference"] = "difference",
) -> Series:
    is_ratio = relation == "ratio"
    return Series(
        case=case,
        unit="bytes" if is_ratio else "ms",
        relation=relation,
        baseline=baseline,
        least_change=0.05 if is_ratio else 0.5,
        parameters=setting.parameters(),
    )
