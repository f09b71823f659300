"""All benchmarks, one frame: `make bench` (about 3 minutes) and `make bench-full`.

    python -m benchmarks                        all cases, the short selection
    python -m benchmarks startup throughput     some of them
    python -m benchmarks --full --output new.jsonl

Each case prints its table when it is done. With --output the values go to a file as JSON lines, for
`logger-extension bench compare`; with --page they become docs/benchmarks.md. Exits 1 when a bound
is missed (see bounds.py); with --guard in three attempts at its case: machines are noisy. With
--profile nothing is measured: it writes what the extension is busy with in each case.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bounds import find_missed
from benchmarks.cases import (
    cold_start,
    imports,
    invocation,
    memory_growth,
    receiving,
    slowdown,
    startup,
    throughput,
)
from benchmarks.frame import Plan, Results, draw_rows, make_rows
from benchmarks.page import write_page
from benchmarks.peers import PeerError, read_peers
from benchmarks.profiles import profile_all
from logger_extension_cli.bench.measurements import Measurement

ATTEMPTS = 3
CASES: dict[str, Callable[[Plan, Results], None]] = {
    "startup": startup.run,
    "imports": imports.run,
    "cold_start": cold_start.run,
    "invocation": invocation.run,
    "slowdown": slowdown.run,
    "receiving": receiving.run,
    "throughput": throughput.run,
    "memory_growth": memory_growth.run,
}
# What the guard of CI runs: cases whose ratios hold on a busy machine.
GUARDED = ("startup", "imports", "receiving", "throughput")


@dataclass(frozen=True, slots=True)
class Ran:
    """What the last attempt at a case measured, its notes, and the bounds that it missed."""

    measured: list[Measurement]
    notes: list[str]
    missed: list[str]


def run_case(name: str, plan: Plan, attempts: int) -> Ran:
    """Run a case, again while a bound is missed, and at most so often."""
    ran = try_case(name, plan)
    for _ in range(1, attempts):
        if not ran.missed:
            break
        ran = try_case(name, plan)
    return ran


def try_case(name: str, plan: Plan) -> Ran:
    """Run a case once and print its table."""
    results = Results()
    start_s = time.monotonic()
    CASES[name](plan, results)
    measured = results.measurements()
    rows = make_rows(measured)
    missed = [] if plan.is_trial else find_missed(rows)
    print(f"\n{name}: {time.monotonic() - start_s:.0f} s")
    for line in (
        *draw_rows(rows),
        *(f"note: {note}" for note in results.notes),
        *(f"missed: {sentence}" for sentence in missed),
    ):
        print(line)
    return Ran(measured, results.notes, missed)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write, judge."""
    arguments = read_arguments(argv)
    plan = Plan(is_full=arguments.full, is_trial=arguments.trial, peers=arguments.peer)
    names = GUARDED if arguments.guard else arguments.cases or list(CASES)
    if arguments.profile is not None:
        profile_all(arguments.profile, names)
        print("\n".join(sorted(str(path) for path in arguments.profile.iterdir())))
        return 0
    attempts = ATTEMPTS if arguments.guard else 1
    measured: list[Measurement] = []
    notes: list[str] = []
    missed: list[str] = []
    for name in names:
        of_case = run_case(name, plan, attempts)
        measured += of_case.measured
        notes += of_case.notes
        missed += of_case.missed
        if arguments.output is not None:
            # After each case: what ends a run early does not take the others along.
            arguments.output.parent.mkdir(parents=True, exist_ok=True)
            arguments.output.write_text("".join(each.to_line() + "\n" for each in measured))
    if arguments.page:
        write_page(measured, list(dict.fromkeys(notes)), missed)
    verdict = "a trial: no bound was looked at" if plan.is_trial else "ok: every bound is kept"
    print("\n".join(["", *(missed or [verdict])]))
    return 1 if missed else 0


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return what is asked for; ends the process with 2 where it cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--full", action="store_true", help="everything; takes half an hour")
    parser.add_argument("--trial", action="store_true", help="one round: does it work?")
    parser.add_argument("--guard", action="store_true", help=f"for CI: {', '.join(GUARDED)}")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=DIR", help="an extension of others"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write JSON lines there")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="flame graphs, no figures")
    parser.add_argument("--page", action="store_true", help="write docs/benchmarks.md")
    arguments = parser.parse_args(argv)
    unknown = [name for name in arguments.cases if name not in CASES]
    if unknown:
        parser.error(f"no case {', '.join(unknown)}: there are {', '.join(CASES)}")
    try:
        arguments.peer = read_peers(arguments.peer)
    except PeerError as error:
        parser.error(str(error))
    return arguments


if __name__ == "__main__":
    sys.exit(main())
