"""The doctor's table of variables, held against the documentation, and its rules against Config."""

import re
from itertools import product
from pathlib import Path

import pytest

from logger_extension.config import OWN_EXPORTER, Config
from logger_extension_cli.doctor.variables import (
    STANDARD_EXPORTER,
    VARIABLES,
    find_exceptions,
    find_replacement,
    find_slips,
)

PAGE = Path(__file__).resolve().parents[3] / "docs/configuration.md"
NAME = re.compile(r"\b(?:OTEL|LOGGER_EXTENSION)_[A-Z0-9_]+[A-Z0-9]\b")


def read_page() -> dict[str, str]:
    """Return the documented variables with their defaults."""
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {name: row[2].replace("`", "").strip() for row in rows for name in NAME.findall(row[1])}


def test_every_documented_variable_is_known_with_its_default() -> None:
    """And no other, but for our own names of the exporter's."""
    table = {name: each.default for name, each in VARIABLES.items()}
    documented = read_page()
    assert documented
    assert {n: d for n, d in table.items() if not n.startswith(OWN_EXPORTER)} == documented
    assert {n for n in table if n.startswith(OWN_EXPORTER)} == {
        n.replace(STANDARD_EXPORTER, OWN_EXPORTER)
        for n in documented
        if n.startswith(STANDARD_EXPORTER)
    }


@pytest.mark.parametrize("option", ["TIMEOUT", "ENDPOINT"])
def test_what_counts_is_what_the_extension_takes(option: str) -> None:
    """For every way to set some of the six variables that may speak for logs and traces."""
    names = [
        f"{prefix}{signal}{option}"
        for prefix, signal in product((STANDARD_EXPORTER, OWN_EXPORTER), ("", "LOGS_", "TRACES_"))
    ]
    values = {
        name: str(number) if option == "TIMEOUT" else f"http://host{number}"
        for number, name in enumerate(names, 1)
    }
    for chosen in product((False, True), repeat=len(names)):
        environ = {name: values[name] for name, is_in in zip(names, chosen, strict=True) if is_in}
        if option == "ENDPOINT" and not any(environ.values()):
            continue
        complete = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"} if option == "TIMEOUT" else {}
        if option == "ENDPOINT" and not (environ.keys() - {names[2], names[5]}):
            complete = {"OTEL_LOGS_EXPORTER": "none"}
        export = Config.from_env(environ | complete).export
        for signal, target in (("logs", export.logs), ("traces", export.traces)):
            counting = [
                name
                for name in environ
                if f"_{signal.upper()}_" in name or not re.search("_(LOGS|TRACES)_", name)
                if not find_replacement(name, environ)
                if signal not in find_exceptions(name, environ)
            ]
            assert len(counting) <= 1
            if option == "TIMEOUT":
                assert target is not None
                assert target.timeout_ms == int(values[counting[0]] if counting else 10_000)
            elif target is not None:
                assert target.url.startswith(values[counting[0]])


def test_empty_is_unset() -> None:
    """An empty variable replaces nothing."""
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1", "LOGGER_EXTENSION_EXPORTER_OTLP_TIMEOUT": " "}
    assert find_replacement("OTEL_EXPORTER_OTLP_TIMEOUT", environ) == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LOGGER_EXTENSION_FLUSH_POLCY", "LOGGER_EXTENSION_FLUSH_POLICY"),
        ("LOGGER_EXTENTION_FLUSH_POLICY", "LOGGER_EXTENSION_FLUSH_POLICY"),
        ("OTEL_EXPORTER_OLTP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_HEADER", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("OTEL_EXPORTER_OTLP_TRACE_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        ("OTEL_RESOURCE_ATTRIBUTE", "OTEL_RESOURCE_ATTRIBUTES"),
        ("otel_service_name", "OTEL_SERVICE_NAME"),
        ("LOGGER_EXTENSION_QQQQQQQQQQQQQQQQQQQQQQQQQQ", ""),
    ],
)
def test_slips(name: str, meant: str) -> None:
    """Named with what was probably meant."""
    assert find_slips({name: "x"}) == {name: meant}


@pytest.mark.parametrize(
    "name",
    [
        *VARIABLES,
        "OTEL_BSP_SCHEDULE_DELAY",
        "OTEL_BLRP_EXPORT_TIMEOUT",
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "OTEL_PROPAGATORS",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        "OTEL_LOG_LEVEL",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
        "OTEL_EXPORTER_ZIPKIN_TIMEOUT",
        "OTEL_EXPORTER_PROMETHEUS_PORT",
        "OTEL_LAMBDA_DISABLE_AWS_CONTEXT_PROPAGATION",
        "LOGGER_NAME",
        "PATH",
    ],
)
def test_no_slips(name: str) -> None:
    """Known variables, and those that SDKs read."""
    assert find_slips({name: "x"}) == {}
