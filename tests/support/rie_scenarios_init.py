"""Stories of an init that fails, and of the second one that does not."""

from __future__ import annotations

from tests.support.probe_steps import (
    HANG,
    handle,
    init_error,
    leave,
    next_event,
    register,
    report_error,
    wait_for,
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
    settle,
    shutdown,
)
from tests.support.rie_worlds import Cast

FAILING_INIT = {
    "an extension leaves before it registers": Scenario(
        cast=Cast(
            extensions={"a": [LOYAL], "b": [(wait_for("a", "register"), leave(0)), LOYAL]},
        ),
        acts=[fail_init, invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "b.1": "leave 0",
            "a.2": ONE_INVOKE,
            "b.2": ONE_INVOKE,
            "runtime.1": ANSWERED,
        },
    ),
    "an extension leaves before its first next": Scenario(
        cast=Cast(
            extensions={
                "a": [LOYAL],
                "b": [(register(*BOTH), wait_for("runtime", "start"), leave(0)), LOYAL],
            },
            runtime=[(HANG,), (handle(),)],
        ),
        acts=[fail_init, invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "b.1": "register; leave 0",
            "runtime.1": "SIGTERM",
            "a.2": ONE_INVOKE,
            "b.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "a file that cannot be executed": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}, broken=("b",)),
        acts=[fail_init],
        story={"caller": ""},
        races=("a.1",),  # how far it got; no runtime is started
    ),
    # After a timeout of init the emulator now and then carries on with the invocation that it has
    # just given up, in parallel to the next: so only the first life is compared.
    "an extension never registers": Scenario(
        cast=Cast(extensions={"a": [LOYAL], "b": [(HANG,), LOYAL]}, timeout_s=2),
        acts=[fail_init],
        story={"caller": "", "a.1": "register; next SHUTDOWN timeout; leave 0"},
        races=("a.2", "b.2", "runtime.1"),
    ),
    "an extension never calls next": Scenario(
        cast=Cast(extensions={"a": [LOYAL], "b": [(register(*BOTH), HANG), LOYAL]}, timeout_s=2),
        acts=[fail_init],
        story={
            "caller": "",
            "a.1": "register; next SHUTDOWN timeout; leave 0",
            "b.1": "register",
            "runtime.1": "SIGTERM",
        },
        races=("a.2", "b.2", "runtime.2"),
    ),
    "init/error is only noted until the process leaves": Scenario(
        cast=Cast(
            extensions={
                "a": [LOYAL],
                "b": [
                    (
                        register(*BOTH),
                        report_error("init", "Extension.ConfigInvalid"),
                        report_error("init", "Extension.ConfigInvalid"),
                        report_error("exit", "Extension.ConfigInvalid"),
                        next_event(),
                        wait_for("runtime", "start"),
                        leave(1),
                    ),
                    LOYAL,
                ],
            },
            runtime=[(HANG,), (handle(),)],
        ),
        acts=[fail_init, invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "b.1": "register; init/error; init/error;"
            " exit/error 403 Extension.InvalidExtensionState"
            " State transition from InitError to Exited failed;"
            " next 403 Extension.InvalidExtensionState"
            " State transition from InitError to Ready failed; leave 1",
            "runtime.1": "SIGTERM",
            "a.2": ONE_INVOKE,
            "b.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "the runtime leaves": Scenario(
        cast=Cast(extensions={"a": [LOYAL]}, runtime=[(leave(3),), (handle(),)]),
        acts=[fail_init, invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "runtime.1": "leave 3",
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
    "the runtime cannot load the function, twice": Scenario(
        cast=Cast(
            extensions={"a": [LOYAL]},
            runtime=[(init_error("Runtime.ImportModuleError", "no app"), leave(1))],
        ),
        acts=[fail_init, invoke(), settle],
        story={
            "caller": '{"errorType": "Runtime.ImportModuleError", "errorMessage": "no app"}',
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "runtime.1": "error; leave 1",
            "a.2": "register; next SHUTDOWN failure; leave 0",
            "runtime.2": "error; leave 1",
        },
    ),
}
