"""A local Lambda execution environment: the public face of this package.

Owns the API server, the tasks and the queue of invocations (mutable: the invocations under way, and
whether the environment has ended). One lock makes sure that on-demand phases follow each other.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from typing import TYPE_CHECKING, Any, Self

from lambda_sandbox.api import ApiServer
from lambda_sandbox.cpu import CpuShare, open_cpu_share
from lambda_sandbox.errors import SandboxEndedError
from lambda_sandbox.extensions_api import ExtensionsApi
from lambda_sandbox.host import Host
from lambda_sandbox.invocation import Invocation, InvokeResult, error_payload
from lambda_sandbox.lifecycle import Lifecycle
from lambda_sandbox.records import log_stream
from lambda_sandbox.runtime_api import RuntimeApi
from lambda_sandbox.telemetry import Telemetry
from lambda_sandbox.telemetry_api import TelemetryApi
from lambda_sandbox.transcript import Output, Transcript

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType

    from aiohttp import web

    from lambda_sandbox.generation import Generation
    from lambda_sandbox.scenario import Scenario

MANAGED = "managed invocation"


class Sandbox:
    """An execution environment; an async context manager, to be used once.

    Entering starts the APIs and runs the init phase. A failed init does not raise: it is tried
    again inside the first invocation, as in Lambda. Leaving waits for the invocation under way and
    shuts down with reason `spindown`, unless that has been done; on an exception it kills at once.
    In every case no process is left behind.

    Attributes:
        transcript: what happened, in order.
        output: what each process printed.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.transcript = Transcript()
        self.output = Output(self.transcript)
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._telemetry = Telemetry(scenario, self.transcript, self._spawn)
        self._server = ApiServer(self._routes())
        self._cpu = CpuShare()
        self._notes: list[str] = []
        self._api_address = ""
        self._lifecycle: Lifecycle
        self._phase = asyncio.Lock()
        self._ended = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be done on this machine."""
        return tuple(self._notes)

    @property
    def api_address(self) -> str:
        """AWS_LAMBDA_RUNTIME_API: `host:port`."""
        return self._api_address

    @property
    def runtime_pid(self) -> int | None:
        """Process id of the running runtime, or None."""
        runtime = self._lifecycle.generation.runtime
        return runtime.pid if runtime is not None and runtime.alive else None

    @property
    def extension_pids(self) -> dict[str, int]:
        """Process ids of the running extensions by file name."""
        extensions = self._lifecycle.generation.extensions
        return {name: process.pid for name, process in extensions.items() if process.alive}

    async def __aenter__(self) -> Self:
        """Start the APIs and run the init phase."""
        await self._group.__aenter__()
        try:
            await self._open()
            failure = await self._lifecycle.start()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        if self.scenario.managed_instances:
            self._ended = failure is not None
            self._spawn(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Shut down, and leave nothing behind."""
        try:
            if kind is None:
                await self.shutdown()
        finally:
            await self._close()
            if kind is not asyncio.CancelledError:
                # The group would wrap the caller's own exception; it is for the tasks' errors.
                kind = error = trace = None
            await self._group.__aexit__(kind, error, trace)

    async def invoke(
        self,
        payload: bytes = b"{}",
        *,
        trace_header: str | None = None,
        client_context: str | None = None,
        request_id: str | None = None,
    ) -> InvokeResult:
        """Invoke the function; return as soon as the runtime has responded.

        Waits first while the phase of the invocation before is not over (but not on Managed
        Instances).

        Raises:
            SandboxEndedError: after shutdown, or after the end of a Managed Instances environment.
        """
        invocation = Invocation(
            request_id=request_id or str(uuid.uuid4()),
            payload=payload,
            called=time.monotonic(),
            timeout_ms=self.scenario.timeout_ms,
            trace_header=trace_header,
            client_context=client_context,
        )
        self.transcript.record("client", "invoke", request_id=invocation.request_id)
        if self.scenario.managed_instances:
            self._check_alive()
            task = self._spawn(self._lifecycle.run_managed(invocation), MANAGED)
        else:
            await self._phase.acquire()
            try:
                self._check_alive()
                task = self._spawn(self._lifecycle.run(invocation))
            except BaseException:
                self._phase.release()
                raise
            task.add_done_callback(lambda _task: self._phase.release())
        task.add_done_callback(lambda _task: _abandon(invocation))
        return await asyncio.shield(invocation.answer)

    async def wait_idle(self) -> None:
        """Return when no invoke phase is under way: extensions have called next, all is frozen."""
        async with self._phase:
            pass
        running = [task for task in self._tasks if task.get_name() == MANAGED]
        if running:
            await asyncio.wait(running)

    async def shutdown(self, reason: str = "spindown") -> None:
        """Shut the environment down, after the invocation under way; a second call does nothing."""
        await self.wait_idle()
        self._ended = True
        async with self._phase:
            await self._lifecycle.stop(reason)

    def _routes(self) -> list[web.RouteDef]:
        def generation() -> Generation:
            return self._lifecycle.generation

        routes = RuntimeApi(generation, self.transcript).routes()
        routes += TelemetryApi(generation, self._telemetry).routes(
            managed_instances=self.scenario.managed_instances
        )
        if not self.scenario.extensions_disabled():
            routes += ExtensionsApi(generation, self.transcript).routes()
        return routes

    async def _open(self) -> None:
        if self.scenario.enforce_cpu:
            self._cpu, note = open_cpu_share(self.scenario.memory_size_mb)
            if note is not None:
                self._notes.append(note)
        self._api_address = await self._server.start(self.scenario.api_host)
        self._lifecycle = Lifecycle(
            Host(
                scenario=self.scenario,
                transcript=self.transcript,
                output=self.output,
                telemetry=self._telemetry,
                cpu=self._cpu,
                api_address=self._api_address,
                instance_id=log_stream(
                    self.scenario, self.scenario.unix_ms(), secrets.token_hex(16)
                ),
            )
        )

    async def _close(self) -> None:
        """End every task and process, in an order in which nobody waits for the dead."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hasattr(self, "_lifecycle"):
            await self._lifecycle.kill()
        await self._server.stop()
        self._cpu.close()

    def _spawn(
        self, work: Coroutine[Any, Any, None], name: str | None = None
    ) -> asyncio.Task[None]:
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _check_alive(self) -> None:
        if self._ended:
            crash = self._lifecycle.generation.crash
            why = "it was shut down" if crash is None else str(crash)
            raise SandboxEndedError(f"the environment has ended ({why}): enter a new Sandbox")

    async def _watch(self) -> None:
        await self._lifecycle.watch()
        self._ended = True


def _abandon(invocation: Invocation) -> None:
    """Answer the caller of an invocation that ended without an answer: the sandbox was closed."""
    payload = error_payload("Sandbox.Failure", "the sandbox was closed")
    invocation.resolve("failure", payload, "Sandbox.Failure", time.monotonic())
