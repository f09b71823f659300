"""Whatever goes wrong with the extension, the function goes on: every invocation succeeds."""

import asyncio
import io
import json
import shutil
from pathlib import Path

import aiohttp
import pytest

from deploy.stage import NAME, REPOSITORY, stage_layer
from tests.support.whole import (
    Whole,
    address_of,
    run_whole,
    sabotage_functions,
    serve_silence,
    stage_copy,
)

MODULES = sorted(
    str(path.relative_to(REPOSITORY / "logger_extension"))
    for path in (REPOSITORY / "logger_extension").rglob("*.py")
    if "def " in path.read_text()
)

NO_FALLBACK = {"LOGGER_EXTENSION_FALLBACK": "none"}


async def invoke_all(whole: Whole, count: int = 3, sleep_s: float = 0.0) -> list[str]:
    """Invoke so often, one line each; return the lines. Every invocation must succeed."""
    lines = [f"line {n}" for n in range(count)]
    for line in lines:
        event = {"lines": [line], "sleep_s": sleep_s}
        result = await whole.sandbox.invoke(json.dumps(event).encode())
        assert result.status == "success", result
    await whole.sandbox.wait_idle()
    return lines


def is_told(whole: Whole, text: str) -> bool:
    """Return whether the extension said so, in a JSON line on stderr."""
    return any(text in json.dumps(json.loads(line)) for line in whole.stderr)


@pytest.mark.parametrize("module", MODULES)
async def test_every_function_of_a_module_raises(tmp_path: Path, module: str) -> None:
    """A fault in any function of any module is survived."""
    extensions, package = stage_copy(tmp_path)
    sabotage_functions(package / module)
    async with run_whole(tmp_path, extensions=extensions) as whole:
        await invoke_all(whole)


@pytest.mark.parametrize("module", [*MODULES, "policy/__init__.py"])
async def test_importing_a_module_raises(tmp_path: Path, module: str) -> None:
    """A fault while any module is imported is survived."""
    extensions, package = stage_copy(tmp_path)
    source = (package / module).read_text()
    (package / module).write_text(f"{source}\nraise RuntimeError('sabotage')\n")
    async with run_whole(tmp_path, extensions=extensions) as whole:
        await invoke_all(whole)


@pytest.mark.parametrize("delay_ms", [0, 5, 20, 40, 60, 80, 120, 160, 200, 250, 300])
async def test_python_killed_at_any_moment(tmp_path: Path, delay_ms: int) -> None:
    """Killed -9 after a delay, in start, in an invocation, in a flush or idle: nobody notices."""
    async with run_whole(tmp_path, scenario={"freeze": False}) as whole:

        async def kill() -> bool:
            await asyncio.sleep(delay_ms / 1000)
            return whole.kill_python()

        killing = asyncio.create_task(kill())
        await invoke_all(whole, count=4, sleep_s=0.05)
        assert await killing
        await whole.sandbox.invoke(b'{"lines": ["after the kill"]}')
        await whole.sandbox.shutdown()
        # What was in memory when the kill came may be missing; what came later may not.
        assert whole.bodies()[-1:] == ["after the kill"]
        assert sorted(set(whole.bodies())) == sorted(whole.bodies())


async def test_python_killed_again_and_again(tmp_path: Path) -> None:
    """When Python dies once too often, the launcher answers Lambda itself until SHUTDOWN."""
    async with run_whole(tmp_path) as whole:
        for _ in range(6):
            await invoke_all(whole, count=1)
            whole.kill_python()
        await invoke_all(whole)
        assert whole.python_pid() is None
        assert is_told(whole, "telemetry is off")
        await whole.sandbox.shutdown()
        exits = whole.sandbox.transcript.select("exit", actor=f"extension:{NAME}")
        assert [entry.details["status"] for entry in exits] == ["exit status 0"]


async def test_killed_while_frozen_loses_no_later_line(tmp_path: Path) -> None:
    """A restarted Python takes the same port: the subscription lives on."""
    async with run_whole(tmp_path) as whole:
        await invoke_all(whole, count=2)
        assert whole.kill_python()
        # Swallowed by the dead process's pending next: known only from its telemetry.
        await invoke_all(whole, count=3)
        await whole.sandbox.shutdown()
        assert whole.bodies() == ["line 0", "line 1", "line 0", "line 1", "line 2"]
        assert len(whole.server_spans()) == 5


async def test_no_interpreter(tmp_path: Path) -> None:
    """Without Python the function runs, and one line says what to do."""
    extensions = stage_layer(tmp_path / "opt")
    async with run_whole(
        tmp_path,
        extensions=extensions,
        environ={"LOGGER_EXTENSION_PYTHON": "/nowhere/python3"},
    ) as whole:
        await invoke_all(whole)
        if not Path("/var/lang/bin/python3").exists():
            assert len(whole.stderr) == 1
            assert is_told(whole, "no Python interpreter")


@pytest.mark.parametrize(
    "missing",
    [
        "site-packages",
        "logger_extension",
        "logger_extension/app.py",
        "logger_extension/exporters/otlp_http.py",  # imported where a target needs it
    ],
)
async def test_python_that_cannot_import(tmp_path: Path, missing: str) -> None:
    """With files missing from the layer the function runs, and one line says so."""
    extensions, _ = stage_copy(tmp_path)
    target = tmp_path / "opt" / NAME / missing
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink()
    async with run_whole(tmp_path, extensions=extensions) as whole:
        await invoke_all(whole)
        assert len(whole.stderr) == 1
        assert is_told(whole, "cannot import")


async def test_no_collector_configured(tmp_path: Path) -> None:
    """Without an endpoint Python ends, the function runs, and one line says what to set."""
    async with run_whole(tmp_path, endpoint="") as whole:
        await invoke_all(whole)
        assert whole.python_pid() is None
        assert len(whole.stderr) == 1
        assert is_told(whole, "OTEL_EXPORTER_OTLP_ENDPOINT")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "must be a URL"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "no pair"}, "OTEL_EXPORTER_OTLP_HEADERS"),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "https://127.0.0.1:{port}/v1",
                "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere/ca.pem",
                "LOGGER_EXTENSION_TELEMETRY_PORT": "0",
            },
            "/nowhere/ca.pem",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:{port}"}, "own listener"),
    ],
    ids=["endpoint", "headers", "certificate", "ourselves"],
)
@pytest.mark.parametrize("memory_mb", [512, 3_538])
async def test_bad_settings(
    tmp_path: Path, unused_port: int, environ: dict[str, str], said: str, memory_mb: int
) -> None:
    """Settings with which nothing can be delivered turn telemetry off, loudly and once."""
    values = {"LOGGER_EXTENSION_TELEMETRY_PORT": str(unused_port)}
    values |= {name: value.format(port=unused_port) for name, value in environ.items()}
    scenario = {"memory_size_mb": memory_mb}
    async with run_whole(tmp_path, environ=values, scenario=scenario) as whole:
        await invoke_all(whole)
        assert whole.python_pid() is None
        assert len(whole.stderr) == 1
        assert is_told(whole, said)


@pytest.mark.parametrize("memory_mb", [512, 3_538])
async def test_bad_settings_and_no_invocation(tmp_path: Path, memory_mb: int) -> None:
    """A sandbox that is shut down before its first invocation ends as any other."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}
    scenario = {"memory_size_mb": memory_mb}
    async with run_whole(tmp_path, environ=environ, scenario=scenario) as whole:
        await whole.sandbox.shutdown()
        exits = whole.sandbox.transcript.select("exit", actor=f"extension:{NAME}")
        assert [entry.details["status"] for entry in exits] == ["exit status 0"]
        assert len(whole.stderr) == 1


async def test_strict_makes_bad_settings_fatal(tmp_path: Path) -> None:
    """LOGGER_EXTENSION_STRICT=1 fails the init, so that a test of a deployment can see it."""
    environ = {"LOGGER_EXTENSION_STRICT": "1", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}
    async with run_whole(tmp_path, environ=environ) as whole:
        result = await whole.sandbox.invoke()
        assert result.status == "error"
        assert is_told(whole, "OTEL_EXPORTER_OTLP_TIMEOUT")


async def test_one_bad_number_is_named_and_its_default_used(tmp_path: Path) -> None:
    """A number that is none costs a line, not the telemetry."""
    async with run_whole(tmp_path, environ={"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}) as whole:
        assert await invoke_all(whole) == whole.bodies()
        assert len(whole.stderr) == 1
        assert is_told(whole, "OTEL_EXPORTER_OTLP_TIMEOUT")


async def test_garbage_on_the_telemetry_port(tmp_path: Path, unused_port: int) -> None:
    """Bodies of any kind cost nothing but themselves, and are counted."""
    garbage = [b"", b"{", b"\xff" * 100, b"[1, null, {}]", b"[" * 10_000, b"x" * 10 * 1024 * 1024]
    environ = {"LOGGER_EXTENSION_TELEMETRY_PORT": str(unused_port)}
    async with (
        run_whole(tmp_path, environ=environ, scenario={"freeze": False}) as whole,
        aiohttp.ClientSession() as session,
    ):
        lines = await invoke_all(whole, count=2)
        for body in garbage:
            async with session.post(
                f"http://127.0.0.1:{unused_port}/", data=io.BytesIO(body)
            ) as response:
                assert response.status == 200
        lines += await invoke_all(whole, count=2)
        await whole.sandbox.shutdown()
        assert whole.bodies() == lines
        assert is_told(whole, "telemetry.malformed_batch")


async def test_no_one_at_the_collectors_address(tmp_path: Path, unused_port: int) -> None:
    """A refused connection costs the function nothing; what is lost is told at the end."""
    endpoint = f"http://127.0.0.1:{unused_port}"
    async with run_whole(tmp_path, environ=NO_FALLBACK, endpoint=endpoint) as whole:
        await invoke_all(whole)
        await whole.sandbox.shutdown()
        assert is_told(whole, '"logs.undelivered": 3')


async def test_a_collector_that_hangs(tmp_path: Path) -> None:
    """A collector that never answers holds no invocation past its deadline."""
    silent = await serve_silence()
    async with (
        silent,
        run_whole(
            tmp_path,
            environ=NO_FALLBACK,
            endpoint=address_of(silent),
            scenario={"timeout_ms": 900},
        ) as whole,
    ):
        await invoke_all(whole)
        assert whole.sandbox.transcript.select("signal", name="SIGKILL") == []
        await whole.sandbox.shutdown()
        assert is_told(whole, "logs.undelivered")
        assert whole.sandbox.transcript.select("signal", name="SIGKILL") == []


async def test_a_full_queue(tmp_path: Path, unused_port: int) -> None:
    """A queue that overflows drops the oldest lines, counts them, and hurts nobody."""
    environ = {"LOGGER_EXTENSION_QUEUE_MAX_BYTES": "65536"} | NO_FALLBACK
    event = json.dumps({"lines": ["x" * 1_000] * 500}).encode()
    endpoint = f"http://127.0.0.1:{unused_port}"
    async with run_whole(tmp_path, environ=environ, endpoint=endpoint) as whole:
        for _ in range(2):
            assert (await whole.sandbox.invoke(event)).status == "success"
        await whole.sandbox.shutdown()
        assert is_told(whole, "logs.queue_full")


async def test_lines_of_a_mebibyte(tmp_path: Path) -> None:
    """A line of 1 MiB arrives whole."""
    async with run_whole(tmp_path, scenario={"memory_size_mb": 512}) as whole:
        handler_event = json.dumps({"lines": ["y" * 1024 * 1024, "after"]}).encode()
        assert (await whole.sandbox.invoke(handler_event)).status == "success"
        await whole.sandbox.shutdown()
        assert [len(body) for body in whole.bodies()] == [1024 * 1024, 5]
