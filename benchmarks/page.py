"""docs/benchmarks.md: the tables of a run, what its figures mean, and the machine it ran on.

Owns the words and the order of the sections. Figures come from rows; pictures from pictures.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bounds import find_bounded
from benchmarks.frame import Row, draw_effect, draw_parameters, find_common, make_rows
from benchmarks.pictures import draw_pictures
from deploy.stage import REPOSITORY
from logger_extension.policy.prices import find_list_prices
from logger_extension_cli.bench.comparison import describe
from logger_extension_cli.bench.measurements import Measurement

DOCS = REPOSITORY / "docs"
PAGE = "benchmarks.md"
# What was changed because of these figures, before and after: written by hand.
CHANGES = Path(__file__).with_name("changes.md")
PICTURES = Path("pictures", "benchmarks")
REGION, ARCHITECTURE = "us-east-1", "x86_64"
MB_PER_GB = 1_024
# How telemetry usually goes to the collector.
USUAL = {"protocol": "http/protobuf", "compression": "gzip"}

INTRODUCTION = """\
# Benchmarks

Written by `make bench`; `make bench-full` measures more. All of it runs in a local Lambda with real
processes and real freezes, not on AWS. Subjects are run in turn, with a baseline among them, and
each is compared with the baseline of the same round: as a ratio (`x`) or as a difference (`+`,
`-`). What is printed is the median over `n` rounds with its bootstrap interval of 95 %. The last
column but one is the median itself, for orientation: it depends on the machine.

{machine}. Commit {commit}, {date}.

{verdict}
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: which cases it shows, and what they are."""

    title: str
    cases: Sequence[str]
    text: str
    picture: str = ""


SECTIONS = (
    Section(
        "Start",
        ("startup", "startup_of_python", "imports_cpu", "imports_memory"),
        "From exec to the answer of the registration. Lambda starts the runtime only after every\n"
        "extension has registered, so no cold start can hide this part. What Python imports comes\n"
        "after it: above 1,769 MB beside the runtime's own init, below before init is over.",
    ),
    Section(
        "Cold start",
        ("cold_start_init", "cold_start_answer", "cold_start_billed"),
        "The init phase, init with the response of the first invocation, and with all of the\n"
        "first invocation. The runtimes wait\n"
        "20, 150 and 1,000 ms; `awslambdaric` is AWS's own for Python, where the SDK in the\n"
        "handler is a subject too.",
        "cold-start",
    ),
    Section(
        "An invocation",
        ("response", "after_handler", "billed", "freshness", "sent_bytes"),
        "`response` is what the caller waits for, `after_handler` what extensions take after\n"
        "the runtime is done, `billed` the whole phase. `freshness` is from the handler's last\n"
        "line to the collector; functions take turns here, and what goes out beside the next\n"
        "handler waits for its turn. `subscribed` is the no-op with a telemetry subscription: the\n"
        "local Lambda has the work of posting the lines then, which on AWS is done elsewhere. The\n"
        "SDK runs in the handler and is flushed before it returns.",
        "invocation",
    ),
    Section(
        "The handler meanwhile",
        ("handler_wall", "cpu_taken"),
        "The handler's wall clock, and the extension's CPU time while the handler runs as per\n"
        "cent of the handler's. `subscribed again` is the noise floor of the first.",
    ),
    Section(
        "Throughput",
        ("receiving", "pipeline", "decode", "stages", "growth", "unit_cost"),
        "Microseconds of CPU time: of a POST of Lambda's that is received, and of a log line.\n"
        "`bare` is orjson, protobuf's `.add()` and gzip 1\n"
        "by code that knows these very lines. `growth` is the exponent k of cost = a * number**k.",
    ),
    Section(
        "Memory",
        ("memory_peak", "memory_growth", "invocation_cpu"),
        "Resident memory of the extension's Python, in MB of 1,048,576 bytes, and its CPU time an\n"
        "invocation, at eight checkpoints in as many invocations from each other. The growth of\n"
        "CPU time with the number of invocations is in the table above.",
        "growth",
    ),
)


def write_page(
    measured: Sequence[Measurement],
    notes: Sequence[str],
    missed: Sequence[str],
    docs: Path = DOCS,
) -> None:
    """Write the page and its pictures below `docs`.

    Args:
        measured: all of a run, one or more.
        notes: what could not be done on this machine.
        missed: a sentence for each bound that was missed.
        docs: where the page lies.
    """
    rows = make_rows(measured)
    pictures = draw_pictures(rows, docs / PICTURES)
    lines = [_draw_head(measured[0], notes, missed), *_draw_bounded(rows)]
    for section in SECTIONS:
        lines += _draw_section(section, rows, pictures)
    lines.append(CHANGES.read_text())
    (docs / PAGE).write_text("\n".join(lines).rstrip() + "\n")


def _draw_head(first: Measurement, notes: Sequence[str], missed: Sequence[str]) -> str:
    machine = first.machine
    verdict = "Every bound of `benchmarks/bounds.py` was kept; these are they:"
    if missed:
        verdict = "Bounds that were missed, of those in the table:\n\n" + "\n".join(
            f"- {each}" for each in missed
        )
    if notes:
        verdict = "Noted:\n\n" + "\n".join(f"- {each}" for each in notes) + "\n\n" + verdict
    return INTRODUCTION.format(
        machine=f"{machine['cpus']} x {machine['cpu']}, {machine['system']}, Python"
        f" {machine['python']}",
        commit=first.commit,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        verdict=verdict,
    )


def _draw_bounded(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table of what has a bound."""
    yield "| | at most | measured | interval |\n|---|--:|--:|--:|"
    for row, _, most in find_bounded(rows):
        yield f"| {describe(row.measured)} | {most:.3g} | {' | '.join(draw_effect(row))} |"
    yield ""


def _draw_section(section: Section, rows: Sequence[Row], pictures: Sequence[str]) -> Iterator[str]:
    of_section = {
        case: of_case
        for case in section.cases
        if (of_case := [row for row in rows if row.measured.case == case])
    }
    if not of_section:
        return
    yield f"## {section.title}\n\n{section.text}\n"
    if section.picture in pictures:
        yield f"![{section.title}]({PICTURES.as_posix()}/{section.picture}.svg)\n"
    for case, of_case in of_section.items():
        for column, found in _split(of_case).items():
            yield from _draw_pivot(case, column, found) if column else _draw_table(case, found)


def _split(rows: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
    """Return the rows of a case by the parameter that their table has columns of, "" for none.

    A full run has a product of settings: of those, only effects are shown, side by side.
    """
    tables: dict[str, list[Row]] = {}
    for row in rows:
        parameters = row.measured.parameters
        column = ""
        if parameters.get("cpu") == "share":
            column = "memory_mb"
        elif any(parameters.get(name, value) != value for name, value in USUAL.items()):
            column = "round_trip_ms"
        tables.setdefault(column, []).append(row)
    return tables


def _draw_pivot(case: str, column: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield a table of effects with a column for each value of a parameter."""
    common = find_common(rows)
    effects: dict[str, dict[str | int | float, str]] = {}
    for row in rows:
        if row.effect is None:
            continue
        parameters = row.measured.parameters
        rest = {k: v for k, v in parameters.items() if k not in common and k != column}
        cells = effects.setdefault(f"{row.measured.subject}{draw_parameters(rest)}", {})
        price = f" ({_draw_price(row)} USD)" if case == "billed" else ""
        cells[parameters[column]] = draw_effect(row)[0] + price
    values = sorted({row.measured.parameters[column] for row in rows}, key=float)
    first = rows[0].measured
    yield (
        f"`{case}` in {first.unit}, to {first.baseline}, by {column}"
        f"{draw_parameters({k: v for k, v in common.items() if k != column})}:\n"
    )
    yield f"| | {' | '.join(map(str, values))} |"
    yield "|---" + "|--:" * len(values) + "|"
    for name, cells in effects.items():
        yield f"| {name} | {' | '.join(cells.get(value, '') for value in values)} |"
    yield ""


def _draw_table(case: str, rows: Sequence[Row]) -> Iterator[str]:
    common = find_common(rows)
    unit = rows[0].measured.unit
    more: Mapping[str, Callable[[Row], str]] = {}
    if case == "billed":
        more = {f"USD a million ({REGION})": _draw_price}
    elif unit == "us a line":
        more = {"lines a second and core": lambda row: f"{1e6 / row.value.median:,.0f}"}
    yield f"`{case}` in {unit}{draw_parameters(common)}:\n"
    heads = ["", f"to {rows[0].measured.baseline}", "interval", "median", "n", *more]
    yield f"| {' | '.join(heads)} |"
    yield "|---" + "|--:" * (len(heads) - 1) + "|"
    for row in rows:
        rest = {k: v for k, v in row.measured.parameters.items() if k not in common}
        effect, interval = draw_effect(row)
        cells = [
            f"{row.measured.subject}{draw_parameters(rest)}",
            effect,
            interval,
            f"{row.value.median:.4g}",
            str(len(row.measured.values)),
            *(draw(row) for draw in more.values()),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _draw_price(row: Row) -> str:
    """Return what a million invocations cost more than without, at list price."""
    usd = find_list_prices(REGION, ARCHITECTURE).gb_second
    if row.effect is None or usd is None:
        return ""
    added_s = row.effect.median / 1_000
    memory_gb = float(row.measured.parameters["memory_mb"]) / MB_PER_GB
    return f"{added_s * memory_gb * usd * 1e6:+.2f}"
