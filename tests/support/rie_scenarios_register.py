"""Stories of what the Extensions API refuses, call by call (contract section 2)."""

from __future__ import annotations

import json

from tests.support.probe_steps import (
    Step,
    beside,
    call,
    handle,
    leave,
    next_event,
    register,
    report_error,
    serve,
)
from tests.support.rie_scenarios import (
    ANSWERED,
    BOTH,
    LOYAL,
    OK,
    ONE_INVOKE,
    Scenario,
    fail_init,
    invoke,
    shutdown,
)
from tests.support.rie_worlds import Cast

_EXTENSION = "/2020-01-01/extension"
_UNKNOWN_ID = "01234567-89ab-4cde-8f01-23456789abcd"

_NOT_INSIDE = "Extension.InvalidEventType SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"
_MISSING = "Extension.MissingExtensionIdentifier Missing Lambda-Extension-Identifier header"
_INVALID = "Extension.InvalidExtensionIdentifier Invalid Lambda-Extension-Identifier"
_UNKNOWN = "Extension.UnknownExtensionIdentifier Unknown Lambda-Extension-Identifier"


def _register(saw: str, body: object, name: str | None = "a") -> Step:
    headers = {} if name is None else {"Lambda-Extension-Name": name}
    text = body if isinstance(body, str) else json.dumps(body)
    return call(saw, "POST", f"{_EXTENSION}/register", headers, text)


def _identified(saw: str, method: str, path: str, identifier: str | None) -> Step:
    headers = {"Lambda-Extension-Function-Error-Type": "Extension.Bad"}
    if identifier is not None:
        headers["Lambda-Extension-Identifier"] = identifier
    return call(saw, method, f"{_EXTENSION}/{path}", headers, None)


REGISTER = {
    "a registration that is wrong": Scenario(
        cast=Cast(
            extensions={
                "a": [
                    (
                        _register("no name", {"events": []}, None),
                        _register("empty name", {"events": []}, ""),
                        _register("unknown event", {"events": ["FOO"]}),
                        _register("no json", "INVOKE"),
                        _register("no body", ""),
                        _register("keys", {"events": [], "configurationKeys": ["a"]}),
                        _register("other name", {"events": ["SHUTDOWN"]}, "A"),
                        register(*BOTH),
                        register(*BOTH),
                        next_event(),
                        _register("closed", {"events": []}, "other"),
                        register(*BOTH),
                        serve(),
                    )
                ]
            }
        ),
        acts=[invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "no name 403 Extension.InvalidExtensionName Empty extension name;"
            " empty name 403 Extension.InvalidExtensionName Empty extension name;"
            " unknown event 403 Extension.InvalidEventType FOO: ErrorInvalidEventType;"
            " no json 403 InvalidRequestFormat;"
            " no body 403 InvalidRequestFormat;"
            " keys 403 InvalidRequestFormat"
            " configurationKeys are deprecated; use environment variables instead;"
            f" other name 403 {_NOT_INSIDE};"
            " register;"
            " register 403 Extension.InvalidExtensionState"
            " State transition from Registered to Registered failed;"
            " next INVOKE;"
            " closed 403 Extension.RegistrationClosed Extension registration closed already;"
            " register 403 Extension.InvalidExtensionState"
            " State transition from Running to Registered failed;"
            " next SHUTDOWN spindown; leave 0",
            "runtime.1": ANSWERED,
        },
    ),
    "an extension inside the runtime": Scenario(
        cast=Cast(
            extensions={"a": [LOYAL]},
            runtime=[
                (
                    register("SHUTDOWN", name="inside"),
                    register("INVOKE", name="inside"),
                    register("INVOKE", name="inside"),
                    beside("inside", serve()),
                    handle(),
                )
            ],
        ),
        acts=[invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": ONE_INVOKE,
            "inside.1": "next INVOKE",
            "runtime.1": f"register 403 {_NOT_INSIDE}; register;"
            " register 403 Extension.InvalidExtensionState"
            f" Extension with this name already registered; {ANSWERED}",
        },
    ),
    "the eleventh extension, in the runtime": Scenario(
        cast=Cast(
            extensions={"a": [LOYAL]},
            runtime=[
                (*(register(name=f"inside-{n}") for n in range(10)), leave(1)),
                (handle(),),
            ],
        ),
        acts=[fail_init, invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "runtime.1": "register; " * 9
            + "register 403 Extension.TooManyExtensions Extension limit (10) reached; leave 1",
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "an eleventh file": Scenario(
        cast=Cast(extensions={f"a{n:02}": [LOYAL] for n in range(11)}),
        acts=[fail_init],
        story={"caller": ""},
        races=tuple(f"a{n:02}.1" for n in range(11)),  # how far each got; no runtime is started
    ),
    "no identifier, no good one, an unknown one": Scenario(
        cast=Cast(
            extensions={
                "a": [
                    (
                        register(*BOTH),
                        *(
                            _identified(f"{path} as {identifier}", method, path, identifier)
                            for method, path in (
                                ("GET", "event/next"),
                                ("POST", "init/error"),
                                ("POST", "exit/error"),
                            )
                            for identifier in (None, "a", _UNKNOWN_ID)
                        ),
                        report_error("init", ""),
                        serve(),
                    )
                ]
            }
        ),
        acts=[invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register;"
            f" event/next as None 403 {_MISSING};"
            f" event/next as a 403 {_INVALID};"
            " event/next as <id> 403 Extension.UnknownExtensionIdentifier Unknown extension <id>;"
            f" init/error as None 403 {_MISSING};"
            f" init/error as a 403 {_INVALID};"
            f" init/error as <id> 403 {_UNKNOWN};"
            f" exit/error as None 403 {_MISSING};"
            f" exit/error as a 403 {_INVALID};"
            f" exit/error as <id> 403 {_UNKNOWN};"
            " init/error 403 Extension.MissingHeader"
            " Lambda-Extension-Function-Error-Type not found;"
            " next INVOKE; next SHUTDOWN spindown; leave 0",
            "runtime.1": ANSWERED,
        },
    ),
    "no such call": Scenario(
        cast=Cast(
            extensions={
                "a": [
                    (
                        register(*BOTH),
                        call("unknown", "GET", f"{_EXTENSION}/event"),
                        call("slash", "POST", f"{_EXTENSION}/register/"),
                        call("method", "GET", f"{_EXTENSION}/register"),
                        call("date", "POST", "/2025-01-01/extension/register"),
                        call("ping", "GET", "/2018-06-01/ping"),
                        serve(),
                    )
                ]
            }
        ),
        acts=[invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; unknown 404; slash 404; method 405; date 404; ping;"
            " next INVOKE; next SHUTDOWN spindown; leave 0",
            "runtime.1": ANSWERED,
        },
    ),
}
