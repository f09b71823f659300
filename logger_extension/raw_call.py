"""One call to Lambda's API on a raw socket, before there is an event loop.

Must not know which calls there are. The bootstrap uses it before anything heavy is imported.
"""

import _socket

from logger_extension.errors import LambdaApiError, ProtocolError
from logger_extension.http1 import Response, ResponseReader

# Lambda answers these calls from the same machine within milliseconds. The bound only keeps a
# broken sandbox from hanging us for ever; init itself is limited to 10 s.
API_TIMEOUT_S = 5.0


def connect(api: str, operation: str) -> "_socket.socket":
    """Return a connection to `host:port`.

    Raises:
        LambdaApiError: there is none to be had; it names the operation.
    """
    host, _, port = api.rpartition(":")
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    sock.settimeout(API_TIMEOUT_S)
    try:
        sock.connect((host, int(port)))
    except (OSError, ValueError) as error:
        sock.close()
        raise LambdaApiError(operation, None, str(error)) from None
    return sock


def call(api: str, operation: str, request: bytes) -> Response:
    """Send one request on a connection of its own; return the answer, whatever its status.

    Raises:
        LambdaApiError: no answer came, or it was no HTTP.
    """
    sock = connect(api, operation)
    reader = ResponseReader()
    try:
        sock.sendall(request)
        while True:
            response = reader.feed(sock.recv(65536))
            if response is not None:
                return response
    except (OSError, ProtocolError) as error:
        raise LambdaApiError(operation, None, str(error)) from None
    finally:
        sock.close()
