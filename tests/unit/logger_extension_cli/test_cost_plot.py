"""An answer as a picture: the same figures, the same bytes each time, and no formula."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET  # our own picture

import pytest

from logger_extension_cli.cost.answer import Answer, Row
from logger_extension_cli.cost.plot import save_plot

FOREIGN = "a $x_1$ <b>&\x1b[2J 漢字"


def make_group(function: str, cost_usd: float | None) -> Row:
    """Return a row of `cost by function`."""
    each = None if cost_usd is None else cost_usd / 100
    return {
        "function": function,
        "cost_usd": cost_usd,
        "mean_usd": each,
        "cost_p50_usd": each,
        "cost_p90_usd": each,
        "cost_p99_usd": each,
    }


def make_change(function: str, relative: float | None) -> Row:
    """Return a row of `cost what-if`."""
    return {
        "function": function,
        "memory_size_mb": 512,
        "architecture": "x86_64",
        "change": "arm64",
        "relative": relative,
        "relative_low": relative,
        "relative_high": None if relative is None else relative + 0.1,
    }


def make_feature(feature: str, usd: float, course: Sequence[float]) -> Row:
    """Return a row of `cost features`."""
    return {
        "function": "shop",
        "version": None,
        "feature": feature,
        "usd": usd,
        "direction": "rising" if usd > 1 else None,
        "change": 0.25 if usd > 1 else None,
        "course_usd": tuple(course),
    }


ANSWERS = {
    "by": Answer(
        question="by", rows=[make_group(FOREIGN, 1.5), make_group("cart", 0), make_group("x", None)]
    ),
    "compare": Answer(
        question="compare",
        rows=[
            {"value": "6", "relative": None, "relative_low": None, "relative_high": None},
            {"value": FOREIGN, "relative": -0.12, "relative_low": -0.15, "relative_high": -0.09},
        ],
        details={"field": "version", "measure": "cost_usd", "confidence": 0.95},
    ),
    "what-if": Answer(
        question="what-if", rows=[make_change(FOREIGN, -0.2), make_change("cart", None)]
    ),
    "features": Answer(
        question="features",
        rows=[make_feature(FOREIGN, 2.0, [1.0, 1.0]), make_feature("pay", 0.5, [0.5, 0.0])],
        details={"start": "2026-11-23T00:00:00+00:00", "end": "2026-11-26T00:00:00+00:00"},
    ),
}
SHOWN = {
    "by": ["1.50", "0.00", "-", "cart"],
    "compare": ["-12.0 % (-15.0 to -9.0)", "version 6", "95 %"],
    "what-if": ["-20.0 % (-20.0 to -10.0)"],
    "features": ["2.00", "0.500", "pay, shop", "rising, +25.0%", "no trend known", "2026-11-23"],
}


@pytest.mark.parametrize("question", ANSWERS)
def test_a_picture_of_each_question(tmp_path: Path, question: str) -> None:
    """It says what the table says; names are text as they came, made safe."""
    path = tmp_path / "picture.svg"
    save_plot(ANSWERS[question], path)
    texts = " | ".join(ET.fromstring(path.read_bytes()).itertext())  # noqa: S314 - our own
    assert r"a $x_1$ <b>&\x1b[2J 漢字" in texts
    for text in SHOWN[question]:
        assert text in texts


@pytest.mark.parametrize("question", ANSWERS)
def test_the_same_answer_gives_the_same_bytes(tmp_path: Path, question: str) -> None:
    """No date, no random ids."""
    for name in ("a.svg", "b.svg"):
        save_plot(ANSWERS[question], tmp_path / name)
    first = (tmp_path / "a.svg").read_bytes()
    assert first == (tmp_path / "b.svg").read_bytes()
    assert b"<dc:date>" not in first


def test_very_many_groups(tmp_path: Path) -> None:
    """The picture has the dearest, and says how many there are besides."""
    rows = [make_group(f"function-{number}", 100 - number) for number in range(100)]
    save_plot(Answer(question="by", rows=rows), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert "function-39" in text
    assert "function-40" not in text
    assert "the first 40 of 100 rows" in text
