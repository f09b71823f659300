"""An unpacked layer beside a function with hostile variables, on the emulator and the local Lambda.

Owns where each of the two has the layer, the function and its programs, and that both are asked
the same things. The emulator runs in a namespace of its own: `/opt` is mounted read-only, the user
has no privilege, the only network is the loopback. The local Lambda runs the same files where they
lie, and has the Telemetry API. Must not know what a test expects.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import sysconfig
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.stage import NAME
from lambda_sandbox import Sandbox, Scenario
from otlp_viewer import Collector
from tests.support.layer_hostility import write_hostile
from tests.support.layer_runtimes import Programs, find_node, write_function
from tests.support.rie import SITE_PACKAGES, Emulator, Tree
from tests.support.rie_extension import serve_inside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from otlp_viewer import LogRow, SpanRow

_SERVER = 2  # SpanKind of OTLP
_COLLECTOR_PORT = 14318  # of the namespace
TIMEOUT_S = 20  # of an invocation: the machine may be busy with other things
_PYTHON_ELSEWHERE = "var/python"  # where no launcher looks for an interpreter
# Lambda's user has no name, no group of others and no capability.
_UNPRIVILEGED = (
    *("setpriv", "--reuid=993", "--regid=990", "--clear-groups", "--no-new-privs"),
    *("--inh-caps=-all", "--bounding-set=-all"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What runs.

    Attributes:
        layer: the folder that a layer was unpacked to; it stands for /opt and is not written to.
        function: of `layer_runtimes.NAMES`.
        python: the prefix of the interpreter of the function's runtime, where the launcher finds
            it; None for a runtime without.
        environ: variables of the function beside those of `layer_hostility`.
        others: more external extensions: name -> script.
    """

    layer: Path
    function: str = "python"
    python: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running function.

    Attributes:
        invoke: calls it; gives the request id that it told, and fails on any other answer.
        stop: ends the environment in the ordinary way.
        collector: what the extension sends to.
        said: what all processes have printed so far.
        has_telemetry: whether this Lambda has the Telemetry API.
    """

    invoke: Callable[[], Awaitable[str]]
    stop: Callable[[], Awaitable[None]]
    collector: Collector
    said: Callable[[], str]
    has_telemetry: bool

    def spans(self) -> list[SpanRow]:
        """Return the spans of invocations that arrived."""
        return [span for span in self.collector.store.spans if span.kind == _SERVER]

    def logs(self) -> list[LogRow]:
        """Return the records that arrived."""
        return list(self.collector.store.logs)


if TYPE_CHECKING:
    World = Callable[[Plan, Path], AbstractAsyncContextManager[Stage]]


@contextlib.asynccontextmanager
async def play_in_sandbox(plan: Plan, folder: Path) -> AsyncIterator[Stage]:
    """Run a plan in the local Lambda."""
    task = folder / "task"
    task.mkdir()
    programs = Programs(
        python=sys.executable,
        libraries=f"{sys.base_prefix}/lib",
        site_packages=sysconfig.get_path("purelib"),
        node=str(find_node()) if plan.function == "node" else "",
    )
    write_function(plan.function, task, str(task), task / "bootstrap", programs)
    variables = write_hostile(task / "hostile", str(task / "hostile"))
    variables |= {"LOGGER_EXTENSION_TELEMETRY_PORT": "0", **plan.environ}
    if plan.python is not None:
        # There is no /var/lang on a machine where tests run.
        variables["LOGGER_EXTENSION_PYTHON"] = str(plan.python / "bin" / "python3")
    async with Collector() as collector:
        variables.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        extensions = _lay_extensions(plan, folder / "opt")
        scenario = Scenario(
            task_root=task,
            extensions=extensions,
            environment=variables,
            timeout_ms=TIMEOUT_S * 1000,
        )
        async with Sandbox(scenario) as sandbox:

            async def invoke() -> str:
                result = await sandbox.invoke()
                assert result.status == "success", (result, _read(sandbox))
                return str(json.loads(result.payload)["request_id"])

            yield Stage(
                invoke=invoke,
                stop=sandbox.shutdown,
                collector=collector,
                said=lambda: _read(sandbox),
                has_telemetry=True,
            )


@contextlib.asynccontextmanager
async def play_on_emulator(plan: Plan, folder: Path) -> AsyncIterator[Stage]:
    """Run a plan on AWS's emulator."""
    tree = Tree(folder / "tree")
    mounts = _lay_inside(plan, tree)
    variables = write_hostile(tree.task / "hostile", "/var/task/hostile")
    variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{_COLLECTOR_PORT}"
    variables |= plan.environ
    async with Collector() as collector:
        emulator = Emulator(
            tree,
            timeout_s=TIMEOUT_S,
            mounts=mounts,
            servers={_COLLECTOR_PORT: serve_inside(collector)},
            python_home=_PYTHON_ELSEWHERE,
            # The function's variables are those of the emulator's processes, not of what makes the
            # namespace.
            wrapper=(*_UNPRIVILEGED, "env", *(f"{name}={variables[name]}" for name in variables)),
        )
        async with emulator:

            async def invoke() -> str:
                answer = await emulator.invoke()
                assert answer.status == 200, (answer, emulator.output)
                return str(json.loads(answer.body)["request_id"])

            async def stop() -> None:
                assert await emulator.stop() == 0

            yield Stage(
                invoke=invoke,
                stop=stop,
                collector=collector,
                said=lambda: emulator.output,
                has_telemetry=False,
            )


def _lay_inside(plan: Plan, tree: Tree) -> tuple[tuple[Path, str], ...]:
    """Write function and extensions into a tree; return what is to be mounted into it besides."""
    mounts = [(plan.layer / NAME, f"opt/{NAME}")]
    if plan.python is not None:
        mounts.append((plan.python, "var/lang"))
    if plan.function == "node":
        mounts.append((find_node().parent, "var/node"))
    for folder in (*(target for _, target in mounts), _PYTHON_ELSEWHERE):
        (tree.root / folder).mkdir(exist_ok=True)
    programs = Programs(
        python=f"/{_PYTHON_ELSEWHERE}/bin/python3",
        libraries=f"/{_PYTHON_ELSEWHERE}/lib",
        site_packages=SITE_PACKAGES,
        node=f"/var/node/{find_node().name}" if plan.function == "node" else "",
    )
    write_function(plan.function, tree.task, "/var/task", tree.bootstrap, programs)
    _write_extensions(plan, tree.extensions)
    return tuple(mounts)


def _read(sandbox: Sandbox) -> str:
    return "\n".join(sandbox.output.text(process) for process in sandbox.output)


def _lay_extensions(plan: Plan, root: Path) -> Path:
    """Return the folder of extensions; with others beside ours, one that is not the layer's."""
    if not plan.others:
        return plan.layer / "extensions"
    extensions = root / "extensions"
    extensions.mkdir(parents=True)
    (root / NAME).symlink_to(plan.layer / NAME)
    _write_extensions(plan, extensions)
    return extensions


def _write_extensions(plan: Plan, folder: Path) -> None:
    """Put ours and the others into a folder."""
    shutil.copy(plan.layer / "extensions" / NAME, folder)
    for name, script in plan.others.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
