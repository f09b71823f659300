"""The second world of the differential tests: our own sandbox, taken as it is.

Owns: the translation of a cast into a sandbox's scenario. Must not know AWS's emulator.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lambda_sandbox import InitType, Sandbox, Scenario, TelemetryFaults
from tests.support.probe_story import without_ids
from tests.support.rie import write_program
from tests.support.rie_worlds import ACTOR, World, lay_out

if TYPE_CHECKING:
    from lambda_sandbox import InvokeResult


class SandboxWorld(World):
    """Our sandbox, as it is."""

    _sandbox: Sandbox

    async def _start(self) -> None:
        folder = self._root / "tree/probe"
        programs = lay_out(
            self._cast,
            folder,
            lambda file: f"{sys.executable} -I -S {folder / ACTOR.name} {folder / file}",
            journal=str(self._journal),
        )
        self._journal.parent.mkdir()
        self._journal.touch()
        extensions = self._root / "tree/opt/extensions"
        extensions.mkdir(parents=True)
        for name in self._cast.extensions:
            write_program(extensions / name, f"exec {programs[name]}\n")
        on_demand = self._cast.max_concurrency is None
        scenario = Scenario(
            task_root=folder,
            function_name="function",
            extensions=extensions,
            runtime=programs["runtime"].split(),
            timeout_ms=self._cast.timeout_s * 1000,
            init_timeout_ms=self._cast.timeout_s * 1000,
            init_type=InitType.ON_DEMAND if on_demand else InitType.MANAGED_INSTANCES,
            max_concurrency=self._cast.max_concurrency or 1,
            telemetry=TelemetryFaults(supported=not on_demand),
        )
        self._sandbox = await self._open.enter_async_context(Sandbox(scenario))

    async def _call(self, payload: bytes, trace: str | None) -> str:
        return _result_in_words(await self._sandbox.invoke(payload, trace_header=trace))

    async def fail_init(self) -> None:
        """Nothing to do: it was tried when the world started."""

    async def settle(self) -> None:
        """Wait for the freeze."""
        await self._sandbox.wait_idle()

    async def shutdown(self) -> None:
        """Spin it down."""
        await self._sandbox.shutdown()

    def _host_pid(self, pid: int) -> int:
        return pid


def _result_in_words(result: InvokeResult) -> str:
    """Say the same of the sandbox."""
    return "timeout" if result.status == "timeout" else without_ids(result.payload.decode())
