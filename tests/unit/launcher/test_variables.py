"""The function's variables are the launcher's too: they must change neither it nor its Python.

What a real Python makes of them in a whole layer is shown in `tests/deploy/proofs`.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.launching import launch, spin_down
from tests.support.scripted_api import Request, invoke, registered, shutdown

AUTHORITIES = (
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)


async def run_and_read(folder: Path, environ: dict[str, str]) -> dict[str, str]:
    """Return the variables that Python gets when the launcher has these."""
    told = folder / "environ"
    async with launch(folder, spin_down, f"env -0 > {told}", environ) as (launched, _):
        assert await launched.finish() == (0, [])
    pairs = told.read_text().split("\0")[:-1]
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize(
    "environ", [{"FUNCNEST": "1"}, {"POSIXLY_CORRECT": "1"}, {"BASH_COMPAT": "3.1"}]
)
async def test_switches_of_bash_change_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    """Registered, and Python started."""
    async with launch(tmp_path, spin_down, "exit 0", environ) as (launched, api):
        assert await launched.finish() == (0, [])
        assert len(launched.starts()) == 1
    assert api.paths() == ["register"]


async def test_a_refused_connection_does_not_end_it_in_posix_mode(
    tmp_path: Path, unused_port: int
) -> None:
    """POSIX says that a failed redirection of `exec` ends the shell; Python is still started."""
    environ = {"POSIXLY_CORRECT": "1", "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{unused_port}"}
    async with launch(tmp_path, spin_down, "exit 70", environ) as (launched, _):
        code, _ = await launched.finish()
        assert code == 70
        assert len(launched.starts()) == 1


async def test_waits_for_an_event_as_long_as_it_takes(tmp_path: Path) -> None:
    """TMOUT is bash's timeout of each `read`; `next` has none, and is not asked twice."""
    asked_again = asyncio.Event()
    answered = []

    async def script(request: Request, before: int) -> bytes | None:
        if request.path.endswith("register"):
            return registered()
        if before:
            asked_again.set()
            return shutdown()
        with suppress(TimeoutError):  # longer than TMOUT, and nothing may come
            await asyncio.wait_for(asked_again.wait(), 1.5)
        answered.append(asked_again.is_set())
        return invoke()

    async with launch(tmp_path, script, "exit 75", {"TMOUT": "1"}) as (launched, api):
        assert await launched.finish() == (0, [])
    assert api.paths() == ["register", "next", "next"]
    assert answered == [False]


async def test_the_loader_looks_beside_the_interpreter_only(tmp_path: Path) -> None:
    """The function's libraries are not ours; those beside the interpreter are."""
    environ = {"LD_LIBRARY_PATH": "/var/task/lib", "LD_BIND_NOW": "1"}
    variables = await run_and_read(tmp_path, environ)
    loader = {name: value for name, value in variables.items() if name.startswith("LD_")}
    assert loader == {"LD_LIBRARY_PATH": f"{tmp_path}/logger-extension/lib"}


@pytest.mark.parametrize(
    "name",
    [
        "MALLOC_ARENA_MAX",
        "GLIBC_TUNABLES",
        "GCONV_PATH",
        "LOCPATH",
        "OPENSSL_CONF",
        "OPENSSL_MODULES",
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION",
        "AIOHTTP_NO_EXTENSIONS",
        "PROPCACHE_NO_EXTENSIONS",
    ],
)
async def test_switches_of_libraries_are_not_handed_on(tmp_path: Path, name: str) -> None:
    """They are set for the function's own process."""
    assert name not in await run_and_read(tmp_path, {name: ""})


async def test_all_others_are_handed_on(tmp_path: Path) -> None:
    """Among them what a user says about certificates, proxies and resolving."""
    environ = {
        "OTEL_SERVICE_NAME": "a b=c",
        "SSL_CERT_FILE": "/mine.pem",
        "SSL_CERT_DIR": "/mine",
        "HTTPS_PROXY": "http://proxy:3128",
        "RES_OPTIONS": "timeout:1",
        "GRPC_VERBOSITY": "info",
    }
    assert environ.items() <= (await run_and_read(tmp_path, environ)).items()


async def test_the_layers_interpreter_is_told_of_the_systems_certificates(tmp_path: Path) -> None:
    """It was built where they may lie elsewhere."""
    there = [file for file in AUTHORITIES if Path(file).is_file()]
    variables = await run_and_read(tmp_path, {})
    assert variables.get("SSL_CERT_FILE") == (there[0] if there else None)


async def test_a_folder_of_certificates_is_not_joined_by_the_systems(tmp_path: Path) -> None:
    """Who names authorities of his own trusts no others."""
    assert "SSL_CERT_FILE" not in await run_and_read(tmp_path, {"SSL_CERT_DIR": "/mine"})


async def test_an_interpreter_of_the_runtime_knows_its_certificates(tmp_path: Path) -> None:
    """It is told nothing."""
    told = tmp_path / "environ"
    prefix = tmp_path / "runtime"
    (prefix / "bin").mkdir(parents=True)
    python = prefix / "bin" / "python3"
    python.write_text(f"#!/bin/bash\nenv -0 > {told}\n")
    python.chmod(0o755)
    environ = {"LOGGER_EXTENSION_PYTHON": str(python)}
    async with launch(tmp_path, spin_down, "exit 1", environ) as (launched, _):
        assert await launched.finish() == (0, [])
    variables = told.read_text().split("\0")
    assert not any(variable.startswith("SSL_CERT_FILE=") for variable in variables)
    assert f"LD_LIBRARY_PATH={prefix}/lib" in variables
