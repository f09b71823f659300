"""The second world of the differential tests: our own sandbox, taken as it is.

Owns: the translation of a cast into a sandbox's scenario. Must not know AWS's emulator.
"""

from __future__ import annotations

import sys

from lambda_sandbox import InitType, Sandbox, Scenario, TelemetryFaults
from tests.support.rie_worlds import ACTOR, World, in_words, install_extensions, lay_out


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
        install_extensions(self._cast, extensions, programs)
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
        result = await self._sandbox.invoke(payload, trace_header=trace)
        if result.status == "timeout":
            return "timeout"
        return in_words(result.payload, managed=self._cast.max_concurrency is not None)

    async def fail_init(self) -> None:
        """Nothing to do: it was tried when the world started."""
        [init_end] = self._sandbox.transcript.select("init.end")
        assert init_end.details["status"] != "success", init_end

    async def settle(self) -> None:
        """Wait for the freeze."""
        await self._sandbox.wait_idle()

    async def shutdown(self) -> None:
        """Spin it down."""
        await self._sandbox.shutdown()

    async def end(self) -> None:
        """Wait for the shutdown of the failure."""
        await self._sandbox.transcript.wait_for("shutdown.end", reason="failure")

    def _host_pid(self, pid: int) -> int:
        return pid
