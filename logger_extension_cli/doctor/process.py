"""This process as the function's: with the proxies and authorities that its libraries would find.

Owns which variables those are. Some libraries read them while they are imported, so this comes
before. Must not know what a variable means.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# What the libraries read from the process, wherever the settings came from.
READ_BY_LIBRARIES = frozenset(
    {"SSL_CERT_FILE", "SSL_CERT_DIR", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "GRPC_VERBOSITY"}
)
# What gRPC would log by itself is told by the report.
QUIET = {"GRPC_VERBOSITY": "NONE"}


@contextmanager
def as_process_of(environ: Mapping[str, str]) -> Iterator[None]:
    """Let the process have a function's variables for its libraries, and none of its own."""

    def pick(variables: Mapping[str, str]) -> dict[str, str]:
        return {
            name: value
            for name, value in variables.items()
            if name.lower().endswith("_proxy") or name in READ_BY_LIBRARIES
        }

    before = pick(os.environ)
    _replace(before, QUIET | pick(environ))
    try:
        yield
    finally:
        _replace(pick(os.environ), before)


def _replace(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    for name in old:
        del os.environ[name]
    os.environ.update(new)
