"""Errors of the sandbox.

Owns the tree below and nothing else; it must not know what raises them.

    SandboxError
    ├── ScenarioError             the scenario cannot be run as asked
    ├── SandboxEndedError         there is no execution environment any more
    ├── IllegalTransitionError    an agent may not go from this state to that one
    ├── ApiError                  a request that Lambda's APIs refuse: status, type, message
    └── PhaseError                an init or invoke phase that failed, with its platform status

Foreign exceptions (OSError of a process start, aiohttp.ClientError of a delivery) are translated
where they happen and never leave their module.
"""

from __future__ import annotations


class SandboxError(Exception):
    """Root of everything that this package raises."""


class ScenarioError(SandboxError):
    """The scenario cannot be run; the message says what to change in it."""


class SandboxEndedError(SandboxError):
    """The execution environment is gone: enter a new Sandbox."""


class IllegalTransitionError(SandboxError):
    """An agent may not go from its state to the one asked for."""


class ApiError(SandboxError):
    """A refusal by one of Lambda's APIs.

    Attributes:
        status: HTTP status.
        error_type: `errorType` of the JSON body, such as `Extension.InvalidExtensionState`.
        message: `errorMessage` of the JSON body.
    """

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(f"{status} {error_type}: {message}")
        self.status = status
        self.error_type = error_type
        self.message = message


class PhaseError(SandboxError):
    """An init or invoke phase ended badly.

    Attributes:
        status: the platform's word for it: `error`, `timeout` or `failure`.
        error_type: such as `Runtime.ExitError`; None for a timeout of an on-demand function.
        message: the text after `RequestId: … Error: ` in what the caller gets.
        payload: the whole body for the caller, where the runtime posted one itself.
    """

    def __init__(
        self, status: str, error_type: str | None, message: str, payload: bytes | None = None
    ) -> None:
        super().__init__(f"{error_type or status}: {message}")
        self.status = status
        self.error_type = error_type
        self.message = message
        self.payload = payload

    @property
    def shutdown_reason(self) -> str:
        """The reason that extensions see in SHUTDOWN: `timeout` or `failure`."""
        return "timeout" if self.status == "timeout" else "failure"
