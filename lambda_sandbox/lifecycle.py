"""The life of one execution environment, phase after phase.

Owns the current generation of processes, whether it is up and frozen, and what the first report
will say of the cold start (all mutable). Its callers see to it that on-demand phases do not
overlap. What happens inside a phase is in `init_phase`, `invoke_phase` and `shutdown`.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_sandbox import invoke_phase, records
from lambda_sandbox.errors import PhaseError
from lambda_sandbox.generation import Generation
from lambda_sandbox.init_phase import initialise
from lambda_sandbox.invocation import milliseconds
from lambda_sandbox.scenario import InitType
from lambda_sandbox.shutdown import kill_generation, stop_generation

if TYPE_CHECKING:
    from lambda_sandbox.host import Host
    from lambda_sandbox.invocation import Invocation
    from lambda_sandbox.records import Outcome

RESTORE_BUDGET_S = 10.0
MS_PER_S = 1_000


class Lifecycle:
    """Init, invocations, freeze and thaw, reset, shutdown of one environment."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.generation = Generation(host.scenario)
        self.up = False
        self._frozen_since: float | None = None
        self._init_ms: float | None = None
        self._restore_ms: float | None = None
        self._restore_due = host.scenario.init_type is InitType.SNAP_START

    async def start(self) -> PhaseError | None:
        """Run the init phase; a failure is returned, and the processes are gone then."""
        scenario = self._host.scenario
        failure, self._init_ms = await self._initialise("init", scenario.init_budget_ms / MS_PER_S)
        if failure is not None:
            await self._reset(failure)
        elif scenario.init_type is not InitType.ON_DEMAND:
            # On demand, init is always followed by the invocation that caused it.
            await self._freeze()
        return failure

    async def run(self, invocation: Invocation) -> None:
        """Run one on-demand invocation, from the thaw to the freeze."""
        host = self._host
        await self._thaw()
        failure = await self._restore() if self._restore_due else None
        invoke_phase.begin(host, invocation)
        if not self.up and failure is None:
            failure = await self._retry_init(invocation)
        host.telemetry.publish(records.start(host.scenario, invocation))
        try:
            if failure is not None:
                raise failure
            outcome = await invoke_phase.run_on_demand(host, self.generation, invocation)
        except PhaseError as error:
            outcome = invoke_phase.fail(host, invocation, error)
            outcome = replace(outcome, max_memory_bytes=self._peak_memory_bytes())
            await self._reset(error)
        else:
            outcome = replace(outcome, max_memory_bytes=self._peak_memory_bytes())
        await self._end(invocation, outcome)

    async def run_managed(self, invocation: Invocation) -> None:
        """Run one of several invocations on Managed Instances."""
        await invoke_phase.run_managed(self._host, self.generation, invocation)

    async def watch(self) -> None:
        """On Managed Instances: the environment ends as soon as one of its processes does."""
        generation = self.generation
        await generation.changes.until(lambda: generation.crash is not None or generation.stopping)
        if generation.crash is not None and not generation.stopping:
            await self.stop(generation.crash.shutdown_reason)

    async def stop(self, reason: str) -> None:
        """Shut the environment down."""
        self._continue()
        if self.up:
            self.up = False
            await stop_generation(self._host, self.generation, reason)

    async def kill(self) -> None:
        """Leave no process behind."""
        self.up = False
        await kill_generation(self.generation)

    async def _initialise(
        self, phase: str, budget_s: float
    ) -> tuple[PhaseError | None, float | None]:
        self.generation = Generation(self._host.scenario)
        if phase == "init":
            self._host.cpu.boost()
        self.up = True
        try:
            init_ms = await initialise(self._host, self.generation, phase=phase, budget_s=budget_s)
        except PhaseError as error:
            return error, None
        finally:
            self._host.cpu.limit()
        return None, init_ms

    async def _retry_init(self, invocation: Invocation) -> PhaseError | None:
        """Run init inside the invocation, under its timeout ("suppressed init")."""
        failure, _ = await self._initialise("invoke", invoke_phase.remaining_s(invocation))
        if failure is not None and failure.status == "timeout":
            return invoke_phase.timeout_error(invocation)
        return failure

    async def _restore(self) -> PhaseError | None:
        """Play the restore of a SnapStart snapshot: let the runtime run its hooks."""
        host, generation = self._host, self.generation
        self._restore_due = False
        if not self.up:
            return None
        began = time.monotonic()
        host.telemetry.publish(records.restore_start(host.scenario, host.instance_id))
        generation.slots.restore()
        failure: PhaseError | None = None
        try:
            async with asyncio.timeout(RESTORE_BUDGET_S):
                await generation.until(lambda: generation.slots.ready)
        except TimeoutError:
            failure = PhaseError("timeout", None, "restore took more than 10 s")
        except PhaseError as error:
            failure = error
        status = "success" if failure is None else failure.status
        error_type = None if failure is None else failure.error_type
        self._restore_ms = milliseconds(time.monotonic() - began)
        host.telemetry.publish(records.restore_runtime_done(status, error_type))
        host.telemetry.publish(records.restore_report(status, self._restore_ms, error_type))
        return failure

    async def _reset(self, failure: PhaseError) -> None:
        """Stop all processes; the next invocation starts new ones in the same environment."""
        await self.stop(failure.shutdown_reason)

    async def _end(self, invocation: Invocation, outcome: Outcome) -> None:
        """Freeze; `platform.report` is made now but delivered after the next thaw."""
        outcome = replace(outcome, init_ms=self._init_ms, restore_ms=self._restore_ms)
        self._init_ms = self._restore_ms = None
        await self._freeze()
        self._host.telemetry.publish(records.report(self._host.scenario, invocation, outcome))
        self._host.transcript.record(
            "sandbox",
            "invoke.end",
            request_id=invocation.request_id,
            status=outcome.status,
            extension_overhead_ms=_extension_overhead_ms(outcome),
        )

    def _peak_memory_bytes(self) -> int:
        runtime = self.generation.runtime
        return 0 if runtime is None else runtime.measure_memory()

    async def _freeze(self) -> None:
        if not self._host.scenario.freezes:
            return
        self._host.telemetry.freeze()
        self.generation.signal(signal.SIGSTOP)
        for process in self.generation.processes:
            await process.wait_stopped()
        self.generation.drain_output()
        self._frozen_since = time.monotonic()
        self._host.transcript.record("sandbox", "freeze")

    async def _thaw(self) -> None:
        """Thaw, no sooner than the scenario allows."""
        if self._frozen_since is not None:
            thaw_at = self._frozen_since + self._host.scenario.min_freeze_ms / MS_PER_S
            await asyncio.sleep(max(0.0, thaw_at - time.monotonic()))
        self._continue()

    def _continue(self) -> None:
        if self._frozen_since is None:
            return
        frozen_ms = milliseconds(time.monotonic() - self._frozen_since)
        self._frozen_since = None
        self._host.transcript.record("sandbox", "thaw", frozen_ms=frozen_ms)
        self.generation.signal(signal.SIGCONT)
        self._host.telemetry.thaw()


def _extension_overhead_ms(outcome: Outcome) -> float | None:
    """How long extensions ran on after the runtime was done; None where that is not known."""
    if outcome.runtime_done is None:
        return None
    return milliseconds(outcome.ended[0] - outcome.runtime_done)
