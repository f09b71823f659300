"""`logger-extension cost` over a story whose truth is known, from a store and from a folder."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from logger_extension_cli.__main__ import main
from otlp_viewer.database import Database
from tests.support.command_line import REPOSITORY
from tests.support.telemetry_facts import PROFILES, Facts
from tests.support.telemetry_lines import write_story
from tests.support.telemetry_story import make_story

STORY = make_story(functions=len(PROFILES), invocations=1_500)
# The keys that docs/cost.md describes, by question.
KEYS = {
    "by": {
        *("function", "invocations", "errors", "cold_starts", "priced", "cost_usd", "mean_usd"),
        *("cost_p50_usd", "cost_p90_usd", "cost_p99_usd", "init_share", "extension_share"),
        *("billed_ms", "duration_p50_ms", "duration_p90_ms", "duration_p99_ms"),
    },
    "compare": {
        *("value", "invocations", "measured", "mean", "cold_share"),
        *("difference", "difference_low", "difference_high"),
        *("relative", "relative_low", "relative_high"),
    },
    "what-if": {
        *("function", "region", "architecture", "memory_size_mb", "invocations", "priced"),
        *("change", "now_usd", "then_usd", "then_low_usd", "then_high_usd"),
        *("relative", "relative_low", "relative_high", "assumptions", "not_enough_data"),
    },
    "features": {
        *("function", "version", "feature", "usd", "share", "direction"),
        *("change", "change_low", "change_high", "trend_missing", "course_usd"),
    },
}
QUESTIONS: dict[str, tuple[str, ...]] = {
    "by": ("by", "function"),
    "compare": ("compare", "version", "7", "8", "--function", "shop-checkout"),
    "what-if": ("what-if", "--memory", "512"),
    "features": ("features",),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story in a file of the viewer."""
    path = tmp_path_factory.mktemp("cost") / "store.duckdb"
    with Database(path) as database:
        database.add_spans(STORY.spans)
        database.add_logs(STORY.logs)
        database.add_metrics(STORY.metrics)
    return path


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story in a folder of OTLP/JSON lines."""
    folder = tmp_path_factory.mktemp("lines")
    write_story(STORY, folder)
    return folder


def ask(
    capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0
) -> dict[str, Any]:
    """Return the JSON of an answer, checked to come with an exit code and nothing on stderr."""
    assert main(["cost", *map(str, arguments), "--json"]) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    answer: dict[str, Any] = json.loads(captured.out)
    assert answer["exit_code"] == code
    assert answer["has_enough_data"] is (code == 0)
    return answer


def facts_of(function: str) -> Sequence[Facts]:
    """Return what is known of a function's invocations."""
    return [facts for facts in STORY.facts if facts.profile.name == function]


def test_every_function_as_it_was(
    store: Path, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts, costs and billed time, the same from either source."""
    answer = ask(capsys, "by", "function", store)
    rows = {row["function"]: row for row in answer["rows"]}
    assert set(rows) == {profile.name for profile in PROFILES}
    for function, row in rows.items():
        facts = facts_of(function)
        costs = [each.cost_usd for each in facts if each.cost_usd is not None]
        assert row["invocations"] == len(facts)
        assert row["errors"] == sum(bool(each.error_type) for each in facts)
        assert row["cold_starts"] == sum(each.is_cold_start for each in facts)
        assert row["priced"] == len(costs)
        assert row["cost_usd"] == (pytest.approx(sum(costs)) if costs else None)
        assert row["billed_ms"] == sum(each.billed_ms or 0 for each in facts)
    for row in ask(capsys, "by", "function", lines)["rows"]:
        assert row == {
            # A sum of floats differs in its last digit by the order of the rows.
            key: pytest.approx(value) if isinstance(value, float) else value
            for key, value in rows[row["function"]].items()
        }
    assert sum("unknown" in note or "not known" in note for note in answer["notes"]) == 1


@pytest.mark.parametrize(
    "fields",
    ["function,version", "memory", "arch", "region", "alias", "cold", "version,memory,arch,cold"],
)
def test_every_field(store: Path, capsys: pytest.CaptureFixture[str], fields: str) -> None:
    """The groups are all invocations, each once."""
    rows = ask(capsys, "by", fields, store)["rows"]
    assert sum(row["invocations"] for row in rows) == len(STORY.facts)
    assert main(["cost", "by", fields, str(store)]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_only_some(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By function, by time, and the dearest ones, with what is left out told."""
    chosen = ("--function", "shop-checkout", "--function", "shop-search")
    rows = ask(capsys, "by", "function", store, *chosen)["rows"]
    assert {row["function"] for row in rows} == {"shop-checkout", "shop-search"}
    halves = [
        ask(capsys, "by", "arch", store, bound, "2026-11-24T12:00:00Z")["rows"]
        for bound in ("--since", "--until")
    ]
    assert all(halves)
    counts = [sum(row["invocations"] for row in rows) for rows in halves]
    assert sum(counts) == len(STORY.facts)
    answer = ask(capsys, "by", "function", store, "--top", "2")
    assert len(answer["rows"]) == 2
    assert f"{len(PROFILES) - 2} cheaper groups are left out" in answer["notes"][0]


def test_comparison(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The means are those of the facts; a sentence says what differs, and how sure that is."""
    answer = ask(capsys, *QUESTIONS["compare"], store)
    base, other = answer["rows"]
    assert (base["value"], other["value"]) == ("7", "8")
    for row in (base, other):
        costs = [
            each.cost_usd
            for each in facts_of("shop-checkout")
            if each.version.number == row["value"] and each.cost_usd is not None
        ]
        assert row["mean"] == pytest.approx(sum(costs) / len(costs))
    assert other["relative"] == pytest.approx(other["mean"] / base["mean"] - 1)
    assert other["relative_low"] <= other["relative"] <= other["relative_high"]
    assert base["relative"] is None
    assert "version 8" in answer["sentences"][0]
    assert "(95 % confidence)." in answer["sentences"][0]
    assert answer["field"] == "version"
    assert any("architecture differs too" in note for note in answer["notes"])


@pytest.mark.parametrize("measure", ["billed", "duration"])
def test_comparison_of_time(store: Path, capsys: pytest.CaptureFixture[str], measure: str) -> None:
    """In ms."""
    arguments = ("compare", "memory", "512", "1769MB", store, "--function", "shop-search")
    answer = ask(capsys, *arguments, "--measure", measure, "--confidence", "0.9")
    assert answer["measure"] == f"{measure}_ms"
    assert answer["confidence"] == 0.9
    assert [row["value"] for row in answer["rows"]] == [512, 1769]
    assert all(20 < row["mean"] < 200 for row in answer["rows"])


def test_what_if(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A figure with its range and its assumptions, or why there is none."""
    answer = ask(capsys, "what-if", store, "--arch", "arm64", "--memory", "512")
    for row in answer["rows"]:
        if row["not_enough_data"] is not None:
            assert row["then_usd"] is None
            assert any(row["not_enough_data"] in sentence for sentence in answer["sentences"])
            continue
        assert row["then_low_usd"] <= row["then_usd"] <= row["then_high_usd"]
        assert row["assumptions"]
        for text in row["assumptions"]:
            assert any(text[1:] in note for note in answer["notes"])
    unpriced = [row for row in answer["rows"] if row["function"] == "archive-import"]
    assert unpriced
    assert all(row["not_enough_data"] for row in unpriced)
    assert any(row["change"] == "to arm64" and row["then_usd"] for row in answer["rows"])
    # What is as was asked for already is no change.
    for row in answer["rows"]:
        assert (row["memory_size_mb"], row["change"]) != (512, "to 512 MB")
        assert (row["architecture"], row["change"]) != ("arm64", "to arm64")


def test_what_if_without_a_wish(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The other architecture, and without the extension."""
    rows = ask(capsys, "what-if", store, "--function", "shop-checkout")["rows"]
    assert {row["change"] for row in rows} == {"to x86_64", "to arm64", "without extension"}


def test_own_prices_in_what_if(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is paid now, and what would be then."""
    prices = ("--price-gb-second", "x86_64=2e-5", "--price-gb-second", "arm64=1e-5")
    arguments = ("what-if", store, "--arch", "arm64", "--price-request", "0", *prices)
    rows = ask(capsys, *arguments, "--function", "image-resize")["rows"]
    assert [row["relative"] for row in rows] == [pytest.approx(-0.5)]


def test_what_if_nothing_changes(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said, with exit code 1."""
    arguments = ("what-if", store, "--function", "image-resize", "--arch", "x86_64")
    answer = ask(capsys, *arguments, code=1)
    assert answer["sentences"] == ["Every function is already as was asked for."]


def test_features(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The dearest first, with the course of their costs; what is left out is told."""
    answer = ask(capsys, "features", store)
    usd = [row["usd"] for row in answer["rows"]]
    assert usd == sorted(usd, reverse=True)
    assert {"POST /orders", "GET /search"} <= {row["feature"] for row in answer["rows"]}
    for row in answer["rows"]:
        assert sum(row["course_usd"]) == pytest.approx(row["usd"])
    some = ask(capsys, "features", store, "--by-version", "--top", "1", "--function", "shop-search")
    assert [row["version"] for row in some["rows"]] == ["4"]
    assert any("cheaper features are left out" in note for note in some["notes"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_all_forms_say_the_same(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], question: str
) -> None:
    """The documented keys in JSON and CSV, the sentences in JSON and the table, and a picture."""
    arguments = ["cost", *QUESTIONS[question], str(store)]
    answer = ask(capsys, *arguments[1:])
    assert set(answer["rows"][0]) == KEYS[question]
    assert main([*arguments, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert list(rows[0]) == list(answer["rows"][0])
    assert len(rows) == len(answer["rows"])
    picture = tmp_path / "picture.svg"
    assert main([*arguments, "--plot", str(picture)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "\x1b" not in captured.out
    assert max(map(len, captured.out.splitlines())) <= 80
    words = " ".join(captured.out.split())
    for sentence in (*answer["sentences"], *answer["notes"]):
        assert " ".join(sentence.rstrip(".").split()) in words
    assert picture.read_text().startswith("<?xml")


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_data(
    tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str], question: str
) -> None:
    """Exit code 1, and a sentence: from an empty store, and in a time when nothing was."""
    empty = tmp_path / "empty.duckdb"
    Database(empty).close()
    for source, period in ((empty, ()), (store, ("--until", "2001-01-01"))):
        arguments = (*QUESTIONS[question], source, *period)
        answer = ask(capsys, *arguments, code=1)
        assert answer["rows"] == []
        assert answer["sentences"][0]
        assert main(["cost", *map(str, arguments)]) == 1
        printed = " ".join(capsys.readouterr().out.split())
        assert " ".join(answer["sentences"][0].rstrip(".").split()) in printed
        assert main(["cost", *map(str, arguments), "--csv"]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert answer["sentences"][0] in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["by", "function", "nowhere.duckdb"], "nowhere.duckdb"),
        (["by", "function", "STORE", "--plot", "a.png"], "does not end in .svg"),
        (["by", "function", "STORE", "--plot", "nowhere/a.svg"], "cannot write nowhere/a.svg"),
        (["compare", "version", "7", "7", "STORE"], "nothing to compare"),
        (["compare", "memory", "small", "512", "STORE"], "no memory size"),
        (["compare", "cold", "hot", "cold", "STORE"], "cold or warm"),
        (["compare", "cold", "cold", "warm", "STORE"], "choose one of 5 functions by --function"),
        (["by", "function", "clickhouse://127.0.0.1:1/otel"], "127.0.0.1"),
    ],
)
def test_what_cannot_be_asked(
    store: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Exit code 2, one line on stderr, nothing on stdout."""
    found = [str(store) if each == "STORE" else each for each in arguments]
    assert main(["cost", *found]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("logger-extension cost: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_a_password_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither that of the variable nor that of the address."""
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "hunter2")
    for source in ("clickhouse://me@127.0.0.1:1/otel", "clickhouse://me:hunter2@127.0.0.1:1/otel"):
        assert main(["cost", "by", "function", source]) == 2
        assert "hunter2" not in capsys.readouterr().err


def test_lines_that_cannot_be_read_are_told(
    tmp_path: Path, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside the answer that the others give."""
    text = (lines / "traces.jsonl").read_text()
    (tmp_path / "traces.jsonl").write_text(f'{{"resourceSpans": [{{"sco\n{text}')
    answer = ask(capsys, "by", "function", tmp_path)
    assert answer["rows"]
    assert any("traces.jsonl" in note for note in answer["notes"])


def test_every_key_is_documented() -> None:
    """In docs/cost.md; the ends of an interval go without saying where their name does."""
    text = (REPOSITORY / "docs/cost.md").read_text()
    for key in set().union(*KEYS.values()):
        assert f"`{key}`" in text or f"`{key.removesuffix('_low').removesuffix('_high')}`" in text
