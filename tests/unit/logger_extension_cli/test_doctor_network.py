"""Name, connection and TLS, against real servers."""

import ssl
import subprocess
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from typing import Any

import pytest

from logger_extension_cli.doctor.network import check_place
from logger_extension_cli.doctor.places import Place
from logger_extension_cli.doctor.report import Check, Status
from tests.support.certificates import HAS_OPENSSL, Certificates, make_certificates
from tests.support.http_collector import HttpCollector
from tests.support.raw_server import RawServer

# Long enough for any answer on a busy machine, short where none comes.
PATIENT_S, IMPATIENT_S = 20.0, 0.1

needs_openssl = pytest.mark.skipif(not HAS_OPENSSL, reason="there is no openssl here")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Make a private world of certificates, once."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


async def check(place: Place, timeout_s: float = PATIENT_S) -> tuple[dict[str, Status], Check]:
    """Return how each step ended, and the last one."""
    checks = await check_place(place, timeout_s)
    return {each.name.split()[-1]: each.status for each in checks}, checks[-1]


async def swallow(_: RawServer, reader: StreamReader, __: StreamWriter) -> None:
    """Read to the end and say nothing."""
    await reader.read()


async def test_a_port_that_answers() -> None:
    """Name and connection are well; nothing is said of TLS where there is none."""
    collector = HttpCollector()
    async with collector.running():
        steps, _ = await check(Place(host="localhost", port=collector.port))
    assert steps == {"DNS": Status.OK, "TCP": Status.OK}


async def test_a_closed_port(unused_port: int) -> None:
    """The refusal is told, and TLS is not tried."""
    steps, last = await check(Place(host="127.0.0.1", port=unused_port, is_tls=True))
    assert steps == {"DNS": Status.OK, "TCP": Status.FAILED}
    assert "refused" in last.text
    assert last.advice


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64, "a..b"])
async def test_a_name_that_is_none(host: str) -> None:
    """Nothing more is tried; what is too long for a name is one of them."""
    steps, last = await check(Place(host=host, port=4318))
    assert steps == {"DNS": Status.FAILED}
    assert host in last.name


async def test_a_server_that_is_silent_about_tls() -> None:
    """The handshake has an end."""
    async with RawServer(swallow) as server:
        place = Place(host="127.0.0.1", port=server.port, is_tls=True)
        steps, last = await check(place, IMPATIENT_S)
    assert steps["TLS"] is Status.FAILED
    assert "handshake" in last.text


async def test_a_server_without_tls() -> None:
    """It is asked whether http:// was meant."""
    collector = HttpCollector()
    async with collector.running():
        steps, last = await check(Place(host="127.0.0.1", port=collector.port, is_tls=True))
    assert steps == {"DNS": Status.OK, "TCP": Status.OK, "TLS": Status.FAILED}
    assert "http://" in last.advice


async def test_a_server_that_hangs_up() -> None:
    """In words, not by the name of an exception."""

    async def hang_up(_: RawServer, reader: StreamReader, __: StreamWriter) -> None:
        await reader.read(1)

    async with RawServer(hang_up) as server:
        steps, last = await check(Place(host="127.0.0.1", port=server.port, is_tls=True))
    assert steps["TLS"] is Status.FAILED
    assert "Error" not in last.text


@pytest.mark.parametrize("field", ["ca_file", "client_certificate_file"])
@pytest.mark.parametrize("file", ["/nowhere", __file__])
async def test_a_file_that_cannot_be_used(field: str, file: str) -> None:
    """Is no fault of the server: TLS is not checked, and the export names the file."""
    async with RawServer(swallow) as server:
        files: dict[str, Any] = {field: file}
        place = Place(host="127.0.0.1", port=server.port, is_tls=True, **files)
        steps, last = await check(place)
    assert steps["TLS"] is Status.SKIPPED
    assert "file" in last.text


@needs_openssl
async def test_a_certificate_that_is_trusted(certificates: Certificates) -> None:
    """It is told when it ends; two days ahead that is a warning."""
    collector = HttpCollector(tls=certificates.make_server_context(asks_client=False))
    async with collector.running():
        place = Place(
            host="localhost",
            port=collector.port,
            is_tls=True,
            ca_file=certificates.file("authority.pem"),
        )
        steps, last = await check(place)
    assert steps["TLS"] is Status.WARNING
    assert "ends in 1 days" in last.text


@needs_openssl
async def test_an_unknown_authority(certificates: Certificates) -> None:
    """The variable that names it is told."""
    collector = HttpCollector(tls=certificates.make_server_context(asks_client=False))
    async with collector.running():
        steps, last = await check(Place(host="localhost", port=collector.port, is_tls=True))
    assert steps["TLS"] is Status.FAILED
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in last.advice


@needs_openssl
async def test_a_name_that_the_certificate_does_not_have(tmp_path: Path) -> None:
    """A certificate for another host."""
    await assert_untrusted(tmp_path, days=2, subject="/CN=elsewhere", told="not valid for")


@needs_openssl
async def test_a_certificate_that_has_ended(tmp_path: Path) -> None:
    """Told as such."""
    await assert_untrusted(tmp_path, days=-1, subject="/CN=localhost", told="expired")


def make_own_certificate(folder: Path, *, days: int, subject: str) -> None:
    """Make own.pem and own.key, signed by themselves."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", "own.key", "-out", "first.pem")
    for arguments in (
        ("req", "-x509", *key, "-subj", subject, *files),
        ("x509", "-in", "first.pem", "-signkey", "own.key", "-days", str(days), "-out", "own.pem"),
    ):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


async def assert_untrusted(folder: Path, *, days: int, subject: str, told: str) -> None:
    """Check a server with a certificate of its own making, which is its own authority."""
    make_own_certificate(folder, days=days, subject=subject)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    collector = HttpCollector(tls=context)
    async with collector.running():
        ca_file = str(folder / "own.pem")
        place = Place(host="localhost", port=collector.port, is_tls=True, ca_file=ca_file)
        steps, last = await check(place)
    assert steps["TLS"] is Status.FAILED
    assert told in last.text
    assert "certificate" in last.advice


@needs_openssl
async def test_grpc_where_only_http_1_is_spoken(certificates: Certificates) -> None:
    """ALPN tells, before any request."""
    collector = HttpCollector(tls=certificates.make_server_context(asks_client=False))
    async with collector.running():
        ca_file = certificates.file("authority.pem")
        place = Place(
            host="localhost", port=collector.port, is_tls=True, is_grpc=True, ca_file=ca_file
        )
        steps, last = await check(place)
    assert steps["TLS"] is Status.FAILED
    assert "HTTP/2" in last.text
