"""The authorities that the system trusts: read once, and only where something asks for TLS.

aiohttp makes two contexts when it is imported, one of them for connections that are not verified,
and reads the system's authorities into each: 20 ms and a megabyte a time. So it is imported while
OpenSSL's variables point to none, and every connection is given the context that is made here. If
one was forgotten, it would trust nobody and fail. Must not know who connects, nor where to.
"""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

# https://docs.openssl.org/3.0/man3/SSL_CTX_load_verify_locations/
PATHS = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@cache
def trust_system() -> ssl.SSLContext:
    """Return the context of connections that no setting says anything about."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))
    return context


@contextmanager
def leave_unread() -> Iterator[None]:
    """Let contexts that are made meanwhile trust nobody."""
    kept = {name: os.environ[name] for name in PATHS if name in os.environ}
    os.environ.update(dict.fromkeys(PATHS, os.devnull))
    try:
        yield
    finally:
        for name in PATHS:
            del os.environ[name]
        os.environ.update(kept)
