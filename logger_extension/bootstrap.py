"""The first milliseconds in Python: listen, register if the launcher could not, subscribe.

Owns raw sockets and nothing else. Up to the subscription it imports a handful of small standard
modules (a test holds the list), because every import here delays `init`. Must not know what the
telemetry means or where it goes; what it opened is handed over in a `Handoff`.

The launcher speaks to us through the environment:
    LOGGER_EXTENSION_ID             the identifier that Lambda gave when bash registered
    LOGGER_EXTENSION_REGISTER_BODY  the body of that answer
    LOGGER_EXTENSION_NAME           the launcher's file name: the name to register with
    LOGGER_EXTENSION_SUBSCRIPTION   "<port> <status>" of an earlier process of this sandbox
and we to it through the pipe whose number is LOGGER_EXTENSION_PIPE, a line each: "registered <id>"
if it was us, "subscribed <port> <status>" when that is settled, "shutdown" when it has been seen.
Our stdin is a pipe of the launcher's too: in it lies one line with how many records we hold, which
a successor finds in LOGGER_EXTENSION_HELD.
"""

import _socket
import os

from logger_extension.errors import LambdaApiError, ProtocolError
from logger_extension.http1 import ResponseReader, write_request
from logger_extension.raw_call import call, connect

DEFAULT_TELEMETRY_PORT = 4328
MAX_PORT = 65_535
MANAGED_INSTANCES = "lambda-managed-instances"

# The kernel holds this many telemetry connections until the server adopts the listener.
BACKLOG = 128

# Newest first; one fallback (contract: Managed Instances accept only the newest, older local tools
# only the older one). https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html
SCHEMA_VERSIONS = ("2025-01-29", "2022-12-13")

# Each POST costs the function some CPU: the most items that there may be, so that bytes and time
# decide.
SUBSCRIPTION = (
    '{"schemaVersion":"%s","types":["platform","function"],'
    '"buffering":{"maxItems":10000,"maxBytes":262144,"timeoutMs":%d},'
    '"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:%d/"}}'
)

# The least that Lambda allows: a quiet stream is delivered so long after its first event, and that
# wait is what the `end` policy pays for. Where nothing freezes nobody waits for it.
BUFFER_TIMEOUT_MS = 25
MANAGED_BUFFER_TIMEOUT_MS = 1_000


class Handoff:
    """What the bootstrap leaves to the app.

    Attributes:
        api: `host:port` of Lambda's API.
        extension_id: the identifier for every later call.
        register_body: the JSON that Lambda answered to the registration.
        listener: the listening telemetry socket, None when no telemetry will come.
        telemetry_port: the port of that socket, 0 without one.
        restarted: whether an earlier process of this sandbox died and this one takes its place.
        first_next: a socket on which `next` has been asked already, or None.
        subscription_status: what Lambda answered to the subscription, 0 without an answer.
        otlp_listener: where the function's own SDK may send already, or None.
        start_up_s: seconds from the start of our code to the end of each phase.
    """

    __slots__ = (
        "api",
        "extension_id",
        "first_next",
        "listener",
        "otlp_listener",
        "register_body",
        "restarted",
        "start_up_s",
        "subscription_status",
        "telemetry_port",
    )

    def __init__(self, api: str, extension_id: str, register_body: bytes) -> None:
        self.api = api
        self.extension_id = extension_id
        self.register_body = register_body
        self.listener: _socket.socket | None = None
        self.telemetry_port = 0
        self.restarted = False
        self.subscription_status = 0
        self.first_next: _socket.socket | None = None
        self.otlp_listener: _socket.socket | None = None
        self.start_up_s: dict[str, float] = {}


def start(environ: "os._Environ[str]", *, subscribe: bool) -> Handoff:
    """Listen, register unless the launcher did, and subscribe to telemetry if asked to.

    Raises:
        LambdaApiError: Lambda refused the registration, or no answer came.
    """
    api = environ["AWS_LAMBDA_RUNTIME_API"]
    extension_id = environ.get("LOGGER_EXTENSION_ID", "")
    body = environ.get("LOGGER_EXTENSION_REGISTER_BODY", "").encode("utf-8", "surrogateescape")
    earlier = environ.get("LOGGER_EXTENSION_SUBSCRIPTION", "")
    earlier_port, _, earlier_status = earlier.partition(" ")
    listener = None
    if subscribe and earlier_status:
        # Lambda goes on posting to the port of our predecessor: that one or none.
        listener = _listen((_port(earlier_port),)) if earlier_status == "200" else None
    elif subscribe:
        # Another extension's port is evaded, not fought for.
        listener = _listen((_port(environ.get("LOGGER_EXTENSION_TELEMETRY_PORT", "")), 0))
    if not extension_id:
        extension_id, body = _register(api, environ)
        # Whoever takes our place, the launcher or a successor, needs it.
        tell_launcher(environ, f"registered {extension_id}")
    handoff = Handoff(api, extension_id, body)
    handoff.restarted = bool(earlier_status)
    handoff.subscription_status = int(earlier_status or 0)
    if listener is not None:
        handoff.telemetry_port = listener.getsockname()[1]
        managed = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == MANAGED_INSTANCES
        timeout_ms = MANAGED_BUFFER_TIMEOUT_MS if managed else BUFFER_TIMEOUT_MS
        status = earlier_status or str(_subscribe(handoff, timeout_ms))
        tell_launcher(environ, f"subscribed {handoff.telemetry_port} {status}")
        handoff.subscription_status = int(status)
        if status == "200":
            handoff.listener = listener
        else:
            listener.close()
    return handoff


def tell_launcher(environ: "os._Environ[str]", line: str) -> None:
    """Write one line to the launcher's pipe; without a launcher (a direct start), nothing."""
    pipe = environ.get("LOGGER_EXTENSION_PIPE", "")
    if pipe.isdigit():
        try:
            os.write(int(pipe), line.encode() + b"\n")
        except OSError:
            # The launcher reads this pipe only after our death; without it nothing is lost
            # but the way back to the same port.
            return


def ask_next(handoff: Handoff) -> None:
    """Send the first `next` now; the answer is read by the app once it is there.

    Raises:
        LambdaApiError: the API cannot be reached.
    """
    sock = connect(handoff.api, "next")
    headers = (("Lambda-Extension-Identifier", handoff.extension_id),)
    sock.sendall(write_request("GET", "/2020-01-01/extension/event/next", handoff.api, headers))
    handoff.first_next = sock


def await_shutdown(first_next: _socket.socket) -> bool:
    """Wait for the answer to the first `next`; return whether it is SHUTDOWN.

    For a process that has nothing more to do: if it ended at once, Lambda would refuse every `next`
    of the launcher until the next INVOKE had gone to the dead.
    """
    reader, response = ResponseReader(), None
    try:
        first_next.settimeout(None)
        while response is None:
            response = reader.feed(first_next.recv(65536))
    except (OSError, ProtocolError):
        return False
    finally:
        first_next.close()
    return b'"SHUTDOWN"' in response.body


def listen_for_sdk(handoff: Handoff, port: int) -> None:
    """Listen for the function's own SDK: a handler may send before the receiver is imported."""
    handoff.otlp_listener = _listen((port,), "127.0.0.1")


def report_init_error(handoff: Handoff, error_type: str, message: str) -> None:
    """Tell Lambda why this process is about to exit; the exit is what fails the init.

    Raises:
        LambdaApiError: the API cannot be reached.
    """
    headers = (
        ("Lambda-Extension-Identifier", handoff.extension_id),
        ("Lambda-Extension-Function-Error-Type", error_type),
    )
    safe = message.translate({34: "'", 92: "/"} | dict.fromkeys(range(32), " "))
    body = f'{{"errorMessage":"{safe}","errorType":"{error_type}"}}'.encode()
    path = "/2020-01-01/extension/init/error"
    call(handoff.api, "init/error", write_request("POST", path, handoff.api, headers, body))


def _port(text: str) -> int:
    # A wrong value is told by the configuration; here it must not keep us from starting.
    if text.isascii() and text.isdigit() and len(text) <= len("65535") and int(text) <= MAX_PORT:
        return int(text)
    return DEFAULT_TELEMETRY_PORT


def _listen(ports: "tuple[int, ...]", host: str = "0.0.0.0") -> "_socket.socket | None":
    """Listen on the first of the ports that can be had; 0 is any."""
    for port in ports:
        sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        try:
            # A process that died leaves connections in TIME_WAIT; its successor needs the port.
            sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
        else:
            return sock
    return None


def _register(api: str, environ: "os._Environ[str]") -> "tuple[str, bytes]":
    managed = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == MANAGED_INSTANCES
    events = b'{"events":["SHUTDOWN"]}' if managed else b'{"events":["INVOKE","SHUTDOWN"]}'
    headers = (
        ("Lambda-Extension-Name", environ.get("LOGGER_EXTENSION_NAME", "logger-extension")),
        ("Lambda-Extension-Accept-Feature", "accountId"),
    )
    path = "/2020-01-01/extension/register"
    response = call(api, "register", write_request("POST", path, api, headers, events))
    extension_id = response.headers.get("lambda-extension-identifier", "")
    if response.status != 200 or not extension_id:  # noqa: PLR2004  (any other answer is fatal: docs)
        raise LambdaApiError("register", response.status, response.body.decode("utf-8", "replace"))
    return extension_id, response.body


def _subscribe(handoff: Handoff, timeout_ms: int) -> int:
    """Return the status of the subscription: 200, 202 for local tools, else no telemetry comes."""
    headers = (
        ("Lambda-Extension-Identifier", handoff.extension_id),
        ("Content-Type", "application/json"),
    )
    status = 0
    for schema_version in SCHEMA_VERSIONS:
        body = (SUBSCRIPTION % (schema_version, timeout_ms, handoff.telemetry_port)).encode()
        request = write_request("PUT", "/2022-07-01/telemetry", handoff.api, headers, body)
        try:
            status = call(handoff.api, "subscribe", request).status
        except LambdaApiError:
            return 0
        if status != 400:  # noqa: PLR2004  (400: this schema is not known here)
            break
    return status
