"""The receivers as they are run, in front of clients that mean no good.

Whatever is sent: nothing of it is taken, it is counted, no line is written, and the next is served.
"""

import asyncio
import logging
import resource
import socket
import ssl
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from logger_extension import selflog
from logger_extension.bootstrap import Handoff
from logger_extension.receivers.guard import Guard, Limits
from logger_extension.receivers.otlp import MAX_CONNECTIONS, OtlpReceiver
from logger_extension.receivers.request import Head, Response
from logger_extension.receivers.server import Server
from logger_extension.receivers.telemetry_api import TelemetryReceiver
from tests.support.raw_client import connect, listen, until
from tests.support.receiving import Sink

HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n["
MEBIBYTE = 1024 * 1024


@dataclass
class Target:
    """A receiver as it is run."""

    port: int
    path: bytes
    body: bytes
    taken: Callable[[], int]
    refused: Counter[str]
    guard: Guard

    async def check_serves(self) -> None:
        """A request on a connection of its own is answered."""
        before = self.taken()
        async with connect(self.port) as client:
            assert await client.post(self.body, self.path) == 200
        assert self.taken() == before + 1


@asynccontextmanager
async def _telemetry() -> AsyncIterator[Target]:
    handoff = Handoff("127.0.0.1:1", "e", b"")
    handoff.listener = listen()
    port = handoff.listener.getsockname()[1]
    bodies: list[bytes] = []
    refused: Counter[str] = Counter()
    receiver = TelemetryReceiver(
        handoff,
        bodies.append,
        lambda reason: refused.update([reason]),
        has_room=lambda: True,
        wait_for_room=_never,
    )
    await receiver.open()
    try:
        yield Target(port, b"/", b"[]", lambda: len(bodies), refused, receiver._server._guard)
    finally:
        await receiver.close()


async def _never() -> None:
    pytest.fail("there is room")


@asynccontextmanager
async def _otlp() -> AsyncIterator[Target]:
    sink = Sink()
    listener = listen()
    port = listener.getsockname()[1]
    receiver = OtlpReceiver(port, 4 * MEBIBYTE, sink.intake, listener)
    await receiver.open()
    try:
        body = b"\x0a\x00"  # one empty ResourceLogs
        yield Target(
            port, b"/v1/logs", body, lambda: len(sink.taken), sink.refused, receiver._server._guard
        )
    finally:
        await receiver.close()


@pytest.fixture
def stderr(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> pytest.CaptureFixture[str]:
    """Give what is written to stderr, with no line held back for being told a moment ago."""
    monkeypatch.setattr(selflog._log, "_last_s", {})
    return capfd


@pytest.fixture(params=[_telemetry, _otlp], ids=["telemetry", "otlp"])
async def target(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    stderr: pytest.CaptureFixture[str],
) -> AsyncIterator[Target]:
    """Give a receiver; at the end it serves as before, and has written no line."""
    async with request.param() as target:
        yield target
        await target.check_serves()
        assert target.guard._held_bytes == 0
    # asyncio's debug mode tells of a slow machine by WARNING.
    messages = [r.getMessage() for r in caplog.records if r.levelno > logging.INFO]
    assert [each for each in messages if not each.startswith("Executing <")] == []
    assert stderr.readouterr().err == ""


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Raise the limit of this process for tests that hold more than a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4_096 if hard == resource.RLIM_INFINITY else min(4_096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_descriptors")
async def test_a_thousand_connections_opened_and_left(target: Target) -> None:
    """Every other one with half a head; a connection that had served before still does."""
    async with connect(target.port) as known:
        assert await known.post(target.body, target.path) == 200
        before_bytes = _resident_bytes()
        left = []
        for number in range(1_000):
            left.append(socket.create_connection(("127.0.0.1", target.port)))
            left[-1].send((b"", b"POST / HTTP/1.1\r\nX-Half: ")[number % 2])
            await asyncio.sleep(0)
        await until(lambda: target.refused.total() >= 1_000 - MAX_CONNECTIONS)
        assert len(target.guard._connections) <= MAX_CONNECTIONS
        assert _resident_bytes() - before_bytes < 32 * MEBIBYTE
        assert await known.post(target.body, target.path) == 200
    for sock in left:
        sock.close()
    await until(lambda: not target.guard._connections)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 1_000,
        b"\r\n" * 100 + b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\xff" * 300_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n[]",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]",
    ],
    ids=[
        *("zeros", "words", "version", "http2", "ones", "negative", "overflow", "two lengths"),
        *("smuggling", "chunk size", "no host"),
    ],
)
async def test_garbage(target: Target, garbage: bytes) -> None:
    """It is answered 400 at most, closed, and counted; nothing of it is taken."""
    async with connect(target.port) as client:
        await client.send(garbage)
        answer = await client.wait_end()
        assert answer == b"" or answer.split()[1] in (b"400", b"404", b"413", b"415")
    assert target.refused.total() >= 1
    assert target.taken() == 0


async def test_tls(target: Target) -> None:
    """A client that begins with a handshake is turned away; its next try is too."""
    context = ssl.create_default_context()
    for _ in range(2):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", target.port, ssl=context)
    assert target.refused.total() == 2


async def test_pipelining(target: Target) -> None:
    """Requests sent without waiting for the answers are answered, each in its turn."""
    request = (
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n" % target.path
    )
    request += b"Content-Length: %d\r\n\r\n%s" % (len(target.body), target.body)
    async with connect(target.port) as client:
        await client.send(request * 100)
        assert [await client.read_status() for _ in range(100)] == [200] * 100
    assert target.taken() == 100


async def test_pipelining_holds_up_nobody(target: Target) -> None:
    """Between requests that came together, others have their turn."""
    requests = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 500
    async with connect(target.port) as client, connect(target.port) as other:
        assert await other.post(target.body, target.path) == 200
        await client.send(requests)
        assert await other.post(target.body, target.path) == 200
        assert target.refused.total() < 100
        assert [await client.read_status() for _ in range(500)] == [404] * 500


async def test_answers_that_nobody_reads(target: Target) -> None:
    """A client that only sends is ended; what waits for it does not grow."""
    requests = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        sock.connect(("127.0.0.1", target.port))
        sock.setblocking(False)  # noqa: FBT003  (the way of sockets)
        with suppress(ConnectionError):
            while True:
                with suppress(BlockingIOError):
                    sock.send(requests)
                await asyncio.sleep(0)
    assert [n for reason, n in target.refused.items() if "answers_unread" in reason] == [1]


@pytest.mark.parametrize("part", [b"", b"POST / HT", HALF_A_BODY], ids=["none", "head", "body"])
async def test_half_closed(target: Target, part: bytes) -> None:
    """Who sends no more in mid-request has left."""
    async with connect(target.port) as client:
        await client.send(part)
        client.writer.write_eof()
        await client.wait_end()
        assert target.taken() == 0


async def test_resets(target: Target) -> None:
    """A client that tears the connection leaves nothing behind, wherever it is."""
    for part in (
        b"",
        b"POST",
        HALF_A_BODY[:-1],
        HALF_A_BODY,
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        for _ in range(20):
            async with connect(target.port) as client:
                await client.send(part)
    async with connect(target.port) as client:
        assert await client.post(b"", b"/nowhere") == 404
    await until(lambda: not target.guard._connections)


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"HEAD"])
async def test_no_method_but_post(target: Target, method: bytes) -> None:
    """405 with what is allowed."""
    async with connect(target.port) as client:
        await client.send(b"%s %s HTTP/1.1\r\nHost: x\r\n\r\n" % (method, target.path))
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 405 ")
        assert b"Allow: POST\r\n" in head
    assert target.refused.total() == 1


@pytest.mark.parametrize(
    "path", [b"/nowhere", b"/../", b"//", b"/v1", b"/v1/logs/", b"/%2e%2e/etc/passwd", b"/\xff"]
)
async def test_no_path_but_ours(target: Target, path: bytes) -> None:
    """404 and counted."""
    async with connect(target.port) as client:
        assert await client.post(b"[]", path) in (400, 404)
    assert target.refused.total() == 1
    assert target.taken() == 0


async def test_the_body_of_a_refused_request_is_not_waited_for(target: Target) -> None:
    """The answer is there before the body, and the connection ends by itself."""
    async with connect(target.port) as client:
        await client.send(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n")
        assert await client.read_status() == 404
        assert await client.wait_end() == b""


async def test_upgrades_are_declined(target: Target) -> None:
    """There is no websocket, and no tunnel; what comes behind the request is not kept."""
    for head in (
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        async with connect(target.port) as client:
            await client.send(head)
            assert await client.read_status() in (400, 404, 405)


async def test_a_flood_of_bytes_is_held_to_the_limit(target: Target) -> None:
    """Many large uploads at once: memory stays within the bound of what is held."""
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n" % target.path
    head += b"Content-Length: %d\r\n\r\n" % (4 * MEBIBYTE)
    chunk = bytes(32_768)
    uploads = [socket.create_connection(("127.0.0.1", target.port)) for _ in range(40)]
    tracemalloc.start()
    for sock in uploads:
        sock.setblocking(False)  # noqa: FBT003  (the way of sockets)
        sock.send(head)
    held_bytes = 0
    for _ in range(70):
        for sock in uploads:
            with suppress(BlockingIOError, ConnectionError):
                sock.send(chunk)
        await asyncio.sleep(0)
        held_bytes = max(held_bytes, target.guard._held_bytes)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for sock in uploads:
        sock.close()
    await until(lambda: not target.guard._connections)
    limit_bytes = target.guard._limits.max_held_bytes
    assert limit_bytes / 2 < held_bytes < limit_bytes + MEBIBYTE
    assert peak_bytes < 2 * limit_bytes + 16 * MEBIBYTE
    assert target.taken() == 0


@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "later"])
async def test_a_fault_of_ours_is_told_and_survived(*, is_late: bool) -> None:
    """Once, by the event loop; the client is let go and the next one is served."""
    refused: Counter[str] = Counter()
    faults = [RuntimeError("sabotage")]
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: told.append(context["exception"])
    )

    def answer(_: Head, __: bytes) -> Response | Awaitable[Response]:
        return late() if is_late else at_once()

    def at_once() -> Response:
        if faults:
            raise faults.pop()
        return Response()

    async def late() -> Response:
        await asyncio.sleep(0)
        return at_once()

    limits = Limits(max_connections=4, max_body_bytes=1_000, max_held_bytes=2_000)
    server = Server({"/"}, answer, _refuse, limits, lambda reason: refused.update([reason]))
    listener = listen()
    port = listener.getsockname()[1]
    await server.open(listener)
    async with connect(port) as client:
        assert await client.post() == 0
    async with connect(port) as client:
        assert await client.post() == 200
    await server.close()
    assert [str(error) for error in told] == ["sabotage"]
    assert refused == {}


async def test_without_memory_it_is_sent_again() -> None:
    """503, counted; the connection ends, for what came of it is not kept."""
    refused: Counter[str] = Counter()
    faults = [MemoryError()]

    def answer(_: Head, __: bytes) -> Response:
        if faults:
            raise faults.pop()
        return Response()

    limits = Limits(max_connections=4, max_body_bytes=1_000, max_held_bytes=2_000)
    server = Server({"/"}, answer, _refuse, limits, lambda reason: refused.update([reason]))
    listener = listen()
    port = listener.getsockname()[1]
    await server.open(listener)
    async with connect(port) as client:
        assert await client.post() == 503
        assert await client.wait_end() == b""
    async with connect(port) as client:
        assert await client.post() == 200
    await server.close()
    assert refused == {"no_memory": 1}


async def test_the_sender_may_end_a_connection_with_a_request(target: Target) -> None:
    """By a field or by its version; else it stays."""
    for line, field, lasts in (
        (b"HTTP/1.1", b"", True),
        (b"HTTP/1.1", b"Connection: close\r\n", False),
        (b"HTTP/1.0", b"", False),
    ):
        async with connect(target.port) as client:
            await client.send(
                b"POST %s?query %s\r\nHost: x\r\n%sContent-Type: application/x-protobuf\r\n"
                b"Content-Length: %d\r\n\r\n%s"
                % (target.path, line, field, len(target.body), target.body)
            )
            assert await client.read_status() == 200
            if lasts:
                assert await client.post(target.body, target.path) == 200
            else:
                assert await client.wait_end() == b""


async def test_what_comes_while_an_answer_is_owed_waits(target: Target) -> None:
    """A request in pieces after a whole one: both are answered, in their order."""
    whole = (
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (target.path, len(target.body), target.body)
    )
    for cut in range(1, len(whole)):
        async with connect(target.port) as client:
            await client.send(whole + whole[:cut])
            assert await client.read_status() == 200
            await client.send(whole[cut:])
            assert await client.read_status() == 200
    assert target.taken() == 2 * (len(whole) - 1)


def _refuse(_: Head, status: HTTPStatus) -> Response:
    return Response(status)
