"""What the doctor tells of settings and of what follows from them, without any connection."""

import os
from collections.abc import Mapping

import pytest

from logger_extension_cli.doctor.examination import examine
from logger_extension_cli.doctor.function import Function
from logger_extension_cli.doctor.report import Check, Report, Setting, Status

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
IRELAND = {"AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"}


def examine_offline(
    environ: Mapping[str, str], *, machine: str = "arm64", ephemeral_mb: int | None = None
) -> Report:
    """Return the report of a function, without a connection."""
    function = Function(
        environ=environ, origin="a test", machine=machine, ephemeral_mb=ephemeral_mb
    )
    report, _ = examine(function, is_offline=True, timeout_ms=1)
    return report


def find_setting(report: Report, name: str) -> Setting:
    """Return what is told of a variable."""
    return next(each for each in report.settings if each.name == name)


def find_checks(report: Report, name: str) -> list[Check]:
    """Return the checks of a name."""
    return [each for each in report.checks if each.name == name]


def find_plan(environ: dict[str, str], name: str) -> str:
    """Return what would be done."""
    report = examine_offline(ENDPOINT | environ)
    return next(each.text for each in report.plans if each.name == name)


def test_where_values_come_from() -> None:
    """Set, replaced, replaced for a signal, unusable, or the default."""
    report = examine_offline(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://sdk:4318",
            "LOGGER_EXTENSION_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "5000",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "1000",
            "LOGGER_EXTENSION_FALLBACK": "somewhere",
            "LOGGER_EXTENSION_STRICT": "",
        }
    )

    def origin(name: str) -> str:
        return find_setting(report, name).origin

    own = "LOGGER_EXTENSION_EXPORTER_OTLP_ENDPOINT"
    assert origin("OTEL_EXPORTER_OTLP_ENDPOINT") == f"set, but {own} replaces it"
    assert origin(own) == "set"
    general = origin("OTEL_EXPORTER_OTLP_TIMEOUT")
    assert general == "set; for logs OTEL_EXPORTER_OTLP_LOGS_TIMEOUT replaces it"
    assert "cannot be used" in origin("LOGGER_EXTENSION_FALLBACK")
    assert origin("LOGGER_EXTENSION_STRICT") == "default"
    assert find_setting(report, "LOGGER_EXTENSION_FLUSH_POLICY").value == "auto"


def test_a_value_of_our_own_variable_that_cannot_be_used() -> None:
    """Is told where it stands, though the extension complains of the name that it stands in for."""
    own = "LOGGER_EXTENSION_EXPORTER_OTLP_LOGS_TIMEOUT"
    report = examine_offline(ENDPOINT | {own: "soon"})
    assert "cannot be used" in find_setting(report, own).origin
    (check,) = find_checks(report, "settings")
    assert own in check.text


@pytest.mark.parametrize(
    "environ",
    [
        {"LOGGER_EXTENSION_FLUSH_POLICY": "sometimes"},
        {"LOGGER_EXTENSION_FLUSH_POLCY": "end"},
        {"OTEL_LOGS_EXPORTER": "otpl"},
        {"https_proxy": "https://proxy"},
        {"HTTP_PROXY": "HTTPS://proxy"},
        {"http_proxy": "proxy:3128"},
        {"http_proxy": "http://proxy:port"},
    ],
)
def test_what_is_not_used_is_a_warning(environ: dict[str, str]) -> None:
    """Which fails only where warnings do."""
    report = examine_offline(ENDPOINT | IRELAND | environ)
    assert [each.status for each in find_checks(report, "settings")] == [Status.WARNING]
    assert report.exit_code(is_strict=False) == 0
    assert report.exit_code(is_strict=True) == 1


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, "OTEL_SDK_DISABLED"),
        (ENDPOINT | {"OTEL_EXPORTER_OTLP_HEADERS": "hunter2-hunter2"}, "pair 1"),
        (ENDPOINT | {"LOGGER_EXTENSION_LOG_REDACT": "everything"}, "LOGGER_EXTENSION_LOG_REDACT"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4328"}, "own listener"),
        ({}, "runs without telemetry"),
        ({"LOGGER_EXTENSION_STRICT": "1"}, "init fails"),
        (
            ENDPOINT | {"LOGGER_EXTENSION_STRICT": "1", "LOGGER_EXTENSION_FLUSH_POLICY": "x"},
            "LOGGER_EXTENSION_FLUSH_POLICY",
        ),
    ],
)
def test_settings_with_which_nothing_is_sent(environ: dict[str, str], told: str) -> None:
    """One failed check, in the extension's own words; no secret is in any of it."""
    report = examine_offline(environ)
    failed = [each for each in report.checks if each.status is Status.FAILED]
    assert len(failed) == 1
    assert told in failed[0].text
    assert not report.plans
    assert report.exit_code(is_strict=False) == 1
    assert "hunter2" not in repr(report)


def test_a_certificate_that_is_not_there() -> None:
    """Found without a connection."""
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4318"}
    report = examine_offline(endpoint | {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere"})
    statuses = [find_checks(report, f"{each} export")[0].status for each in ("logs", "traces")]
    assert statuses == [Status.FAILED, Status.FAILED]


@pytest.mark.parametrize(("has_layers", "warnings"), [(None, 0), (True, 0), (False, 1)])
def test_a_function_without_layers(has_layers: bool | None, warnings: int) -> None:  # noqa: FBT001
    """Has no extension, however good its settings are."""
    function = Function(
        environ=ENDPOINT | IRELAND, origin="a test", machine="arm64", has_layers=has_layers
    )
    report, _ = examine(function, is_offline=True, timeout_ms=1)
    assert report.count(Status.WARNING) == warnings


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        # 0.1 s x 1 GB x 0.0000133334 USD, and 0.0000002 USD a request, a million times.
        (IRELAND, "1.53 USD (list prices; eu-west-1, arm64)"),
        (IRELAND | {"LOGGER_EXTENSION_PRICE_REQUEST": "0.000001"}, "2.33 USD (your own prices"),
        (IRELAND | {"LOGGER_EXTENSION_PRICE_DISCOUNT": "0.5"}, "0.87 USD (list prices, less 50 %"),
    ],
)
def test_prices(environ: dict[str, str], told: str) -> None:
    """An example, by hand."""
    (check,) = find_checks(examine_offline(ENDPOINT | environ), "prices")
    assert check.status is Status.OK
    assert told in check.text


def test_prices_that_are_not_known() -> None:
    """A warning that says what to set."""
    (check,) = find_checks(examine_offline(ENDPOINT), "prices")
    assert check.status is Status.WARNING
    assert "AWS_REGION" in check.advice
    assert "LOGGER_EXTENSION_PRICE_GB_SECOND" in check.advice
    report = examine_offline(ENDPOINT | IRELAND | {"AWS_REGION": "xx-new-1"})
    (check,) = find_checks(report, "prices")
    assert check.status is Status.WARNING
    assert "AWS_REGION" not in check.advice


def test_storage_costs() -> None:
    """What AWS tells of /tmp counts where nothing is set."""
    without, with_ = (
        find_checks(examine_offline(ENDPOINT | IRELAND, ephemeral_mb=size), "prices")[0].text
        for size in (512, 10_240)
    )
    assert without != with_


@pytest.mark.parametrize(
    ("environ", "name", "told"),
    [
        ({}, "function", "unknown_function, 128 MB, a guess"),
        (IRELAND, "function", "unknown_function, 1,024 MB"),
        ({"OTEL_SERVICE_NAME": "shop"}, "resource", "service.name=shop"),
        ({}, "logs", "http/protobuf to http://collector:4318/v1/logs, compressed by gzip"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "a=hunter2"}, "logs", "headers a=***"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://{{ssm:/host}}/otlp"},
            "logs",
            "to https://{{ssm:/host}}/otlp/v1/logs,",
        ),
        (
            {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "https://{{ssm:/host}}/logs"},
            "logs",
            "to https://{{ssm:/host}}/logs,",
        ),
        ({"OTEL_LOGS_EXPORTER": "none"}, "logs", "off"),
        ({"LOGGER_EXTENSION_SIGV4": "aps"}, "metrics", "signed for aps"),
        ({}, "log lines", "every line"),
        ({"LOGGER_EXTENSION_LOG_MIN_SEVERITY": "warn"}, "log lines", "only warn and above"),
        ({"LOGGER_EXTENSION_LOG_SAMPLE_RATIO": "0.1"}, "log lines", "10 % of others"),
        ({"LOGGER_EXTENSION_LOG_REDACT": "email,jwt"}, "log lines", "redacted: email, jwt"),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "spans", "0 % of the traces"),
        ({"LOGGER_EXTENSION_SPAN_TIMING": "report"}, "spans", "with the next one"),
        ({}, "data points", "delta temporality"),
        ({"LOGGER_EXTENSION_FLUSH_POLICY": "end"}, "flush", "after each handler"),
        ({"LOGGER_EXTENSION_FLUSH_POLICY": "periodic,700"}, "flush", "every 700 ms"),
        ({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3538"}, "flush", "2.00 vCPU"),
        ({}, "flush", "none to spare"),
        ({}, "queues", "4.0 MiB or 2,048 records"),
        ({"LOGGER_EXTENSION_FALLBACK": "none"}, "fallback", "lost"),
        ({"LOGGER_EXTENSION_FALLBACK": "/mnt/x"}, "fallback", "/mnt/x"),
        ({"LOGGER_EXTENSION_OTLP_RECEIVER": "on"}, "receiver", "127.0.0.1:4318"),
        ({}, "receiver", "off"),
    ],
)
def test_what_would_be_done(environ: dict[str, str], name: str, told: str) -> None:
    """In the words of the extension's own settings."""
    assert told in find_plan(environ, name)


def test_the_environment_of_the_process_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at is the function's."""
    monkeypatch.setitem(os.environ, "OTEL_EXPORTER_OTLP_HEADERS", "api-key=of-the-shell")
    assert "headers" not in find_plan({}, "logs")
