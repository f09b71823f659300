"""`doctor` as a user runs it, against collectors that are there, and ones that are not."""

import asyncio
import json
import os
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from otlp_viewer import Collector
from tests.support.aws_services import CREDENTIALS, AwsServices, run_aws_services
from tests.support.certificates import HAS_OPENSSL, Certificates, make_certificates
from tests.support.command_line import COMMAND, REPOSITORY
from tests.support.http_collector import HttpCollector
from tests.support.raw_server import RawServer, respond
from tests.support.rotel import HAS_ROTEL, run_rotel

SECRET = "hunter2-the-key-of-the-collector"  # noqa: S105  (it opens nothing)
SIGNALS = ("logs", "traces", "metrics")
PLACE = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"}

needs_openssl = pytest.mark.skipif(not HAS_OPENSSL, reason="there is no openssl here")


async def run_doctor(*arguments: str, **environ: str) -> tuple[int, str]:
    """Run the command in an environment of nothing else; return its exit code and all it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *COMMAND[1:],
        "doctor",
        *arguments,
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, written.decode()


async def examine(**environ: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the checks by name."""
    code, written = await run_doctor("--json", **(PLACE | environ))
    report = json.loads(written)
    assert report["exit_code"] == code
    return code, {check["name"]: check for check in report["checks"]}


@pytest.fixture
def aws() -> Iterator[AwsServices]:
    """Run Secrets Manager with the collector's key in it."""
    with run_aws_services() as services:
        services.put_secret("collector", json.dumps({"key": SECRET}))
        services.forget()
        yield services


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
async def test_all_is_well(protocol: str) -> None:
    """Each signal is asked for once, at its own path, and takes an empty request."""
    async with Collector() as collector:
        code, written = await run_doctor(
            **PLACE,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        )
    assert code == 0, written
    assert collector.requests == {f"/v1/{signal}": 1 for signal in SIGNALS}
    assert not collector.refused
    assert "0 failed, 0 warnings, 0 not checked" in written


@pytest.mark.skipif(not HAS_ROTEL, reason="rotel has no wheel for this Python")
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_another_collector(unused_port: int, unused_port_2: int, protocol: str) -> None:
    """One that is not ours, over both protocols."""
    async with run_rotel(unused_port, unused_port_2) as rotel:
        port = rotel.grpc_port if protocol == "grpc" else rotel.http_port
        code, checks = await examine(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        )
    assert code == 0, checks
    assert {checks[f"{signal} export"]["status"] for signal in SIGNALS} == {"ok"}


@needs_openssl
async def test_tls(tmp_path: Path) -> None:
    """With an authority and a certificate of one's own; the end in two days is a warning."""
    certificates = make_certificates(tmp_path)
    collector = HttpCollector(tls=certificates.make_server_context(asks_client=True))
    async with collector.running():
        code, checks = await examine(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"https://localhost:{collector.port}",
            OTEL_EXPORTER_OTLP_CERTIFICATE=certificates.file("authority.pem"),
            OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=certificates.file("client-with-key.pem"),
        )
    assert code == 0, checks
    assert checks[f"localhost:{collector.port} TLS"]["status"] == "warning"
    assert checks["traces export"]["status"] == "ok"
    assert len(collector.requests) == len(SIGNALS)


@needs_openssl
async def test_authorities_of_the_function(tmp_path: Path) -> None:
    """SSL_CERT_FILE counts where it is the function's, for the connection and the export."""
    certificates = make_certificates(tmp_path)
    collector = HttpCollector(tls=certificates.make_server_context(asks_client=False))
    async with collector.running():
        code, written = await run_doctor(
            *("--env", f"SSL_CERT_FILE={certificates.file('authority.pem')}"),
            *("--env", f"OTEL_EXPORTER_OTLP_ENDPOINT=https://localhost:{collector.port}"),
            **PLACE,
        )
    assert code == 0, written
    assert len(collector.requests) == len(SIGNALS)


@needs_openssl
async def test_strict_lets_a_warning_fail(tmp_path: Path) -> None:
    """For CI."""
    certificates: Certificates = make_certificates(tmp_path)
    collector = HttpCollector(tls=certificates.make_server_context(asks_client=False))
    async with collector.running():
        code, _ = await run_doctor(
            "--strict",
            **PLACE,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"https://localhost:{collector.port}",
            OTEL_EXPORTER_OTLP_CERTIFICATE=certificates.file("authority.pem"),
        )
    assert code == 1


@needs_openssl
async def test_an_unknown_authority(tmp_path: Path) -> None:
    """TLS fails, and so does the export, which is tried all the same."""
    certificates = make_certificates(tmp_path)
    collector = HttpCollector(tls=certificates.make_server_context(asks_client=False))
    async with collector.running():
        code, checks = await examine(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"https://localhost:{collector.port}"
        )
    assert code == 1
    assert checks[f"localhost:{collector.port} TLS"]["status"] == "failed"
    assert checks["logs export"]["status"] == "failed"
    assert f"localhost:{collector.port} TLS" in checks["logs export"]["advice"]
    assert not collector.requests


class Refusing(grpc.GenericRpcHandler):
    """Refuses every call, with the key that came along."""

    def service(self, _: Any) -> Any:
        """Return what answers a call."""

        async def refuse(_: bytes, context: Any) -> bytes:
            key = dict(context.invocation_metadata())["api-key"]
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, f"no such key: {key}")
            return b""

        return grpc.unary_unary_rpc_method_handler(refuse)


@needs_openssl
async def test_grpc_over_tls(tmp_path: Path) -> None:
    """HTTP/2 is agreed on; a refusal names the header and not what is in it."""
    certificates = make_certificates(tmp_path)
    pair = (certificates.text("server.key"), certificates.text("server.pem"))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Refusing(),))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    await server.start()
    try:
        code, written = await run_doctor(
            "--json",
            **PLACE,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"localhost:{port}",
            OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
            OTEL_EXPORTER_OTLP_HEADERS=f"api-key={SECRET}",
            OTEL_EXPORTER_OTLP_CERTIFICATE=certificates.file("authority.pem"),
        )
    finally:
        await server.stop(None)
    checks = {check["name"]: check for check in json.loads(written)["checks"]}
    assert code == 1
    assert checks[f"localhost:{port} TLS"]["status"] == "warning"  # it ends in two days
    assert checks["logs export"]["text"].startswith("gRPC UNAUTHENTICATED")
    assert "api-key" in checks["logs export"]["advice"]
    assert "hunter2" not in written


async def test_a_closed_port_and_an_open_one(unused_port: int) -> None:
    """What one signal lacks does not keep another from being checked."""
    async with Collector() as collector:
        code, checks = await examine(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{unused_port}",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.endpoint}/v1/traces",
        )
    assert code == 1
    assert checks[f"127.0.0.1:{unused_port} TCP"]["status"] == "failed"
    assert checks["logs export"]["status"] == "not checked"
    assert checks["traces export"]["status"] == "ok"


async def test_a_name_that_is_none() -> None:
    """Told, and nothing is sent."""
    code, checks = await examine(OTEL_EXPORTER_OTLP_ENDPOINT="http://nowhere.invalid:4318")
    assert code == 1
    assert checks["nowhere.invalid:4318 DNS"]["status"] == "failed"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_a_silent_server(protocol: str) -> None:
    """Each export has an end."""

    async def swallow(_: RawServer, reader: StreamReader, __: StreamWriter) -> None:
        while await reader.read(65_536):
            pass

    async with RawServer(swallow) as server:
        code, written = await run_doctor(
            *("--json", "--timeout-ms", "200"),
            **PLACE,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.port}",
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        )
    assert code == 1
    exports = [c for c in json.loads(written)["checks"] if c["name"].endswith(" export")]
    assert [each["status"] for each in exports] == ["failed"] * len(SIGNALS)


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "api-key"), (404, "path"), (415, "PROTOCOL")],
)
async def test_refusals(status: int, advice: str) -> None:
    """The advice names what to look at, and no secret that the collector repeats is told."""
    words = f"not with {SECRET} from user:{SECRET}"
    collector = HttpCollector(status, words.encode(), {"content-type": "text/plain"})
    async with collector.running():
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://me:{SECRET}@127.0.0.1:{collector.port}",
            "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={SECRET}",
        }
        code, checks = await examine(**environ)
        _, written = await run_doctor("--all", **PLACE, **environ)
    assert code == 1
    assert "hunter2" not in written + json.dumps(checks)
    assert checks["logs export"]["text"].startswith(f"HTTP {status}")
    assert advice in checks["logs export"]["advice"]
    assert SECRET in collector.requests[0][1]["api-key"]


async def test_a_partial_success() -> None:
    """Taken, with words: a warning."""
    body = b'{"partialSuccess":{"rejectedSpans":"0","errorMessage":"deprecated"}}'
    collector = HttpCollector(200, body, {"content-type": "application/json"})
    async with collector.running():
        code, checks = await examine(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}"
        )
    assert code == 0
    assert checks["traces export"]["status"] == "warning"
    assert "deprecated" in checks["traces export"]["text"]


async def test_a_proxy() -> None:
    """The extension goes through it, and so does the check; its user is not told."""

    async def answer(server: RawServer, reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            await server.read_request(reader)
            writer.write(respond(b""))
            await writer.drain()

    async with RawServer(answer) as proxy:
        code, written = await run_doctor(
            **PLACE,
            OTEL_EXPORTER_OTLP_ENDPOINT="http://collector.invalid:4318",
            http_proxy=f"http://user:{SECRET}@127.0.0.1:{proxy.port}",
        )
    assert code == 0, written
    assert f"proxy 127.0.0.1:{proxy.port} TCP" in written
    assert "hunter2" not in written
    assert {head.split()[1] for head, _ in proxy.requests} == {
        f"http://collector.invalid:4318/v1/{signal}" for signal in SIGNALS
    }


async def test_secrets_are_fetched_and_never_told(aws: AwsServices) -> None:
    """With the extension's own code; what the collector repeats is not told either."""
    reference = "{{secretsmanager:collector:SecretString:key}}"
    words = f"no such key: {SECRET}".encode()
    collector = HttpCollector(401, words, {"content-type": "text/plain"})
    async with collector.running():
        code, written = await run_doctor(
            **(PLACE | aws.environ),
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}",
            OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer {reference}",
        )
    assert code == 1
    assert "secret collector: read" in written
    assert reference in written
    assert f"Bearer {SECRET}" in {headers["authorization"] for _, headers, _ in collector.requests}
    for secret in ("hunter2", *CREDENTIALS.values()):
        assert secret == CREDENTIALS["AWS_REGION"] or secret not in written


@pytest.mark.parametrize(
    ("endpoint", "headers", "secret"),
    [
        ("http://{host}", "authorization=Basic {{{{secretsmanager:basic}}}}", "bWU6aHVudGVyMg=="),
        ("http://me:{{{{secretsmanager:basic}}}}@{host}", "", "hunter2"),
    ],
)
async def test_basic_authentication_by_reference(
    aws: AwsServices, endpoint: str, headers: str, secret: str
) -> None:
    """A collector may name user and password, or repeat both as they were sent."""
    aws.put_secret("basic", secret)
    for words in ("not hunter2", "not bWU6aHVudGVyMg=="):
        collector = HttpCollector(401, words.encode(), {"content-type": "text/plain"})
        async with collector.running():
            code, written = await run_doctor(
                **(PLACE | aws.environ),
                OTEL_EXPORTER_OTLP_ENDPOINT=endpoint.format(host=f"127.0.0.1:{collector.port}"),
                OTEL_EXPORTER_OTLP_HEADERS=headers.format(),
            )
        assert code == 1
        assert len(collector.requests) >= len(SIGNALS), written
        assert collector.requests[0][1]["authorization"] == "Basic bWU6aHVudGVyMg=="
        assert "HTTP 401 (" in written
        assert words not in written


@pytest.mark.parametrize("status", [200, 404])
async def test_an_endpoint_that_is_a_secret(aws: AwsServices, status: int) -> None:
    """Host, port and path are parts of it: none of them is told."""
    reference = "{{secretsmanager:endpoint}}"
    collector = HttpCollector(status)
    async with collector.running():
        aws.put_secret("endpoint", f"http://127.0.0.1:{collector.port}/{SECRET}")
        code, written = await run_doctor(
            **(PLACE | aws.environ), OTEL_EXPORTER_OTLP_ENDPOINT=reference
        )
    assert code == (0 if status == 200 else 1), written
    assert f"{reference} TCP" in written
    assert len(collector.requests) == len(SIGNALS)
    for part in ("hunter2", "127.0.0.1", str(collector.port)):
        assert part not in written


async def test_secrets_without_credentials() -> None:
    """Not checked, and that is no failure; the connection is checked all the same."""
    async with Collector() as collector:
        code, checks = await examine(
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
            OTEL_EXPORTER_OTLP_HEADERS="api-key={{ssm:/otlp/key}}",
        )
    assert code == 0
    assert checks["secret /otlp/key"]["status"] == "not checked"
    assert checks["logs export"]["status"] == "not checked"
    assert any(name.endswith("TCP") and c["status"] == "ok" for name, c in checks.items())


async def test_secrets_that_are_not_there(aws: AwsServices) -> None:
    """Each is named, with what Secrets Manager said; one that is there is read all the same."""
    names = ("collector", "one", "two", "three", "four")
    headers = ",".join(f"{name}={{{{secretsmanager:{name}}}}}" for name in names)
    code, checks = await examine(
        **aws.environ,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://nowhere.invalid:4318",
        OTEL_EXPORTER_OTLP_HEADERS=headers,
    )
    assert code == 1
    assert checks["secret collector"]["status"] == "ok"
    for name in names[1:]:
        assert "ResourceNotFoundException" in checks[f"secret {name}"]["text"]
    assert checks["logs export"]["status"] == "not checked"


async def test_offline() -> None:
    """No connection is opened; settings and prices are checked."""
    async with Collector() as collector:
        code, written = await run_doctor(
            "--offline", **PLACE, OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint
        )
    assert code == 0
    assert not collector.requests
    assert "ok           prices" in written
    assert "3 not checked" in written


async def test_a_function_of_aws_from_stdin(tmp_path: Path) -> None:
    """What AWS tells of the function is what is explained, not this environment."""
    async with Collector() as collector:
        configuration = {
            "FunctionName": "shop",
            "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:shop",
            "MemorySize": 3008,
            "Architectures": ["arm64"],
            "Environment": {"Variables": {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}},
        }
        path = tmp_path / "configuration.json"
        path.write_text(json.dumps(configuration))
        code, written = await run_doctor(
            *("--function-config", str(path)), OTEL_EXPORTER_OTLP_ENDPOINT="http://nowhere.invalid"
        )
    assert code == 0, written
    assert "shop, 3,008 MB" in written
    assert "eu-central-1, arm64" in written


async def test_no_collector() -> None:
    """Fails with what to set."""
    code, written = await run_doctor()
    assert code == 1
    assert "set OTEL_EXPORTER_OTLP_ENDPOINT" in written


async def test_arguments_that_cannot_be_used(tmp_path: Path) -> None:
    """Exit code 2, one line, nothing checked."""
    code, written = await run_doctor("--env-file", str(tmp_path / "nowhere"))
    assert code == 2
    assert written.startswith("logger-extension doctor: cannot read ")
    assert len(written.splitlines()) == 1
