"""The steps that `probe_actor.py` can be told to do, as JSON values.

Owns: the names and arguments of steps. Must not know who performs them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Step: TypeAlias = "Mapping[str, Any]"
Life: TypeAlias = "Sequence[Step]"

LISTENER_PORT = 4243


def call(
    saw: str,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> Step:
    """Any request; its answer is noted as *saw*."""
    return {
        "do": "call",
        "saw": saw,
        "method": method,
        "path": path,
        "headers": dict(headers or {}),
        "body": body,
    }


def register(*events: str, name: str | None = None, features: str | None = None) -> Step:
    """Register for *events*."""
    return {"do": "register", "events": events, "name": name, "features": features}


def next_event() -> Step:
    """Call event/next and wait for the event."""
    return {"do": "next"}


def ask_next() -> Step:
    """Call event/next and go on."""
    return {"do": "ask_next"}


def read_next() -> Step:
    """Wait for the answer of `ask_next`."""
    return {"do": "read_next"}


def serve() -> Step:
    """Call next until SHUTDOWN, then leave."""
    return {"do": "serve"}


def report_error(phase: str, error_type: str) -> Step:
    """Post to `<phase>/error`."""
    return {"do": "report_error", "phase": phase, "error_type": error_type}


def listen() -> Step:
    """Receive telemetry from now on."""
    return {"do": "listen", "port": LISTENER_PORT}


def subscribe(*types: str, **fields: object) -> Step:
    """Subscribe to telemetry of *types*; *fields* replace those of a correct request."""
    request = {
        "schemaVersion": "2025-01-29",
        "types": types,
        "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
        "destination": {
            "protocol": "HTTP",
            "URI": f"http://sandbox.localdomain:{LISTENER_PORT}",
        },
        **fields,
    }
    return {"do": "subscribe", "body": json.dumps(request)}


def sleep(duration_ms: int) -> Step:
    """Do nothing for a while; an hour for anything that is to hang."""
    return {"do": "sleep", "duration_ms": duration_ms}


def wait_for(actor: str, saw: str, times: int = 1) -> Step:
    """Wait until *actor* has seen something *times* times."""
    return {"do": "wait_for", "actor": actor, "saw": saw, "times": times}


def beside(name: str, *steps: Step) -> Step:
    """Do *steps* in parallel to what follows, under another name."""
    return {"do": "beside", "name": name, "steps": steps}


def say(text: str) -> Step:
    """Print a line."""
    return {"do": "say", "text": text}


def leave(code: int) -> Step:
    """End the process."""
    return {"do": "leave", "code": code}


def handle(workers: int = 1) -> Step:
    """Be a runtime: do the steps of each payload, then answer."""
    return {"do": "handle", "workers": workers}


def respond() -> Step:
    """Post the response."""
    return {"do": "respond"}


def respond_error(error_type: str, message: str) -> Step:
    """Post the invocation's error."""
    return {"do": "respond_error", "error_type": error_type, "message": message}


def init_error(error_type: str, message: str) -> Step:
    """Post the runtime's init error."""
    return {"do": "init_error", "error_type": error_type, "message": message}


HANG = sleep(3_600_000)
