"""`logger-extension cost`: what invocations and features cost, and whether a change would save.

Owns the order: check, ask, show. What asks and what shows is imported when it is needed, so that
`--help` of any command answers at once.
"""

# ruff: noqa: PLC0415  (see above)

import argparse

from logger_extension_cli.errors import UsageError
from logger_extension_cli.installed import require


def execute(arguments: argparse.Namespace) -> int:
    """Answer one question, print the answer and return the exit code.

    Raises:
        UsageError: an argument or the source cannot be used, or a library is missing.
    """
    if arguments.plot is not None:
        require("plot")
        if arguments.plot.suffix != ".svg":
            raise UsageError(f"--plot: {arguments.plot} does not end in .svg")
    if arguments.source.startswith("clickhouse:"):
        require("clickhouse")
    from logger_extension_cli.cost.asking import ask
    from logger_extension_cli.cost.output import show

    answer = ask(arguments)
    show(answer, arguments)
    return answer.exit_code
