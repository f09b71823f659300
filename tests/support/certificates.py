"""Certificates for tests, made by the `openssl` command."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

HAS_OPENSSL = shutil.which("openssl") is not None

CONFIG = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
subjectAltName = IP:127.0.0.1, DNS:localhost
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of a private world: an authority, a server and a client that it vouches for."""

    folder: Path

    def file(self, name: str) -> str:
        """Return the path of `authority`, `server` or `client`, with .pem or .key."""
        return str(self.folder / name)

    def text(self, name: str) -> bytes:
        """Return the contents of a file."""
        return (self.folder / name).read_bytes()

    def make_server_context(self, *, asks_client: bool) -> ssl.SSLContext:
        """Return the context of a server that may insist on a client's certificate."""
        context = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=self.file("authority.pem")
        )
        context.load_cert_chain(self.file("server.pem"), self.file("server.key"))
        if asks_client:
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def make_certificates(folder: Path) -> Certificates:
    """Make all files in a folder."""
    (folder / "openssl.cnf").write_text(CONFIG)
    _issue(folder, "authority")
    for name in ("server", "client"):
        _issue(folder, name, "-CA", "authority.pem", "-CAkey", "authority.key")
    both = (folder / "client.pem").read_bytes() + (folder / "client.key").read_bytes()
    (folder / "client-with-key.pem").write_bytes(both)
    _run(
        folder,
        *("ec", "-in", "client.key", "-out", "client-locked.key", "-aes256"),
        *("-passout", "pass:secret"),
    )
    return Certificates(folder)


def _issue(folder: Path, name: str, *issuer: str) -> None:
    _run(
        folder,
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-config", "openssl.cnf", "-extensions", name, "-subj", f"/CN=test {name}"),
        *("-days", "2", "-keyout", f"{name}.key", "-out", f"{name}.pem", *issuer),
    )


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
