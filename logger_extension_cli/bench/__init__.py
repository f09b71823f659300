"""`logger-extension bench compare`: what changed between two runs of the benchmarks.

What runs the benchmarks is `benchmarks/`, which is in the repository alone. How lines are read and
compared is imported when it is asked for, so that `--help` of any command answers at once.
"""

# ruff: noqa: PLC0415  (see above)

import argparse


def execute(arguments: argparse.Namespace) -> int:
    """Compare two files, print the table and return the exit code.

    Raises:
        UsageError: a file cannot be read, or they have no row in common.
    """
    from logger_extension_cli.bench.files import compare_files

    return compare_files(arguments.old, arguments.new, arguments.bound, shows_all=arguments.all)
