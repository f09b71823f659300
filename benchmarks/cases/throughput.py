"""From a Telemetry API body to a compressed OTLP request, in microseconds of CPU time a line.

    pipeline   decode, map, encode and gzip: ours, bare protobuf, the SDK (see encoders.py)
    decode     ours against orjson.loads of the same body
    stages     each stage of ours alone, and what the other formats take in all, against protobuf
               and gzip in all; mapping and encoding are one step
    growth     the exponent k in cost = a * number**k of lines and of invocations' spans, fitted in
               each round; 1 is a cost of each that is the same for any number
    unit_cost  one of many against one of the fewest

For growth, lines come in bodies of 1,000, the most that the Telemetry API puts into one. All wait
until all are read, and go in requests of 1,000.

Every round has other lines: what a cache keeps of one is of no use in the next.
"""

import gc
import gzip
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.encoders import (
    OBSERVED_UNIX_NANO,
    RESOURCE,
    TIME_UNIX_NANO,
    Row,
    check,
    decode_ours,
    encode_bare,
    encode_ours,
    encode_sdk,
    make_body,
    make_rows,
)
from benchmarks.frame import Plan, Results, Series
from logger_extension.exporters.otlp_http import GZIP_LEVEL
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.logs import encode_logs
from logger_extension.signals.otlp_json import transcode
from logger_extension.signals.phases import make_invocation_spans
from logger_extension.signals.traces import encode_spans
from logger_extension_cli.bench.estimates import fit_exponent
from logger_extension_cli.bench.measurements import Relation

LINES = 1_000
ROUNDS = (40, 100)
BODY_LINES = 1_000
GROWTH_SIZES = ((1_000, 4_000, 16_000), (1_000, 4_000, 16_000, 100_000))
GROWTH_SERIES: Sequence[tuple[str, str, Relation, str]] = (
    ("growth", "exponent", "difference", "linear"),
    ("unit_cost", "us each", "ratio", f"of {GROWTH_SIZES[0][0]}"),
)
GROWTH_ROUNDS = (20, 40)

Encode = Callable[[bytes, list[Row]], bytes]
USUAL = "protobuf and gzip"
WAYS: Mapping[str, Encode] = {"bare": encode_bare, "ours": encode_ours, "SDK": encode_sdk}


@dataclass(frozen=True, slots=True)
class Growing:
    """What there may be many of: how they are made, of a round, and sent, so many of them."""

    name: str
    make: Callable[[int, int], Sequence[Any]]
    send: Callable[[Sequence[Any], int], None]


def run(plan: Plan, results: Results) -> None:
    """Measure plain and JSON lines, then growth."""
    for kind in ("plain", "json"):
        for number in range(plan.rounds(*ROUNDS) + 1):
            _measure_round(results, number, kind)
    for number in range(plan.rounds(*GROWTH_ROUNDS)):
        for growing in GROWING:
            _measure_growth(results, number, growing, plan.choose(*GROWTH_SIZES))


def _measure_round(results: Results, number: int, kind: str) -> None:
    rows = make_rows(number, LINES, is_json=kind == "json")
    body = make_body(rows, is_json=kind == "json")
    times_us: dict[str, float] = {}
    found = {}
    names = list(WAYS)
    for name in [*names[number % 3 :], *names[: number % 3]]:
        found[name], times_us[name] = _take_time(WAYS[name], body, rows)
        _, gzip_us = _take_time(gzip.compress, found[name], GZIP_LEVEL)
        times_us[name] += gzip_us
    _, loads_us = _take_time(orjson.loads, body)
    stages_us = _take_stages(body)
    if number == 0:
        # The first round warms caches.
        check(found)
        return
    for name, time_us in times_us.items():
        results.add(_series("pipeline", kind, "bare"), name, time_us / LINES)
    results.add(_series("decode", kind, "orjson"), "orjson", loads_us / LINES)
    results.add(_series("decode", kind, "orjson"), "ours", stages_us["decode"] / LINES)
    for name, time_us in stages_us.items():
        results.add(_series("stages", kind, USUAL), name, time_us / LINES)


def _take_stages(body: bytes) -> dict[str, float]:
    """Return the microseconds of each stage, and of each format in all."""
    lines, decode_us = _take_time(decode_ours, body)
    request, encode_us = _take_time(encode_logs, RESOURCE, lines)
    _, gzip_us = _take_time(gzip.compress, request, GZIP_LEVEL)
    document, transcode_us = _take_time(transcode, "logs", request)
    _, gzip_json_us = _take_time(gzip.compress, document, GZIP_LEVEL)
    encoded_us = decode_us + encode_us
    return {
        USUAL: encoded_us + gzip_us,
        "protobuf alone": encoded_us,
        "JSON and gzip": encoded_us + transcode_us + gzip_json_us,
        "JSON alone": encoded_us + transcode_us,
        "decode": decode_us,
        "encode": encode_us,
        "gzip": gzip_us,
        "to JSON": transcode_us,
        "gzip of JSON": gzip_json_us,
    }


def _measure_growth(results: Results, number: int, growing: Growing, sizes: Sequence[int]) -> None:
    things = growing.make(number, max(sizes))
    # By turns the smallest and the largest comes first: memory is got by one and reused by others.
    costs_us = {}
    # As the extension does when it has started (decision 20): a search for garbage would go through
    # all that the benchmarks hold, once more for each doubling of what waits.
    gc.collect()
    gc.freeze()
    for size in sizes if number % 2 else reversed(sizes):
        gc.collect()  # what was left over is not of this size
        _, costs_us[size] = _take_time(growing.send, things, size)
    gc.unfreeze()
    exponent, cost = (
        Series(
            case=case,
            unit=unit,
            relation=relation,
            baseline=baseline,
            least_change=0.02,
            parameters={"of": growing.name, "most": max(sizes)},
        )
        for case, unit, relation, baseline in GROWTH_SERIES
    )
    results.add(exponent, "linear", 1.0)
    results.add(exponent, "ours", fit_exponent(sizes, [costs_us[size] for size in sizes]))
    for size in sizes:
        results.add(cost, f"of {size}", costs_us[size] / size)


def _make_bodies(number: int, lines: int) -> list[bytes]:
    return [
        make_body(make_rows(each, BODY_LINES, is_json=False), is_json=False)
        for each in range(number, number + lines // BODY_LINES)
    ]


def _send_lines(bodies: Sequence[Any], lines: int) -> None:
    """Read all, then make all requests."""
    waiting = [decode_ours(body) for body in bodies[: lines // BODY_LINES]]
    for each in waiting:
        gzip.compress(encode_logs(RESOURCE, each), GZIP_LEVEL)


def _make_invocations(number: int, count: int) -> list[Invocation]:
    return [
        Invocation(
            request_id := f"{number}-{each}",
            derive_context(request_id, ""),
            start_unix_nano=TIME_UNIX_NANO,
            end_unix_nano=OBSERVED_UNIX_NANO,
            status="success",
        )
        for each in range(count)
    ]


def _send_spans(invocations: Sequence[Any], count: int) -> None:
    """Make the spans of all, then all requests."""
    waiting = [
        span
        for each in invocations[:count]
        for span in make_invocation_spans(each, "checkout", "7", {})
    ]
    for first in range(0, len(waiting), BODY_LINES):
        gzip.compress(encode_spans(RESOURCE, waiting[first : first + BODY_LINES]), GZIP_LEVEL)


GROWING = (
    Growing("lines", _make_bodies, _send_lines),
    Growing("spans", _make_invocations, _send_spans),
)


def _take_time(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Return the result and the microseconds of CPU time that it took."""
    start_s = time.thread_time()
    result = work(*arguments)
    return result, (time.thread_time() - start_s) * 1e6


def _series(case: str, kind: str, baseline: str) -> Series:
    return Series(
        case=case,
        unit="us a line",
        relation="ratio",
        baseline=baseline,
        least_change=0.03,
        parameters={"lines": kind},
    )
