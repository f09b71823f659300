"""An answer as JSON and CSV: raw, stable, and harmless in a spreadsheet."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from logger_extension_cli.cost.answer import Answer
from logger_extension_cli.cost.export import as_csv, as_json, defuse
from tests.support.laws import LAW

ANSWER = Answer(
    question="by",
    rows=[
        {"function": "=cmd|' /C calc'!A0", "is_cold_start": True, "cost_usd": 1.5e-7, "n": -3},
        {"function": 'a "b", c', "is_cold_start": False, "cost_usd": None, "n": float("inf")},
    ],
    sentences=["One.", "Two."],
    notes=["Three."],
    details={"source": "store.duckdb", "since": None},
)


def test_json() -> None:
    """One object: figures as numbers, what is not known as null, text as it came."""
    found = json.loads(as_json(ANSWER))
    assert found == {
        "question": "by",
        "source": "store.duckdb",
        "since": None,
        "has_enough_data": True,
        "exit_code": 0,
        "rows": [
            {"function": "=cmd|' /C calc'!A0", "is_cold_start": True, "cost_usd": 1.5e-7, "n": -3},
            {"function": 'a "b", c', "is_cold_start": False, "cost_usd": None, "n": None},
        ],
        "sentences": ["One.", "Two."],
        "notes": ["Three."],
    }


def test_json_without_enough_data() -> None:
    """Says so, with the exit code that the command has."""
    found = json.loads(as_json(Answer(question="by", has_enough=False, sentences=["Nothing."])))
    assert (found["has_enough_data"], found["exit_code"]) == (False, 1)
    assert found["rows"] == []


def test_csv() -> None:
    """RFC 4180: a header, CRLF, quotes where they are needed; formulas are text."""
    assert as_csv(ANSWER) == (
        "function,is_cold_start,cost_usd,n\r\n"
        "'=cmd|' /C calc'!A0,true,1.5e-07,-3\r\n"
        '"a ""b"", c",false,,\r\n'
    )


def test_csv_of_lists() -> None:
    """One cell."""
    answer = Answer(question="by", rows=[{"course_usd": (0.5, 1.0), "assumptions": ("a.", "b.")}])
    assert as_csv(answer) == "course_usd,assumptions\r\n0.5; 1.0,a.; b.\r\n"


def test_csv_of_nothing() -> None:
    """Is nothing."""
    assert as_csv(Answer(question="by")) == ""


@LAW
@given(st.text(max_size=20))
def test_any_text_survives_and_none_is_a_formula(text: str) -> None:
    """Read back, it is what was written; no cell begins as a formula does."""
    answer = Answer(question="by", rows=[{"function": text, "n": 1}])
    _, (cell, number) = csv.reader(io.StringIO(as_csv(answer), newline=""))
    assert cell == defuse(text)
    assert cell.removeprefix("'") == text.removeprefix("'")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert number == "1"
