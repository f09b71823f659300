"""What a run's values become: rows, tables, bounds, the page."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.bounds import BOUNDS, RECORDED, Bound, find_missed
from benchmarks.frame import Plan, Results, Series, draw_rows, make_rows
from benchmarks.page import PAGE, PICTURES, SECTIONS, write_page
from benchmarks.peers import PeerError, make_environ, read_peers
from logger_extension_cli.bench.measurements import read_measurement

RATIO = Series(case="pipeline", unit="us a line", relation="ratio", baseline="bare")
BILLED = Series(
    case="billed",
    unit="ms",
    relation="difference",
    baseline="none",
    parameters={"memory_mb": 1_024, "round_trip_ms": 20},
)


def make_results(ours: float = 12.0) -> Results:
    """Return a ratio of `ours` to 10, and 5 ms more than nothing, each of three rounds."""
    results = Results()
    for noise in (0.0, 4.0, 1.0):
        results.add(RATIO, "bare", 10.0 + noise)
        results.add(RATIO, "ours", (10.0 + noise) * ours / 10)
        results.add(BILLED, "none", 20.0 + noise)
        results.add(BILLED, "ours end", 25.0 + noise)
    return results


def test_effects_are_those_of_the_same_rounds() -> None:
    """What moves both of a round is in neither the effect nor its interval."""
    rows = {row.measured.subject: row for row in make_rows(make_results().measurements())}
    ratio, difference = rows["ours"].effect, rows["ours end"].effect
    assert ratio is not None
    assert difference is not None
    assert (ratio.low, ratio.median, ratio.high) == pytest.approx((1.2, 1.2, 1.2))
    assert (difference.low, difference.median, difference.high) == (5, 5, 5)
    assert rows["bare"].effect is None


def test_a_subject_without_a_baseline_has_no_effect() -> None:
    """It is shown all the same."""
    results = Results()
    results.add(RATIO, "ours", 1.0)
    rows = make_rows(results.measurements())
    assert [row.effect for row in rows] == [None]
    assert any("ours" in line for line in draw_rows(rows))


def test_a_run_can_be_written_and_read() -> None:
    """Each line says what it ran on."""
    for each in make_results().measurements():
        read = read_measurement(each.to_line())
        assert read == each
        assert read.machine["cpus"]


def test_notes_are_told_once() -> None:
    """However often a case meets the same obstacle."""
    results = Results()
    results.note("no cgroup")
    results.note("no cgroup")
    assert results.notes == ["no cgroup"]


@pytest.mark.parametrize(("ours", "missed"), [(14.9, 0), (15.1, 1)])
def test_bounds_look_at_the_effect(ours: float, missed: int) -> None:
    """1.5 times the baseline is the most in this bound, whatever the times are."""
    bound = Bound(case="pipeline", subject="ours", most=1.5)
    rows = make_rows(make_results(ours).measurements())
    assert len(find_missed(rows, [bound])) == missed


def test_a_bound_speaks_of_its_own_parameters_alone() -> None:
    """The same case with other parameters is another measurement."""
    rows = make_rows(make_results().measurements())
    tight = [
        Bound(case="billed", subject="ours end", most=1, parameters={"memory_mb": size})
        for size in (1_024, 128)
    ]
    assert len(find_missed(rows, tight)) == 1


@pytest.mark.parametrize(("case", "subject", "parameters", "ratio"), RECORDED)
@pytest.mark.parametrize(("growth", "missed"), [(1.0, 0), (1.2, 0), (1.3, 1)])
def test_what_was_recorded_is_guarded(
    case: str,
    subject: str,
    parameters: Mapping[str, str],
    ratio: float,
    growth: float,
    missed: int,
) -> None:
    """A regression of more than a quarter is caught, less is noise."""
    series = Series(case=case, unit="", relation="ratio", baseline="it", parameters=parameters)
    results = Results()
    results.add(series, "it", 1.0)
    results.add(series, subject, ratio * growth)
    assert len(find_missed(make_rows(results.measurements()))) == missed


@pytest.mark.parametrize(("ours", "missed"), [(4.0, 0), (6.0, 1)])
def test_a_margin_is_to_another_subject(ours: float, missed: int) -> None:
    """Ten times less than what the other adds to the baseline, whatever the times are."""
    parameters: dict[str, str | int | float] = {"round_trip_ms": 20, "cpu": "all"}
    series = replace(BILLED, case="response", parameters=parameters)
    results = Results()
    for subject, value in (("none", 20.0), ("SDK batch", 70.0), ("ours end", 20.0 + ours)):
        results.add(series, subject, value)
    assert len(find_missed(make_rows(results.measurements()))) == missed


@pytest.mark.parametrize(("growth", "missed"), [(1.0, 0), (1.2, 0), (1.3, 1)])
def test_receiving_is_guarded_beside_aiohttp(growth: float, missed: int) -> None:
    """2.2 times less was recorded; what is bare does not count, for it depends on the machine."""
    series = replace(RATIO, case="receiving", parameters={"posts": "in a row"})
    results = Results()
    for subject, value in (("bare", 1.0), ("aiohttp", 4.4), ("ours", 2.0 * growth)):
        results.add(series, subject, value)
    assert len(find_missed(make_rows(results.measurements()))) == missed


def test_every_case_with_a_bound_has_its_place_on_the_page() -> None:
    """A bound of a case that is not shown could not be understood."""
    assert {bound.case for bound in BOUNDS} <= {case for part in SECTIONS for case in part.cases}


def test_the_page_has_figures_price_and_machine(tmp_path: Path) -> None:
    """5 ms of 1 GB, a million times, are 5,000 GB s: 0.08 USD at list price."""
    measured = make_results().measurements()
    write_page(measured, ["no cgroup"], ["pipeline is over"], tmp_path)
    page = (tmp_path / PAGE).read_text()
    assert "| x 1.200 |" in page
    assert "| +0.08 |" in page
    assert "no cgroup" in page
    assert "pipeline is over" in page
    assert str(measured[0].machine["python"]) in page
    assert "](pictures" not in page


def test_other_ways_to_the_collector_stand_side_by_side(tmp_path: Path) -> None:
    """A product of settings is a table of effects, with a column for each round trip."""
    results = Results()
    for trip_ms, added_ms in ((1, 5.0), (500, 70.0)):
        for compression in ("gzip", "none"):
            parameters: dict[str, str | int | float] = {
                "round_trip_ms": trip_ms,
                "protocol": "http/json",
                "compression": compression,
            }
            series = replace(BILLED, case="response", parameters=parameters)
            results.add(series, "none", 1.0)
            results.add(series, "ours end", 1.0 + added_ms)
    write_page(results.measurements(), [], [], tmp_path)
    page = (tmp_path / PAGE).read_text()
    assert "| | 1 | 500 |" in page
    assert "| ours end, compression=none | +5 | +70 |" in page


def test_the_page_says_how_many_lines_a_core_sends_in_a_second(tmp_path: Path) -> None:
    """13.2 us for one are 75,758 of them."""
    write_page(make_results().measurements(), [], [], tmp_path)
    assert "| 75,758 |" in (tmp_path / PAGE).read_text()


def test_pictures_are_the_same_for_the_same_rows(tmp_path: Path) -> None:
    """So that a new run changes them only where figures have changed."""
    pytest.importorskip("matplotlib")
    results = Results()
    for case in ("response", "after_handler"):
        series = Series(case=case, unit="ms", relation="difference", baseline="none")
        results.add(series, "none", 1.0, 2.0)
        results.add(series, "ours", 3.0, 5.0)
        limited = replace(series, parameters={"cpu": "share", "memory_mb": 128})
        results.add(limited, "none", 1.0, 2.0)
        results.add(limited, "ours by share", 3.0, 5.0)
    drawn = []
    for name in ("one", "two"):
        write_page(results.measurements(), [], [], tmp_path / name)
        drawn.append((tmp_path / name / PICTURES / "invocation.svg").read_bytes())
        assert f"]({PICTURES}/invocation.svg)" in (tmp_path / name / PAGE).read_text()
    assert drawn[0] == drawn[1]
    texts = re.findall(r">([^<>]+)</text>", drawn[0].decode())
    assert "ours" in texts
    assert "ours by share" not in drawn[0].decode()


def test_plans_choose() -> None:
    """A trial is one round, of either selection."""
    assert Plan().rounds(2, 9) == 2
    assert Plan(is_full=True).rounds(2, 9) == 9
    assert Plan(is_full=True, is_trial=True).rounds(2, 9) == 1
    assert Plan(is_full=True, is_trial=True).choose("short", "full") == "full"
    assert Plan().warm_ups(3) == 3
    assert Plan(is_trial=True).warm_ups(3) == 0


def test_peers_are_read_and_adapted(tmp_path: Path) -> None:
    """An adapter names the collector in the peer's own variables."""
    (tmp_path / "extensions").mkdir()
    (peer,) = read_peers([f"theirs={tmp_path}"]).values()
    assert make_environ(peer, "127.0.0.1:4318") == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"
    }
    adapter = {"THEIR_COLLECTOR": "{host}|{port}|{endpoint}", "FIXED": "{1}"}
    (tmp_path / "benchmark.json").write_text(json.dumps(adapter))
    assert make_environ(peer, "127.0.0.1:4318") == {
        "THEIR_COLLECTOR": "127.0.0.1|4318|http://127.0.0.1:4318",
        "FIXED": "{1}",
    }


@pytest.mark.parametrize("word", ["theirs", "=DIR", "theirs=", "theirs=/nonexistent"])
def test_peers_that_cannot_be_run_are_refused(word: str) -> None:
    """Before anything has been measured."""
    with pytest.raises(PeerError):
        read_peers([word])


@pytest.mark.parametrize("adapter", ["{", "[]", '{"A": 1}'])
def test_adapters_that_cannot_be_read_are_refused(adapter: str, tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / "benchmark.json").write_text(adapter)
    with pytest.raises(PeerError, match=r"benchmark\.json"):
        make_environ(tmp_path, "127.0.0.1:4318")
