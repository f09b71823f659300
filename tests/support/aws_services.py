"""Secrets Manager and Systems Manager as moto plays them, on a real port of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

REGION = "us-east-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "the-key-of-the-role-that-nobody-may-read",
    "AWS_SESSION_TOKEN": "the-token-of-the-session-that-nobody-may-read",
    "AWS_REGION": REGION,
}


class _Silent(WSGIRequestHandler):
    """Writes no line for each request."""

    def log(self, *_: Any) -> None:
        """Write nothing."""


@dataclass
class AwsServices:
    """The running services.

    Attributes:
        url: where all of them listen.
        targets: `X-Amz-Target` of each request, in order of arrival.
        scopes: region and service of each request's signature.
        refusal: status and body with which everything is answered instead, None for moto's answer.
        arrived: set by each request.
        gate: while it is not set, requests wait before they are answered.
    """

    url: str = ""
    targets: list[str] = field(default_factory=list)
    scopes: list[tuple[str, str]] = field(default_factory=list)
    refusal: tuple[int, str] | None = None
    arrived: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """What a function finds in its environment, and where the services are."""
        return CREDENTIALS | {"AWS_ENDPOINT_URL": self.url}

    def put_secret(self, name: str, text: str, region: str = REGION) -> str:
        """Create a secret, or give it a new version; return its ARN."""
        client = self._connect("secretsmanager", region)
        try:
            answer = client.create_secret(Name=name, SecretString=text)
        except client.exceptions.ResourceExistsException:
            answer = client.put_secret_value(SecretId=name, SecretString=text)
        return str(answer["ARN"])

    def put_binary_secret(self, name: str, content: bytes) -> None:
        """Create a secret that is no text."""
        client = self._connect("secretsmanager", REGION)
        client.create_secret(Name=name, SecretBinary=content)

    def put_parameter(self, name: str, text: str, kind: str = "SecureString") -> None:
        """Create a parameter, or give it a new version."""
        client = self._connect("ssm", REGION)
        client.put_parameter(Name=name, Value=text, Type=kind, Overwrite=True)

    def forget(self) -> None:
        """Forget the requests so far: those of a test's own preparations."""
        self.arrived.clear()
        self.targets.clear()
        self.scopes.clear()

    def close(self) -> None:
        """Close the connections of the preparations."""
        for client in self._clients.values():
            client.close()

    def _connect(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = botocore.session.Session().create_client(
                service,
                region_name=region,
                endpoint_url=self.url,
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            )
        return self._clients[service, region]


@contextmanager
def run_aws_services() -> Iterator[AwsServices]:
    """Serve until the end of the block; everything stored before is forgotten."""
    services = AwsServices()
    services.gate.set()
    moto = DomainDispatcherApplication(create_backend_app)

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        if target := request.headers.get("X-Amz-Target"):
            services.targets.append(target)
            scope = request.headers["Authorization"].partition("Credential=")[2].split("/")
            services.scopes.append((scope[2], scope[3]))
        services.arrived.set()
        services.gate.wait()
        if services.refusal is not None:
            status, body = services.refusal
            refusal = Response(body, status, content_type="application/x-amz-json-1.1")
            return refusal(environ, start_response)
        return moto(environ, start_response)

    server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Silent)
    services.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield services
    finally:
        services.close()
        services.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
