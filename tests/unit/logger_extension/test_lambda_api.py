"""`event/next` against real sockets: every answer, every broken connection."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.bootstrap import Handoff, ask_next
from logger_extension.deadline import Deadline
from logger_extension.errors import LambdaApiError
from logger_extension.events import InvokeEvent, ShutdownEvent
from logger_extension.lambda_api import (
    SHUTDOWN_BUDGET_MS,
    LambdaApi,
    read_account_id,
    read_event,
)
from tests.support.laws import LAW
from tests.support.raw_server import Behaviour, RawServer, respond
from tests.support.telemetry_bodies import json_values

NOW_MS = 1_795_427_239_113.0
ARN = "arn:aws:lambda:us-east-1:012345678912:function:checkout"
HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
INVOKE = {
    "eventType": "INVOKE",
    "deadlineMs": 1_795_427_242_113,
    "requestId": "r",
    "invokedFunctionArn": ARN,
    "tracing": {"type": "X-Amzn-Trace-Id", "value": HEADER},
}
INVOKED = InvokeEvent("r", Deadline(1_795_427_242_113), ARN, HEADER)
READY = (
    b'{"errorMessage":"State transition from Ready to Ready failed for extension e.'
    b' Error: State transition is not allowed","errorType":"Extension.InvalidExtensionState"}'
)


class Lambda:
    """A raw server in the place of Lambda, and the API object that asks it."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.server = RawServer(*behaviours)
        self.complaints: list[str] = []

    @asynccontextmanager
    async def running(self, *, first_next: bool = False) -> AsyncIterator[LambdaApi]:
        """Serve, and give the API object."""
        async with self.server:
            handoff = Handoff(f"127.0.0.1:{self.server.port}", "the-identifier", b"{}")
            if first_next:
                await asyncio.to_thread(ask_next, handoff)
            api = LambdaApi(handoff, now_ms=lambda: NOW_MS, complain=self.complaints.append)
            try:
                yield api
            finally:
                api.close()


def _answering(*responses: bytes, then_close: bool = False) -> Behaviour:
    """Answer each request of a connection with the next response, the last for all more."""

    async def behave(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for place in count():
            await server.read_request(reader)
            writer.write(responses[min(place, len(responses) - 1)])
            await writer.drain()
            if then_close and place == len(responses) - 1:
                return

    return behave


def _invoke(request_id: str, headers: str = "") -> bytes:
    return respond(json.dumps(INVOKE | {"requestId": request_id}).encode(), headers=headers)


async def test_next_is_asked_with_the_identifier_and_answered_with_an_event() -> None:
    """The request is what the Extensions API asks for."""
    lambda_ = Lambda(_answering(_invoke("r")))
    async with lambda_.running() as api:
        assert await api.next_event() == INVOKED
    ((head, body),) = lambda_.server.requests
    assert head.startswith("GET /2020-01-01/extension/event/next HTTP/1.1\r\n")
    assert "\r\nLambda-Extension-Identifier: the-identifier\r\n" in head
    assert body == b""
    assert lambda_.complaints == []


async def test_the_connection_is_kept() -> None:
    """One connection serves every `next`."""
    lambda_ = Lambda(_answering(_invoke("a"), _invoke("b"), _invoke("c")))
    async with lambda_.running() as api:
        events = [await api.next_event() for _ in range(3)]
    assert [event.request_id for event in events if isinstance(event, InvokeEvent)] == list("abc")
    assert lambda_.server.connections == 1


async def test_connection_close_makes_a_new_connection() -> None:
    """Without a complaint: the server said so."""
    one = _answering(_invoke("r", "Connection: close\r\n"), then_close=True)
    lambda_ = Lambda(one)
    async with lambda_.running() as api:
        assert await api.next_event() == INVOKED
        assert await api.next_event() == INVOKED
    assert lambda_.server.connections == 2
    assert lambda_.complaints == []


async def test_a_response_without_length_makes_a_new_connection() -> None:
    """A body that lasts until the end of the stream ends the connection with it."""
    whole = b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(INVOKE).encode()
    lambda_ = Lambda(_answering(whole, then_close=True))
    async with lambda_.running() as api:
        assert await api.next_event() == INVOKED
        assert await api.next_event() == INVOKED
    assert lambda_.complaints == []


async def test_the_first_next_of_the_bootstrap_is_taken_over() -> None:
    """It has been asked already: it is only read, and its connection kept."""
    lambda_ = Lambda(_answering(_invoke("a"), _invoke("b")))
    async with lambda_.running(first_next=True) as api:
        events = [await api.next_event(), await api.next_event()]
    assert [event.request_id for event in events if isinstance(event, InvokeEvent)] == list("ab")
    assert lambda_.server.connections == 1
    assert len(lambda_.server.requests) == 2


async def test_a_first_next_that_broke_is_asked_again() -> None:
    """The connection of the bootstrap may have died while we imported."""
    lambda_ = Lambda(_close_at_once, _answering(_invoke("r")))
    async with lambda_.running(first_next=True) as api:
        assert await api.next_event() == INVOKED
    assert len(lambda_.complaints) == 1


async def _close_at_once(
    _server: RawServer, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.close()


async def _reset(
    server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await server.read_request(reader)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


@pytest.mark.parametrize(
    "broken",
    [
        _close_at_once,
        _reset,
        _answering(b"SSH-2.0-OpenSSH\r\n\r\n", then_close=True),
        _answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", then_close=True),
    ],
    ids=["closed", "reset", "not HTTP", "cut short"],
)
async def test_a_broken_connection_is_told_and_next_asked_again(
    broken: Behaviour,
) -> None:
    """Whatever breaks, there is no exit and no exception: an exit would fail the function."""
    lambda_ = Lambda(broken, broken, _answering(_invoke("r")))
    async with lambda_.running() as api:
        assert await api.next_event() == INVOKED
    assert len(lambda_.complaints) == 2


async def test_nobody_listening_is_told_and_next_asked_again() -> None:
    """Until there is someone."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        complained = asyncio.Event()
        api = LambdaApi(
            Handoff(f"127.0.0.1:{port}", "i", b""),
            now_ms=lambda: NOW_MS,
            complain=lambda _: complained.set(),
        )
        asking = asyncio.create_task(api.next_event())
        await complained.wait()
        reserved.listen()
        reserved.settimeout(0)
        peer, _ = await asyncio.get_running_loop().sock_accept(reserved)
        with peer:
            peer.settimeout(0)
            await asyncio.get_running_loop().sock_sendall(peer, _invoke("r"))
            assert await asking == INVOKED
        api.close()


async def test_a_predecessors_pending_next_is_waited_out_in_silence() -> None:
    """403 "Ready to Ready" until the next INVOKE takes it: nothing to complain of."""
    pending = respond(READY, "403 Forbidden")
    lambda_ = Lambda(_answering(pending, pending, _invoke("r")))
    async with lambda_.running() as api:
        assert await api.next_event() == INVOKED
    assert lambda_.complaints == []
    assert lambda_.server.connections == 1


@pytest.mark.parametrize("status", ["403 Forbidden", "500 Internal Server Error", "404 Not Found"])
async def test_any_other_refusal_is_told_and_next_asked_again(status: str) -> None:
    """Never giving up, never spinning."""
    refusal = respond(b'{"errorType":"Extension.UnknownExtensionIdentifier"}', status)
    lambda_ = Lambda(_answering(refusal, _invoke("r")))
    async with lambda_.running() as api:
        assert await api.next_event() == INVOKED
    (complaint,) = lambda_.complaints
    assert status[:3] in complaint


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"eventType":"RESTORE"}', b"\xff", b"[" * 10_000]
)
async def test_an_answer_that_is_no_event_is_told_and_next_asked_again(body: bytes) -> None:
    """Asking again is all that can be done."""
    lambda_ = Lambda(_answering(respond(body), _invoke("r")))
    async with lambda_.running() as api:
        assert await api.next_event() == INVOKED
    assert len(lambda_.complaints) == 1


async def test_a_cancelled_next_leaves_no_connection() -> None:
    """SIGTERM cancels it; what would come later must not be read as another answer."""
    asked = asyncio.Event()

    async def hang(
        server: RawServer, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        asked.set()
        await reader.read()

    lambda_ = Lambda(hang, _answering(_invoke("r")))
    async with lambda_.running() as api:
        asking = asyncio.create_task(api.next_event())
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await api.next_event() == INVOKED
    assert lambda_.server.connections == 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (INVOKE, INVOKED),
        (
            {key: value for key, value in INVOKE.items() if key != "tracing"},
            InvokeEvent("r", INVOKED.deadline, ARN),
        ),
        (INVOKE | {"tracing": {"value": 5}}, InvokeEvent("r", INVOKED.deadline, ARN)),
        (INVOKE | {"deadlineMs": None}, InvokeEvent("r", Deadline(NOW_MS), ARN, HEADER)),
        (INVOKE | {"deadlineMs": "soon"}, InvokeEvent("r", Deadline(NOW_MS), ARN, HEADER)),
        (
            {"eventType": "SHUTDOWN", "deadlineMs": 5, "shutdownReason": "spindown"},
            ShutdownEvent("spindown", Deadline(5)),
        ),
        (
            {"eventType": "SHUTDOWN", "deadlineMs": 5, "shutdownReason": "SandboxTerminated"},
            ShutdownEvent("sandboxterminated", Deadline(5)),
        ),
        (
            {"eventType": "SHUTDOWN"},
            ShutdownEvent("", Deadline(NOW_MS + SHUTDOWN_BUDGET_MS)),
        ),
    ],
)
def test_events_are_read_by_what_is_there(fields: dict[str, Any], expected: object) -> None:
    """Without a deadline an INVOKE gets no time and a SHUTDOWN the usual two seconds."""
    assert read_event(json.dumps(fields).encode(), NOW_MS) == expected


@LAW
@given(
    st.binary()
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {"eventType": st.sampled_from(["INVOKE", "SHUTDOWN", "OTHER"])},
        optional=dict.fromkeys(
            ("deadlineMs", "requestId", "invokedFunctionArn", "tracing", "shutdownReason"),
            json_values,
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_is_an_event_or_our_error(body: bytes) -> None:
    """Nothing else comes out."""
    try:
        event = read_event(body, NOW_MS)
    except LambdaApiError:
        return
    assert event.deadline.remaining_s(NOW_MS) >= 0


@pytest.mark.parametrize(
    ("body", "account_id"),
    [
        (b'{"accountId":"123456789012"}', "123456789012"),
        (b'{"functionName":"f"}', ""),
        (b'{"accountId":123456789012}', ""),
        (b"[]", ""),
        (b"", ""),
        (b"\xff", ""),
    ],
)
def test_the_account_is_optional(body: bytes, account_id: str) -> None:
    """Not every platform tells it."""
    assert read_account_id(body) == account_id
