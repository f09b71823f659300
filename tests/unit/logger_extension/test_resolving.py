"""Exporters that wait for secrets: real services, real collectors, and nothing told."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from logger_extension.aws import secret_store
from logger_extension.aws.secret_store import SecretStore
from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.exporters.protocols import open_exporter, open_secrets
from logger_extension.exporters.resolving import ResolvingExporter
from logger_extension.policy.concealment import HIDDEN
from logger_extension.policy.outcome import Delivered, Outcome, Refused, TooLarge, Undelivered
from logger_extension.settings.export import ExportSettings
from tests.support.aws_services import CREDENTIALS, AwsServices, run_aws_services
from tests.support.export_targets import make_request
from tests.support.http_collector import HttpCollector

BODY = make_request("logs", "kept").SerializeToString()
KEY = "hunter2-hunter2"
REFERENCE = "{{resolve:secretsmanager:collector:SecretString:key}}"


@pytest.fixture(scope="module")
def running() -> Iterator[AwsServices]:
    """Run the services."""
    with run_aws_services() as services:
        yield services


@pytest.fixture
def aws(running: AwsServices) -> Iterator[AwsServices]:
    """Return the services with the collector's key in them, and nothing remembered."""
    running.put_secret("collector", f'{{"key": "{KEY}"}}')
    running.forget()
    yield running
    running.refusal = None
    running.gate.set()


@pytest.fixture
async def collector() -> AsyncIterator[HttpCollector]:
    """Run a collector on a free port."""
    collector = HttpCollector(headers={"content-type": "text/plain"})
    async with collector.running():
        yield collector


def _settings(endpoint: str, headers: str = "", **environ: str) -> ExportSettings:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_HEADERS": headers}
    return ExportSettings.read(Environment(variables | environ))


def _open(aws: AwsServices, settings: ExportSettings) -> ResolvingExporter:
    assert settings.logs is not None
    exporter = open_exporter(settings.logs, secrets=SecretStore(aws.environ))
    assert isinstance(exporter, ResolvingExporter)
    return exporter


def _words(outcome: Outcome) -> str:
    """Return all that an outcome says."""
    return " ".join(str(part) for part in outcome)


async def test_a_header_with_its_secret(aws: AwsServices, collector: HttpCollector) -> None:
    """It arrives with the text around it; nothing is fetched before it is needed."""
    settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key=Key%20{REFERENCE},b=2")
    async with _open(aws, settings) as exporter:
        assert aws.targets == []
        assert await exporter.export(BODY) == Delivered()
        assert await exporter.export(BODY) == Delivered()
    for path, headers, body in collector.requests:
        assert (path, headers["api-key"], headers["b"]) == ("/v1/logs", f"Key {KEY}", "2")
        assert body == BODY
    assert len(collector.requests) == 2
    assert len(aws.targets) == 1


async def test_an_endpoint_by_reference(aws: AwsServices, collector: HttpCollector) -> None:
    """Path and query are put together as for a plain one."""
    aws.put_parameter("/endpoint", f"http://127.0.0.1:{collector.port}/in?k=1")
    async with _open(aws, _settings("{{resolve:ssm:/endpoint}}")) as exporter:
        assert await exporter.export(BODY) == Delivered()
    assert [path for path, _, _ in collector.requests] == ["/in/v1/logs?k=1"]


async def test_connecting_fetches(aws: AwsServices, collector: HttpCollector) -> None:
    """Before anything is sent: while nobody waits for it."""
    settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key={REFERENCE}")
    async with _open(aws, settings) as exporter:
        assert await exporter.connect()
        assert len(aws.targets) == 1
        assert await exporter.export(BODY) == Delivered()
    assert len(aws.targets) == 1


async def test_connecting_without_the_secret(aws: AwsServices) -> None:
    """Is not possible, and no fault."""
    settings = _settings("http://127.0.0.1:1", "api-key={{resolve:ssm:/nothing}}")
    async with _open(aws, settings) as exporter:
        assert not await exporter.connect()


async def test_nothing_is_fetched_into_a_snapshot(aws: AwsServices) -> None:
    """Under SnapStart the first request fetches."""
    settings = _settings("http://127.0.0.1:1", f"api-key={REFERENCE}")
    assert settings.logs is not None
    store = SecretStore(aws.environ | {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"})
    async with open_exporter(settings.logs, secrets=store) as exporter:
        assert not await exporter.connect()
        assert aws.targets == []
        await exporter.export(BODY)
        assert len(aws.targets) == 1


async def test_three_signals_fetch_once(aws: AwsServices, collector: HttpCollector) -> None:
    """The store is theirs together."""
    settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key={REFERENCE}")
    store = SecretStore(aws.environ)
    targets = [each for each in (settings.logs, settings.traces, settings.metrics) if each]
    exporters = [open_exporter(target, secrets=store) for target in targets]
    requests = [make_request(target.signal, "x").SerializeToString() for target in targets]
    for exporter in exporters:
        await exporter.__aenter__()
    outcomes = await asyncio.gather(
        *(e.export(r) for e, r in zip(exporters, requests, strict=True))
    )
    for exporter in exporters:
        await exporter.__aexit__(None, None, None)
    assert outcomes == [Delivered()] * 3
    assert len(aws.targets) == 1


@pytest.mark.parametrize("refusal", [None, (400, '{"__type": "AccessDeniedException"}')])
async def test_while_a_secret_is_missing_data_is_kept(
    aws: AwsServices, collector: HttpCollector, refusal: tuple[int, str] | None
) -> None:
    """The secret is named; when it is there, the same request is delivered."""
    name = "not-yet" if refusal is None else "collector"
    reference = f"{{{{resolve:secretsmanager:{name}:SecretString:key}}}}"
    settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key={reference}")
    aws.refusal = refusal
    async with _open(aws, settings) as exporter:
        outcome = await exporter.export(BODY)
        assert isinstance(outcome, Undelivered)
        assert f"the secret {name} cannot be read" in outcome.reason
        assert collector.requests == []
        aws.refusal = None
        aws.put_secret(name, f'{{"key": "{KEY}"}}')
        assert await exporter.export(BODY) == Delivered()


async def test_a_secret_that_makes_no_target_keeps_data(aws: AwsServices) -> None:
    """It can still be mended; no part of it is told."""
    aws.put_parameter("/endpoint", f"{KEY}:99999")
    async with _open(aws, _settings("{{resolve:ssm:/endpoint}}")) as exporter:
        outcome = await exporter.export(BODY)
    assert isinstance(outcome, Undelivered)
    assert "/endpoint" in outcome.reason
    assert "hunter2" not in outcome.reason


async def test_a_rotated_secret_is_fetched_again(
    aws: AwsServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collector that denies access makes us look; the request goes out once more."""
    aws.put_secret("rotating", "old-key-of-the-collector")
    now_ms = 0.0
    monkeypatch.setattr(secret_store, "_now_ms", lambda: now_ms)
    collector = KeyCollector("old-key-of-the-collector")
    async with collector.running():
        reference = "{{resolve:secretsmanager:rotating}}"
        settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key={reference}")
        async with _open(aws, settings) as exporter:
            assert await exporter.export(BODY) == Delivered()
            collector.key = "new-key-of-the-collector"
            aws.put_secret("rotating", "new-key-of-the-collector")
            aws.forget()
            assert await exporter.export(BODY) == Refused("HTTP 401")
            assert aws.targets == []
            now_ms += 300_000
            # Two at a time, as a channel of ours and one of the function's SDK.
            outcomes = await asyncio.gather(*(exporter.export(BODY) for _ in range(2)))
            assert outcomes == [Delivered()] * 2
            assert len(aws.targets) == 1
            collector.key = "a third one"
            assert await exporter.export(BODY) == Refused("HTTP 401")


class KeyCollector(HttpCollector):
    """Takes only what comes with its key."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key

    async def _answer(self, request: Any) -> Any:
        self.status = 200 if request.headers["api-key"] == self.key else 401
        return await super()._answer(request)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, Refused), (403, Refused), (413, TooLarge), (503, Undelivered)],
)
async def test_an_echo_is_not_told(
    aws: AwsServices, collector: HttpCollector, status: int, kind: type[Any]
) -> None:
    """A collector repeats the header; we keep its status."""
    collector.status, collector.body = status, f"no such key: {KEY}, ask for one".encode()
    settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key={REFERENCE}")
    async with _open(aws, settings) as exporter:
        outcome = await exporter.export(BODY)
    assert isinstance(outcome, kind)
    assert _words(outcome).startswith(f"HTTP {status} ({HIDDEN})")


async def test_other_words_are_told(aws: AwsServices, collector: HttpCollector) -> None:
    """And a pause that a collector asks for is kept."""
    collector.status, collector.body = 429, b"too many requests"
    collector.headers["retry-after"] = "7"
    settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key={REFERENCE}")
    async with _open(aws, settings) as exporter:
        assert await exporter.export(BODY) == Undelivered("HTTP 429: too many requests", 7_000)


async def test_an_echo_of_a_partial_success_is_not_told(
    aws: AwsServices, collector: HttpCollector
) -> None:
    """The count is."""
    collector.headers["content-type"] = "application/json"
    words = f'{{"rejectedLogRecords": "1", "errorMessage": "quota of {KEY[:9]} is used up"}}'
    collector.body = f'{{"partialSuccess": {words}}}'.encode()
    settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key={REFERENCE}")
    async with _open(aws, settings) as exporter:
        assert await exporter.export(BODY) == Delivered(1, HIDDEN)


@pytest.mark.parametrize("where", ["user:{}@127.0.0.1:{}", "127.0.0.1:{1}/{0}?k={0}"])
async def test_an_endpoint_that_nobody_serves_is_told_without_its_key(
    aws: AwsServices, unused_port: int, where: str
) -> None:
    """Errors of the connection name hosts and URLs."""
    endpoint = "http://" + where.format(REFERENCE, unused_port)
    async with _open(aws, _settings(endpoint)) as exporter:
        outcome = await exporter.export(BODY)
    assert isinstance(outcome, Undelivered)
    assert "Cannot connect" in outcome.reason
    assert "hunter2" not in outcome.reason


async def test_a_host_that_is_a_secret_is_not_told(aws: AwsServices, unused_port: int) -> None:
    """The error of the connection is told in our own words then."""
    aws.put_parameter("/host", "127.0.0.99")
    endpoint = f"http://{{{{resolve:ssm:/host}}}}:{unused_port}"
    async with _open(aws, _settings(endpoint)) as exporter:
        assert await exporter.export(BODY) == Undelivered(HIDDEN)


async def test_a_signature_needs_credentials(collector: HttpCollector) -> None:
    """Without them data is kept, and what is missing told."""
    settings = _settings(
        f"http://127.0.0.1:{collector.port}", LOGGER_EXTENSION_SIGV4="xray", AWS_REGION="eu-west-1"
    )
    assert settings.logs is not None
    async with open_exporter(settings.logs, secrets=SecretStore({})) as exporter:
        assert not await exporter.connect()
        outcome = await exporter.export(BODY)
        assert isinstance(outcome, Undelivered)
        assert "AWS_ACCESS_KEY_ID" in outcome.reason
    async with open_exporter(settings.logs, secrets=SecretStore(CREDENTIALS)) as exporter:
        assert await exporter.connect()
        assert await exporter.export(BODY) == Delivered()
    [(_, headers, _)] = collector.requests
    assert "/eu-west-1/xray/aws4_request" in headers["authorization"]


async def test_a_session_token_is_not_told(collector: HttpCollector) -> None:
    """AWS repeats the canonical request when a signature does not match."""
    collector.status = 403
    collector.body = f"x-amz-security-token:{CREDENTIALS['AWS_SESSION_TOKEN']}".encode()
    settings = _settings(
        f"http://127.0.0.1:{collector.port}", LOGGER_EXTENSION_SIGV4="xray", AWS_REGION="eu-west-1"
    )
    assert settings.logs is not None
    async with open_exporter(settings.logs, secrets=SecretStore(CREDENTIALS)) as exporter:
        assert await exporter.export(BODY) == Refused(f"HTTP 403 ({HIDDEN})")


def test_only_who_needs_aws_has_a_store() -> None:
    """It is imported for nobody else."""
    assert open_secrets(_settings("http://c")) is None
    assert open_secrets(_settings("http://c", f"api-key={REFERENCE}")) is not None


async def test_without_a_store_an_exporter_makes_its_own(
    aws: AwsServices, collector: HttpCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment of the process."""
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)
    settings = _settings(f"http://127.0.0.1:{collector.port}", f"api-key={REFERENCE}")
    assert settings.logs is not None
    async with open_exporter(settings.logs) as exporter:
        assert await exporter.export(BODY) == Delivered()


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_bad_certificate_is_told_before_any_secret_is_fetched(protocol: str) -> None:
    """As without references."""
    settings = _settings(
        f"https://{REFERENCE}:1",
        OTEL_EXPORTER_OTLP_CERTIFICATE="/nowhere.pem",
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
    )
    assert settings.logs is not None
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_CERTIFICATE"):
        open_exporter(settings.logs)
