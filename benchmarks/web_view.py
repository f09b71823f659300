"""How long the pages of the web view take over 10,000 invocations, and what they weigh.

    python -m benchmarks.web_view [--invocations N] [--rounds N]

The pages over a database in memory with the synthetic telemetry of the tests, asked for one after
the other over HTTP from another process, in interleaved rounds. `ms` is the median from the
request to the last byte, `x count` the same as a multiple of a bare `SELECT count(*)` of the spans
in the same round, `most` the slowest. `blocked` is the longest time that the event loop, which also
receives telemetry, could do nothing else while pages were made. The list has a bound of 200 ms, and
no page may weigh more than 1,000 kB; exit code 1 where either is missed.
"""

import argparse
import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import quote

from otlp_viewer.database import Database
from tests.support.telemetry_story import Story, make_story
from tests.support.web_pages import serve_pages
from web_view.invocation_list import read_invocations
from web_view.parameters import InvocationsQuery
from web_view.source import Source

LIST_BOUND_MS = 200.0
SIZE_BOUND_BYTES = 1_000_000
BEAT_S = 0.001
REQUEST_ROWS = 5_000
DAYS = 2.0

# Asks for an address until its input ends; a process of its own, or it would hold the lock of ours.
CLIENT = """
import http.client, sys, time
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for line in sys.stdin:
    before = time.perf_counter()
    connection.request("GET", line.strip())
    answer = connection.getresponse()
    size = len(answer.read())
    took_ms = (time.perf_counter() - before) * 1e3
    print(answer.status, size, took_ms, flush=True)
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--invocations", type=int, default=10_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    arguments = parser.parse_args(argv)
    story = make_story(11, invocations=arguments.invocations, days=DAYS)
    with Database() as database:
        _fill(database, story)
        return asyncio.run(_measure(database, story, arguments.rounds))


def _fill(database: Database, story: Story) -> None:
    for start in range(0, len(story.spans), REQUEST_ROWS):
        database.add_spans(story.spans[start : start + REQUEST_ROWS])
    for start in range(0, len(story.metrics), REQUEST_ROWS):
        database.add_metrics(story.metrics[start : start + REQUEST_ROWS])
    database.add_logs(story.logs)
    # No server has the rows: its garbage collections are not to walk over them.
    gc.collect()
    gc.freeze()


def _choose_addresses(database: Database, story: Story) -> list[str]:
    first = read_invocations(Source(database), InvocationsQuery())
    request_id = next(span.attributes["faas.invocation_id"] for span in story.spans if span.failed)
    middle = story.facts[len(story.facts) // 2].start_unix_nano
    return [
        "/",
        "/?status=error",
        "/?start=cold&function=shop-checkout",
        "/?q=payments",
        f"/?before={middle}-0",
        f"/?after={first.rows[-1].key}",
        f"/invocation?request={quote(str(request_id))}",
        "/logs",
        "/logs?severity=error&q=item",
        "/cost",
        "/cost?by=feature",
        "/health",
    ]


async def _measure(database: Database, story: Story, rounds: int) -> int:
    addresses = _choose_addresses(database, story)
    took_ms: dict[str, list[float]] = defaultdict(list)
    ratios: dict[str, list[float]] = defaultdict(list)
    blocked_ms: dict[str, float] = defaultdict(float)
    sizes: dict[str, int] = {}
    async with serve_pages(database) as collector:
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, collector.endpoint.rpartition(":")[2],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        if client.stdin is None or client.stdout is None:
            raise RuntimeError("the client has no pipes")
        for number in range(rounds + 1):
            for address in addresses:
                count_ms = await asyncio.to_thread(_count, database)
                beat = asyncio.create_task(_watch_loop())
                client.stdin.write(f"{address}\n".encode())
                status, size, page_ms = (await client.stdout.readline()).split()
                beat.cancel()
                if status != b"200":
                    raise RuntimeError(f"{address} is answered with {status.decode()}")
                # The first round fills caches: templates, and DuckDB's statistics.
                if number:
                    took_ms[address].append(float(page_ms))
                    ratios[address].append(float(page_ms) / count_ms)
                    blocked_ms[address] = max(blocked_ms[address], (await _result(beat)) * 1e3)
                sizes[address] = int(size)
        client.stdin.close()
        await client.wait()
    _print(database, took_ms, ratios, blocked_ms, sizes)
    return int(
        statistics.median(took_ms["/"]) > LIST_BOUND_MS or max(sizes.values()) > SIZE_BOUND_BYTES
    )


def _count(database: Database) -> float:
    """Return the milliseconds of the barest of queries."""
    before = time.perf_counter()
    database.query("SELECT count(*) FROM otel_traces")
    return (time.perf_counter() - before) * 1e3


async def _watch_loop() -> float:
    """Return the longest time between two beats, when cancelled, in seconds beyond the beat."""
    longest_s, before = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(BEAT_S)
            now = time.perf_counter()
            longest_s, before = max(longest_s, now - before - BEAT_S), now
    except asyncio.CancelledError:
        return longest_s


async def _result(task: "asyncio.Task[float]") -> float:
    await asyncio.wait({task})
    return task.result()


def _print(
    database: Database,
    took_ms: dict[str, list[float]],
    ratios: dict[str, list[float]],
    blocked_ms: dict[str, float],
    sizes: dict[str, int],
) -> None:
    received = database.received
    print(f"{received.spans:,} spans, {received.logs:,} log lines, {received.metrics:,} points")
    print(f"{'page':44} {'ms':>7} {'most':>7} {'x count':>8} {'kB':>6} {'blocked':>8}")
    for address, values in took_ms.items():
        print(
            f"{address[:44]:44} {statistics.median(values):7.1f} {max(values):7.1f}"
            f" {statistics.median(ratios[address]):8.0f} {sizes[address] / 1e3:6.0f}"
            f" {blocked_ms[address]:8.1f}"
        )


if __name__ == "__main__":
    sys.exit(main())
