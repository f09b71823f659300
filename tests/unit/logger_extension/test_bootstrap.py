"""The first milliseconds: listen, register, subscribe, over raw sockets and with few imports."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import logger_extension
from logger_extension import bootstrap
from logger_extension.bootstrap import Handoff
from logger_extension.errors import LambdaApiError
from logger_extension.http1 import write_request
from tests.support.raw_server import Behaviour, RawServer, respond

REGISTERED = respond(
    b'{"functionName":"checkout","accountId":"123456789012"}\n',
    headers="Lambda-Extension-Identifier: given\r\n",
)
REFUSED = respond(b'{"errorType":"Extension.InvalidEventType"}', "403 Forbidden")
SUBSCRIBED = respond(b'"OK"')
NOT_SUPPORTED = respond(b'{"errorType":"Telemetry.NotSupported"}', "202 Accepted")
BAD_SCHEMA = respond(b'{"errorType":"ValidationError"}', "400 Bad Request")
OURS = ("LOGGER_EXTENSION_", "AWS_LAMBDA_")

# What may be imported up to the subscription: what the interpreter itself brings with `os`, raw
# sockets, and three modules of ours. Each module more delays the init of every cold start.
ALLOWED = {
    "_collections_abc",
    "_socket",
    "_stat",
    "errno",
    "genericpath",
    "logger_extension",
    "logger_extension.bootstrap",
    "logger_extension.errors",
    "logger_extension.http1",
    "logger_extension.raw_call",
    "os",
    "os.path",
    "posixpath",
    "stat",
}


def _answering(response: bytes) -> Behaviour:
    async def behave(
        server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        writer.write(response)
        await writer.drain()
        await reader.read()

    return behave


class Lambda:
    """Answers the calls in order, one a connection, and keeps what was asked."""

    def __init__(self, *responses: bytes) -> None:
        self.server = RawServer(*map(_answering, responses))

    async def start(self, *, subscribe: bool = True) -> Handoff:
        """Run the bootstrap against this Lambda."""
        async with self.server:
            os.environ["AWS_LAMBDA_RUNTIME_API"] = f"127.0.0.1:{self.server.port}"
            return await asyncio.to_thread(bootstrap.start, os.environ, subscribe=subscribe)

    @property
    def calls(self) -> list[str]:
        """Method and path of each call."""
        return [head.partition(" HTTP/1.1")[0] for head, _ in self.server.requests]

    def read_json(self, number: int) -> dict[str, object]:
        """Return the body of a call."""
        body: dict[str, object] = json.loads(self.server.requests[number][1])
        return body


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without any variable of ours, and listen on any free port."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
    monkeypatch.setenv("LOGGER_EXTENSION_TELEMETRY_PORT", "0")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another extension listens on."""
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        yield other.getsockname()[1]


async def test_a_start_without_the_launcher_registers_and_subscribes() -> None:
    """Under the launcher's name, for both events, asking for the account."""
    lambda_ = Lambda(REGISTERED, SUBSCRIBED)
    handoff = await lambda_.start()
    assert lambda_.calls == ["POST /2020-01-01/extension/register", "PUT /2022-07-01/telemetry"]
    head = lambda_.server.requests[0][0]
    assert "\r\nLambda-Extension-Name: logger-extension\r\n" in head
    assert "\r\nLambda-Extension-Accept-Feature: accountId\r\n" in head
    assert lambda_.read_json(0) == {"events": ["INVOKE", "SHUTDOWN"]}
    assert handoff.extension_id == "given"
    assert b"123456789012" in handoff.register_body
    assert not handoff.restarted
    assert handoff.listener is not None
    assert handoff.listener.getsockname()[1] == handoff.telemetry_port
    handoff.listener.close()


async def test_the_subscription_is_what_the_telemetry_api_asks_for() -> None:
    """The newest schema, both types but not `extension`, the shortest buffering, our listener."""
    lambda_ = Lambda(REGISTERED, SUBSCRIBED)
    handoff = await lambda_.start()
    assert handoff.listener is not None
    handoff.listener.close()
    assert "\r\nLambda-Extension-Identifier: given\r\n" in lambda_.server.requests[1][0]
    assert lambda_.read_json(1) == {
        "schemaVersion": "2025-01-29",
        "types": ["platform", "function"],
        "buffering": {"maxItems": 10_000, "maxBytes": 262_144, "timeoutMs": 25},
        "destination": {
            "protocol": "HTTP",
            "URI": f"http://sandbox.localdomain:{handoff.telemetry_port}/",
        },
    }


async def test_the_listener_takes_connections_at_once() -> None:
    """Lambda's first batches wait in the kernel until the receiver adopts it."""
    handoff = await Lambda(REGISTERED, SUBSCRIBED).start()
    assert handoff.listener is not None
    _reader, writer = await asyncio.open_connection("127.0.0.1", handoff.telemetry_port)
    writer.close()
    await writer.wait_closed()
    handoff.listener.close()


async def test_what_the_launcher_registered_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Identifier and body come through the environment, bytes that are no UTF-8 included."""
    monkeypatch.setenv("LOGGER_EXTENSION_ID", "of-the-launcher")
    monkeypatch.setitem(
        os.environ, "LOGGER_EXTENSION_REGISTER_BODY", os.fsdecode(b'{"accountId":"1\xff"}')
    )
    lambda_ = Lambda(SUBSCRIBED)
    handoff = await lambda_.start()
    assert lambda_.calls == ["PUT /2022-07-01/telemetry"]
    assert handoff.extension_id == "of-the-launcher"
    assert handoff.register_body == b'{"accountId":"1\xff"}'
    assert handoff.listener is not None
    handoff.listener.close()


async def test_managed_instances_register_for_shutdown_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """INVOKE is refused there."""
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
    monkeypatch.setenv("LOGGER_EXTENSION_NAME", "renamed")
    lambda_ = Lambda(REGISTERED)
    await lambda_.start(subscribe=False)
    assert lambda_.read_json(0) == {"events": ["SHUTDOWN"]}
    assert "\r\nLambda-Extension-Name: renamed\r\n" in lambda_.server.requests[0][0]


@pytest.mark.parametrize(
    "answer",
    [REFUSED, respond(b"{}"), respond(b"", "500 Internal Server Error"), b"SSH-2.0\r\n\r\n"],
    ids=["refused", "no identifier", "500", "not HTTP"],
)
async def test_a_refused_registration_is_fatal(answer: bytes) -> None:
    """Without an identifier nothing can be asked."""
    with pytest.raises(LambdaApiError):
        await Lambda(answer).start(subscribe=False)


async def test_an_api_that_cannot_be_reached_is_fatal() -> None:
    """The error says which call it was."""
    with pytest.raises(LambdaApiError, match="register"):
        await asyncio.to_thread(bootstrap.start, os.environ, subscribe=False)


async def test_an_unknown_schema_is_asked_for_in_its_older_form() -> None:
    """Once: older local tools know only that."""
    lambda_ = Lambda(REGISTERED, BAD_SCHEMA, SUBSCRIBED)
    handoff = await lambda_.start()
    assert handoff.listener is not None
    handoff.listener.close()
    versions = [lambda_.read_json(number)["schemaVersion"] for number in (1, 2)]
    assert versions == ["2025-01-29", "2022-12-13"]


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ([NOT_SUPPORTED], 1),
        ([BAD_SCHEMA, BAD_SCHEMA], 2),
        ([BAD_SCHEMA, NOT_SUPPORTED], 2),
        ([REFUSED], 1),
        ([b"SSH-2.0\r\n\r\n"], 1),
    ],
)
async def test_without_a_subscription_there_is_no_listener(
    answers: list[bytes], calls: int
) -> None:
    """No telemetry will come: nothing waits for it, and the function runs all the same."""
    lambda_ = Lambda(REGISTERED, *answers)
    handoff = await lambda_.start()
    assert handoff.listener is None
    assert len(lambda_.calls) == 1 + calls
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", handoff.telemetry_port)


async def test_without_a_collector_there_is_no_subscription() -> None:
    """Nobody would read what came."""
    lambda_ = Lambda(REGISTERED)
    handoff = await lambda_.start(subscribe=False)
    assert handoff.listener is None
    assert handoff.telemetry_port == 0
    assert len(lambda_.calls) == 1


async def test_a_port_that_is_taken_is_evaded(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """Another extension may listen there; the subscription names the port that we have."""
    monkeypatch.setenv("LOGGER_EXTENSION_TELEMETRY_PORT", str(taken))
    lambda_ = Lambda(REGISTERED, SUBSCRIBED)
    handoff = await lambda_.start()
    assert handoff.listener is not None
    handoff.listener.close()
    assert handoff.telemetry_port not in (0, taken)
    destination = lambda_.read_json(1)["destination"]
    assert isinstance(destination, dict)
    assert destination["URI"].endswith(f":{handoff.telemetry_port}/")


@pytest.mark.parametrize("text", ["", "http", "-1", "65536", "٣", "9" * 5_000])
def test_a_port_that_is_none_is_the_usual_one(text: str) -> None:
    """A bad value is told by the configuration; here it must not keep us from starting."""
    assert bootstrap._port(text) == bootstrap.DEFAULT_TELEMETRY_PORT


async def test_a_successor_listens_where_lambda_sends_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The subscription of the process that died lives on, so there is none to make."""
    first = await Lambda(REGISTERED, SUBSCRIBED).start()
    assert first.listener is not None
    port = first.telemetry_port
    first.listener.close()
    monkeypatch.setenv("LOGGER_EXTENSION_ID", "given")
    monkeypatch.setenv("LOGGER_EXTENSION_SUBSCRIPTION", f"{port} 200")
    lambda_ = Lambda(SUBSCRIBED)
    handoff = await lambda_.start()
    assert lambda_.calls == []
    assert handoff.restarted
    assert handoff.telemetry_port == port
    assert handoff.listener is not None
    handoff.listener.close()


async def test_a_successor_of_one_without_telemetry_has_none_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What Lambda answered once stays true."""
    monkeypatch.setenv("LOGGER_EXTENSION_ID", "given")
    monkeypatch.setenv("LOGGER_EXTENSION_SUBSCRIPTION", "0 202")
    handoff = await Lambda(SUBSCRIBED).start()
    assert handoff.listener is None
    assert handoff.restarted


async def test_a_successor_that_cannot_have_the_port_expects_no_telemetry(
    monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """Waiting for what goes elsewhere would hold every invocation until its deadline."""
    monkeypatch.setenv("LOGGER_EXTENSION_ID", "given")
    monkeypatch.setenv("LOGGER_EXTENSION_SUBSCRIPTION", f"{taken} 200")
    handoff = await Lambda(SUBSCRIBED).start()
    listener, handoff.listener = handoff.listener, None
    if listener is not None:
        listener.close()
    assert listener is None


async def test_the_launcher_is_told_what_a_successor_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through its pipe: who we are, since it was us who registered, and the subscription."""
    read_end, write_end = os.pipe()
    monkeypatch.setenv("LOGGER_EXTENSION_PIPE", str(write_end))
    handoff = await Lambda(REGISTERED, SUBSCRIBED).start()
    assert handoff.listener is not None
    handoff.listener.close()
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        assert pipe.read().splitlines() == [
            f"registered {handoff.extension_id}",
            f"subscribed {handoff.telemetry_port} 200",
        ]


@pytest.mark.parametrize("pipe", ["", "no number", "987654"])
def test_without_a_launcher_nothing_is_told(monkeypatch: pytest.MonkeyPatch, pipe: str) -> None:
    """A direct start has no pipe, a broken one is no fault."""
    monkeypatch.setenv("LOGGER_EXTENSION_PIPE", pipe)
    bootstrap.tell_launcher(os.environ, "shutdown")


async def test_the_first_next_is_asked_and_handed_on() -> None:
    """The answer is left for the app to read."""
    lambda_ = Lambda(respond(b"an event"))
    async with lambda_.server:
        handoff = Handoff(f"127.0.0.1:{lambda_.server.port}", "given", b"")
        await asyncio.to_thread(bootstrap.ask_next, handoff)
        assert handoff.first_next is not None
        first = await asyncio.to_thread(handoff.first_next.recv, 100)
        handoff.first_next.close()
    assert first.startswith(b"HTTP/1.1 200 OK")
    ((head, _),) = lambda_.server.requests
    expected = write_request(
        "GET",
        "/2020-01-01/extension/event/next",
        handoff.api,
        (("Lambda-Extension-Identifier", "given"),),
    )
    assert head.encode() == expected


@pytest.mark.parametrize(
    ("answer", "is_shutdown"),
    [
        (respond(b'{"eventType":"INVOKE","requestId":"1"}'), False),
        (respond(b'{"eventType": "SHUTDOWN","shutdownReason":"spindown"}'), True),
        (respond(b"Ready to Ready", "403 Forbidden"), False),
        (b"nonsense\r\n\r\n", False),
    ],
    ids=["invoke", "shutdown", "forbidden", "nonsense"],
)
async def test_a_process_without_work_waits_for_its_first_event(
    answer: bytes, *, is_shutdown: bool
) -> None:
    """So that no `next` is pending when it ends; what is no answer is no SHUTDOWN."""
    lambda_ = Lambda(answer)
    async with lambda_.server:
        handoff = Handoff(f"127.0.0.1:{lambda_.server.port}", "given", b"")
        await asyncio.to_thread(bootstrap.ask_next, handoff)
        assert handoff.first_next is not None
        assert await asyncio.to_thread(bootstrap.await_shutdown, handoff.first_next) is is_shutdown


async def test_an_init_error_is_reported_with_its_type_and_a_message_that_is_json() -> None:
    """Whatever the message holds."""
    lambda_ = Lambda(respond(b'{"status":"OK"}', "202 Accepted"))
    async with lambda_.server:
        handoff = Handoff(f"127.0.0.1:{lambda_.server.port}", "given", b"")
        message = 'a "quoted"\\ \n\x00 message, ü'
        await asyncio.to_thread(
            bootstrap.report_init_error, handoff, "Extension.ConfigInvalid", message
        )
    assert lambda_.calls == ["POST /2020-01-01/extension/init/error"]
    head = lambda_.server.requests[0][0]
    assert "\r\nLambda-Extension-Function-Error-Type: Extension.ConfigInvalid\r\n" in head
    body = lambda_.read_json(0)
    assert body["errorType"] == "Extension.ConfigInvalid"
    assert "'quoted'" in str(body["errorMessage"])


async def test_up_to_the_subscription_little_is_imported() -> None:
    """In an interpreter as the launcher starts it."""
    root = Path(logger_extension.__file__).parent.parent
    program = (
        "import sys; before = set(sys.modules); sys.path.insert(0, sys.argv[1])\n"
        "from logger_extension import bootstrap\n"
        "import os\n"
        "handoff = bootstrap.start(os.environ, subscribe=True)\n"
        "handoff.listener.close()\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    lambda_ = Lambda(REGISTERED, SUBSCRIBED)
    async with lambda_.server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", program, str(root)),
            env={
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{lambda_.server.port}",
                "LOGGER_EXTENSION_TELEMETRY_PORT": "0",
            },
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0
    assert len(lambda_.calls) == 2
    assert set(output.decode().split()) <= ALLOWED
