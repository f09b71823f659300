"""Small programs for the sandbox: probe extensions and runtimes, written by tests into a folder.

A program is a prelude (an HTTP client on a bare socket, so that it starts in milliseconds) and the
few lines of behaviour that the test gives. It prints one JSON object a line with `say`, which
`said` reads back. Programs run with `-I -S` and import the standard library only.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_sandbox import Sandbox

PRELUDE = """\
import json, os, signal, socket, sys, threading, time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
NAME = os.path.basename(sys.argv[0])
IDENTIFIER = "Lambda-Extension-Identifier"
identity = {}

def say(**fields):
    os.write(1, (json.dumps({"at": time.time(), **fields}) + "\\n").encode())

def request(method, path, body=b"", headers=None):
    host, _, port = API.rpartition(":")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {API}", f"Content-Length: {len(body)}",
             "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall("\\r\\n".join(lines + ["", ""]).encode() + body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, content = answer.partition(b"\\r\\n\\r\\n")
    status, *rest = head.decode().split("\\r\\n")
    got = {key.lower(): value for key, _, value in (line.partition(": ") for line in rest)}
    return int(status.split()[1]), got, content

def register(events=("INVOKE", "SHUTDOWN"), name=NAME, **headers):
    body = json.dumps({"events": list(events)}).encode()
    status, got, content = request("POST", "/2020-01-01/extension/register", body,
                                   {"Lambda-Extension-Name": name, **headers})
    identity.update({IDENTIFIER: got.get(IDENTIFIER.lower(), "")})
    answer = json.loads(content)
    say(registered=answer, status=status, identifier=identity[IDENTIFIER])
    return status, answer

def next_event():
    status, got, content = request("GET", "/2020-01-01/extension/event/next", b"", identity)
    event = json.loads(content)
    say(event=event, status=status)
    return event

def report_error(kind, error_type="Extension.Broken"):
    status, _, content = request("POST", f"/2020-01-01/extension/{kind}/error", b"{}",
        {**identity, "Lambda-Extension-Function-Error-Type": error_type})
    say(reported=kind, status=status, answer=json.loads(content))

def subscribe(port=None, types=("platform", "function"), schema="2025-01-29", path="/",
              **buffering):
    port = port or int(os.environ["INTAKE_PORT"])
    document = {"schemaVersion": schema, "types": list(types),
                "buffering": {"maxItems": 1000, "timeoutMs": 25, **buffering},
                "destination": {"protocol": "HTTP",
                                "URI": f"http://sandbox.localdomain:{port}{path}"}}
    return put_telemetry(document)

def put_telemetry(document, headers=None):
    status, _, content = request("PUT", "/2022-07-01/telemetry", json.dumps(document).encode(),
                                 identity if headers is None else headers)
    say(subscribed=json.loads(content), status=status)
    return status

def serve(after_invoke=lambda event: None):
    while True:
        event = next_event()
        if event["eventType"] == "SHUTDOWN":
            return
        after_invoke(event)

def next_invocation():
    status, got, content = request("GET", "/2018-06-01/runtime/invocation/next")
    if status != 200:
        sys.exit(9)
    return got["lambda-runtime-aws-request-id"], got, json.loads(content)

def respond(request_id, body=b'{"ok":true}', kind="response", headers=None):
    path = f"/2018-06-01/runtime/invocation/{request_id}/{kind}"
    return request("POST", path, body, headers)

def on_sigterm(action):
    def handler(*_):
        say(signal="SIGTERM")
        action()
    signal.signal(signal.SIGTERM, handler)

def hang():
    while True:
        signal.pause()
"""

SERVE_EXTENSION = "register()\nserve()\n"

# The event says what the handler does; the response is the headers of the invocation.
RUNTIME = """\
while True:
    request_id, headers, event = next_invocation()
    for line in event.get("print", []):
        print(line, flush=True)
    time.sleep(event.get("sleep_s", 0))
    if "exit" in event:
        os._exit(event["exit"])
    if "error" in event:
        body = json.dumps({"errorType": event["error"], "errorMessage": "as asked"}).encode()
        respond(request_id, body, "error")
    else:
        respond(request_id, json.dumps({"headers": headers, "pid": os.getpid()}).encode())
    if "exit_after" in event:
        os._exit(event["exit_after"])
"""


def write_program(path: Path, behaviour: str) -> Path:
    """Write an executable program with this behaviour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable} -IS\n{PRELUDE}\n{behaviour}")
    path.chmod(0o755)
    return path


def said(sandbox: Sandbox, process: str, key: str | None = None) -> list[dict[str, Any]]:
    """What a program told by `say`, oldest first; with `key`, only what has that field."""
    lines = [line.text for line in sandbox.output[process] if line.text.startswith("{")]
    told = [json.loads(line) for line in lines]
    return [fields for fields in told if key is None or key in fields]
