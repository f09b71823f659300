"""The errors of the command line.

CommandError        one line on stderr and an exit code of its own
└── UsageError      what was asked for cannot be done as asked: exit code 2, as argparse has it
"""


class CommandError(Exception):
    """Ends the command with `exit_code` and its message on stderr, without a traceback."""

    exit_code = 1


class UsageError(CommandError):
    """An argument that names what is not there or cannot be used; the message says which."""

    exit_code = 2
