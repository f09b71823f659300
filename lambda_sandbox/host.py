"""What the phases of one sandbox share.

A bundle of the things that live as long as the sandbox itself, and how a process is started with
them. It must not know the order of phases.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_sandbox.environment import extension_environment, runtime_environment
from lambda_sandbox.processes import Watch, start_process

if TYPE_CHECKING:
    from lambda_sandbox.cpu import CpuShare
    from lambda_sandbox.generation import Generation
    from lambda_sandbox.scenario import Scenario
    from lambda_sandbox.telemetry import Telemetry
    from lambda_sandbox.transcript import Output, Transcript

RUNTIME = "runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The sandbox around the generations of processes."""

    scenario: Scenario
    transcript: Transcript
    output: Output
    telemetry: Telemetry
    cpu: CpuShare
    api_address: str
    instance_id: str

    async def start_extension(self, generation: Generation, path: Path) -> None:
        """Start an extension file without arguments.

        Raises:
            OSError: it cannot be executed.
        """
        name = path.name

        def on_line(stream: str, line: str) -> None:
            self.output.add(name, stream, line)
            self.telemetry.publish_line("extension", line)

        managed = self.scenario.managed_instances
        generation.extensions[name] = await start_process(
            self.cpu.wrap([str(path)]),
            actor=f"extension:{name}",
            cwd=self.scenario.task_root if managed else Path("/"),
            environment=extension_environment(self.scenario, self.api_address),
            watch=Watch(on_line, lambda process: generation.extension_exited(name, process)),
            transcript=self.transcript,
        )

    async def start_runtime(self, generation: Generation) -> None:
        """Start the runtime.

        Raises:
            OSError: it cannot be executed.
        """

        def on_line(stream: str, line: str) -> None:
            self.output.add(RUNTIME, stream, line)
            self.telemetry.publish_line("function", line)

        generation.runtime = await start_process(
            self.cpu.wrap(self.scenario.runtime_command()),
            actor=RUNTIME,
            cwd=self.scenario.task_root,
            environment=runtime_environment(self.scenario, self.api_address, self.instance_id),
            watch=Watch(on_line, generation.runtime_exited),
            transcript=self.transcript,
        )
