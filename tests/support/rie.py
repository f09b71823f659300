"""AWS's Runtime Interface Emulator in a namespace of its own, as a test sees it.

Owns: the directories that the emulator starts things from, its command line and environment, and
the client that invokes the function. Must not know what the extensions and the runtime do.

The binary is the one inside the aws-sam-cli wheel. Without `max_concurrency` it is the on-demand
emulator, which has no Telemetry API; with it, the one of Lambda Managed Instances, which has.
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import sys
import sysconfig
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import aiohttp

from tests.support.namespace import Namespace, missing_permission

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping

# Where the emulator is told to be inside; the host's ports are not touched.
_INVOKE_PORT = 8080
_INVOKE_URL = f"http://127.0.0.1:{_INVOKE_PORT}/2015-03-31/functions/function/invocations"
_RETRY_S = 0.005
_START_TIMEOUT_S = 10
PYTHON = "/var/lang/bin/python3"  # this interpreter, at the place where Lambda has its own
SITE_PACKAGES = "/var/runtime/site-packages"  # this environment's packages


def binary() -> Path:
    """Where the emulator for this machine is installed by `make test`."""
    architecture = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    folder = Path(sysconfig.get_path("purelib")) / "samcli/local/rapid"
    return folder / f"aws-lambda-rie-{architecture}"


def unavailable() -> str | None:
    """Why the emulator cannot run here, or None when it can."""
    if not binary().is_file():
        return f"the emulator is not installed at {binary()}: run `make test`"
    return missing_permission()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the emulator told the caller of the function."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Tree:
    """The directories that become /opt, /tmp and /var inside, laid out under *root* on the host."""

    root: Path

    def __post_init__(self) -> None:
        """Make every directory that is mounted or mounted upon, readable for Lambda's user."""
        for name in ("opt/extensions", "var/task", "var/runtime/site-packages", "var/lang"):
            (self.root / name).mkdir(parents=True)
        (self.root / "var/rie").mkdir()
        (self.root / "tmp").mkdir()
        (self.root / "tmp").chmod(0o1777)

    @property
    def extensions(self) -> Path:
        """The folder that external extensions are started from: /opt/extensions."""
        return self.root / "opt/extensions"

    @property
    def task(self) -> Path:
        """Where the function's code is: /var/task."""
        return self.root / "var/task"

    @property
    def tmp(self) -> Path:
        """The only place that can be written inside: /tmp."""
        return self.root / "tmp"

    @property
    def bootstrap(self) -> Path:
        """The file that is started as the runtime: /var/runtime/bootstrap."""
        return self.root / "var/runtime/bootstrap"

    def install_function(self, handler: str, *, python: str = PYTHON) -> None:
        """Make *handler* the source of app.py, run by AWS's runtime client for Python."""
        (self.task / "app.py").write_text(handler)
        write_program(
            self.bootstrap,
            f'PYTHONPATH={SITE_PACKAGES} exec {python} -m awslambdaric "$_HANDLER"\n',
        )


def write_program(path: Path, shell: str) -> None:
    """Write an executable shell script that any user may run."""
    path.write_text(f"#!/bin/sh\n{shell}")
    path.chmod(0o755)


@dataclass(slots=True)
class Emulator:
    """The emulator, running from the start of the `async with` to its end.

    *mounts* are (directory of the host, target below the tree), read-only. *servers* are called
    with a listening socket of the inside before anything runs there: port -> server. This Python
    is seen at /*python_home*. *wrapper* is a command that runs the emulator in its own place, as
    `setpriv` does.
    """

    tree: Tree
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: int = 3
    max_concurrency: int | None = None
    mounts: tuple[tuple[Path, str], ...] = ()
    servers: Mapping[int, Callable[[socket.socket], Awaitable[None]]] = field(default_factory=dict)
    python_home: str = "var/lang"
    wrapper: tuple[str, ...] = ()
    _open: AsyncExitStack = field(default_factory=AsyncExitStack, init=False)
    _namespace: Namespace = field(init=False)
    _client: aiohttp.ClientSession = field(init=False)

    async def __aenter__(self) -> Self:
        """Start the emulator; it listens when this returns."""
        command = [*self.wrapper, f"/var/rie/{binary().name}", "--log-level", "info"]
        if self.max_concurrency is None:
            command += ["/var/runtime/bootstrap"]
        self._namespace = Namespace(
            self.tree.root,
            (
                (binary().parent, "var/rie"),
                (Path(sys.base_prefix), self.python_home),
                (Path(sysconfig.get_path("purelib")), "var/runtime/site-packages"),
                *self.mounts,
            ),
            command,
            self._environment(),
            self._log,
        )
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(self._namespace)
            for port, serve in self.servers.items():
                await serve(self._namespace.listen(port))
            self._namespace.start()
            connector = aiohttp.TCPConnector(socket_factory=lambda _: self._namespace.open_socket())
            self._client = await opening.enter_async_context(
                aiohttp.ClientSession(connector=connector)
            )
            await self._wait_for_port(_INVOKE_PORT)
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Kill whatever is left."""
        await self._open.aclose()

    def _environment(self) -> dict[str, str]:
        environment = {
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.timeout_s),
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",  # the emulator warns without
            "AWS_SESSION_TOKEN": "token",
            "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "_HANDLER": "app.handler",
            "LD_LIBRARY_PATH": f"/{self.python_home}/lib",
            **self.environment,
        }
        if self.max_concurrency is not None:
            environment["AWS_LAMBDA_MAX_CONCURRENCY"] = str(self.max_concurrency)
        return environment

    @property
    def _log(self) -> Path:
        return self.tree.root / "emulator.log"

    @property
    def output(self) -> str:
        """What the emulator and the processes under it have printed so far."""
        return self._log.read_text(errors="replace")

    @property
    def namespace(self) -> Namespace:
        """Where it all runs."""
        return self._namespace

    async def invoke(
        self, payload: bytes = b"{}", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Call the function."""
        headers = {"Content-Type": "application/json", **(headers or {})}
        async with self._client.post(_INVOKE_URL, data=payload, headers=headers) as response:
            return Answer(response.status, await response.read())

    async def wait_for_answer(self, port: int) -> None:
        """Wait until an HTTP server inside answers on *port*, whatever it answers."""
        await self._wait_for_port(port)
        async with self._client.get(f"http://127.0.0.1:{port}/"):
            pass

    async def invoke_when_free(
        self, payload: bytes = b"{}", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Call the function of a Managed Instance as its router would: when a worker is free.

        Init is over when the first worker is ready; the emulator refuses what finds no other.
        """
        async with asyncio.timeout(_START_TIMEOUT_S):
            while True:
                answer = await self.invoke(payload, headers)
                if b"Runtime.Unavailable" not in answer.body:
                    return answer
                await asyncio.sleep(_RETRY_S)

    async def stop(self) -> int:
        """Ask the emulator to shut the environment down, and wait; gives its exit code."""
        emulator = self._namespace.find(lambda one: one.argv[0].startswith("/var/rie/"))
        os.kill(emulator.pid, signal.SIGTERM)
        return await self.wait()

    async def wait(self) -> int:
        """Wait until the emulator has ended by itself."""
        return await self._namespace.wait()

    async def _wait_for_port(self, port: int) -> None:
        """Wait until something inside listens on *port*; nothing announces it, so it is tried."""
        async with asyncio.timeout(_START_TIMEOUT_S):
            while True:
                attempt = self._namespace.open_socket()
                attempt.setblocking(False)  # noqa: FBT003 - takes no keyword
                try:
                    await asyncio.get_running_loop().sock_connect(attempt, ("127.0.0.1", port))
                except ConnectionRefusedError:
                    await asyncio.sleep(_RETRY_S)
                else:
                    return
                finally:
                    attempt.close()
