"""From a Telemetry API body to a compressed OTLP request, in microseconds of CPU time a line.

    pipeline   decode, map, encode and gzip: ours, bare protobuf, the SDK (see encoders.py)
    decode     ours against orjson.loads of the same body
    growth     the exponent k in cost = a * lines**k, fitted in each round; 1 is a cost a line that
               is the same for any number
    line_cost  a line of many against one of the fewest

For growth, lines come in bodies of 1,000, the most that the Telemetry API puts into one, all wait
until all are read, and go in requests of 1,000.

Every round has other lines: what a cache keeps of one is of no use in the next.
"""

import gzip
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from benchmarks.encoders import (
    RESOURCE,
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
from logger_extension.signals.logs import encode_logs
from logger_extension_cli.bench.estimates import fit_exponent

LINES = 1_000
ROUNDS = (40, 200)
BODY_LINES = 1_000
GROWTH_LINES = ((1_000, 4_000, 16_000), (1_000, 4_000, 16_000, 100_000))
GROWTH_ROUNDS = (20, 40)

Encode = Callable[[bytes, list[Row]], bytes]
WAYS: Mapping[str, Encode] = {"bare": encode_bare, "ours": encode_ours, "SDK": encode_sdk}


def run(plan: Plan, results: Results) -> None:
    """Measure plain and JSON lines, then growth."""
    for kind in ("plain", "json"):
        for number in range(plan.rounds(*ROUNDS) + 1):
            _measure_round(results, number, kind)
    for number in range(plan.rounds(*GROWTH_ROUNDS)):
        _measure_growth(results, number, plan.choose(*GROWTH_LINES))


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
    _, decode_us = _take_time(decode_ours, body)
    if number == 0:
        # The first round warms caches.
        check(found)
        return
    for name, time_us in times_us.items():
        results.add(_series("pipeline", kind, "bare"), name, time_us / LINES)
    results.add(_series("decode", kind, "orjson"), "orjson", loads_us / LINES)
    results.add(_series("decode", kind, "orjson"), "ours", decode_us / LINES)


def _measure_growth(results: Results, number: int, sizes: tuple[int, ...]) -> None:
    bodies = [
        make_body(make_rows(each, BODY_LINES, is_json=False), is_json=False)
        for each in range(number, number + max(sizes) // BODY_LINES)
    ]
    # By turns the smallest and the largest comes first: memory is got by one and reused by others.
    costs_us = {
        lines: _take_time(_send, bodies[: lines // BODY_LINES])[1]
        for lines in (sizes if number % 2 else reversed(sizes))
    }
    series = Series(
        case="growth",
        unit="exponent",
        relation="difference",
        baseline="linear",
        least_change=0.02,
        parameters={"of": "lines", "most": max(sizes)},
    )
    results.add(series, "linear", 1.0)
    results.add(series, "ours", fit_exponent(sizes, [costs_us[lines] for lines in sizes]))
    line_cost = Series(
        case="line_cost",
        unit="us a line",
        relation="ratio",
        baseline=f"{sizes[0]} lines",
        least_change=0.05,
    )
    for lines in sizes:
        results.add(line_cost, f"{lines} lines", costs_us[lines] / lines)


def _send(bodies: Sequence[bytes]) -> None:
    """Read all, then make all requests."""
    waiting = [decode_ours(body) for body in bodies]
    for lines in waiting:
        gzip.compress(encode_logs(RESOURCE, lines), GZIP_LEVEL)


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
