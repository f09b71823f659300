"""What a sandbox is asked to be: the function, its limits, and the faults to play.

Pure values, checked when they are made. It must not know how any of it is done.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from lambda_sandbox.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

DISABLE_EXTENSIONS_FILE = "disable-extensions-jwigqn8j"
ON_DEMAND_INIT_TIMEOUT_MS = 10_000
LONG_INIT_TIMEOUT_MS = 130_000


class InitType(StrEnum):
    """`AWS_LAMBDA_INITIALIZATION_TYPE`, and `initializationType` of the init events."""

    ON_DEMAND = "on-demand"
    PROVISIONED_CONCURRENCY = "provisioned-concurrency"
    SNAP_START = "snap-start"
    MANAGED_INSTANCES = "lambda-managed-instances"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryFaults:
    """How the Telemetry API misbehaves.

    Attributes:
        supported: False answers every subscription 202 `Telemetry.NotSupported`, as local tools do.
        delay_ms: wait this long before each POST.
        failing_posts: the first N POSTs of each subscriber never reach it and are tried again.
        lost_answers: the next N POSTs arrive, but their answer is lost: they are sent again, so
            the subscriber sees duplicates.
        queue_bytes: events that wait for one subscriber; what does not fit is dropped and counted
            in `platform.logsDropped`.
    """

    supported: bool = True
    delay_ms: int = 0
    failing_posts: int = 0
    lost_answers: int = 0
    queue_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A function and the Lambda around it; every field has the default of a new function.

    Attributes:
        task_root: LAMBDA_TASK_ROOT and the working directory of the runtime.
        handler: `_HANDLER`, such as `app.handler`.
        extensions: a folder; every file in it is started as an external extension.
        runtime: command of the runtime. None: the `bootstrap` file in `task_root` if there is one,
            else AWS's awslambdaric, run by this interpreter.
        memory_size_mb: 128 to 10,240.
        timeout_ms: of one invocation, extensions included.
        init_timeout_ms: None is Lambda's own: 10 s on demand, otherwise 130 s or the function
            timeout, whichever is longer.
        environment: the customer's variables, for the runtime and (but `_…`) for extensions.
        max_concurrency: Managed Instances only: invocations at a time.
        freeze: stop all processes between invocations (never on Managed Instances).
        min_freeze_ms: the next invocation thaws no sooner than this after the freeze.
        shutdown_left_ms: what is left of the shutdown when SHUTDOWN reaches the extensions. None is
            Lambda's own: what the end of the runtime and the last telemetry leave of 2 s.
        wall_clock: epoch seconds of all telemetry and deadlines. A clock that jumps plays a freeze
            longer than the test; whoever passes one sees to it that the processes jump as well.
        enforce_cpu: give the processes the CPU share of `memory_size_mb` where a cgroup may be
            written; `Sandbox.notes` says where it may not.
        api_host: loopback address of AWS_LAMBDA_RUNTIME_API.
    """

    task_root: Path
    handler: str = "app.handler"
    extensions: Path | None = None
    runtime: Sequence[str] | None = None
    function_name: str = "sandbox-function"
    function_version: str = "$LATEST"
    region: str = "us-east-1"
    account_id: str = "123456789012"
    memory_size_mb: int = 128
    timeout_ms: int = 3_000
    init_timeout_ms: int | None = None
    init_type: InitType = InitType.ON_DEMAND
    environment: Mapping[str, str] = field(default_factory=dict)
    log_format: Literal["Text", "JSON"] = "Text"
    max_concurrency: int = 4
    freeze: bool = True
    min_freeze_ms: int = 0
    shutdown_left_ms: int | None = None
    wall_clock: Callable[[], float] = time.time
    enforce_cpu: bool = False
    telemetry: TelemetryFaults = field(default_factory=TelemetryFaults)
    api_host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        """Refuse what cannot be run.

        Raises:
            ScenarioError: with the field to change.
        """
        if not self.task_root.is_dir():
            raise ScenarioError(f"task_root must be a folder with the function: {self.task_root}")
        if self.extensions is not None and not self.extensions.is_dir():
            raise ScenarioError(f"extensions must be a folder: {self.extensions}")
        if min(self.timeout_ms, self.memory_size_mb, self.max_concurrency) < 1:
            raise ScenarioError("timeout_ms, memory_size_mb and max_concurrency must be positive")
        if self.runtime is not None and not self.runtime:
            raise ScenarioError("runtime must name a command, or be None for the default")
        if self.shutdown_left_ms is not None and self.shutdown_left_ms < 0:
            raise ScenarioError("shutdown_left_ms must be 0 or more, or None for Lambda's own")

    @property
    def managed_instances(self) -> bool:
        """True on Lambda Managed Instances: parallel invocations, no freeze, no INVOKE event."""
        return self.init_type is InitType.MANAGED_INSTANCES

    @property
    def freezes(self) -> bool:
        """True if the processes stop between invocations."""
        return self.freeze and not self.managed_instances

    @property
    def init_budget_ms(self) -> int:
        """How long init may take before it fails."""
        if self.init_timeout_ms is not None:
            return self.init_timeout_ms
        if self.init_type is InitType.ON_DEMAND:
            return ON_DEMAND_INIT_TIMEOUT_MS
        return max(LONG_INIT_TIMEOUT_MS, self.timeout_ms)

    def unix_ms(self) -> int:
        """The wall clock in epoch milliseconds."""
        return int(self.wall_clock() * 1_000)

    @property
    def function_arn(self) -> str:
        """`invokedFunctionArn`: unqualified for $LATEST, else with the version."""
        arn = f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.function_name}"
        return arn if self.function_version == "$LATEST" else f"{arn}:{self.function_version}"

    def extension_files(self) -> list[Path]:
        """Files to start, in alphabetical order; folders are ignored.

        The file `disable-extensions-jwigqn8j` beside the folder switches extensions off.
        """
        if self.extensions is None or self.extensions_disabled():
            return []
        return sorted(path for path in self.extensions.absolute().iterdir() if not path.is_dir())

    def extensions_disabled(self) -> bool:
        """True if the file that switches extensions off is there."""
        folder = self.extensions
        return folder is not None and (folder.parent / DISABLE_EXTENSIONS_FILE).exists()

    def uses_default_runtime(self) -> bool:
        """True if AWS's awslambdaric runs the handler."""
        return self.runtime is None and not (self.task_root / "bootstrap").is_file()

    def runtime_command(self) -> list[str]:
        """The command that starts the runtime."""
        if self.runtime is not None:
            return list(self.runtime)
        if self.uses_default_runtime():
            return [sys.executable, "-m", "awslambdaric", self.handler]
        return [str((self.task_root / "bootstrap").absolute())]
