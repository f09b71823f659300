"""Secrets in the running whole: delivered with, and never told, whatever goes wrong."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from deploy.stage import NAME
from tests.support.aws_services import AwsServices, run_aws_services
from tests.support.http_collector import HttpCollector
from tests.support.whole import Whole, run_whole

KEY = "hunter2-the-key-of-the-collector"
REFERENCE = "{{resolve:secretsmanager:collector:SecretString:key}}"
SANDBOX_SECRETS = ("SANDBOX-SECRET-ACCESS-KEY", "SANDBOX-SESSION-TOKEN")
DENIED = (400, json.dumps({"__type": "AccessDeniedException", "Message": f"not for you: {KEY}"}))


class LockedCollector(HttpCollector):
    """Takes only what comes with the key; otherwise it repeats what came in its place."""

    lock = KEY

    async def _answer(self, request: web.Request) -> web.Response:
        shown = request.headers.get("api-key", "")
        self.headers = {"content-type": "text/plain"}
        self.status, self.body = 200, b""
        if shown != self.lock:
            self.status, self.body = 401, f"no such key: {shown}".encode()
        return await super()._answer(request)


@pytest.fixture
def aws() -> Iterator[AwsServices]:
    """Run Secrets Manager and Systems Manager with the collector's key in them."""
    with run_aws_services() as services:
        services.put_secret("collector", json.dumps({"key": KEY}))
        services.forget()
        yield services


@pytest.fixture
async def collector() -> AsyncIterator[LockedCollector]:
    """Run the collector on a free port."""
    collector = LockedCollector()
    async with collector.running():
        yield collector


@asynccontextmanager
async def _run(
    folder: Path, aws: AwsServices, endpoint: str, **environ: str
) -> AsyncIterator[Whole]:
    """Run the whole; at its end nothing that any process wrote may hold a secret."""
    variables = {
        "AWS_ENDPOINT_URL": aws.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={REFERENCE}",
        # Each invocation ends with a flush, and none ends early for a busy machine's sake.
        "LOGGER_EXTENSION_FLUSH_POLICY": "end",
        "LOGGER_EXTENSION_COLLECTOR_BUDGET_MS": "10000",
        "LOGGER_EXTENSION_FLUSH_TIMEOUT_MS": "10000",
    }
    async with run_whole(folder, endpoint=endpoint, environ=variables | environ) as whole:
        yield whole
        await whole.sandbox.shutdown()
        everything = [
            line.text for process in whole.sandbox.output for line in whole.sandbox.output[process]
        ]
        everything += [*map(str, whole.sandbox.transcript), *_read_files(folder)]
        for secret in (KEY, *SANDBOX_SECRETS):
            assert [text for text in everything if secret in text] == []


def _read_files(folder: Path) -> Iterator[str]:
    """Yield what stands in files that the run has left in the test's folder."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and "site-packages" not in path.parts:
            yield path.read_bytes().decode("utf-8", "replace")


async def _invoke_twice(whole: Whole) -> None:
    for line in ("first", "second"):
        result = await whole.sandbox.invoke(json.dumps({"lines": [line]}).encode())
        assert result.status == "success"
        await whole.sandbox.wait_idle()


async def test_telemetry_comes_with_its_key(
    tmp_path: Path, aws: AwsServices, collector: LockedCollector
) -> None:
    """Nothing is complained of, the function has succeeded, and the key was fetched once."""
    async with _run(tmp_path, aws, f"http://127.0.0.1:{collector.port}") as whole:
        await _invoke_twice(whole)
        await whole.sandbox.shutdown()
        assert whole.stderr == []
    keys = [headers["api-key"] for _, headers, _ in collector.requests]
    assert keys == [KEY] * len(keys)
    assert {path for path, _, _ in collector.requests} >= {"/v1/logs", "/v1/traces"}
    bodies = b"".join(body for _, _, body in collector.requests)
    assert b"first" in bodies
    assert b"second" in bodies
    assert aws.targets == ["secretsmanager.GetSecretValue"]


async def test_the_start_does_not_wait_for_secrets(
    tmp_path: Path, aws: AwsServices, collector: LockedCollector
) -> None:
    """Init and the invocation end while the service is silent; then all is delivered."""
    aws.gate.clear()
    async with _run(
        tmp_path,
        aws,
        f"http://127.0.0.1:{collector.port}",
        LOGGER_EXTENSION_COLLECTOR_BUDGET_MS="10",
    ) as whole:
        await _invoke_twice(whole)
        assert collector.requests == []
        aws.gate.set()
        await whole.sandbox.invoke(b'{"lines": ["third"]}')
        await whole.sandbox.shutdown()
    bodies = b"".join(body for _, _, body in collector.requests)
    for line in (b"first", b"second", b"third"):
        assert line in bodies


@pytest.mark.parametrize(
    ("reference", "refusal", "told"),
    [
        ("{{resolve:secretsmanager:nothing}}", None, "nothing cannot be read"),
        ("{{ssm:/nothing}}", None, "/nothing cannot be read"),
        (REFERENCE, DENIED, "secretsmanager:GetSecretValue"),
    ],
    ids=["no secret", "no parameter", "access denied"],
)
async def test_a_secret_that_cannot_be_had(
    tmp_path: Path,
    aws: AwsServices,
    collector: LockedCollector,
    reference: str,
    refusal: tuple[int, str] | None,
    told: str,
) -> None:
    """The function runs, the complaint names the secret, telemetry goes to the fallback."""
    aws.refusal = refusal
    header = f"api-key={reference}"
    async with _run(
        tmp_path, aws, f"http://127.0.0.1:{collector.port}", OTEL_EXPORTER_OTLP_HEADERS=header
    ) as whole:
        await _invoke_twice(whole)
        await whole.sandbox.shutdown()
        assert told in "\n".join(whole.stderr)
        assert "resourceLogs" in whole.sandbox.output.text(NAME)
    assert collector.requests == []


async def test_a_collector_that_repeats_the_key(
    tmp_path: Path, aws: AwsServices, collector: LockedCollector
) -> None:
    """Its refusal is told, its words are not."""
    collector.lock = "another key"
    async with _run(tmp_path, aws, f"http://127.0.0.1:{collector.port}") as whole:
        await _invoke_twice(whole)
        await whole.sandbox.shutdown()
        assert "HTTP 401" in "\n".join(whole.stderr)
    assert collector.requests
    assert {headers["api-key"] for _, headers, _ in collector.requests} == {KEY}


async def test_a_key_in_the_url_of_nobody(
    tmp_path: Path, aws: AwsServices, unused_port: int
) -> None:
    """A connection that is refused is told without its URL."""
    endpoint = f"http://{REFERENCE}:{REFERENCE}@127.0.0.1:{unused_port}/{REFERENCE}?k={REFERENCE}"
    async with _run(tmp_path, aws, endpoint) as whole:
        await _invoke_twice(whole)
        await whole.sandbox.shutdown()
        assert "Cannot connect" in "\n".join(whole.stderr)


async def test_a_malformed_reference(tmp_path: Path, aws: AwsServices) -> None:
    """The function runs without telemetry; the variable is named, its value is not."""
    header = f"api-key={{{{resolve:vault:{KEY}}}}}"
    async with _run(
        tmp_path, aws, "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_HEADERS=header
    ) as whole:
        await _invoke_twice(whole)
        assert "OTEL_EXPORTER_OTLP_HEADERS" in "\n".join(whole.stderr)
