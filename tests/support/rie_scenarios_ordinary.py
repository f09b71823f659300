"""Stories in which nothing fails but what is asked for wrongly."""

from __future__ import annotations

from tests.support.probe_steps import (
    ask_next,
    call,
    handle,
    leave,
    next_event,
    read_next,
    register,
    respond,
    respond_error,
    serve,
    sleep,
    subscribe,
    wait_for,
)
from tests.support.rie_scenarios import (
    ANSWERED,
    BOTH,
    LOYAL,
    OK,
    ONE_INVOKE,
    Scenario,
    invoke,
    settle,
    shutdown,
)
from tests.support.rie_worlds import Cast

_RUNTIME = "/2018-06-01/runtime"

ORDINARY = {
    "an invocation and the end": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}),
        acts=[invoke(), invoke(), shutdown],
        story={
            "caller": f"{OK}; {OK}",
            "a.1": "register; next INVOKE; next INVOKE; next SHUTDOWN spindown; leave 0",
            "runtime.1": "invocation; response; invocation; response; SIGTERM",
        },
    ),
    "no extension: the runtime is killed without SIGTERM": Scenario(
        cast=Cast(),
        acts=[invoke(), shutdown],
        story={"caller": OK, "runtime.1": "invocation; response"},
    ),
    "an extension hears only of what it registered for": Scenario(
        cast=Cast(
            extensions={
                "all": [LOYAL],
                "invokes": [(register("INVOKE"), serve())],
                "nothing": [(register(), serve())],
                "shutdowns": [(register("SHUTDOWN"), serve())],
            }
        ),
        acts=[invoke(), invoke(), shutdown],
        story={
            "caller": f"{OK}; {OK}",
            "all.1": "register; next INVOKE; next INVOKE; next SHUTDOWN spindown; leave 0",
            "invokes.1": "register; next INVOKE; next INVOKE",
            "nothing.1": "register",
            "shutdowns.1": "register; next SHUTDOWN spindown; leave 0",
            "runtime.1": "invocation; response; invocation; response; SIGTERM",
        },
    ),
    "a handler's error is an answer like any other": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}),
        acts=[invoke(respond_error("Function.Bad", "no")), invoke(), shutdown],
        story={
            "caller": f'{{"errorType": "Function.Bad", "errorMessage": "no"}}; {OK}',
            "a.1": "register; next INVOKE; next INVOKE; next SHUTDOWN spindown; leave 0",
            "runtime.1": "invocation; error; invocation; response; SIGTERM",
        },
    ),
    "what a runtime must not do": Scenario(
        cast=Cast(),
        acts=[
            invoke(
                call("no such path", "GET", f"{_RUNTIME}/nothing"),
                call("wrong method", "DELETE", f"{_RUNTIME}/invocation/next"),
                call("wrong id", "POST", f"{_RUNTIME}/invocation/nobody/response", body="{}"),
                respond(),
                respond(),
            ),
            invoke(),
            settle,
        ],
        story={
            "caller": f"{OK}; {OK}",
            "runtime.1": "invocation; no such path 404; wrong method 405;"
            " wrong id 400 InvalidRequestID Invalid request ID; response;"
            " response 403 InvalidStateTransition; invocation; response",
        },
    ),
    "a second next is refused and the first stays good": Scenario(
        cast=Cast(
            extensions={
                "a": [
                    (
                        register(*BOTH),
                        ask_next(),
                        sleep(100),  # two connections at once have no order
                        next_event(),
                        read_next(),
                        serve(),
                    )
                ]
            },
            runtime=[(wait_for("a", "next"), handle())],
        ),
        acts=[invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; next 403 Extension.InvalidExtensionState"
            " State transition from Ready to Ready failed; next INVOKE;"
            " next SHUTDOWN spindown; leave 0",
            "runtime.1": ANSWERED,
        },
    ),
    "local tools have no telemetry and say so with 202": Scenario(
        cast=Cast(
            extensions={"a": [(register(*BOTH), subscribe("platform"), subscribe(), serve())]}
        ),
        acts=[invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; subscribe Telemetry.NotSupported Telemetry API is not supported;"
            " subscribe Telemetry.NotSupported Telemetry API is not supported;"
            " next INVOKE; next SHUTDOWN spindown; leave 0",
            "runtime.1": ANSWERED,
        },
    ),
    "a SHUTDOWN that is ignored ends in SIGKILL": Scenario(
        cast=Cast(
            extensions={
                "a": [LOYAL],
                "b": [(register(*BOTH), next_event(), next_event(), next_event(), leave(0))],
            },
            stubborn=("b",),
        ),
        acts=[invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": ONE_INVOKE,
            "b.1": "register; next INVOKE; next SHUTDOWN spindown",
            "runtime.1": ANSWERED,
        },
    ),
}
