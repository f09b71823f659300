"""Every fault of the fault suite, played once on the running whole: docs/reliability.md.

    make reliability

Plays what tests/sandbox/faults plays, with the same bounds, and writes the figures of this run as a
table. Exits 1 when a row is not as required; the page then says so.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.support.faults.figures import BYTES_PER_MIB, Fault, Figures
from tests.support.faults.suite import find_all

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"

INTRODUCTION = """\
# Reliability

Written by `make reliability`, which plays every fault once on the running whole: launcher and
extension as in the layer, a local Lambda with real processes and real freezes, and a real collector
behind a proxy that injects faults. `tests/sandbox/faults` plays the same with the same bounds.

{machine}, {date}. {verdict}

Each log line and each invocation has an id of its own, which is looked up at the collector and in
the [fallback](fallback.md)'s lines on stdout. The flush policy is `end`, so that every invocation
meets the fault; where a request must be under way at a freeze it is `overlap`.

- **success**: invocations that ended as the function meant, for its caller and for Lambda.
- **records**: log lines and invocations that must be told of.
- **lost**: records that are neither at the collector nor in the fallback.
- **doubled**: surplus copies of records. At least once is what OTLP promises: a request whose
  answer is lost is sent again.
- **fallback**: records that only the fallback has; `logger-extension replay` sends them.
- **peak**: the most resident memory of the extension's Python, VmHWM.
- **added**: what extensions added to an invocation after the runtime was done, median and maximum
  over the invocations during the fault. Lambda buffers telemetry at least 25 ms, which `end` waits
  for.

| fault | success | records | lost | doubled | fallback | peak | added |
|---|---|---|---|---|---|---|---|
"""

REMARKS = """
Where records may be lost or invocations fail:

- With 0 ms left at SHUTDOWN the process is not allowed its shutdown.
- After `kill -9` what was in memory is missing, at most one invocation's. The launcher tells how
  many records that was, and `logger_extension.dropped` counts them as `process_killed`.
- What a collector rejects in a partial success must not be sent again, and it does not say which
  records those were. They are counted.
- Without memory what comes can be neither read nor written down. The limit of that row leaves less
  than the queue is set to; what is lost is counted and told on stderr.
- Killing the launcher is `Extension.Crash` to Lambda and cannot be survived: the invocation under
  way fails. The next ones work again.
"""


def describe(fault: Fault, figures: Figures, breaches: Sequence[str]) -> str:
    """Return the row of a fault."""
    cells = [
        fault.name + "".join(f"; **{breach}**" for breach in breaches),
        f"{figures.succeeded:,} of {figures.invocations:,}",
        f"{figures.records:,}",
        f"{len(figures.missing):,}",
        f"{figures.doubled:,}",
        f"{figures.fallback:,}",
        f"{figures.peak_rss_bytes / BYTES_PER_MIB:.0f} MiB",
        f"{figures.median_ms:.0f}, {figures.most_ms:.0f} ms",
    ]
    return f"| {' | '.join(cells)} |\n"


async def play(fault: Fault) -> tuple[str, bool]:
    """Play a fault; return its row, and whether it is as required."""
    if fault.needs_root and os.geteuid() != 0:
        return f"| {fault.name} | not played: needs root ||||||||\n", True
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            figures = await fault.play(Path(folder))
        except (AssertionError, TimeoutError) as error:
            print(f"{fault.name}: {error!r}", flush=True)
            return f"| {fault.name}; **{str(error) or 'took too long'}** ||||||||\n", False
    breaches = fault.required.find_breaches(figures)
    row = describe(fault, figures, [breach.partition(",")[0] for breach in breaches])
    print(f"{time.monotonic() - began_s:6.1f} s {row}", end="", flush=True)
    return row, not breaches


def name_machine() -> str:
    """Return what it ran on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.machine()
    return f"{os.cpu_count()} CPUs ({processor}), CPython {platform.python_version()}"


async def main() -> int:
    """Play, print, write the page, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", help="play faults with this in their name, no page")
    only = parser.parse_args().only
    results = [await play(fault) for fault in find_all() if only in fault.name]
    missed = sum(not is_met for _, is_met in results)
    verdict = (
        f"{missed} of {len(results)} rows are not as required."
        if missed
        else f"All {len(results)} rows are as required."
    )
    if not only:
        head = INTRODUCTION.format(
            machine=name_machine(), date=f"{datetime.now(UTC):%Y-%m-%d}", verdict=verdict
        )
        PAGE.write_text(head + "".join(row for row, _ in results) + REMARKS)
    print(verdict)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
