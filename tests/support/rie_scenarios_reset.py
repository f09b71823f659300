"""Stories of a timeout or a crash, of the reset after it, and of the next start."""

from __future__ import annotations

from tests.support.probe_steps import (
    HANG,
    leave,
    next_event,
    register,
    report_error,
    respond,
    serve,
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
    kill,
    shutdown,
)
from tests.support.rie_worlds import Cast

RESETS = {
    "timeout": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}, timeout_s=2),
        acts=[invoke(), invoke(HANG), invoke(), shutdown],
        story={
            "caller": f"{OK}; timeout; {OK}",
            "a.1": "register; next INVOKE; next INVOKE; next SHUTDOWN timeout; leave 0",
            "runtime.1": "invocation; response; invocation; SIGTERM",
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "timeout with no extension": Scenario(
        cast=Cast(timeout_s=2),
        acts=[invoke(HANG), invoke(), shutdown],
        story={
            "caller": f"timeout; {OK}",
            "runtime.1": "invocation",
            "runtime.2": "invocation; response",
        },
    ),
    "timeout because an extension is too slow": Scenario(
        cast=Cast(
            extensions={
                "a": [LOYAL],
                "b": [(register(*BOTH), next_event(), HANG), LOYAL],
                "c": [(register("INVOKE"), serve())],
            },
            timeout_s=2,
        ),
        acts=[invoke(), invoke(), shutdown],
        story={
            "caller": f"{OK}; {OK}",
            "a.1": "register; next INVOKE; next SHUTDOWN timeout; leave 0",
            "b.1": "register; next INVOKE",
            "c.1": "register; next INVOKE",
            "runtime.1": ANSWERED,
            "a.2": ONE_INVOKE,
            "b.2": ONE_INVOKE,
            "c.2": "register; next INVOKE",
            "runtime.2": ANSWERED,
        },
    ),
    "the runtime exits with 1": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}),
        acts=[invoke(wait_for("a", "next"), leave(1)), invoke(), shutdown],
        story={
            "caller": '{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error:'
            f' Runtime exited with error: exit status 1"}}; {OK}',
            "a.1": "register; next INVOKE; next SHUTDOWN failure; leave 0",
            "runtime.1": "invocation; leave 1",
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "the runtime exits with 0": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}),
        acts=[invoke(wait_for("a", "next"), leave(0)), invoke(), shutdown],
        story={
            "caller": '{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error:'
            f' Runtime exited without providing a reason"}}; {OK}',
            "a.1": "register; next INVOKE; next SHUTDOWN failure; leave 0",
            "runtime.1": "invocation; leave 0",
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "the runtime answers and exits": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}),
        acts=[invoke(wait_for("a", "next"), respond(), leave(1)), invoke(), shutdown],
        story={
            "caller": f"{OK}; {OK}",
            "a.1": "register; next INVOKE; next SHUTDOWN failure; leave 0",
            "runtime.1": "invocation; response; leave 1",
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "an extension exits with 0 in an invocation": Scenario(
        cast=Cast(
            extensions={
                "a": [LOYAL],
                "b": [
                    (register(*BOTH), next_event(), wait_for("runtime", "invocation"), leave(0)),
                    LOYAL,
                ],
            }
        ),
        acts=[invoke(HANG), invoke(), shutdown],
        story={
            "caller": '{"errorType":"Extension.Crash",'
            f'"errorMessage":"RequestId: <id> Error: exit code 0"}}; {OK}',
            "a.1": "register; next INVOKE; next SHUTDOWN failure; leave 0",
            "b.1": "register; next INVOKE; leave 0",
            "runtime.1": "invocation; SIGTERM",
            "a.2": ONE_INVOKE,
            "b.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "an extension posts exit/error and exits": Scenario(
        cast=Cast(
            extensions={
                "a": [
                    (
                        register(*BOTH),
                        next_event(),
                        wait_for("runtime", "invocation"),
                        report_error("exit", "Extension.Bad"),
                        report_error("exit", "Extension.Bad"),
                        report_error("init", "Extension.Bad"),
                        next_event(),
                        leave(1),
                    ),
                    LOYAL,
                ],
            }
        ),
        acts=[invoke(HANG), invoke(), shutdown],
        story={
            "caller": '{"errorType":"Extension.ExitError",'
            f'"errorMessage":"RequestId: <id> Error: exit status 1"}}; {OK}',
            "a.1": "register; next INVOKE; exit/error; exit/error;"
            " init/error 403 Extension.InvalidExtensionState"
            " State transition from ExitError to InitError failed;"
            " next 403 Extension.InvalidExtensionState"
            " State transition from ExitError to Ready failed; leave 1",
            "runtime.1": "invocation; SIGTERM",
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "an extension dies while idle: the next invocation fails": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}),
        acts=[invoke(), kill("a"), invoke(), invoke(), shutdown],
        story={
            "caller": f'{OK}; {{"errorType":"Extension.Crash",'
            f'"errorMessage":"RequestId: <id> Error: signal: killed"}}; {OK}',
            "a.1": "register; next INVOKE",
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
        races=("runtime.1",),  # it may see the doomed invocation
    ),
}
