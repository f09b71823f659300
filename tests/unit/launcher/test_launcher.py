"""The launcher alone: what it asks of Lambda, what it hands to Python, whom it survives.

Python is a small script here that says what it was given and ends as told; the real one runs in
`tests/sandbox` and `tests/rie`.
"""

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.support.launching import launch, spin_down
from tests.support.scripted_api import (
    IDENTIFIER,
    REGISTERED,
    Request,
    answer,
    invoke,
    refused,
    registered,
    shutdown,
)


async def test_registers_with_its_file_name(tmp_path: Path) -> None:
    """It registers for INVOKE and SHUTDOWN under its own file name and asks for the account."""
    async with launch(tmp_path, spin_down, "exit 0") as (launched, api):
        assert await launched.finish() == (0, [])
    request = api.requests[0]
    assert (request.method, request.path) == ("POST", "/2020-01-01/extension/register")
    assert request.headers["lambda-extension-name"] == "my-telemetry"
    assert request.headers["lambda-extension-accept-feature"] == "accountId"
    assert json.loads(request.body) == {"events": ["INVOKE", "SHUTDOWN"]}


async def test_registers_for_shutdown_only_on_managed_instances(tmp_path: Path) -> None:
    """On Managed Instances an extension may not ask for INVOKE."""
    managed = {"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}
    async with launch(tmp_path, spin_down, "exit 0", managed) as (launched, api):
        await launched.finish()
    assert json.loads(api.requests[0].body) == {"events": ["SHUTDOWN"]}


async def test_hands_identifier_and_body_to_python(tmp_path: Path) -> None:
    """Python gets what Lambda answered, runs with -I -S, and is told its path."""
    async with launch(tmp_path, spin_down, "exit 0") as (launched, _):
        await launched.finish()
        [[identifier, body, subscription, arguments, held]] = launched.starts()
    assert identifier == IDENTIFIER
    assert body == REGISTERED.decode()
    assert subscription == ""
    assert held == "unset"
    assert arguments.startswith("-I -S -c ")
    home = tmp_path / "logger-extension"
    assert arguments.endswith(f"{home} {home}/site-packages")


@pytest.mark.parametrize("headers", [(), ("Connection: close",), ("X-Other: 1", "Date: now")])
async def test_reads_any_order_of_headers(tmp_path: Path, headers: tuple[str, ...]) -> None:
    """The identifier is found whatever stands beside it, in any case."""

    async def script(request: Request, _: int) -> bytes | None:
        if request.path.endswith("register"):
            return answer(200, REGISTERED, *headers, f"lambda-extension-IDENTIFIER: {IDENTIFIER}")
        return shutdown()

    async with launch(tmp_path, script, "exit 0") as (launched, _):
        await launched.finish()
        assert [start[0] for start in launched.starts()] == [IDENTIFIER]


@pytest.mark.parametrize("failure", ["refused", "closed", "garbage", "hanging"])
async def test_leaves_registration_to_python_when_its_own_fails(
    tmp_path: Path, failure: str
) -> None:
    """Whatever is wrong with the answer, Python is started without an identifier."""
    never = asyncio.Event()

    async def script(_request: Request, _before: int) -> bytes | None:
        match failure:
            case "refused":
                return answer(500, b"{}")
            case "garbage":
                return b"\x00\xff" * 40 + b"\r\n\r\n"
            case "hanging":
                await never.wait()
        return None

    async with launch(tmp_path, script, "exit 70") as (launched, _):
        code, _ = await launched.finish()
        assert code == 70
        assert [start[0] for start in launched.starts()] == [""]


async def test_learns_the_identifier_that_python_was_given(tmp_path: Path) -> None:
    """When Python registers and then has nothing to do, the launcher goes on in its name."""

    async def script(request: Request, _before: int) -> bytes | None:
        return None if request.path.endswith("register") else shutdown()

    action = f"echo registered {IDENTIFIER} >&3; exit 75"
    async with launch(tmp_path, script, action) as (launched, api):
        assert await launched.finish() == (0, [])
    assert api.requests[-1].path.endswith("next")
    assert api.requests[-1].headers["lambda-extension-identifier"] == IDENTIFIER


async def test_restarts_a_dead_child_on_the_same_port(tmp_path: Path) -> None:
    """A child that dies is started again, at most 3 times, with what its predecessor had told."""
    action = "echo subscribed 4711 200 >&3; kill -9 $$"
    async with launch(tmp_path, spin_down, action) as (launched, api):
        code, lines = await launched.finish()
        told = [start[2] for start in launched.starts()]
    assert code == 0
    assert told == ["", *["4711 200"] * 3]
    assert api.paths() == ["register", "next"]
    *restarts, last = [line["message"] for line in lines]
    assert len(restarts) == 3
    assert all("exit code 137 and is started again" in message for message in restarts)
    assert "4 times" in last


async def test_tells_how_many_records_a_dead_child_held(tmp_path: Path) -> None:
    """Its line outlives it: the successor finds the number, and so does whoever reads stderr."""
    # Each start holds one more than the number of starts before it; the line is replaced.
    count = f"$(tr -cd '\\0' < {tmp_path}/starts | wc -c)"
    action = f"""
exec 4<>/proc/self/fd/0
echo 4711 >&4; read -r _ <&4
echo {count} >&4
kill -9 $$"""
    async with launch(tmp_path, spin_down, action) as (launched, _):
        code, lines = await launched.finish()
        held = [start[4] for start in launched.starts()]
    assert code == 0
    assert held == ["unset", "1", "2", "3"]
    *restarts, last = [line["message"] for line in lines]
    assert len(restarts) == 3
    for number, message in enumerate(restarts, 1):
        assert f"it held {number} records, they are lost" in message
    assert "4 records held" in last


@pytest.mark.parametrize("line", ["", "exec 4<>/proc/self/fd/0; echo nothing >&4;"])
async def test_says_so_when_it_is_not_known_what_a_dead_child_held(
    tmp_path: Path, line: str
) -> None:
    """It died before it told, or what it told is no number."""
    async with launch(tmp_path, spin_down, f"{line} kill -9 $$") as (launched, _):
        _, lines = await launched.finish()
        held = [start[4] for start in launched.starts()]
    assert held == ["unset", "", "", ""]
    assert all("unknown records" in line["message"] for line in lines)


async def test_what_a_child_leaves_running_does_not_hold_up_its_successor(tmp_path: Path) -> None:
    """A process of its own may keep all pipes open: reading them has an end."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    action = f"""
mkdir {tmp_path}/first 2>/dev/null || exit 0
exec 4<>/proc/self/fd/0
echo 17 >&4
echo subscribed 4711 200 >&3
{{ read -r _ < {gate}; }} <&0 >/dev/null 2>&1 &
kill -9 $$"""
    async with launch(tmp_path, spin_down, action) as (launched, _):
        code, _ = await launched.finish()
        told = [(start[2], start[4]) for start in launched.starts()]
        gate.write_text("go\n")
    assert code == 0
    assert told == [("", "unset"), ("4711 200", "17")]


async def test_calls_next_itself_when_python_cannot_run(tmp_path: Path) -> None:
    """Exit codes that say that a restart is of no use lead to `next` until SHUTDOWN."""

    async def script(request: Request, before: int) -> bytes | None:
        if request.path.endswith("register"):
            return registered()
        return shutdown() if before == 2 else invoke()

    async with launch(tmp_path, script, "exit 75") as (launched, api):
        assert await launched.finish() == (0, [])
        assert len(launched.starts()) == 1
    assert api.paths() == ["register", "next", "next", "next"]
    assert api.requests[1].headers["lambda-extension-identifier"] == IDENTIFIER


async def test_says_that_there_is_no_interpreter(tmp_path: Path) -> None:
    """Without Python it says so in one JSON line and serves `next`."""
    async with launch(tmp_path, spin_down, None) as (launched, api):
        code, lines = await launched.finish()
    assert code == 0
    assert [line["level"] for line in lines] == ["error"]
    assert "no Python interpreter" in lines[0]["message"]
    assert "LOGGER_EXTENSION_PYTHON" in lines[0]["action"]
    assert api.paths() == ["register", "next"]


async def test_says_that_the_layer_is_incomplete(tmp_path: Path) -> None:
    """Without our package it says so in one JSON line and serves `next`."""
    environ = {"LOGGER_EXTENSION_PYTHON": "/bin/true"}
    async with launch(tmp_path, spin_down, None, environ) as (launched, api):
        code, lines = await launched.finish()
    assert code == 0
    assert [line["message"] for line in lines] == [
        "cannot import logger_extension: telemetry is off"
    ]
    assert api.paths() == ["register", "next"]


async def test_waits_out_the_dead_childs_next(tmp_path: Path) -> None:
    """403 Ready to Ready means that a dead child's call is pending; asking goes on."""

    async def script(request: Request, before: int) -> bytes | None:
        if request.path.endswith("register"):
            return registered()
        return shutdown() if before == 3 else refused()

    async with launch(tmp_path, script, "exit 69") as (launched, api):
        assert await launched.finish() == (0, [])
    assert api.paths() == ["register", *["next"] * 4]


@pytest.mark.parametrize("code", [70, 78])
async def test_passes_fatal_codes_on(tmp_path: Path, code: int) -> None:
    """A refused registration and strict settings end the launcher with Python's code."""
    async with launch(tmp_path, spin_down, f"exit {code}") as (launched, api):
        assert await launched.finish() == (code, [])
    assert api.paths() == ["register"]


async def test_does_not_restart_after_shutdown(tmp_path: Path) -> None:
    """A child killed after it has seen SHUTDOWN is not replaced: there is nothing left to serve."""
    async with launch(tmp_path, spin_down, "echo shutdown >&3; kill -9 $$") as (launched, api):
        assert await launched.finish() == (0, [])
    assert api.paths() == ["register"]


async def test_childs_stdout_is_the_launchers(tmp_path: Path) -> None:
    """What Python prints goes where Lambda reads it, not into the launcher's pipe."""
    async with launch(tmp_path, spin_down, "echo hello; exit 0") as (launched, _):
        stdout, _ = await launched.process.communicate()
    assert stdout == b"hello\n"


async def test_sigterm_reaches_python(tmp_path: Path) -> None:
    """SIGTERM is handed on; the launcher waits for Python's last flush and exits 0."""
    ended = tmp_path / "ended"
    action = f"trap 'touch {ended}; exit 0' TERM; echo up; while :; do read -r -t 1 _ <&3; done"
    async with launch(tmp_path, spin_down, action) as (launched, _):
        assert launched.process.stdout is not None
        assert await launched.process.stdout.readline() == b"up\n"
        launched.process.terminate()
        code, lines = await launched.finish()
    assert (code, lines) == (0, [])
    assert ended.exists()


async def test_sigterm_ends_the_next_loop(tmp_path: Path) -> None:
    """SIGTERM ends the launcher also while it waits in `next` itself."""
    never = asyncio.Event()

    async def script(request: Request, _: int) -> bytes | None:
        if request.path.endswith("register"):
            return registered()
        await never.wait()
        return None

    async with launch(tmp_path, script, "exit 75") as (launched, api):
        await api.wait_for(2)
        launched.process.terminate()
        assert await launched.finish() == (0, [])
