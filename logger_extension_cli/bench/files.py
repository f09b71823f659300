"""Two files of results, read and shown: the thin edge of `logger-extension bench compare`.

Owns the files and the table. Must not know what a change is.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from logger_extension_cli.bench.comparison import Change, Comparison, Verdict, compare, describe
from logger_extension_cli.bench.measurements import (
    Measurement,
    MeasurementError,
    read_measurements,
)
from logger_extension_cli.errors import UsageError


def compare_files(old_path: Path, new_path: Path, most_share: float, *, shows_all: bool) -> int:
    """Compare two runs, print the table and return the exit code.

    Args:
        old_path: JSON lines of the earlier run.
        new_path: of the later one.
        most_share: how much worse is a regression, as a share of what it was.
        shows_all: whether rows that did not change are shown, too.

    Raises:
        UsageError: a file cannot be read, or they have no row in common.
    """
    old, new = read_run(old_path), read_run(new_path)
    comparison = compare(old, new, most_share)
    if not comparison.changes:
        raise UsageError(f"{old_path} and {new_path} have no measurement in common")
    for line in (*draw_origins(old, new), *draw(comparison, shows_all=shows_all)):
        print(line)
    return 1 if comparison.regressions else 0


def read_run(path: Path) -> list[Measurement]:
    """Return the measurements of a file.

    Raises:
        UsageError: it cannot be read, or a line is no measurement.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return list(read_measurements(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    except MeasurementError as error:
        raise UsageError(f"{path}: {error}: give a file that `make bench` wrote") from error


def draw_origins(old: Sequence[Measurement], new: Sequence[Measurement]) -> Iterator[str]:
    """Yield what was compared, and a warning where the machines are not the same."""
    yield f"from {old[0].commit or 'unknown'} to {new[0].commit or 'unknown'}"
    if old[0].machine != new[0].machine:
        yield "the runs are of two machines: ratios may differ by that alone"


def draw(comparison: Comparison, *, shows_all: bool) -> Iterator[str]:
    """Yield the rows that changed, worst first, or all of them, and the sum at the end."""
    order = list(Verdict)
    rows = [each for each in comparison.changes if shows_all or each.verdict is not Verdict.SAME]
    if rows:
        yield f"{'':<12}{'old':>10}{'new':>10}{'change':>10}{'interval of 99 %':>22}"
    for each in sorted(rows, key=lambda row: order.index(row.verdict)):
        yield _draw_row(each)
    for sign, names in (("-", comparison.gone), ("+", comparison.added)):
        for name in names:
            yield f"{sign} {name}"
    counts = [(verdict, sum(e.verdict is verdict for e in comparison.changes)) for verdict in order]
    yield ", ".join(f"{count} {verdict.lower()}" for verdict, count in counts)


def _draw_row(each: Change) -> str:
    is_ratio = each.measured.relation == "ratio"
    unit = "of the baseline" if is_ratio else f"{each.measured.unit} more than the baseline"
    interval = f"{each.change.low:+.3g} to {each.change.high:+.3g}"
    return (
        f"{each.verdict:<12}{each.old:>10.4g}{each.new:>10.4g}{each.change.median:>+10.3g}"
        f"{interval:>22}  {describe(each.measured)} ({unit} {each.measured.baseline})"
    )
