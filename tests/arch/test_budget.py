"""The size that the house may have (docs/architecture.md)."""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = (
    "logger_extension",
    "lambda_sandbox",
    "otlp_viewer",
    "cost_report",
    "web_view",
    "deploy",
    "logger_extension_cli",
)

MOST_LINES_OF_CODE_OF_THE_EXTENSION = 9_000  # docs/adr/0010-size.md
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
MOST_LINES_OF_A_MODULE = 260
MOST_LINES_OF_A_FUNCTION = 40


def modules(package: str) -> list[Path]:
    """Return the source files of a package."""
    return sorted((REPOSITORY / package).rglob("*.py"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield name and number of lines, without the docstring, of each function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            has_docstring = ast.get_docstring(node) is not None
            first = node.body[1 if has_docstring and len(node.body) > 1 else 0]
            yield node.name, (node.end_lineno or 0) - first.lineno + 1


def count_code(source: str) -> int:
    """Return how many lines of a source are code: no docstring, no comment, no blank."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0] if node.body and ast.get_docstring(node) is not None else None
        if first is not None:
            docstrings |= set(range(first.lineno, (first.end_lineno or 0) + 1))
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            code |= set(range(token.start[0], token.end[0] + 1))
    return len(code - docstrings)


def test_extension_stays_small() -> None:
    """The extension stays under its budget of lines of code."""
    lines = sum(count_code(path.read_text()) for path in modules("logger_extension"))
    assert 0 < lines <= MOST_LINES_OF_CODE_OF_THE_EXTENSION


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_stay_short(package: str) -> None:
    """No module is longer than one can hold in mind."""
    lengths = {path.name: len(path.read_text().splitlines()) for path in modules(package)}
    assert lengths
    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_MODULE} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_fit_a_screen(package: str) -> None:
    """No function is longer than a screen."""
    found = [(path.name, name, n) for path in modules(package) for name, n in functions(path)]
    assert [entry for entry in found if entry[2] > MOST_LINES_OF_A_FUNCTION] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_owns(package: str) -> None:
    """Every module opens with a docstring."""
    assert [
        p.name for p in modules(package) if not ast.get_docstring(ast.parse(p.read_text()))
    ] == []
