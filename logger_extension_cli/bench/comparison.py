"""What changed between two runs beyond the noise, and what got worse beyond a bound.

Pure. Compares effects (ratio to or difference from the baseline of the same run), never times: two
runs of one commit may be far apart in time, on a machine that is faster or slower by then.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from logger_extension_cli.bench.estimates import Estimate, estimate_change, find_effects
from logger_extension_cli.bench.measurements import Key, Measurement

# There are many rows: of a hundred that did not change, 95 % would have five changed by chance.
CONFIDENCE = 0.99
# Of fewer the interval says nothing: then only what is beyond the bound is a change.
LEAST_ROUNDS = 5


class Verdict(StrEnum):
    """What became of a row."""

    REGRESSION = "REGRESSION"
    WORSE = "worse"
    BETTER = "better"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """One row that both runs have.

    Attributes:
        measured: the new one.
        old: median of the effects of the old run.
        new: of the new run.
        change: `new` less `old`, with its interval of 99 %.
        verdict: what that means.
    """

    measured: Measurement
    old: float
    new: float
    change: Estimate
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows of both runs, and the names of rows that only one of them has."""

    changes: Sequence[Change]
    gone: Sequence[str]
    added: Sequence[str]

    @property
    def regressions(self) -> list[Change]:
        """What got worse beyond the bound."""
        return [each for each in self.changes if each.verdict is Verdict.REGRESSION]


def compare(
    old: Sequence[Measurement], new: Sequence[Measurement], most_share: float
) -> Comparison:
    """Compare two runs.

    Args:
        old: the lines of the earlier run.
        new: those of the later one.
        most_share: a change for the worse of more than this share of the old effect (0.25 is a
            quarter) is a regression.
    """
    before, after = _index(old), _index(new)
    return Comparison(
        changes=[
            _compare_row(*before[key], *after[key], most_share) for key in after if key in before
        ],
        gone=[describe(before[key][0]) for key in before if key not in after],
        added=[describe(after[key][0]) for key in after if key not in before],
    )


def describe(measured: Measurement) -> str:
    """Return the name of a row: case, subject and parameters."""
    parameters = " ".join(f"{name}={value}" for name, value in measured.parameters.items())
    return f"{measured.case}: {measured.subject} {parameters}".rstrip()


def _index(run: Sequence[Measurement]) -> Mapping[Key, tuple[Measurement, Sequence[float]]]:
    """Return each measurement that has a baseline in its run, with its effects."""
    by_key = {each.key: each for each in run}
    return {
        each.key: (each, effects)
        for each in run
        if each.subject != each.baseline
        and (base := by_key.get(each.baseline_key)) is not None
        and (effects := find_effects(each, base))
    }


def _compare_row(
    _old: Measurement,
    old_effects: Sequence[float],
    measured: Measurement,
    new_effects: Sequence[float],
    most_share: float,
) -> Change:
    before, after = statistics.median(old_effects), statistics.median(new_effects)
    change = estimate_change(old_effects, new_effects, CONFIDENCE)
    most = max(most_share * abs(before), measured.least_change)
    is_beyond_noise = change.low > 0 or change.high < 0
    if min(len(old_effects), len(new_effects)) < LEAST_ROUNDS:
        is_beyond_noise = abs(change.median) > most
    verdict = Verdict.SAME
    if is_beyond_noise and abs(change.median) >= measured.least_change:
        verdict = Verdict.WORSE if change.median > 0 else Verdict.BETTER
        if change.median > most:
            verdict = Verdict.REGRESSION
    return Change(measured, before, after, change, verdict)
