"""Connecting to a ClickHouse: the edge to its client, and what an address says.

A password is nowhere but on its way to the client: not in titles, not in messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

import ibis

from cost_report.errors import DatabaseError, SourceError, UnknownSourceError
from cost_report.opening import Opened
from cost_report.reading import foreign_errors, shorten

_SCHEME = "clickhouse://"
_FORM = "clickhouse://user@host:8123/database"
_PORT, _SECURE_PORT = 8123, 8443
_SWITCHES: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a ClickHouse is and who asks; `verify` is whether its certificate is looked at."""

    host: str
    port: int
    user: str
    password: str
    database: str
    secure: bool
    verify: bool

    @property
    def title(self) -> str:
        """The place, without who asks."""
        return f"{_SCHEME}{self.host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        """Say no more than the place."""
        return self.title


def is_address(where: str) -> bool:
    """Return whether a source is meant to be a ClickHouse."""
    return where.startswith(_SCHEME)


def parse_address(where: str, password: str | None = None) -> Address:
    """Return what an address says; `password` is for one that holds none.

    Raises:
        UnknownSourceError: it is no address, or has options that we do not know.
    """
    try:
        url = urlsplit(where)
        port = url.port
    except ValueError:
        raise UnknownSourceError(f"the address cannot be read; write it as {_FORM}") from None
    if not url.hostname:
        raise UnknownSourceError(f"the address names no host; write it as {_FORM}")
    options = {"secure": "false", "verify": "true"}
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if name not in options or value.lower() not in _SWITCHES:
            raise UnknownSourceError(
                f"{name} in the address: there are secure=true (TLS) and verify=false (any"
                " certificate)"
            )
        options[name] = value.lower()
    secure = _SWITCHES[options["secure"]]
    return Address(
        host=url.hostname,
        port=port or (_SECURE_PORT if secure else _PORT),
        user=unquote(url.username or "default"),
        password=unquote(url.password) if url.password else password or "",
        database=unquote(url.path.strip("/")) or "default",
        secure=secure,
        verify=_SWITCHES[options["verify"]],
    )


def connect(where: str, password: str) -> Opened:
    """Connect to a server.

    Raises:
        DatabaseError: it cannot be reached, or refuses user, password or database.
        SourceError: its client is not installed.
        UnknownSourceError: the address cannot be read.
    """
    address = parse_address(where, password)
    try:
        connection = ibis.clickhouse.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database=address.database,
            secure=address.secure,
            verify=address.verify,
        )
    except ImportError as error:
        raise SourceError(
            "the client of ClickHouse is not installed; install logger-extension[clickhouse]"
        ) from error
    except foreign_errors() as error:
        text = shorten(error)
        if address.password:
            text = text.replace(address.password, "***")
        raise DatabaseError(
            f"{address.title} cannot be used: {text}; look at host, port (of HTTP), user, password"
            " and database"
        ) from None
    return Opened(connection, address.title, connection.disconnect)
