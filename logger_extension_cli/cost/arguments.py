"""The arguments of `logger-extension cost`, and its manual.

Knows argparse alone: `--help` of any command reads this module.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from logger_extension_cli.argument_types import (
    Commands,
    add_command,
    amount,
    moment,
    positive,
    share,
)

# Columns of invocations by the names that may be asked for.
FIELDS: Mapping[str, str] = {
    "function": "function",
    "version": "version",
    "alias": "alias",
    "memory": "memory_size_mb",
    "arch": "architecture",
    "region": "region",
    "cold": "is_cold_start",
}
ARCHITECTURES = ("x86_64", "arm64")
MEASURES: Mapping[str, str] = {
    "cost": "cost_usd",
    "billed": "billed_ms",
    "duration": "duration_ms",
}
TABLES = ("traces", "logs", "sums", "histograms", "exponential_histograms")
DEFAULT_TOP = 20

SUMMARY = "tell what invocations and features cost, and whether a change would save money"

_SOURCES = """\
SOURCE is the file of `logger-extension view --file`, a file or folder of OTLP/JSON lines (of the
OpenTelemetry Collector's file exporter, or the extension's own fallback), or a ClickHouse that a
collector writes to: clickhouse://user@host:8123/otel (the password in CLICKHOUSE_PASSWORD).
Needs: pip install 'logger-extension[cost]', for ClickHouse 'logger-extension[clickhouse]'
"""

_EXIT_CODES = """\
exit codes:
  0  answered
  1  there is not enough data for an answer; what is missing is said
  2  an argument or the source cannot be used
"""

EPILOG = f"""\
{_SOURCES}
{_EXIT_CODES}
example:
  logger-extension cost by function,memory store.duckdb
  logger-extension cost compare version 6 7 store.duckdb --function shop --since 7d
  logger-extension cost what-if --arch arm64 --memory 512 store.duckdb
  logger-extension cost features store.duckdb --plot features.svg"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the questions that can be asked, and what each needs."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="QUESTION")
    _add_by(actions)
    _add_compare(actions)
    _add_what_if(actions)
    _add_features(actions)


def _add_by(actions: Commands) -> None:
    parser = _add_question(
        actions,
        "by",
        "what invocations cost, by function, version, memory and the like",
        "logger-extension cost by function store.duckdb",
        "logger-extension cost by version,cold store.duckdb --function shop --csv",
    )
    parser.add_argument(
        "fields",
        type=_fields,
        metavar="FIELDS",
        help=f"one or more of {', '.join(FIELDS)}; joined by commas",
    )
    _add_source(parser)
    _add_top(parser, None)
    _add_prices(parser)


def _add_compare(actions: Commands) -> None:
    parser = _add_question(
        actions,
        "compare",
        "whether one version, memory size or the like costs less than another",
        "logger-extension cost compare version 6 7 store.duckdb --function shop",
        "logger-extension cost compare memory 512 1024 store.duckdb --measure duration",
    )
    parser.add_argument(
        "field", choices=tuple(FIELDS)[1:], metavar="FIELD", help=", ".join(tuple(FIELDS)[1:])
    )
    parser.add_argument("base", metavar="OLD", help="compare with these invocations; such as 6")
    parser.add_argument("other", metavar="NEW", help="these; such as 7 (of cold: cold or warm)")
    _add_source(parser)
    parser.add_argument(
        "--measure",
        choices=tuple(MEASURES),
        default="cost",
        help="cost of a request (default), billed duration, duration, of an invocation",
    )
    parser.add_argument(
        "--confidence",
        type=share,
        default=0.95,
        metavar="SHARE",
        help="of the interval (default: 0.95)",
    )
    _add_prices(parser)


def _add_what_if(actions: Commands) -> None:
    parser = _add_question(
        actions,
        "what-if",
        "what a request would cost on Arm, with another memory size, without the extension",
        "logger-extension cost what-if --arch arm64 store.duckdb",
        "logger-extension cost what-if --memory 512 --without-extension store.duckdb",
        about="Each change is told by itself, with its assumptions; without any, the other\n"
        "architecture and without the extension.\n\n",
    )
    parser.add_argument("--arch", choices=ARCHITECTURES, help="with this architecture")
    parser.add_argument(
        "--memory",
        type=positive,
        action="append",
        default=[],
        metavar="MB",
        help="with this memory size; repeatable",
    )
    parser.add_argument(
        "--without-extension", action="store_true", help="without what extensions take"
    )
    _add_source(parser)
    _add_prices(parser)


def _add_features(actions: Commands) -> None:
    parser = _add_question(
        actions,
        "features",
        "which features cost most, and whether they grow",
        "logger-extension cost features store.duckdb --since 7d",
        "logger-extension cost features store.duckdb --by-version --plot features.svg",
    )
    parser.add_argument("--by-version", action="store_true", help="tell versions apart")
    _add_source(parser)
    _add_top(parser, DEFAULT_TOP)


def _add_question(
    actions: Commands, name: str, summary: str, *examples: str, about: str = ""
) -> argparse.ArgumentParser:
    """Add a question with its manual and what all of them have."""
    lines = "".join(f"\n  {example}" for example in examples)
    parser = add_command(
        actions, name, summary, f"{about}{_SOURCES}\n{_EXIT_CODES}\nexample:{lines}"
    )
    which = parser.add_argument_group("which data")
    which.add_argument(
        "--function",
        action="append",
        default=[],
        dest="functions",
        metavar="NAME",
        help="only this function; repeatable",
    )
    moments = "such as 7d, 12h, 30m (before now), 2026-11-29 or 2026-11-29T18:00:00Z (UTC)"
    which.add_argument("--since", type=moment, metavar="TIME", help=moments)
    which.add_argument("--until", type=moment, metavar="TIME", help="the same; not included")
    which.add_argument(
        "--table",
        type=_table,
        action="append",
        default=[],
        dest="tables",
        metavar="KIND=NAME",
        help=f"another name of a table of {', '.join(TABLES)}; repeatable",
    )
    shown = parser.add_argument_group("how it is shown")
    form = shown.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object instead")
    form.add_argument("--csv", action="store_true", help="print the rows as CSV instead")
    shown.add_argument("--plot", type=Path, metavar="FILE", help="also draw it into this .svg")
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="where the telemetry is; see below")


def _add_top(parser: argparse.ArgumentParser, default: int | None) -> None:
    told = f"default: {default}" if default else "default: all"
    parser.add_argument(
        "--top", type=positive, default=default, metavar="N", help=f"only the dearest N ({told})"
    )


def _add_prices(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "your own prices",
        "instead of those that the extension knew; each invocation is priced anew",
    )
    group.add_argument(
        "--price-gb-second",
        type=_price_of_duration,
        action="append",
        default=[],
        metavar="PRICE",
        help="of a GB-second: USD, or ARCH=USD for one architecture; repeatable",
    )
    group.add_argument("--price-request", type=amount, metavar="USD", help="of one request")
    group.add_argument(
        "--discount", type=share, metavar="SHARE", help="off list prices of duration, such as 0.17"
    )


def _fields(text: str) -> tuple[str, ...]:
    """Return the columns that `function,memory` and the like name."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if "feature" in names:
        raise argparse.ArgumentTypeError(
            "features have a question of their own: logger-extension cost features"
        )
    if unknown := [name for name in names if name not in FIELDS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(FIELDS)}")
    return tuple(FIELDS[name] for name in names)


def _table(text: str) -> tuple[str, str]:
    kind, equals, name = text.partition("=")
    if kind not in TABLES or not equals or not name:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form KIND=NAME, with one of {', '.join(TABLES)}"
        )
    return kind, name


def _price_of_duration(text: str) -> tuple[str, float]:
    """Return architecture ('' for both) and price."""
    architecture, equals, price = text.rpartition("=")
    if equals and architecture not in ARCHITECTURES:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form [ARCH=]USD, with one of {', '.join(ARCHITECTURES)}"
        )
    if not (usd := amount(price)):
        raise argparse.ArgumentTypeError("a GB-second must cost more than 0")
    return architecture, usd
