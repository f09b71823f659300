"""One life of the processes, from their start to the reset or the shutdown.

Owns the registry, the runtime's slots, the processes and the first fatal error of this life
(mutable). After a reset a new generation begins, with new processes and identifiers. It must not
know in which order phases go; it only says what is, and lets others wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_sandbox.agents import Registry
from lambda_sandbox.changes import Changes
from lambda_sandbox.errors import PhaseError
from lambda_sandbox.processes import describe_exit
from lambda_sandbox.runtime_slots import RuntimeSlots
from lambda_sandbox.states import AgentState

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    from lambda_sandbox.processes import Process
    from lambda_sandbox.scenario import Scenario


class Generation:
    """The processes of the sandbox and what they have told the APIs."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.changes = Changes()
        self.registry = Registry(self.changes, managed_instances=scenario.managed_instances)
        self.slots = RuntimeSlots(self.changes, parallel=scenario.managed_instances)
        self.runtime: Process | None = None
        self.extensions: dict[str, Process] = {}
        self.stopping = False
        self._fatal_type: str | None = None
        self._crash: PhaseError | None = None

    @property
    def processes(self) -> list[Process]:
        """Every process that was started, the runtime first."""
        runtime = [] if self.runtime is None else [self.runtime]
        return runtime + list(self.extensions.values())

    def note_fatal(self, error_type: str) -> None:
        """Remember the type of the first fatal error; nothing stops before a process exits."""
        self._fatal_type = self._fatal_type or error_type

    def fail(self, error_type: str, message: str, payload: bytes | None = None) -> None:
        """End what runs with an error; only the first one counts, and none during a shutdown."""
        if self._crash is None and not self.stopping:
            self.note_fatal(error_type)
            error_type = self._fatal_type or error_type
            status = "failure" if error_type.startswith("Sandbox.") else "error"
            self._crash = PhaseError(status, error_type, message, payload)
            self.changes.notify()

    def runtime_exited(self, process: Process) -> None:
        """The runtime is gone: `Runtime.ExitError`, or what it posted as init error before."""
        code = process.returncode or 0
        message = (
            f"Runtime exited with error: {describe_exit(code)}"
            if code
            else "Runtime exited without providing a reason"
        )
        error_type, payload = self.slots.init_error or ("Runtime.ExitError", None)
        self.fail(error_type, message, payload)
        self.changes.notify()

    def extension_exited(self, name: str, process: Process) -> None:
        """An extension is gone: `Extension.Crash`, also with exit status 0, but in a shutdown."""
        code = process.returncode or 0
        agent = self.registry.by_name(name)
        if agent is not None and self.stopping and agent.state is AgentState.RUNNING:
            agent.move(AgentState.EXITED)
        self.fail("Extension.Crash", describe_exit(code) if code else "exit code 0")
        self.changes.notify()

    @property
    def crash(self) -> PhaseError | None:
        """Why this generation cannot go on, or None."""
        return self._crash

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait for a condition of this generation.

        Raises:
            PhaseError: a process died before the condition was true.
        """
        await self.changes.until(lambda: predicate() or self._crash is not None)
        if not predicate() and self._crash is not None:
            raise self._crash

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the groups of all processes, without a word in the transcript."""
        for process in self.processes:
            process.signal(number, silent=True)

    def drain_output(self) -> None:
        """Read everything that the processes have printed until now."""
        for process in self.processes:
            process.drain_output()
