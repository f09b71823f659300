"""`logger-extension doctor`: what the extension would do with these settings, and whether it works.

Owns the order of the checks and the exit code. All of them run, whatever one of them finds. The
checks are imported when they are asked for: `--help` answers at once, and libraries find the
function's variables.
"""

# ruff: noqa: PLC0415  (see above)

import argparse


def execute(arguments: argparse.Namespace) -> int:
    """Check everything, print the report and return the exit code.

    Raises:
        UsageError: a file or a variable that was named cannot be used.
    """
    from logger_extension_cli.doctor.function import read_function
    from logger_extension_cli.doctor.process import as_process_of
    from logger_extension_cli.doctor.rendering import print_report

    function = read_function(arguments)
    with as_process_of(function.environ):
        from logger_extension_cli.doctor.examination import examine

        report, masking = examine(
            function, is_offline=arguments.offline, timeout_ms=arguments.timeout_ms
        )
    is_strict: bool = arguments.strict
    print_report(
        report, masking, is_json=arguments.json, is_strict=is_strict, shows_all=arguments.all
    )
    return report.exit_code(is_strict=is_strict)
