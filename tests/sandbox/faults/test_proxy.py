"""The fault proxy does what it says: else the tests behind it would show nothing."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from otlp_viewer import Collector
from tests.support.certificates import HAS_OPENSSL, make_certificates
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import answers
from tests.support.faults.partial import reject_last

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.faults.answers import Fault


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """A collector."""
    async with Collector() as collector:
        yield collector


@pytest.fixture
async def proxy(collector: Collector) -> AsyncIterator[FaultProxy]:
    """A proxy before it."""
    async with FaultProxy(collector.endpoint) as proxy:
        yield proxy


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with aiohttp.ClientSession() as client:
        yield client


def make_body(count: int = 1) -> bytes:
    """Return a request with so many records."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for number in range(count):
        records.add().body.string_value = str(number)
    return gzip.compress(request.SerializeToString(), mtime=0)


async def send(
    client: aiohttp.ClientSession, proxy: FaultProxy, body: bytes | None = None
) -> tuple[int, bytes]:
    """Send a request; return status and body of the answer."""
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    async with client.post(
        f"{proxy.endpoint}/v1/logs", data=body or make_body(), headers=headers, ssl=False
    ) as response:
        return response.status, await response.read()


def received(collector: Collector) -> int:
    """Return how many records are at the collector."""
    return len(collector.store.logs)


async def test_a_script_is_played_to_its_end(
    collector: Collector, proxy: FaultProxy, client: aiohttp.ClientSession
) -> None:
    """Faults come one a request, and then none; only what is passed on reaches the collector."""
    proxy.play(answers.refuse_with(503), times=2)
    proxy.play(answers.refuse_with(400), times=1)
    statuses = [(await send(client, proxy))[0] for _ in range(4)]
    assert statuses == [503, 503, 400, 200]
    assert (received(collector), proxy.requests) == (1, 4)
    proxy.play(answers.refuse_with(500))
    assert [(await send(client, proxy))[0] for _ in range(2)] == [500, 500]
    proxy.heal()
    assert (await send(client, proxy))[0] == 200


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        (answers.reset_in_request, 0),
        (answers.reset_in_answer, 1),
        (answers.lose_answer, 1),
    ],
    ids=["in the request", "in the answer", "answer lost"],
)
async def test_connections_that_end(
    collector: Collector,
    proxy: FaultProxy,
    client: aiohttp.ClientSession,
    fault: Fault,
    taken: int,
) -> None:
    """The client sees an error, whether the collector has taken the request or not."""
    proxy.play(fault, times=1)
    with pytest.raises(aiohttp.ClientError):
        await send(client, proxy)
    assert received(collector) == taken
    assert (await send(client, proxy))[0] == 200


@pytest.mark.parametrize("fault", [answers.hang, answers.stay_deaf], ids=["hang", "deaf"])
async def test_silence(
    collector: Collector, proxy: FaultProxy, client: aiohttp.ClientSession, fault: Fault
) -> None:
    """Nothing is answered; who is deaf does not even read."""
    proxy.play(fault, times=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await send(client, proxy)
    assert received(collector) == 0
    assert (await send(client, proxy))[0] == 200


async def test_refused_connections(proxy: FaultProxy, client: aiohttp.ClientSession) -> None:
    """While it refuses nobody can connect; then the port is the same."""
    endpoint = proxy.endpoint
    assert (await send(client, proxy))[0] == 200
    await proxy.refuse()
    with pytest.raises(aiohttp.ClientConnectorError):
        await send(client, proxy)
    await proxy.listen()
    assert (await send(client, proxy))[0] == 200
    assert proxy.endpoint == endpoint


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
async def test_retry_after(
    proxy: FaultProxy, client: aiohttp.ClientSession, *, as_date: bool
) -> None:
    """Retry-After is given in either form."""
    proxy.play(answers.refuse_with(429, retry_after_s=7, as_date=as_date))
    async with client.post(f"{proxy.endpoint}/v1/logs", data=b"") as response:
        value = response.headers["Retry-After"]
    if as_date:
        assert 5 < parsedate_to_datetime(value).timestamp() - time.time() <= 7
    else:
        assert value == "7"


async def test_a_limit_of_size(
    collector: Collector, proxy: FaultProxy, client: aiohttp.ClientSession
) -> None:
    """413 for what is larger."""
    small, large = make_body(1), make_body(100)
    proxy.play(answers.refuse_larger(len(small)))
    assert (await send(client, proxy, large))[0] == 413
    assert (await send(client, proxy, small))[0] == 200
    assert received(collector) == 1


async def test_slowness(proxy: FaultProxy, client: aiohttp.ClientSession) -> None:
    """Late answers and a narrow line take their time."""
    body = make_body(100)
    for fault in (answers.delay(0.1), answers.throttle(len(body) / 0.1)):
        proxy.play(fault, times=1)
        began = time.monotonic()
        assert (await send(client, proxy, body))[0] == 200
        assert time.monotonic() - began >= 0.1


async def test_partial_success(
    collector: Collector, proxy: FaultProxy, client: aiohttp.ClientSession
) -> None:
    """The last records are taken out, and the answer says how many."""
    proxy.play(reject_last(2))
    status, answer = await send(client, proxy, make_body(5))
    assert (status, received(collector)) == (200, 3)
    response = ExportLogsServiceResponse.FromString(answer)
    assert response.partial_success.rejected_log_records == 2


async def test_a_greeting(proxy: FaultProxy) -> None:
    """Each connection gets it, and its end."""
    proxy.greeting = b"garbage"
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await reader.read() == b"garbage"
    writer.close()


@pytest.mark.skipif(not HAS_OPENSSL, reason="needs the openssl command")
async def test_certificates_may_change(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    """Another certificate on the same port, and back."""
    worlds = []
    for name in ("right", "wrong"):
        (tmp_path / name).mkdir()
        worlds.append(make_certificates(tmp_path / name))
    right, wrong = (world.make_server_context(asks_client=False) for world in worlds)
    trusting = ssl.create_default_context(cafile=worlds[0].file("authority.pem"))
    async with Collector() as collector, FaultProxy(collector.endpoint, tls=right) as proxy:
        await proxy.listen(tls=wrong)
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.post(proxy.endpoint, ssl=trusting)
        await proxy.listen(tls=right)
        async with client.post(f"{proxy.endpoint}/v1/logs", data=b"", ssl=trusting) as response:
            assert response.status == 415
