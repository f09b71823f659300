"""An answer on stdout, in the form that was asked for, and in a picture.

Owns the choice of the form. Must not know what was asked.
"""

import argparse
import sys

from logger_extension_cli.cost.answer import Answer
from logger_extension_cli.cost.export import as_csv, as_json
from logger_extension_cli.cost.tables import print_answer
from logger_extension_cli.errors import UsageError
from logger_extension_cli.terminal import make_console
from otlp_viewer.text import clean_line


def show(answer: Answer, arguments: argparse.Namespace) -> None:
    """Draw the picture where one is wanted, then print.

    Raises:
        UsageError: the picture's file cannot be written.
    """
    if arguments.plot is not None and answer.rows:
        from logger_extension_cli.cost.plot import save_plot  # noqa: PLC0415 - needs matplotlib

        try:
            save_plot(answer, arguments.plot)
        except OSError as error:
            raise UsageError(f"--plot: cannot write {arguments.plot}: {error.strerror}") from error
    if arguments.json:
        print(as_json(answer))
    elif arguments.csv:
        # The lines have their ends already, as RFC 4180 has them.
        sys.stdout.write(as_csv(answer))
        for sentence in () if answer.rows else answer.sentences:
            print(f"logger-extension cost: {clean_line(sentence)}", file=sys.stderr)
    else:
        print_answer(answer, make_console())
