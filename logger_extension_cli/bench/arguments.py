"""The arguments of `logger-extension bench`, and its manual.

Knows argparse alone: `--help` of any command reads this module.
"""

import argparse
from pathlib import Path

SUMMARY = "compare two runs of the benchmarks"

EPILOG = """\
A run is the JSON lines that `make bench` wrote. What is compared are ratios to, and differences
from, the baseline of the same run; a change counts when its interval of 99 % does not hold 0.
Differences in ms grow with the load of the machine: compare runs of the same, when it is quiet.

exit codes:
  0  nothing got worse beyond the bound
  1  a regression: worse than before by more than the bound
  2  a file cannot be read, or the runs have nothing in common

example:
  logger-extension bench compare before.jsonl after.jsonl --bound 0.25"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions: there is one, `compare`, and what it needs."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="compare")
    compare = actions.add_parser(
        "compare",
        help=SUMMARY,
        description=parser.description,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("old", type=Path, metavar="OLD", help="JSON lines of the earlier run")
    compare.add_argument("new", type=Path, metavar="NEW", help="JSON lines of the later run")
    compare.add_argument(
        "--bound",
        type=read_share,
        default=0.25,
        metavar="SHARE",
        help="how much worse is a regression, of what it was (default: 0.25)",
    )
    compare.add_argument("--all", action="store_true", help="show rows that did not change, too")


def read_share(text: str) -> float:
    """Return a share of 0 or more.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a share such as 0.25")
    return share
