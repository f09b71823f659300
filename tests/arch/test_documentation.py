"""What is documented exists, and what exists is documented."""

import inspect
import re
from pathlib import Path

from logger_extension import errors

REPOSITORY = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\b(?:OTEL|LOGGER_EXTENSION)_[A-Z0-9_]+[A-Z0-9]\b")

# Set by the launcher for Python: no settings.
INTERNAL = {
    "LOGGER_EXTENSION_HELD",
    "LOGGER_EXTENSION_ID",
    "LOGGER_EXTENSION_NAME",
    "LOGGER_EXTENSION_PIPE",
    "LOGGER_EXTENSION_REGISTER_BODY",
    "LOGGER_EXTENSION_SUBSCRIPTION",
    "LOGGER_EXTENSION_EXPORTER_OTLP_ENDPOINT",
}
# Names that are built from parts: of a signal's variables, and of ours that stand in for them.
BUILT = {
    f"OTEL_EXPORTER_OTLP_{prefix}{name}"
    for prefix in ("", "LOGS_", "TRACES_", "METRICS_")
    for name in (
        "ENDPOINT",
        "PROTOCOL",
        "HEADERS",
        "COMPRESSION",
        "TIMEOUT",
        "CERTIFICATE",
        "CLIENT_CERTIFICATE",
        "CLIENT_KEY",
        "INSECURE",
    )
} | {"OTEL_LOGS_EXPORTER", "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER"}


def read_variables() -> set[str]:
    """Return the variables that source and launcher read."""
    sources = [
        *(REPOSITORY / "logger_extension").rglob("*.py"),
        REPOSITORY / "launcher/logger-extension",
    ]
    found = {name for path in sources for name in VARIABLE.findall(path.read_text())}
    return (found | BUILT) - INTERNAL


def test_every_variable_is_documented() -> None:
    """docs/configuration.md has a row for each variable, and none besides."""
    page = (REPOSITORY / "docs/configuration.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    documented = {name for row in rows for name in VARIABLE.findall(row.split("|")[1])}
    assert documented == read_variables()


def test_every_error_stands_in_the_tree() -> None:
    """The module docstring draws every error of the extension."""
    classes = [name for name, value in vars(errors).items() if inspect.isclass(value)]
    assert classes
    assert [name for name in classes if name not in (errors.__doc__ or "")] == []


def test_every_decision_is_indexed() -> None:
    """docs/adr/README.md links each decision record."""
    index = (REPOSITORY / "docs/adr/README.md").read_text()
    records = [path.name for path in (REPOSITORY / "docs/adr").glob("[0-9]*.md")]
    assert records
    assert [name for name in records if f"({name})" not in index] == []
