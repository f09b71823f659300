"""The environment variables of the runtime and of extensions.

Pure: two functions from a scenario to a dict. They start from nothing, so no variable of the
machine can leak into a process (contract 9.1, T40). It must not read the environment itself.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_sandbox.scenario import Scenario

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def extension_environment(scenario: Scenario, api_address: str) -> dict[str, str]:
    """Variables of an external extension: no handler, no task root, no log stream, no X-Ray."""
    customer = {k: v for k, v in scenario.environment.items() if not k.startswith("_")}
    variables = _defaults(scenario) | customer | _reserved(scenario, api_address)
    if scenario.managed_instances:
        variables |= _log_settings(scenario)
        variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(scenario.max_concurrency)
    return variables


def runtime_environment(scenario: Scenario, api_address: str, log_stream: str) -> dict[str, str]:
    """Variables of the runtime process."""
    variables = _defaults(scenario)
    if scenario.uses_default_runtime():
        variables["PYTHONPATH"] = ":".join(map(str, _python_path(scenario)))
    variables |= dict(scenario.environment) | _reserved(scenario, api_address)
    variables |= _log_settings(scenario) | {
        "_HANDLER": scenario.handler,
        "LAMBDA_TASK_ROOT": str(scenario.task_root),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{scenario.function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129",
        "_AWS_XRAY_DAEMON_PORT": "2000",
    }
    if scenario.uses_default_runtime():
        # Not defined for OS-only runtimes, which is what a bootstrap file is.
        variables["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{python_name()}"
    if scenario.managed_instances:
        variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(scenario.max_concurrency)
    return variables


def python_name() -> str:
    """The name that Lambda would give this interpreter as a runtime, such as `python3.13`."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _defaults(scenario: Scenario) -> dict[str, str]:
    """Variables that a customer may override in Lambda too."""
    opt = _opt(scenario)
    return {
        "PATH": f"/var/lang/bin:/usr/local/bin:/usr/bin:/bin:{opt}/bin",
        "LD_LIBRARY_PATH": f"/var/lang/lib:/lib64:/usr/lib64:{scenario.task_root}:{opt}/lib",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }


def _reserved(scenario: Scenario, api_address: str) -> dict[str, str]:
    """Variables that Lambda sets and nobody can override; the credentials are no secret."""
    return {
        "AWS_LAMBDA_RUNTIME_API": api_address,
        "AWS_LAMBDA_FUNCTION_NAME": scenario.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": scenario.function_version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(scenario.memory_size_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": scenario.init_type.value,
        "AWS_REGION": scenario.region,
        "AWS_DEFAULT_REGION": scenario.region,
    } | {name: name.replace("AWS", "SANDBOX").replace("_", "-") for name in CREDENTIALS}


def _log_settings(scenario: Scenario) -> dict[str, str]:
    if scenario.log_format == "JSON":
        return {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    return {"AWS_LAMBDA_LOG_FORMAT": "Text"}


def _opt(scenario: Scenario) -> str:
    """Where the layers lie: the folder above the extensions, as /opt is in Lambda."""
    return "/opt" if scenario.extensions is None else str(scenario.extensions.absolute().parent)


def _python_path(scenario: Scenario) -> list[Path]:
    """The search path of a managed Python runtime: the task root, then what layers bring."""
    paths = [scenario.task_root.absolute()]
    if scenario.extensions is not None:
        layers = scenario.extensions.absolute().parent / "python"
        paths += [layers / "lib" / python_name() / "site-packages", layers]
    return paths
