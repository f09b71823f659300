"""An extension or a runtime that does what its plan says and writes down what it sees.

Run as `python -I -S probe_actor.py PLAN`, by any user, on AWS's emulator or in our sandbox: so it
imports the standard library only and knows neither of them. PLAN is a JSON file:

    {"name": "a", "journal": "/tmp/journal.jsonl", "stubborn": false, "lives": [[STEP, ...], ...]}

A started process leads the next of the *lives* (the last one is repeated) and appends one JSON line
to the journal for everything that it sees; one journal is shared by all actors, so its order is the
order of things. A STEP is an object whose "do" names a method of `Actor`, the rest its arguments
(`probe_steps.py` makes them). A *stubborn* actor ignores SIGTERM.

Owns: the API calls, byte by byte as told. Must not know what is right: it judges nothing.
"""

from __future__ import annotations

import copy
import http.client
import http.server
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

TYPE_CHECKING = False  # typing itself is not worth its import time here
if TYPE_CHECKING:
    from typing import Any, NoReturn

_EXTENSION = "/2020-01-01/extension"
_RUNTIME = "/2018-06-01/runtime"
_POLL_S = 0.002


class Actor:
    """One process: its plan, the identifiers it was given, the call that it has not read yet."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._name: str = plan["name"]
        self._journal = Path(plan["journal"])
        self._stubborn: bool = plan.get("stubborn", False)
        self._life = 1 + sum(
            entry["actor"] == self._name and entry["saw"] == "start" for entry in self._entries()
        )
        self._steps = plan["lives"][min(self._life, len(plan["lives"])) - 1]
        self._identifier = ""
        self._request_id = ""
        self._responded = False
        self._unread: http.client.HTTPConnection | None = None

    def live(self) -> None:
        """Do everything that the plan says, then leave with 0."""
        self._await_sigterm()
        self._note("start")
        self._perform(self._steps)
        self.leave(0)

    # -- steps of both -------------------------------------------------------------------------

    def call(
        self, saw: str, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> None:
        """Make any request and note the answer as *saw*."""
        self._note_answer(saw, self._ask(method, path, headers, body))

    def sleep(self, duration_ms: int) -> None:
        """Do nothing for a while."""
        time.sleep(duration_ms / 1000)

    def wait_for(self, actor: str, saw: str, times: int = 1) -> None:
        """Wait until another actor has seen something; the journal is all we share."""
        while times > sum(
            entry["actor"] == actor and entry["saw"] == saw for entry in self._entries()
        ):
            time.sleep(_POLL_S)

    def beside(self, name: str, steps: list[dict[str, Any]]) -> None:
        """Do *steps* in a thread, under another name: an extension inside the runtime's process."""
        other = copy.copy(self)
        other._name = name
        threading.Thread(target=other._perform, args=(steps,), daemon=True).start()

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, flush=True)  # noqa: T201 - what a function's log is

    def leave(self, code: int) -> NoReturn:
        """End the process."""
        self._note("leave", code=code)
        os._exit(code)

    # -- steps of an extension -----------------------------------------------------------------

    def register(
        self, events: list[str], name: str | None = None, features: str | None = None
    ) -> None:
        """Register for *events*, under the own name unless told otherwise."""
        headers = {"Lambda-Extension-Name": self._name if name is None else name}
        if features is not None:
            headers["Lambda-Extension-Accept-Feature"] = features
        body = json.dumps({"events": events})
        answer = self._ask("POST", f"{_EXTENSION}/register", headers, body)
        self._identifier = answer.getheader("Lambda-Extension-Identifier") or self._identifier
        self._note_answer("register", answer)

    def next(self) -> str:
        """Call event/next and wait; gives the event's type, or "" when there was none."""
        return self._note_event(self._ask_next())

    def ask_next(self) -> None:
        """Call event/next without waiting for its answer."""
        self._unread = self._ask_next()

    def read_next(self) -> None:
        """Wait for the answer of the last `ask_next`."""
        assert self._unread is not None
        self._note_event(self._unread)

    def serve(self) -> NoReturn:
        """Call next until SHUTDOWN, and leave with 0."""
        while self.next() != "SHUTDOWN":
            pass
        self.leave(0)

    def report_error(self, phase: str, error_type: str) -> None:
        """Post to init/error or exit/error."""
        headers = {**self._identity(), "Lambda-Extension-Function-Error-Type": error_type}
        self._note_answer(
            f"{phase}/error", self._ask("POST", f"{_EXTENSION}/{phase}/error", headers, "{}")
        )

    def listen(self, port: int) -> None:
        """Note every telemetry event that is posted to *port*, in the background."""
        actor = self

        class Listener(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                batch = self.rfile.read(int(self.headers["Content-Length"]))
                for event in json.loads(batch):
                    actor._note("telemetry", event=event)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay silent: a line per batch would be telemetry again."""

        server = http.server.HTTPServer(("0.0.0.0", port), Listener)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def subscribe(self, body: str) -> None:
        """Subscribe to telemetry."""
        headers = {**self._identity(), "Content-Type": "application/json"}
        self._note_answer("subscribe", self._ask("PUT", "/2022-07-01/telemetry", headers, body))

    # -- steps of a runtime --------------------------------------------------------------------

    def handle(self, workers: int = 1) -> None:
        """Take invocations for ever: the payload holds the steps; without one, answer.

        More *workers* than one are child processes, as a Managed Instance has them.
        """
        for _ in range(workers - 1):
            if os.fork() == 0:
                self._await_sigterm()
                break
        while True:
            answer = self._ask("GET", f"{_RUNTIME}/invocation/next", {})
            self._request_id = answer.getheader("Lambda-Runtime-Aws-Request-Id") or ""
            steps = self._note_answer("invocation", answer)
            self._responded = False
            self._perform(steps if isinstance(steps, list) else [])
            if not self._responded:
                self.respond()

    def respond(self) -> None:
        """Post the response of the current invocation."""
        self._responded = True
        path = f"{_RUNTIME}/invocation/{self._request_id}/response"
        body = '{"ok":true}'
        self._note_answer("response", self._ask("POST", path, {}, body), sent=body)

    def respond_error(self, error_type: str, message: str) -> None:
        """Post an error as the outcome of the current invocation."""
        self._responded = True
        self._post_runtime_error(f"invocation/{self._request_id}/error", error_type, message)

    def init_error(self, error_type: str, message: str) -> None:
        """Say that the function could not be loaded."""
        self._post_runtime_error("init/error", error_type, message)

    def _post_runtime_error(self, path: str, error_type: str, message: str) -> None:
        body = json.dumps({"errorType": error_type, "errorMessage": message})
        headers = {"Lambda-Runtime-Function-Error-Type": error_type}
        answer = self._ask("POST", f"{_RUNTIME}/{path}", headers, body)
        self._note_answer("error", answer, sent=body)

    # -- means ---------------------------------------------------------------------------------

    def _perform(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            arguments = dict(step)
            getattr(self, arguments.pop("do"))(**arguments)

    def _identity(self) -> dict[str, str]:
        return {"Lambda-Extension-Identifier": self._identifier}

    def _ask_next(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        connection.request("GET", f"{_EXTENSION}/event/next", headers=self._identity())
        return connection

    def _note_event(self, connection: http.client.HTTPConnection) -> str:
        body = self._note_answer("next", connection.getresponse())
        return str(body.get("eventType", "")) if isinstance(body, dict) else ""

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def _note_answer(self, saw: str, answer: http.client.HTTPResponse, **details: object) -> Any:
        text = answer.read().decode()
        try:
            body = json.loads(text)
        except ValueError:
            body = text
        self._note(saw, status=answer.status, headers=dict(answer.headers), body=body, **details)
        return body

    def _note(self, saw: str, **details: object) -> None:
        entry = {
            "actor": self._name,
            "life": self._life,
            "pid": os.getpid(),
            "unix_s": time.time(),
            "saw": saw,
            **details,
        }
        journal = os.open(self._journal, os.O_WRONLY | os.O_APPEND)
        os.write(journal, json.dumps(entry).encode() + b"\n")  # one write: lines never mix
        os.close(journal)

    def _entries(self) -> list[dict[str, Any]]:
        lines = self._journal.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def _await_sigterm(self) -> None:
        """Note SIGTERM in a thread: a handler waits for a system call that may just have begun."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

        def wait() -> None:
            signal.sigwait({signal.SIGTERM})
            self._note("SIGTERM")
            if not self._stubborn:
                os._exit(0)

        threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    Actor(json.loads(Path(sys.argv[1]).read_text())).live()
