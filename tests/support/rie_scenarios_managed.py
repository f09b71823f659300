"""Stories of Lambda Managed Instances: parallel invocations; an environment that ends at once."""

from __future__ import annotations

from tests.support.probe_steps import (
    HANG,
    ask_next,
    call,
    handle,
    leave,
    read_next,
    register,
    respond_error,
    serve,
    subscribe,
    wait_for,
)
from tests.support.rie_scenarios import (
    ANSWERED,
    BOTH,
    OK,
    Scenario,
    end,
    invoke,
    invoke_together,
    seen,
    shutdown,
)
from tests.support.rie_worlds import Cast

_QUIET = (register("SHUTDOWN"), serve())
_TO_THE_END = "register; next SHUTDOWN spindown; leave 0"
_NO_INVOKE = "Extension.InvalidEventType INVOKE: ErrorInvalidEventType"
_NO_EVENT = "Extension.InvalidEventType No events allowed for internal extensions"
_UNKNOWN_ID = "01234567-89ab-4cde-8f01-23456789abcd"

MANAGED = {
    "INVOKE is refused": Scenario(
        cast=Cast(
            extensions={"a": [(register("INVOKE"), register(*BOTH), *_QUIET)]}, max_concurrency=1
        ),
        acts=[invoke(), seen("runtime", "response"), shutdown],
        story={
            "caller": OK,
            "a.1": f"register 403 {_NO_INVOKE}; register 403 {_NO_INVOKE}; {_TO_THE_END}",
            "runtime.1": ANSWERED,
        },
    ),
    "no event for an extension inside the runtime": Scenario(
        cast=Cast(
            extensions={"a": [_QUIET]},
            runtime=[
                (register("INVOKE", name="inside"), register("SHUTDOWN", name="inside"), handle())
            ],
            max_concurrency=1,
        ),
        acts=[invoke(), seen("runtime", "response"), shutdown],
        story={
            "caller": OK,
            "a.1": _TO_THE_END,
            "runtime.1": f"register 403 {_NO_EVENT}; register 403 {_NO_EVENT}; {ANSWERED}",
        },
    ),
    "two invocations at once": Scenario(
        cast=Cast(extensions={"a": [_QUIET]}, runtime=[(handle(2),)], max_concurrency=2),
        acts=[
            invoke_together(2, wait_for("runtime", "invocation", 2)),
            seen("runtime", "response", 2),
            shutdown,
        ],
        story={
            "caller": f"{OK}; {OK}",
            "a.1": _TO_THE_END,
            "runtime.1": "invocation; invocation; response; response; SIGTERM; SIGTERM",
        },
    ),
    "an invocation that takes too long disturbs nobody": Scenario(
        cast=Cast(
            extensions={"a": [_QUIET]}, runtime=[(handle(2),)], max_concurrency=2, timeout_s=1
        ),
        acts=[invoke(HANG), invoke(), seen("runtime", "response"), shutdown],
        story={
            "caller": f"timeout; {OK}",
            "a.1": _TO_THE_END,
            "runtime.1": "invocation; invocation; response; SIGTERM; SIGTERM",
        },
    ),
    "a handler's error is an answer like any other": Scenario(
        cast=Cast(extensions={"a": [_QUIET]}, max_concurrency=1),
        acts=[invoke(respond_error("Function.Bad", "no")), seen("runtime", "error"), shutdown],
        story={
            "caller": '{"errorType": "Function.Bad", "errorMessage": "no"}',
            "a.1": _TO_THE_END,
            "runtime.1": "invocation; error; SIGTERM",
        },
    ),
    "an extension exits in an invocation": Scenario(
        cast=Cast(
            extensions={
                "a": [
                    (
                        register("SHUTDOWN"),
                        ask_next(),
                        wait_for("runtime", "invocation"),
                        leave(0),
                    )
                ],
                "b": [_QUIET],
            },
            max_concurrency=1,
        ),
        acts=[invoke(HANG), end],
        story={
            "caller": "Extension.Crash",
            "a.1": "register; leave 0",
            "b.1": "register; next SHUTDOWN failure; leave 0",
            "runtime.1": "invocation; SIGTERM",
        },
    ),
    "the runtime exits in an invocation": Scenario(
        cast=Cast(extensions={"a": [_QUIET]}, max_concurrency=1),
        acts=[invoke(leave(1)), end],
        story={
            "caller": "Runtime.ExitError",
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "runtime.1": "invocation; leave 1",
        },
    ),
    "an extension leaves before it registers": Scenario(
        cast=Cast(
            extensions={"a": [_QUIET], "b": [(wait_for("a", "register"), leave(1))]},
            max_concurrency=1,
        ),
        acts=[end],
        story={
            "caller": "",
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "b.1": "leave 1",
        },
    ),
    "what a subscription must not be": Scenario(
        cast=Cast(
            extensions={
                "a": [
                    (
                        register("SHUTDOWN"),
                        subscribe("platform", schemaVersion="2022-12-13"),
                        subscribe("platform", schemaVersion="2022-07-01"),
                        subscribe(),
                        subscribe("platform", "nonsense"),
                        *(
                            subscribe("platform", buffering={key: value})
                            for key, value in (
                                ("maxItems", 999),
                                ("maxItems", 10_001),
                                ("maxBytes", 262_143),
                                ("maxBytes", 1_048_577),
                                ("timeoutMs", 24),
                                ("timeoutMs", 30_001),
                            )
                        ),
                        *(
                            subscribe("platform", destination={"protocol": protocol, "URI": uri})
                            for protocol, uri in (
                                ("http", "http://sandbox.localdomain:4243"),
                                ("HTTP", "http://example.com:4243"),
                            )
                        ),
                        call("no id", "PUT", "/2022-07-01/telemetry", None, "{}"),
                        call(
                            "unknown id",
                            "PUT",
                            "/2022-07-01/telemetry",
                            {"Lambda-Extension-Identifier": _UNKNOWN_ID},
                            "{}",
                        ),
                        call("other version", "PUT", "/2025-01-29/telemetry", None, "{}"),
                        call("slash", "PUT", "/2022-07-01/telemetry/", None, "{}"),
                        call("logs", "PUT", "/2020-08-15/logs", None, "{}"),
                        serve(),
                    )
                ]
            },
            max_concurrency=1,
        ),
        acts=[invoke(), seen("runtime", "response"), shutdown],
        story={
            "caller": OK,
            "a.1": "register; " + "subscribe 400; " * 12 + "no id 403"
            " Extension.MissingExtensionIdentifier Missing Lambda-Extension-Identifier header;"
            " unknown id 403 Extension.UnknownExtensionIdentifier Unknown extension <id>;"
            " other version 404; slash 404; logs 404; next SHUTDOWN spindown; leave 0",
            "runtime.1": ANSWERED,
        },
    ),
    "a subscription after init": Scenario(
        cast=Cast(
            extensions={
                "a": [
                    (
                        register("SHUTDOWN"),
                        ask_next(),
                        wait_for("runtime", "invocation"),
                        subscribe("platform"),
                        read_next(),
                    )
                ]
            },
            max_concurrency=1,
        ),
        acts=[invoke(wait_for("a", "subscribe")), seen("runtime", "response"), shutdown],
        story={
            "caller": OK,
            "a.1": "register; subscribe 403 Telemetry.SubscriptionClosed"
            " Telemetry API subscription is closed; next SHUTDOWN spindown; leave 0",
            "runtime.1": ANSWERED,
        },
    ),
}
