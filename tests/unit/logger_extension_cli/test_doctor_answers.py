"""What the doctor makes of a collector's answers."""

import pytest

from logger_extension.policy.outcome import Delivered, Outcome, Refused, TooLarge, Undelivered
from logger_extension_cli.doctor.answers import explain_outcome
from logger_extension_cli.doctor.masking import Masking
from logger_extension_cli.doctor.report import Status
from tests.support.export_targets import make_target

TARGET = make_target(
    url="http://u:hunter2-hunter2@host:4318/v1/logs?key=hunter2-hunter2",
    headers={"api-key": "hunter2-hunter2", "x-tenant": "a"},
)
MASKING = Masking(
    {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hunter2-hunter2",
        "OTEL_EXPORTER_OTLP_ENDPOINT": TARGET.url,
    }
)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Delivered(), Status.OK),
        (Delivered(0, "deprecated"), Status.WARNING),
        (Delivered(3, "no"), Status.WARNING),
        (Undelivered("HTTP 503"), Status.FAILED),
        (Refused("HTTP 401"), Status.FAILED),
        (TooLarge("HTTP 413"), Status.FAILED),
    ],
)
def test_verdicts(outcome: Outcome, status: Status) -> None:
    """By what became of the export."""
    check = explain_outcome(outcome, TARGET, 12.3, MASKING)
    assert (check.name, check.status) == ("logs export", status)


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("HTTP 401: no", "(api-key, x-tenant)"),
        ("HTTP 403", "(api-key, x-tenant)"),
        ("gRPC UNAUTHENTICATED: no", "(api-key, x-tenant)"),
        ("gRPC PERMISSION_DENIED", "(api-key, x-tenant)"),
        ("HTTP 404", "http://***@host:4318/v1/logs?***"),
        ("HTTP 405", "http://***@host:4318/v1/logs?***"),
        ("gRPC UNIMPLEMENTED", "path"),
        ("HTTP 400: bad", "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ("HTTP 415", "http/protobuf"),
        ("HTTP 407", "HTTPS_PROXY"),
        ("HTTP 429", "try again"),
        ("HTTP 503", "try again"),
        ("HTTP 500", "own log"),
        ("HTTP 301, redirected to https://host: set that endpoint", "redirect"),
        ("gRPC UNAVAILABLE: no", "4317"),
        ("Server disconnected", "http/protobuf"),
    ],
)
def test_advice(reason: str, advice: str) -> None:
    """By the status with which an answer begins."""
    check = explain_outcome(Refused(reason), TARGET, 1, MASKING)
    assert advice in check.advice
    assert "{" not in check.advice


@pytest.mark.parametrize("reason", ["Cannot connect to host", "gRPC UNAVAILABLE: no"])
def test_advice_where_tls_has_failed(reason: str) -> None:
    """That is why there is no answer; one that there is has its own reason."""
    check = explain_outcome(Undelivered(reason), TARGET, 1, MASKING, failed_step="host TLS")
    assert "host TLS" in check.advice
    check = explain_outcome(Refused("HTTP 401"), TARGET, 1, MASKING, failed_step="host TLS")
    assert "api-key" in check.advice


def test_words_that_repeat_a_secret() -> None:
    """Are not told, of any outcome; the status is."""
    words = "no such key hunter2-hunter2"
    for outcome in (
        Delivered(1, words),
        Undelivered(f"HTTP 503: {words}"),
        Refused(f"HTTP 401: {words}"),
        TooLarge(f"HTTP 413: {words}"),
    ):
        check = explain_outcome(outcome, TARGET, 1, MASKING)
        assert "hunter2" not in check.text + check.advice
    assert explain_outcome(Refused(f"HTTP 401: {words}"), TARGET, 1, MASKING).text.startswith(
        "HTTP 401"
    )
