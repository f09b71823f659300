"""What the doctor tells of values that hold secrets."""

import pytest

from logger_extension_cli.doctor.masking import Masking, mask_address

REFERENCE = "{{secretsmanager:prod/otlp:SecretString:key}}"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://collector:4318", "http://collector:4318"),
        ("https://user:password@host/path", "https://***@host/path"),
        ("https://user:p/a?s#s@w@host/path", "https://***@host/path"),
        ("https://host/path?key=abc#part", "https://host/path?***"),
        ("https://host/path#part", "https://host/path#***"),
        ("user:password@host:4317", "***@host:4317"),
        ("https://host/?mail=a@b", "https://***@b"),
        ("{{ssm:/otlp/endpoint}}", "{{ssm:/otlp/endpoint}}"),
        ("https://user:half{{ssm:rest}}@host", "https://***@host"),
        (f"https://host/{REFERENCE}?key={REFERENCE}", f"https://host/{REFERENCE}?***"),
        ("collector:4317", "collector:4317"),
    ],
)
def test_addresses(address: str, told: str) -> None:
    """User, query and fragment are never told; host, path and references are."""
    assert mask_address(address) == told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=abc,b=c", "api-key=***,b=***"),
        ("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer {REFERENCE}", ""),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no pair at all", "***"),
        (
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
            "x-aws-log-group=/aws/shop",
            "x-aws-log-group=/aws/shop",
        ),
        ("HTTPS_PROXY", "http://user:password@proxy:3128", "http://***@proxy:3128"),
        ("LOGGER_EXTENSION_FALLBACK", "stdout", "stdout"),
    ],
)
def test_values_of_variables(name: str, value: str, told: str) -> None:
    """By what a variable holds."""
    told = told or f"authorization=***{REFERENCE}"
    assert Masking({name: value}).mask_value(name, value) == told


def test_a_secret_that_stands_in_another_variable() -> None:
    """Is recognized by its value, a piece of it too."""
    masking = Masking({"OTEL_EXPORTER_OTLP_HEADERS": "api-key=hunter2-of-the-collector"})
    name = "LOGGER_EXTENSION_FALLBACK"
    assert masking.mask_value(name, "the hunter2-of") == "***"
    assert masking.mask_value(name, "/mnt/spool") == "/mnt/spool"


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hunter2-hunter2"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=hunter2-hunter2,broken"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://u:hunter2-hunter2@host"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "u:hunter2-hunter2@host"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://host/?key=hunter2-hunter2&a=b"},
        {"https_proxy": "http://u:hunter2%2Dhunter2@proxy"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://host/?a=b&hunter2-hunter2"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic bWU6aHVudGVyMi1odW50ZXIy"},
        {"AWS_SECRET_ACCESS_KEY": "hunter2-hunter2"},
        {"AWS_SESSION_TOKEN": "hunter2-hunter2"},
    ],
)
def test_secrets_are_found(environ: dict[str, str]) -> None:
    """Wherever a setting may hold one: words that repeat it are not told."""
    masking = Masking(environ)
    assert "hunter2" not in masking.repeat("HTTP 401: no such key: hunter2-hunter2")
    assert masking.repeat("HTTP 401: hunter2-hunt…").startswith("HTTP 401 ")
    assert masking.hide("see hunter2-hunter2 here") == "see *** here"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20bWU6aHVudGVyMg=="),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hunter2@collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:%68unter2@collector:4318"),
        ("http_proxy", "http://me:hunter2@proxy"),
    ],
)
def test_basic_authentication(name: str, value: str) -> None:
    """User and password are hidden as they were set, and as HTTP sends them."""
    masking = Masking({name: value})
    for words in ("no user me with hunter2", "bad header Basic bWU6aHVudGVyMg=="):
        assert masking.repeat(f"HTTP 401: {words}").startswith("HTTP 401 (")


def test_bytes_that_are_no_text() -> None:
    """Are masked as well: an environment may hold any."""
    masking = Masking({"OTEL_EXPORTER_OTLP_HEADERS": "api-key=hunter2-\udcff\udcfe"})
    assert masking.hide("see hunter2-\udcff\udcfe here") == "see *** here"


def test_words_without_a_secret() -> None:
    """Are told, also where they name how a key is sent."""
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer hunter2-hunter2"}
    words = "HTTP 401: a bearer token is missing"
    assert Masking(environ).repeat(words) == words
