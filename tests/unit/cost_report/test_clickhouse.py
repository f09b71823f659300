"""What the address of a ClickHouse says."""

import pytest

from cost_report.clickhouse import is_address, parse_address
from cost_report.errors import UnknownSourceError


def test_an_address_says_where_and_who() -> None:
    """With what URLs have to write as percent."""
    address = parse_address("clickhouse://me:p%40ss%2F@db.example:9123/otel%2D1?secure=true")
    assert (address.host, address.port, address.user) == ("db.example", 9123, "me")
    assert (address.password, address.database) == ("p@ss/", "otel-1")
    assert (address.secure, address.verify) == (True, True)


def test_what_is_left_out_is_clickhouses_default() -> None:
    """User and database `default`, the port of HTTP or of HTTPS."""
    plain = parse_address("clickhouse://db", "from elsewhere")
    assert (plain.port, plain.user, plain.database) == (8123, "default", "default")
    assert (plain.password, plain.secure) == ("from elsewhere", False)
    assert parse_address("clickhouse://db?secure=1&verify=false").port == 8443
    assert parse_address("clickhouse://[::1]:1/x").host == "::1"


def test_the_password_in_the_address_wins() -> None:
    """Over the one that came apart."""
    assert parse_address("clickhouse://u:own@db", "other").password == "own"  # noqa: S105


def test_an_address_shows_no_password() -> None:
    """Not even where it is printed by mistake."""
    address = parse_address("clickhouse://me:secret@db/x")
    assert repr(address) == str(address) == address.title == "clickhouse://db:8123/x"


@pytest.mark.parametrize(
    "where",
    [
        "clickhouse:///otel",
        "clickhouse://db:port/x",
        "clickhouse://db/x?table=y",
        "clickhouse://db/x?secure=perhaps",
        "clickhouse://[::1/x",
    ],
)
def test_what_cannot_be_read_is_told_without_it(where: str) -> None:
    """The address may hold a password, so that it is not repeated."""
    with pytest.raises(UnknownSourceError) as caught:
        parse_address(where)
    assert where not in str(caught.value)


def test_only_our_scheme_is_an_address() -> None:
    """A file may be called anything else."""
    assert is_address("clickhouse://db")
    assert not is_address("clickhouse/folder")
