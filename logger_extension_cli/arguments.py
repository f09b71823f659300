"""The arguments of the commands that are one module each, and their manuals.

Knows argparse alone: `--help` of any command reads this module.
"""

import argparse
from pathlib import Path

from logger_extension_cli.argument_types import (
    Commands,
    add_command,
    loopback,
    natural,
    port,
    positive,
)

_INIT_TYPES = ("on-demand", "provisioned-concurrency", "snap-start", "lambda-managed-instances")
SHELLS = ("bash", "zsh", "fish")


def add_demo(commands: Commands) -> None:
    """Add `demo`."""
    parser = add_command(
        commands,
        "demo",
        "play a sample function with the extension and show what arrives",
        "exit codes:\n"
        "  0  everything that the function did and printed has arrived\n"
        "  1  something is missing; it is named\n"
        "  2  --web: something is missing here to show it; it is named\n\n"
        "With --web the exit code is told at once and returned when the page is closed.\n\n"
        "example:\n"
        "  logger-extension demo\n"
        "  logger-extension demo --web",
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also save what is shown")
    parser.add_argument(
        "--web", action="store_true", help="show it in a browser too, until Ctrl-C: see `view`"
    )
    parser.add_argument(
        "--port", type=port, metavar="PORT", help="of --web (default: 4319, or a free one)"
    )


def add_run(commands: Commands) -> None:
    """Add `run`."""
    parser = add_command(
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
        "--invocations", type=positive, default=1, metavar="N", help="how many (default: 1)"
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
        "--memory", type=positive, default=128, metavar="MB", help="memory size (default: 128)"
    )
    parser.add_argument(
        "--timeout-ms", type=positive, default=3_000, metavar="MS", help="default: 3000"
    )
    parser.add_argument(
        "--freeze-ms", type=natural, default=100, metavar="MS", help="between invocations (100)"
    )
    parser.add_argument(
        "--init-type",
        default="on-demand",
        choices=_INIT_TYPES,
        metavar="TYPE",
        help=f"one of {', '.join(_INIT_TYPES)} (default: on-demand)",
    )


def add_collector(commands: Commands) -> None:
    """Add `collector`."""
    parser = add_command(
        commands,
        "collector",
        "receive OTLP over HTTP and print what arrives, until Ctrl-C",
        "exit codes:\n  0  ended by Ctrl-C or SIGTERM\n  2  the address cannot be listened on\n\n"
        "example:\n  logger-extension collector --port 4318",
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument(
        "--port", type=port, default=4318, help="default: 4318; 0 takes any free one"
    )


def add_view(commands: Commands) -> None:
    """Add `view`."""
    parser = add_command(
        commands,
        "view",
        "receive OTLP over HTTP and show it in a browser, until Ctrl-C",
        "Needs: pip install 'logger-extension[web]'\n\n"
        "exit codes:\n"
        "  0  ended by Ctrl-C or SIGTERM\n"
        "  2  the address or the file cannot be used, or what the page needs is not installed\n\n"
        "example:\n"
        "  logger-extension view\n"
        "  logger-extension view --file store.duckdb --port 4320 --open",
    )
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="keep it in this file (default: in memory)"
    )
    parser.add_argument(
        "--port", type=port, default=4319, help="default: 4319; 0 takes any free one"
    )
    parser.add_argument(
        "--host",
        type=loopback,
        default="127.0.0.1",
        help="an address of this machine alone (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--max-rows",
        type=positive,
        metavar="N",
        help="the most of each of logs, spans and data points; the oldest make room"
        " (default: 1000000)",
    )
    parser.add_argument("--open", action="store_true", help="open the page in your browser")


def add_replay(commands: Commands) -> None:
    """Add `replay`."""
    parser = add_command(
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
        type=positive,
        default=5,
        metavar="N",
        help="how often a request is sent to a collector that does not answer (default: 5)",
    )
    parser.add_argument(
        "--rest", type=Path, metavar="FILE", help="write what is not delivered to this new file"
    )
    parser.add_argument("--dry-run", action="store_true", help="send nothing, only count")


def add_layer(commands: Commands) -> None:
    """Add `layer`."""
    parser = add_command(
        commands,
        "layer",
        "make the zip of the layer",
        "exit codes: see `logger-extension layer build --help`\n\n"
        "example:\n  logger-extension layer build --python 3.12 --arch arm64",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = add_command(
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


def add_completion(commands: Commands) -> None:
    """Add `completion`."""
    parser = add_command(
        commands,
        "completion",
        "print what makes a shell complete these commands",
        "Needs: pip install 'logger-extension[viewer]'. Where each shell looks for the script:\n"
        "  bash  ~/.local/share/bash-completion/completions/logger-extension\n"
        "  zsh   a file _logger-extension in a folder of $fpath\n"
        "  fish  ~/.config/fish/completions/logger-extension.fish\n\n"
        "exit codes:\n  0  printed\n  2  a library is not installed\n\n"
        "example:\n"
        "  logger-extension completion bash > logger-extension.bash\n"
        "  logger-extension completion fish > ~/.config/fish/completions/logger-extension.fish",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")
