"""Signatures, checked as a service would; and where botocore comes from."""

import gzip
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from logger_extension.aws.signature import Signer
from logger_extension.errors import AwsError
from logger_extension.exporters.otlp_http import HttpExporter
from logger_extension.exporters.signing import make_signer
from logger_extension.policy.aws_endpoints import Scope
from logger_extension.policy.outcome import Delivered
from tests.support.aws_services import CREDENTIALS
from tests.support.export_targets import make_request, make_target
from tests.support.raw_server import RawServer, respond
from tests.support.sigv4 import read_head, verify

SECRET_KEY = CREDENTIALS["AWS_SECRET_ACCESS_KEY"]
REPOSITORY = Path(__file__).resolve().parents[3]


async def _answer(server: RawServer, reader: Any, writer: Any) -> None:
    while True:
        await server.read_request(reader)
        writer.write(respond(b""))
        await writer.drain()


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("query", ["", "?b=2&a=1%20x&c"])
async def test_a_service_would_accept_it(compression: str, query: str) -> None:
    """On the wire: the compressed body, our headers, the path and query as they are sent."""
    body = make_request("traces", "signed").SerializeToString()
    async with RawServer(_answer) as server:
        target = make_target(
            signal="traces",
            url=f"http://127.0.0.1:{server.port}/v1/tr%20aces{query}",
            headers={"x-aws-log-group": "a  b"},
            compression=compression,
            sigv4="xray",
            region="eu-west-1",
        )
        sign = make_signer(target, Signer(CREDENTIALS))
        async with HttpExporter(target, sign=sign) as exporter:
            assert await exporter.export(body) == Delivered()
            assert await exporter.export(body) == Delivered()
    assert len(server.requests) == 2
    for head, sent in server.requests:
        key, scope, names = verify(head, sent, SECRET_KEY)
        assert key == CREDENTIALS["AWS_ACCESS_KEY_ID"]
        assert scope.split("/")[1:] == ["eu-west-1", "xray", "aws4_request"]
        assert names >= {"host", "x-amz-date", "x-amz-security-token", "x-aws-log-group"}
        assert (gzip.decompress(sent) if compression == "gzip" else sent) == body
        assert read_head(head)[2]["x-amz-security-token"] == CREDENTIALS["AWS_SESSION_TOKEN"]


async def test_a_changed_body_is_another_request() -> None:
    """The signature covers it; so the check above can fail."""
    url, headers = "https://xray.eu-west-1.amazonaws.com/v1/traces", {"host": "x"}
    signed = await Signer(CREDENTIALS).sign(Scope("xray", "eu-west-1"), url, headers, b"body")
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    head = f"POST /v1/traces HTTP/1.1\r\n{lines}\r\n"
    verify(head, b"body", SECRET_KEY)
    for wrong_head, body, key in (
        (head, b"other", SECRET_KEY),
        (head, b"body", "other"),
        (head.replace("/v1/traces", "/v1/logs"), b"body", SECRET_KEY),
    ):
        with pytest.raises(AssertionError):
            verify(wrong_head, body, key)


async def test_what_must_not_be_told_is_known() -> None:
    """From the first signature on."""
    signer = Signer(CREDENTIALS)
    before = signer.secrets
    await signer.prepare()
    assert before == ()
    assert signer.secrets == (SECRET_KEY, CREDENTIALS["AWS_SESSION_TOKEN"])
    assert SECRET_KEY not in repr(vars(signer))


async def test_without_a_region_nothing_is_signed() -> None:
    """Lambda sets the variable; a local tool may not."""
    with pytest.raises(AwsError, match="AWS_REGION"):
        await Signer(CREDENTIALS).sign(Scope("xray", ""), "http://c", {}, b"")


def test_targets_that_go_unsigned_have_no_signer() -> None:
    """The exporter then sends its own headers."""
    assert make_signer(make_target(), Signer(CREDENTIALS)) is None


# As our process runs: no site-packages but those that it is given, here all but botocore.
PROGRAM = """
import asyncio, sys, types
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from logger_extension.aws import signature
from logger_extension.policy.aws_endpoints import Scope
from logger_extension.errors import AwsError
before = list(sys.path)
signature.RUNTIME_PACKAGES = (sys.argv[3].lstrip("/"),)
signer = signature.Signer({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
try:
    asyncio.run(signer.sign(Scope("ssm", "eu-west-1"), "https://ssm", {}, b""))
except AwsError as error:
    sys.exit(str(error))
import botocore
assert sys.path[:len(before)] == before
print(Path(botocore.__file__).parent.parent)
"""

BOTOCORE = ("botocore", "dateutil", "jmespath", "six.py", "urllib3")


def _run(tmp_path: Path, *, has_runtime: bool) -> subprocess.CompletedProcess[str]:
    """Lay out packages as in a layer without the aws extra, and perhaps those of a runtime."""
    layer, runtime = tmp_path / "layer", tmp_path / "lang" / "python3.13" / "site-packages"
    layer.mkdir()
    runtime.mkdir(parents=True)
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if package.name not in BOTOCORE:
            (layer / package.name).symlink_to(package)
        elif has_runtime:
            (runtime / package.name).symlink_to(package)
    pattern = str(tmp_path / "lang" / "python3.*" / "site-packages")
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(REPOSITORY), str(layer), pattern],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_runtimes_botocore_serves(tmp_path: Path) -> None:
    """Its folder comes last, so it replaces nothing that the layer has."""
    done = _run(tmp_path, has_runtime=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(tmp_path / "lang" / "python3.13" / "site-packages")


def test_without_any_botocore_the_layer_is_named(tmp_path: Path) -> None:
    """What to do stands in the error."""
    done = _run(tmp_path, has_runtime=False)
    assert done.returncode == 1
    assert "use the layer with the aws extra" in done.stderr


def test_botocore_is_not_imported_before_it_is_needed() -> None:
    """It costs 40 ms."""
    source = (
        "import sys, logger_extension.exporters.protocols, logger_extension.exporters.resolving;"
        "sys.exit('botocore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
