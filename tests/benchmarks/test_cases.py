"""Each case runs: one round of it, in a process of its own as `make bench` does."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.__main__ import CASES, main, run_case
from benchmarks.cases import throughput
from benchmarks.encoders import check, make_body, make_rows
from benchmarks.frame import Plan, Results, Series
from benchmarks.local_lambda import NOOP
from deploy.stage import REPOSITORY
from logger_extension_cli.bench.files import read_run
from logger_extension_cli.bench.measurements import Measurement

# Subjects that each case must have besides its baseline, by the measurement that it is named by.
SUBJECTS = {
    "startup": {"startup": {"no-op", "launcher", "bare Python", "raw socket"}},
    "cold_start": {
        "cold_start_init": {"none", "no-op", "ours", "SDK batch", "theirs"},
        "cold_start_answer": {"none", "no-op", "ours", "SDK batch", "theirs"},
    },
    "invocation": {
        "after_handler": {"no-op", "subscribed", "ours end", "ours overlap", "ours auto", "theirs"},
        "freshness": {"SDK simple", "SDK batch", "ours end", "ours overlap", "ours auto"},
    },
    "slowdown": {"handler_wall": {"no-op", "subscribed", "subscribed again", "ours", "theirs"}},
    "imports": {
        "imports_cpu": {"asyncio", "ours http://", "ours https://", "ours grpc"},
        "imports_memory": {"asyncio", "ours http://", "ours https://", "ours grpc"},
    },
    "receiving": {"receiving": {"bare", "ours", "aiohttp"}},
    "throughput": {
        "pipeline": {"bare", "ours", "SDK"},
        "decode": {"orjson", "ours"},
        "stages": {"protobuf and gzip", "decode", "encode", "gzip", "to JSON", "gzip of JSON"},
    },
    "memory_growth": {"memory_peak": {"bare Python", "ours"}},
}


def run_trial(case: str, folder: Path) -> list[Measurement]:
    """Run one round of a case with a peer; return what it wrote."""
    peer = folder / "peer"
    (peer / "extensions").mkdir(parents=True)
    (peer / "extensions" / "theirs").symlink_to(NOOP)
    output = folder / "not" / "there" / "run.jsonl"
    command = [sys.executable, "-m", "benchmarks", case, "--trial", "--output", str(output)]
    subprocess.run([*command, "--peer", f"theirs={peer}"], check=True, cwd=REPOSITORY)
    return read_run(output)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("case", CASES)
def test_a_case_measures_its_subjects_in_the_same_rounds(case: str, tmp_path: Path) -> None:
    """Every subject beside its baseline, with as many values."""
    measured = run_trial(case, tmp_path)
    for name, subjects in SUBJECTS[case].items():
        assert {each.subject for each in measured if each.case == name} >= subjects
    keys = Counter(each.key for each in measured)
    assert [key for key, count in keys.items() if count > 1] == []
    by_key = {each.key: each for each in measured}
    for each in measured:
        assert len(each.values) == len(by_key[each.baseline_key].values)


@pytest.mark.parametrize("is_json", [False, True])
def test_all_ways_of_encoding_come_to_the_same_records(*, is_json: bool) -> None:
    """Otherwise there is nothing to compare."""
    rows = make_rows(1, 50, is_json=is_json)
    body = make_body(rows, is_json=is_json)
    results = {name: encode(body, rows) for name, encode in throughput.WAYS.items()}
    check(results)
    other = make_rows(2, 50, is_json=is_json)
    results["ours"] = throughput.WAYS["ours"](make_body(other, is_json=is_json), other)
    with pytest.raises(SystemExit, match="ours"):
        check(results)


@pytest.mark.parametrize(("slow_attempts", "attempts", "missed"), [(0, 1, 0), (2, 3, 0), (3, 3, 1)])
def test_a_case_over_its_bound_is_tried_again(
    slow_attempts: int, attempts: int, missed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And missed only when every attempt was over it; what counts is the last one."""
    series = Series(
        case="pipeline",
        unit="us a line",
        relation="ratio",
        baseline="bare",
        parameters={"lines": "plain"},
    )
    ran: list[float] = []

    def measure(_plan: Plan, results: Results) -> None:
        ran.append(2.0 if len(ran) < slow_attempts else 1.0)
        results.add(series, "bare", 1.0)
        results.add(series, "ours", ran[-1])

    monkeypatch.setitem(CASES, "pipeline", measure)
    found = run_case("pipeline", Plan(), 3)
    assert len(ran) == attempts
    assert len(found.missed) == missed
    assert [list(each.values) for each in found.measured] == [[1.0], ran[-1:]]


@pytest.mark.parametrize("arguments", [["nonsense"], ["startup", "--peer", "x"]])
def test_what_cannot_be_run_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2, before anything is measured."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert arguments[-1] in capsys.readouterr().err
