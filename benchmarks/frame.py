"""The frame of all benchmarks: what a case is asked for, and where its values go.

A case is a function of a Plan and Results. It runs its subjects in turn, A B A B, with a baseline
among them, and adds one value a subject and round. What is printed is never a time alone but how it
compares with that of the baseline in the same rounds: see `logger_extension_cli/bench`.
"""

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from deploy.stage import REPOSITORY
from logger_extension_cli.bench.estimates import Estimate, estimate_median, find_effects
from logger_extension_cli.bench.measurements import Key, Measurement, Parameters, Relation

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is to be run.

    Attributes:
        is_full: everything; otherwise a selection that takes about 3 minutes in all.
        is_trial: one round of each, to see that all of it works; the figures mean nothing.
        peers: extensions of others: name to a folder that stands for /opt.
    """

    is_full: bool = False
    is_trial: bool = False
    peers: Mapping[str, Path] = field(default_factory=dict)

    def choose(self, short: T, full: T) -> T:
        """Return what this plan asks for."""
        return full if self.is_full else short

    def rounds(self, short: int, full: int) -> int:
        """Return how often a case is repeated."""
        return 1 if self.is_trial else self.choose(short, full)

    def warm_ups(self, count: int) -> int:
        """Return how many rounds go before those that count; a trial has none."""
        return 0 if self.is_trial else count


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What values of several subjects have in common: see `Measurement`."""

    case: str
    unit: str
    relation: Relation
    baseline: str
    least_change: float = 0.0
    parameters: Parameters = field(default_factory=dict)


class Results:
    """Values as they come. Mutable: the only thing here that is."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._values: dict[tuple[str, str, tuple[tuple[str, object], ...]], list[float]] = {}
        self._series: list[tuple[Series, str, list[float]]] = []

    def add(self, series: Series, subject: str, *values: float) -> None:
        """Add the values of a subject's next rounds."""
        key = (series.case, subject, tuple(sorted(series.parameters.items())))
        if key not in self._values:
            self._values[key] = []
            self._series.append((series, subject, self._values[key]))
        self._values[key].extend(values)

    def note(self, sentence: str) -> None:
        """Say once what could not be done."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def measurements(self) -> list[Measurement]:
        """Return what was added, one for each series and subject."""
        machine, commit = describe_machine(), find_commit()
        return [
            Measurement(
                case=series.case,
                subject=subject,
                baseline=series.baseline,
                parameters=series.parameters,
                unit=series.unit,
                relation=series.relation,
                values=values,
                least_change=series.least_change,
                machine=machine,
                commit=commit,
            )
            for series, subject, values in self._series
        ]


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement with its figures; `effect` is None for a baseline, and without one."""

    measured: Measurement
    value: Estimate
    effect: Estimate | None


def make_rows(measured: Sequence[Measurement]) -> list[Row]:
    """Return a row for each measurement, in their order."""
    by_key: dict[Key, Measurement] = {each.key: each for each in measured}
    rows = []
    for each in measured:
        base = by_key.get(each.baseline_key)
        effects = find_effects(each, base) if base is not None and base is not each else []
        effect = estimate_median(effects) if effects else None
        rows.append(Row(each, estimate_median(each.values), effect))
    return rows


def draw_rows(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a table for each case: the effect first, the value itself for orientation."""
    head = f"{'to baseline':>12}{'interval of 95 %':>22}{'median':>12}{'n':>5}"
    for case in dict.fromkeys(row.measured.case for row in rows):
        of_case = [row for row in rows if row.measured.case == case]
        common = find_common(of_case)
        unit = of_case[0].measured.unit
        yield f"{case}, {unit}{draw_parameters(common)}"
        yield f"  {'':<46}{head}"
        for row in of_case:
            rest = {k: v for k, v in row.measured.parameters.items() if k not in common}
            effect, interval = draw_effect(row)
            name = f"{row.measured.subject}{draw_parameters(rest)}"
            yield (
                f"  {name:<46}{effect:>12}{interval:>22}{row.value.median:>12.4g}"
                f"{len(row.measured.values):>5}"
            )


def find_common(rows: Sequence[Row]) -> dict[str, str | int | float]:
    """Return the parameters that all of these rows share."""
    first = dict(rows[0].measured.parameters)
    return {
        name: value
        for name, value in first.items()
        if all(row.measured.parameters.get(name) == value for row in rows)
    }


def draw_parameters(parameters: Parameters) -> str:
    """Return parameters as they stand behind a name; nothing if there are none."""
    return "".join(f", {name}={value}" for name, value in parameters.items())


def draw_effect(row: Row) -> tuple[str, str]:
    """Return the effect and its interval as they are printed."""
    if row.effect is None:
        is_baseline = row.measured.subject == row.measured.baseline
        return ("baseline" if is_baseline else "-"), ""
    is_ratio = row.measured.relation == "ratio"
    form = "{:.3f}" if is_ratio else "{:+.3g}"
    effect = "x " + form if is_ratio else form
    return (
        effect.format(row.effect.median),
        f"{form.format(row.effect.low)} to {form.format(row.effect.high)}",
    )


def describe_machine() -> dict[str, str | int]:
    """Return what figures depend on."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": os.cpu_count() or 1,
        "cpu": _read_cpu_model(),
        "python": platform.python_version(),
    }


def _read_cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown"
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "unknown")


def find_commit() -> str:
    """Return the commit of the checkout, with `+` where files differ from it."""
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
