"""A local Lambda: Runtime, Extensions and Telemetry API, with real processes.

It shares no code with the extension, so a misunderstanding of Lambda cannot hide in both. The
behaviour is that of the service where it is known, else that of AWS's Runtime Interface Emulator.
"""

from lambda_sandbox.errors import (
    ApiError,
    IllegalTransitionError,
    PhaseError,
    SandboxEndedError,
    SandboxError,
    ScenarioError,
)
from lambda_sandbox.invocation import InvokeResult
from lambda_sandbox.sandbox import Sandbox
from lambda_sandbox.scenario import InitType, Scenario, TelemetryFaults
from lambda_sandbox.transcript import Entry, Output, OutputLine, Transcript

__all__ = [
    "ApiError",
    "Entry",
    "IllegalTransitionError",
    "InitType",
    "InvokeResult",
    "Output",
    "OutputLine",
    "PhaseError",
    "Sandbox",
    "SandboxEndedError",
    "SandboxError",
    "Scenario",
    "ScenarioError",
    "TelemetryFaults",
    "Transcript",
]
