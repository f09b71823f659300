"""The layer's libraries are the layer's alone: a function imports its own, or none."""

from __future__ import annotations

import json
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from deploy.layer.commands import find_tool, run
from deploy.stage import this_interpreter
from lambda_sandbox import Sandbox, Scenario
from otlp_viewer import Collector
from tests.support.layer_builds import MANAGED, RUNNING, Builds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

# Other versions than those of the layer, with wheels for every Python that it is made for.
OWN = {"aiohttp": "3.13.2", "protobuf": "6.33.1", "opentelemetry-proto": "1.38.0"}

HANDLER = """
import importlib, importlib.metadata

def handler(event, context):
    found = {}
    for name, distribution in event.items():
        try:
            file = importlib.import_module(name).__file__
        except ModuleNotFoundError:
            found[name] = None
        else:
            found[name] = [file, importlib.metadata.version(distribution)]
    return found
"""
MODULES = {
    "aiohttp": "aiohttp",
    "google.protobuf": "protobuf",
    "opentelemetry.proto.trace.v1.trace_pb2": "opentelemetry-proto",
    "orjson": "orjson",
    "logger_extension": "logger-extension",
}


def write_runtime(task: Path, layer: Path) -> Path:
    """Write what starts AWS's client with the search path of Lambda's Python, and no other."""
    client = task.parent / "runtime"
    client.mkdir()
    purelib = Path(sysconfig.get_path("purelib"))
    for pattern in ("awslambdaric", "runtime_client*", "simplejson", "snapshot_restore_py"):
        for path in purelib.glob(pattern):
            (client / path.name).symlink_to(path)
    # https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
    python = layer / "python"
    paths = [task, python / "lib" / f"python{RUNNING}" / "site-packages", python, client]
    bootstrap = task.parent / "bootstrap"
    bootstrap.write_text(
        f"#!/bin/sh\nPYTHONPATH={':'.join(map(str, paths))}"
        f' exec {this_interpreter()} -S -m awslambdaric "$_HANDLER"\n'
    )
    bootstrap.chmod(0o755)
    return bootstrap


async def ask_function(layer: Path, task: Path) -> tuple[dict[str, Any], Collector]:
    """Return where a function finds each module and in which version."""
    (task / "app.py").write_text(HANDLER)
    async with Collector() as collector:
        scenario = Scenario(
            task_root=task,
            extensions=layer / "extensions",
            runtime=[str(write_runtime(task, layer))],
            timeout_ms=20_000,
            environment={
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
                "LOGGER_EXTENSION_PYTHON": str(this_interpreter()),
                "LOGGER_EXTENSION_TELEMETRY_PORT": "0",
            },
        )
        async with Sandbox(scenario) as sandbox:
            result = await sandbox.invoke(json.dumps(MODULES).encode())
            await sandbox.shutdown()
    assert result.status == "success", result
    answer: dict[str, Any] = json.loads(result.payload)
    return answer, collector


async def test_a_function_imports_its_own(builds: Builds, tmp_path: Path) -> None:
    """Its aiohttp, protobuf and opentelemetry, in its versions, while the extension uses others."""
    task = tmp_path / "task"
    wanted = [f"{name}=={version}" for name, version in OWN.items()]
    install = ("pip", "install", "--quiet", "--only-binary", ":all:", "--python", sys.executable)
    run([find_tool("uv"), *install, "--target", task, *wanted])
    layer = builds.unpack(MANAGED)
    manifest = json.loads((layer / "logger-extension" / "manifest.json").read_text())
    found, collector = await ask_function(layer, task)
    for module, distribution in MODULES.items():
        if distribution in OWN:
            file, version = found[module]
            assert Path(file).is_relative_to(task)
            assert version == OWN[distribution] != manifest["packages"][distribution]
        else:
            assert found[module] is None
    assert len(collector.store.invocations()) == 1


async def test_a_function_without_any_finds_none(builds: Builds, tmp_path: Path) -> None:
    """A layer that is attached never makes a forgotten dependency importable."""
    task = tmp_path / "task"
    task.mkdir()
    found, collector = await ask_function(builds.unpack(MANAGED), task)
    assert found == dict.fromkeys(MODULES)
    assert len(collector.store.invocations()) == 1
