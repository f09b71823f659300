"""Certificates and keys from files: what works, and what is told when it does not."""

import ssl
from typing import Any

import pytest

from logger_extension.errors import ConfigError
from logger_extension.exporters.tls import Credentials, load_context, read_credentials
from tests.support.certificates import HAS_OPENSSL, Certificates, make_certificates
from tests.support.export_targets import make_target

pytestmark = pytest.mark.skipif(not HAS_OPENSSL, reason="the openssl command is not here")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a private world of certificates."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def _files(certificates: Certificates, **names: str) -> dict[str, Any]:
    fields = {f"{field}_file": certificates.file(name) for field, name in names.items()}
    return {"insecure": False, **fields}


def test_without_files_the_librarys_own_context_will_do() -> None:
    """It is already there: another would cost 30 ms of a cold start."""
    target = make_target(insecure=False)
    assert load_context(target) is None
    assert read_credentials(target) == Credentials(None, None, None)


def test_without_tls_no_file_is_opened() -> None:
    """One set of variables serves a collector with TLS and one without."""
    assert load_context(make_target(ca_file="/nowhere")) is None


def test_own_authorities_replace_the_systems(certificates: Certificates) -> None:
    """Nobody else is trusted; peers are still verified by name."""
    context = load_context(make_target(**_files(certificates, ca="authority.pem")))
    assert context is not None
    subjects = [authority["subject"] for authority in context.get_ca_certs()]
    assert subjects == [((("commonName", "test authority"),),)]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_one_context_serves_all_signals(certificates: Certificates) -> None:
    """It is made once."""
    fields = _files(certificates, ca="authority.pem", client_certificate="client-with-key.pem")
    first = load_context(make_target(signal="logs", **fields))
    assert first is load_context(make_target(signal="traces", **fields))


@pytest.mark.parametrize(
    ("names", "certificate", "key"),
    [
        (
            {"client_certificate": "client.pem", "client_key": "client.key"},
            "client.pem",
            "client.key",
        ),
        (
            {"client_certificate": "client-with-key.pem"},
            "client-with-key.pem",
            "client-with-key.pem",
        ),
    ],
    ids=["two files", "one file"],
)
def test_a_clients_certificate(
    certificates: Certificates, names: dict[str, str], certificate: str, key: str
) -> None:
    """With its key in a file of its own or in the same."""
    target = make_target(**_files(certificates, ca="authority.pem", **names))
    assert read_credentials(target) == Credentials(
        certificates.text("authority.pem"), certificates.text(certificate), certificates.text(key)
    )


@pytest.mark.parametrize("read", [load_context, read_credentials])
@pytest.mark.parametrize(
    ("names", "variable"),
    [
        ({"ca": "missing.pem"}, "OTEL_EXPORTER_OTLP_CERTIFICATE: .*missing.pem .*No such file"),
        ({"ca": "openssl.cnf"}, "OTEL_EXPORTER_OTLP_CERTIFICATE: .*openssl.cnf"),
        ({"ca": ""}, "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        ({"client_certificate": "missing.pem"}, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        ({"client_certificate": "client.pem"}, "OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        ({"client_key": "client.key"}, "OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        (
            {"client_certificate": "client.pem", "client_key": "server.key"},
            "OTEL_EXPORTER_OTLP_CLIENT_KEY: .*client.pem .*server.key",
        ),
        (
            {"client_certificate": "client.pem", "client_key": "missing.key"},
            "OTEL_EXPORTER_OTLP_CLIENT_KEY: .*missing.key",
        ),
        (
            {"client_certificate": "client.pem", "client_key": "client-locked.key"},
            "OTEL_EXPORTER_OTLP_CLIENT_KEY: .*client-locked.key",
        ),
    ],
    ids=repr,
)
def test_files_that_cannot_be_used_are_told(
    certificates: Certificates, read: Any, names: dict[str, str], variable: str
) -> None:
    """Missing, a folder, no PEM, another's key, a key with a password: variable and file."""
    with pytest.raises(ConfigError, match=variable):
        read(make_target(**_files(certificates, **names)))
