"""Credentials: from the environment, or from the address there, renewed before they end."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from logger_extension.aws import credentials
from logger_extension.aws.credentials import CredentialSource
from logger_extension.errors import AwsError
from tests.support.http_collector import HttpCollector

KEY = "hunter2"
EXPIRES = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    """Stands for `time`, and stands still."""

    def __init__(self) -> None:
        self.now = EXPIRES - timedelta(hours=1)

    def time(self) -> float:
        """Return seconds since 1970."""
        return self.now.timestamp()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the module a clock of ours."""
    clock = Clock()
    monkeypatch.setattr(credentials, "time", clock)
    return clock


@pytest.fixture
async def server() -> AsyncIterator[HttpCollector]:
    """Serve credentials as Lambda does under SnapStart."""
    server = HttpCollector(headers={"content-type": "application/json"})
    server.body = _answer("first", EXPIRES)
    async with server.running():
        yield server


def _answer(name: str, expires: datetime) -> bytes:
    fields = {
        "AccessKeyId": name,
        "SecretAccessKey": KEY,
        "Token": "token",
        "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return json.dumps(fields).encode()


def _source(server: HttpCollector) -> CredentialSource:
    return CredentialSource(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.port}/creds",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "permit",
        }
    )


async def test_those_of_the_environment() -> None:
    """What Lambda puts there, with or without a session."""
    environ = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": KEY}
    found = await CredentialSource(environ).get()
    assert (found.access_key, found.secret_key, found.token) == ("id", KEY, None)
    found = await CredentialSource(environ | {"AWS_SESSION_TOKEN": "token"}).get()
    assert found.token == "token"  # noqa: S105  (it is none)
    assert KEY not in repr(found)


async def test_those_of_the_address(server: HttpCollector, clock: Clock) -> None:
    """Asked for with the permit, once for as long as they hold."""
    source = _source(server)
    found = await source.get()
    assert (found.access_key, found.secret_key, found.token) == ("first", KEY, "token")
    assert found.expires_s == EXPIRES.timestamp()
    clock.now = EXPIRES - timedelta(minutes=5, seconds=1)
    assert await source.get() == found
    [(path, headers, _)] = server.requests
    assert (path, headers["authorization"]) == ("/creds", "permit")


async def test_they_are_renewed_before_they_end(server: HttpCollector, clock: Clock) -> None:
    """Five minutes ahead."""
    source = _source(server)
    await source.get()
    clock.now = EXPIRES - timedelta(minutes=5)
    server.body = _answer("second", EXPIRES + timedelta(hours=1))
    assert (await source.get()).access_key == "second"


async def test_old_ones_serve_while_they_hold(server: HttpCollector, clock: Clock) -> None:
    """When new ones cannot be had; after that there are none."""
    source = _source(server)
    await source.get()
    server.status = 500
    clock.now = EXPIRES - timedelta(seconds=1)
    assert (await source.get()).access_key == "first"
    clock.now = EXPIRES
    with pytest.raises(AwsError, match="HTTP 500"):
        await source.get()


@pytest.mark.parametrize("body", [b"", b"hunter2", b"[]", b"{}", b'{"Expiration": "hunter2"}'])
async def test_an_answer_without_any(server: HttpCollector, body: bytes) -> None:
    """It is told, not repeated."""
    server.body = body
    with pytest.raises(AwsError, match="AWS_CONTAINER_CREDENTIALS_FULL_URI") as caught:
        await _source(server).get()
    assert KEY not in str(caught.value)


async def test_nobody_at_the_address(unused_port: int) -> None:
    """The address is not told: it is a secret by itself in some places."""
    uri = f"http://hunter2:{unused_port}@127.0.0.1:{unused_port}/hunter2"
    with pytest.raises(AwsError, match="ClientConnectorError") as caught:
        await CredentialSource({"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri}).get()
    assert KEY not in str(caught.value)


async def test_no_credentials_at_all() -> None:
    """Both places are named."""
    with pytest.raises(AwsError, match=r"AWS_ACCESS_KEY_ID.*AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        await CredentialSource({"AWS_ACCESS_KEY_ID": "id"}).get()
