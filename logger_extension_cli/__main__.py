"""The parser of `logger-extension` and its dispatch.

Knows the arguments and the exit codes, nothing of what the commands do: each is a module with
`execute(arguments)`, imported when it is asked for, so that `--help` answers at once.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from logger_extension_cli.bench import arguments as bench
from logger_extension_cli.doctor import arguments as doctor
from logger_extension_cli.errors import CommandError

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = build_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Logs hold any character; a terminal without UTF-8 shall show an escape, not a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    module = importlib.import_module(f"logger_extension_cli.{arguments.command}")
    execute: Callable[[argparse.Namespace], int] = module.execute
    try:
        code = execute(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has enough. Nothing may be written to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except CommandError as error:
        print(f"logger-extension {arguments.command}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands."""
    parser = argparse.ArgumentParser(
        prog="logger-extension",
        description="Lambda telemetry on this machine: a local Lambda, the extension, a collector.",
        epilog="Start with: logger-extension demo",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_run(commands)
    _add_collector(commands)
    _add_replay(commands)
    _add_layer(commands)
    doctor.add_arguments(_add_command(commands, "doctor", doctor.SUMMARY, doctor.EPILOG), _positive)
    bench.add_arguments(_add_command(commands, "bench", bench.SUMMARY, bench.EPILOG))
    return parser


_Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def _add_demo(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = _add_command(
        commands,
        "demo",
        "play a sample function with the extension and show what arrives",
        "exit codes:\n"
        "  0  everything that the function did and printed has arrived\n"
        "  1  something is missing; it is named\n\n"
        "example:\n  logger-extension demo",
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also save what is shown")


def _add_run(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = _add_command(
        commands,
        "run",
        "run your own Python handler in a local Lambda with the extension",
        "exit codes:\n"
        "  0  every invocation succeeded and everything has arrived\n"
        "  1  some of the telemetry has not arrived; it is named\n"
        "  2  the handler, the event or another argument cannot be used\n"
        "  3  an invocation failed\n\n"
        "example:\n"
        "  logger-extension run examples/hello/app.py:handler \\\n"
        "      --event examples/hello/event.json --memory 2048 --invocations 5",
    )
    parser.add_argument("handler", metavar="FILE:FUNCTION", help="such as path/app.py:handler")
    parser.add_argument("--event", type=Path, metavar="FILE", help="JSON payload (default: {})")
    parser.add_argument(
        "--invocations", type=_positive, default=1, metavar="N", help="how many (default: 1)"
    )
    parser.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="for the function; repeatable"
    )
    parser.add_argument(
        "--extensions",
        type=Path,
        metavar="DIR",
        help="start exactly the extensions of this folder instead of ours",
    )
    parser.add_argument(
        "--endpoint", metavar="URL", help="send to this OTLP collector instead of the built-in one"
    )
    _add_lambda(parser)


def _add_lambda(parser: argparse.ArgumentParser) -> None:
    """Add what makes one Lambda unlike another."""
    parser.add_argument(
        "--memory", type=_positive, default=128, metavar="MB", help="memory size (default: 128)"
    )
    parser.add_argument(
        "--timeout-ms", type=_positive, default=3_000, metavar="MS", help="default: 3000"
    )
    parser.add_argument(
        "--freeze-ms", type=_natural, default=100, metavar="MS", help="between invocations (100)"
    )
    parser.add_argument(
        "--init-type",
        default="on-demand",
        choices=("on-demand", "provisioned-concurrency", "snap-start", "lambda-managed-instances"),
        help="default: on-demand",
    )


def _add_collector(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = _add_command(
        commands,
        "collector",
        "receive OTLP over HTTP and print what arrives, until Ctrl-C",
        "exit codes:\n  0  ended by Ctrl-C or SIGTERM\n  2  the address cannot be listened on\n\n"
        "example:\n  logger-extension collector --port 4318",
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument(
        "--port", type=_port, default=4318, help="default: 4318; 0 takes any free one"
    )


def _add_replay(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = _add_command(
        commands,
        "replay",
        "send telemetry that the extension wrote to its fallback to a collector",
        "The collector is that of OTEL_EXPORTER_OTLP_*, unless --endpoint names one.\n\n"
        "exit codes:\n"
        "  0  all that was found is delivered\n"
        "  1  something is not delivered, or a line was cut and cannot be read\n"
        "  2  an argument cannot be used; nothing was sent\n\n"
        "example:\n"
        "  logger-extension replay events.json --endpoint http://collector:4318 --rest rest.jsonl\n"
        "  aws logs tail /aws/lambda/shop --since 1d --format short | logger-extension replay -",
    )
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="FILE",
        help="what CloudWatch's tools printed, a fallback's file or directory, or - for stdin",
    )
    parser.add_argument("--endpoint", metavar="URL", help="such as http://collector:4318")
    parser.add_argument(
        "--header", action="append", default=[], metavar="K=V", help="to send along; repeatable"
    )
    parser.add_argument("--protocol", choices=("http/protobuf", "http/json", "grpc"))
    parser.add_argument(
        "--tries",
        type=_positive,
        default=5,
        metavar="N",
        help="how often a request is sent to a collector that does not answer (default: 5)",
    )
    parser.add_argument(
        "--rest", type=Path, metavar="FILE", help="write what is not delivered to this new file"
    )
    parser.add_argument("--dry-run", action="store_true", help="send nothing, only count")


def _add_layer(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = _add_command(
        commands,
        "layer",
        "make the zip of the layer",
        "example:\n  logger-extension layer build --python 3.12 --arch arm64",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = _add_command(
        actions,
        "build",
        "make the zip that Lambda unpacks into /opt",
        "exit codes:\n"
        "  0  the zip is there\n"
        "  1  it cannot be built; there is no zip\n"
        "  2  an argument cannot be used\n\n"
        "example:\n"
        "  logger-extension layer build --python 3.12 --arch arm64\n"
        "  logger-extension layer build --bundle-python uv --arch x86_64 --output dist",
    )
    build.add_argument(
        "--python",
        metavar="VERSION",
        help="of the managed runtime: 3.11 to 3.14; with --bundle-python uv, the one to fetch",
    )
    build.add_argument("--arch", default="x86_64", metavar="ARCH", help="x86_64 (default) or arm64")
    build.add_argument(
        "--bundle-python",
        metavar="PREFIX|uv",
        help="carry an interpreter along, for any runtime: of this prefix, or fetched by uv",
    )
    build.add_argument(
        "--extra", action="append", default=[], metavar="NAME", help="grpc or aws; repeatable"
    )
    build.add_argument(
        "--output", type=Path, default=Path("dist"), metavar="DIR", help="default: dist"
    )


def _add_command(
    commands: "_Commands[argparse.ArgumentParser]", name: str, summary: str, epilog: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return int(text)


def _positive(text: str) -> int:
    if not (number := _natural(text)):
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _port(text: str) -> int:
    highest = 65_535
    if (number := _natural(text)) > highest:
        raise argparse.ArgumentTypeError(f"must be {highest} or less")
    return number


if __name__ == "__main__":
    sys.exit(main())
