"""The parser of `logger-extension` with all its commands.

Knows where the arguments of each command stand, nothing of what commands do. Imports no more than
argparse, so that `--help` answers at once.
"""

import argparse

from logger_extension_cli import arguments
from logger_extension_cli.argument_types import add_command, positive
from logger_extension_cli.bench import arguments as bench
from logger_extension_cli.cost import arguments as cost
from logger_extension_cli.doctor import arguments as doctor

_EPILOG = """\
Each command has its own manual: logger-extension COMMAND --help

exit codes:
  0    done; any other number is in the command's manual
  2    an argument cannot be used
  130  ended by Ctrl-C; 143 by SIGTERM

example:
  logger-extension demo"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands."""
    parser = argparse.ArgumentParser(
        prog="logger-extension",
        description="Lambda telemetry on this machine: a local Lambda, the extension, a collector.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    arguments.add_demo(commands)
    arguments.add_run(commands)
    arguments.add_collector(commands)
    arguments.add_view(commands)
    cost.add_arguments(add_command(commands, "cost", cost.SUMMARY, cost.EPILOG))
    arguments.add_replay(commands)
    arguments.add_layer(commands)
    doctor.add_arguments(add_command(commands, "doctor", doctor.SUMMARY, doctor.EPILOG), positive)
    bench.add_arguments(add_command(commands, "bench", bench.SUMMARY, bench.EPILOG))
    arguments.add_completion(commands)
    return parser
