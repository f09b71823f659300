"""The arguments of `logger-extension doctor`, and its manual.

Knows argparse alone: `--help` of any command reads this module.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

SUMMARY = "check settings, collectors and prices as the extension would find them"

EPILOG = """\
Without a file, the settings are those of this environment. With --function-config or --env-file
they are those of the files (an --env-file wins over a --function-config); of this environment only
AWS credentials count then, with which secrets are fetched. Secrets are never printed.

exit codes:
  0  no check has failed; there may be warnings
  1  a check has failed, or with --strict there is a warning
  2  an argument cannot be used; nothing was checked

example:
  logger-extension doctor --env OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318
  aws lambda get-function-configuration --function-name shop |
      logger-extension doctor --function-config - --strict"""


def add_arguments(parser: argparse.ArgumentParser, positive: Callable[[str], int]) -> None:
    """Add all of them; `positive` reads a number of 1 or more."""
    parser.add_argument(
        "--function-config",
        type=Path,
        metavar="FILE",
        help="what `aws lambda get-function-configuration` printed; - for stdin",
    )
    parser.add_argument(
        "--env-file", type=Path, metavar="FILE", help="K=V a line; # begins a line of comment"
    )
    parser.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="wins over all; repeatable"
    )
    parser.add_argument("--offline", action="store_true", help="open no connection")
    parser.add_argument("--all", action="store_true", help="show settings that are not set, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument("--strict", action="store_true", help="exit 1 on a warning, too")
    parser.add_argument(
        "--timeout-ms",
        type=positive,
        default=5_000,
        metavar="MS",
        help="the most that each step of a check may take (default: 5000)",
    )
