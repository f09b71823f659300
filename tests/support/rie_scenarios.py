"""What happens on Lambda: who does what, and what everybody sees of it.

Each scenario was played on AWS's emulator; its story is what was seen there, and what must be seen
in our sandbox too. Owns: the stories. Must not know the worlds they are played in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tests.support.probe_steps import (
    HANG,
    Step,
    ask_next,
    handle,
    init_error,
    leave,
    next_event,
    read_next,
    register,
    report_error,
    respond,
    respond_error,
    serve,
    sleep,
    subscribe,
    wait_for,
)
from tests.support.rie_worlds import Cast, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

Act: TypeAlias = "Callable[[World], Awaitable[object]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A cast, what is done with it from outside, and what everybody then tells."""

    cast: Cast
    acts: Sequence[Act]
    story: Mapping[str, str]


def invoke(*steps: Step) -> Act:
    """The function is invoked; its runtime does *steps*."""
    return lambda world: world.invoke(*steps)


def kill(actor: str) -> Act:
    """A process is killed between two invocations."""

    async def act(world: World) -> None:
        await world.settle()
        await world.kill(actor)

    return act


def fail_init(world: World) -> Awaitable[None]:
    """The first init fails."""
    return world.fail_init()


def shutdown(world: World) -> Awaitable[None]:
    """The environment is spun down."""
    return world.shutdown()


BOTH = ("INVOKE", "SHUTDOWN")
LOYAL = (register(*BOTH), serve())
OK = '{"ok":true}'
ONE_INVOKE = "register; next INVOKE; next SHUTDOWN spindown; leave 0"
ANSWERED = "invocation; response; SIGTERM"

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
    "an extension never registers": Scenario(
        cast=Cast(extensions={"a": [LOYAL], "b": [(HANG,), LOYAL]}, timeout_s=2),
        acts=[fail_init, invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; next SHUTDOWN timeout; leave 0",
            "a.2": ONE_INVOKE,
            "b.2": ONE_INVOKE,
            "runtime.1": ANSWERED,
        },
    ),
    "an extension never calls next": Scenario(
        cast=Cast(extensions={"a": [LOYAL], "b": [(register(*BOTH), HANG), LOYAL]}, timeout_s=2),
        acts=[fail_init, invoke(), shutdown],
        story={
            "caller": OK,
            "a.1": "register; next SHUTDOWN timeout; leave 0",
            "b.1": "register",
            "runtime.1": "SIGTERM",
            "a.2": ONE_INVOKE,
            "b.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
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
        acts=[fail_init, invoke()],
        story={
            "caller": '{"errorType": "Runtime.ImportModuleError", "errorMessage": "no app"}',
            "a.1": "register; next SHUTDOWN failure; leave 0",
            "runtime.1": "error; leave 1",
            "a.2": "register; next SHUTDOWN failure; leave 0",
            "runtime.2": "error; leave 1",
        },
    ),
}

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
            "runtime.1": ANSWERED,
            "a.2": ONE_INVOKE,
            "runtime.2": ANSWERED,
        },
    ),
}
