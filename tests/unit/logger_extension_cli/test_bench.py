"""`logger-extension bench compare`: lines, estimates, what is a change, exit codes."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension_cli.__main__ import main
from logger_extension_cli.bench.comparison import Verdict, compare
from logger_extension_cli.bench.estimates import (
    estimate_change,
    estimate_median,
    find_effects,
    fit_exponent,
)
from logger_extension_cli.bench.measurements import (
    Measurement,
    MeasurementError,
    Relation,
    read_measurement,
    read_measurements,
)

ROUNDS = 40
FINITE = st.floats(min_value=-1e9, max_value=1e9)


def measure(
    subject: str,
    values: Sequence[float],
    *,
    relation: Relation = "ratio",
    least_change: float = 0.0,
    case: str = "cost",
) -> Measurement:
    """Return a measurement against the subject `base`."""
    return Measurement(
        case=case,
        subject=subject,
        baseline="base",
        parameters={"lines": 10},
        unit="ms",
        relation=relation,
        values=values,
        least_change=least_change,
        machine={"cpus": 2},
        commit="abc",
    )


def make_noise(seed: int, middle: float, spread: float) -> list[float]:
    """Return values around a middle."""
    drawn = random.Random(seed)  # noqa: S311  (the same in every run)
    return [middle + drawn.uniform(-spread, spread) for _ in range(ROUNDS)]


def make_run(middle: float, seed: int, relation: Relation = "ratio") -> list[Measurement]:
    """Return a baseline of 10 and a subject around a middle."""
    return [
        measure("base", make_noise(seed, 10, 0.5), relation=relation),
        measure("ours", make_noise(seed + 1, middle, 0.5), relation=relation),
    ]


def write_run(path: Path, run: Sequence[Measurement]) -> str:
    """Write a run as JSON lines; return the path as an argument."""
    path.write_text("".join(each.to_line() + "\n" for each in run))
    return str(path)


def test_a_line_is_read_as_it_was_written() -> None:
    """Nothing is lost on the way through a file."""
    written = measure("ours", [1.5, 2.0], relation="difference", least_change=0.2)
    assert read_measurement(written.to_line()) == written


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "3",
        "{}",
        measure("a", []).to_line(),
        measure("a", [1.0]).to_line().replace("[1.0]", '["x"]'),
        measure("a", [1.0]).to_line().replace("ratio", "sum"),
    ],
)
def test_what_is_no_measurement_is_told_with_its_line(line: str) -> None:
    """The number of the line is in the message, so that it can be found."""
    good = measure("a", [1.0]).to_line()
    with pytest.raises(MeasurementError, match="line 3 "):
        list(read_measurements([good, "\n", line]))


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_the_interval_holds_the_median_and_stays_within_the_values(values: list[float]) -> None:
    """Whatever the values are."""
    found = estimate_median(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


def test_more_values_make_a_narrower_interval() -> None:
    """What repetition is for."""
    drawn = random.Random(7)  # noqa: S311  (the same in every run)
    values = [drawn.gauss(10, 1) for _ in range(400)]
    few, many = estimate_median(values[:10]), estimate_median(values)
    assert many.high - many.low < few.high - few.low


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of experiments with a known median, about 95 % have it in their interval."""
    drawn = random.Random(3)  # noqa: S311  (the same in every run)
    found = [estimate_median([drawn.gauss(5, 2) for _ in range(30)]) for _ in range(100)]
    covered = sum(each.low <= 5 <= each.high for each in found)
    assert 90 <= covered <= 99


def test_pairs_cancel_what_moves_both() -> None:
    """A machine that is slow for one round is slow for both of its values."""
    base = [10.0, 90.0, 11.0]
    ours = measure("ours", [value + 1 for value in base], relation="difference")
    assert find_effects(ours, measure("base", base)) == [1.0, 1.0, 1.0]


def test_rounds_that_only_one_has_are_left_out() -> None:
    """A subject that was started later than the baseline."""
    assert find_effects(measure("ours", [4.0, 4.0]), measure("base", [2.0])) == [2.0]


def test_change_of_the_same_values_is_none() -> None:
    """And its interval holds 0."""
    values = make_noise(1, 10, 2)
    found = estimate_change(values, values)
    assert found.median == 0
    assert found.low <= 0 <= found.high


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_exponents_are_found(exponent: float) -> None:
    """Of a cost that grows by a power."""
    sizes = [10, 100, 1_000, 10_000]
    assert fit_exponent(sizes, [3 * size**exponent for size in sizes]) == pytest.approx(exponent)


def test_no_exponent_of_one_size() -> None:
    """A curve needs two points."""
    with pytest.raises(ValueError, match="1 sizes"):
        fit_exponent([10], [1.0])


@pytest.mark.parametrize(
    ("middle", "verdict"),
    [
        (20.0, Verdict.SAME),
        (21.0, Verdict.WORSE),
        (30.0, Verdict.REGRESSION),
        (15.0, Verdict.BETTER),
    ],
)
@pytest.mark.parametrize("relation", ["ratio", "difference"])
def test_verdicts(middle: float, verdict: Verdict, relation: Relation) -> None:
    """Of a subject that took 20 before: noise is no change, a quarter more is a regression."""
    old, new = make_run(20.0, 1, relation), make_run(middle, 5, relation)
    assert [each.verdict for each in compare(old, new, 0.25).changes] == [verdict]


def test_what_nobody_notices_is_no_change() -> None:
    """Three times as much of next to nothing is next to nothing."""
    base = measure("base", [10.0] * ROUNDS)
    old, new = (
        measure("ours", [value] * ROUNDS, relation="difference", least_change=0.5)
        for value in (10.1, 10.3)
    )
    assert compare([base, old], [base, new], 0.25).changes[0].verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(11.0, Verdict.SAME), (13.0, Verdict.REGRESSION), (9.0, Verdict.SAME), (7.0, Verdict.BETTER)],
)
def test_of_few_values_only_what_is_beyond_the_bound_is_a_change(
    value: float, verdict: Verdict
) -> None:
    """One value has no noise that could be seen."""
    base = measure("base", [10.0])
    old, new = measure("ours", [10.0]), measure("ours", [value])
    assert compare([base, old], [base, new], 0.25).changes[0].verdict is verdict


def test_rows_of_one_run_are_named() -> None:
    """What is no longer measured must not pass for what did not change."""
    base, ours = make_run(20.0, 1)
    other = measure("theirs", ours.values)
    found = compare([base, ours], [base, other], 0.25)
    assert found.changes == []
    assert (found.gone, found.added) == (["cost: ours lines=10"], ["cost: theirs lines=10"])


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 without a regression, 1 with one, which is named."""
    old = write_run(tmp_path / "old", make_run(20.0, 1))
    new = write_run(tmp_path / "new", make_run(30.0, 5))
    assert main(["bench", "compare", old, old]) == 0
    assert "REGRESSION" not in capsys.readouterr().out
    assert main(["bench", "compare", old, new]) == 1
    assert "cost: ours lines=10" in capsys.readouterr().out
    assert main(["bench", "compare", old, new, "--bound", "0.6"]) == 0
    assert main(["bench", "compare", new, old]) == 0


def test_what_cannot_be_compared_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2: a file that is not there, that is none of ours, or of other cases."""
    good = write_run(tmp_path / "good", make_run(20.0, 1))
    other = write_run(tmp_path / "other", [measure("ours", [1.0], case="another")])
    bad = tmp_path / "bad"
    bad.write_text("{}\n")
    for new in (str(tmp_path / "none"), str(bad), other):
        assert main(["bench", "compare", good, new]) == 2
        assert new in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "compare", good, good, "--bound", "-1"])
