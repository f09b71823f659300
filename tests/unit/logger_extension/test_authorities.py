"""The system's authorities: not read for aiohttp, and trusted wherever TLS is asked for."""

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from logger_extension.authorities import PATHS, leave_unread, trust_system
from tests.support.certificates import HAS_OPENSSL, Certificates, make_certificates

REPOSITORY = Path(__file__).resolve().parents[3]

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from logger_extension.exporters.protocols import open_exporter
from logger_extension.settings.export import ExportSettings
from logger_extension.environment import Environment
settings = ExportSettings.read(Environment({"OTEL_EXPORTER_OTLP_ENDPOINT": sys.argv[2]}))
assert "aiohttp" not in sys.modules
exporter = open_exporter(settings.logs)
from aiohttp import connector
from logger_extension.authorities import trust_system
contexts = [connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED]
print([each.cert_store_stats()["x509"] for each in contexts], trust_system.cache_info().currsize)
print(trust_system().cert_store_stats()["x509"])
"""


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Return a private world of certificates."""
    return make_certificates(tmp_path)


@pytest.mark.skipif(not HAS_OPENSSL, reason="needs the openssl command")
@pytest.mark.parametrize(
    ("endpoint", "contexts"), [("http://a.example", 0), ("https://a.example", 1)]
)
def test_aiohttp_reads_none(certificates: Certificates, endpoint: str, contexts: int) -> None:
    """Ours are read for https only, and from where OpenSSL's variable points to."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(REPOSITORY), endpoint],
        env=os.environ | {"SSL_CERT_FILE": certificates.file("authority.pem")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [f"[0, 0] {contexts}", "1"]


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was set is set again, what was not is not; after an error too."""
    monkeypatch.setenv(PATHS[0], "/somewhere")
    monkeypatch.delenv(PATHS[1], raising=False)
    before = dict(os.environ)
    with leave_unread():
        context = ssl.create_default_context()
    assert context.cert_store_stats()["x509"] == 0
    assert dict(os.environ) == before
    with pytest.raises(ImportError), leave_unread():
        raise ImportError
    assert dict(os.environ) == before


def test_one_context_serves_all() -> None:
    """It is verified, and made once."""
    context = trust_system()
    assert context is trust_system()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
