"""A private mount, network and pid namespace with one command in it, and sockets that reach inside.

Owns: the processes inside (all die with the namespace), the tree laid over /opt, /var and /tmp, and
the loopback device. Must not know what the command is.

Mutable state: the handle of the one process that `unshare` is. Nothing of the host is touched: no
port, no mount point, no file outside the tree.

Errors: `NamespaceError`, with the output of the command that failed.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_SCRIPT = Path(__file__).with_name("namespace.sh")
_UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1  # linux/sockios.h, linux/if.h
_START_TIMEOUT_S = 10


class NamespaceError(Exception):
    """The namespace did not come up."""


def missing_permission() -> str | None:
    """Why no namespace can be made here, or None when one can."""
    if sys.platform != "linux":
        return "needs Linux namespaces"
    if os.geteuid() != 0:
        return "needs root, for a private mount and network namespace"
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        return "needs unshare and mount (util-linux)"
    attempt = subprocess.run(
        [*_UNSHARE, "mount", "-t", "proc", "proc", "/proc"],
        capture_output=True,
        text=True,
        check=False,
    )
    return (
        f"unshare is not permitted here: {attempt.stderr.strip()}" if attempt.returncode else None
    )


@dataclass(frozen=True, slots=True)
class Process:
    """A process inside: its pid for us and for itself, its parent's pid for us."""

    pid: int
    pid_inside: int
    parent: int
    argv: tuple[str, ...]


class Namespace:
    """Runs *command* with *tree* laid over /opt, /var and /tmp; leaving it kills everything inside.

    *mounts* are (source directory, target below *tree*): seen there read-only. Only /tmp can be
    written. *output* receives what the command prints.
    """

    def __init__(
        self,
        tree: Path,
        mounts: Iterable[tuple[Path, str]],
        command: Sequence[str],
        environment: Mapping[str, str],
        output: Path,
    ) -> None:
        self._arguments = [str(tree), *(str(part) for mount in mounts for part in mount), "--"]
        self._arguments += command
        self._environment = environment
        self._output = output
        self._unshare: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Lay the tree; the command waits for `start`."""
        bash = shutil.which("bash") or "/bin/bash"
        with self._output.open("ab") as output:
            self._unshare = process = await asyncio.create_subprocess_exec(
                *(*_UNSHARE, bash, str(_SCRIPT), *self._arguments),
                env={"PATH": os.environ["PATH"], **self._environment},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )
        try:
            await self._prepare(process)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Kill every process inside, and wait until they are gone."""
        process = self._process
        try:
            # The death of a namespace's first process is over when all others inside are gone.
            os.kill(self.find(lambda one: one.pid_inside == 1).pid, signal.SIGKILL)
        except ProcessLookupError:
            if process.returncode is None:
                process.kill()
        self.let_go()
        await process.wait()

    async def _prepare(self, process: asyncio.subprocess.Process) -> None:
        """Wait for the mounts and bring the loopback up."""
        assert process.stdout is not None
        async with asyncio.timeout(_START_TIMEOUT_S):
            if await process.stdout.readline() != b"ready\n":
                raise NamespaceError(f"no namespace: {self._output.read_text(errors='replace')}")
        with self.open_socket() as any_socket:
            _bring_up(any_socket, "lo")

    def start(self) -> None:
        """Let the command run."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")

    @property
    def _process(self) -> asyncio.subprocess.Process:
        assert self._unshare is not None, "the namespace was not entered"
        return self._unshare

    def let_go(self) -> None:
        """Close our end of the pipe, as our death would: the command is killed, and all with it."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def open_socket(self) -> socket.socket:
        """Give a TCP/IPv4 socket that lives inside; this process may use it like any other.

        A socket belongs to the network namespace of the thread that made it: so a thread of its own
        enters, makes it, and ends.
        """
        with (
            Path(f"/proc/{self._process.pid}/ns/net").open("rb") as namespace,
            ThreadPoolExecutor(max_workers=1) as thread,
        ):
            return thread.submit(_socket_in, namespace.fileno()).result()

    def listen(self, port: int) -> socket.socket:
        """Give a socket that listens on *port* of the loopback inside."""
        listener = self.open_socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        return listener

    def processes(self) -> list[Process]:
        """All living processes inside, the first of them first."""
        table = {process.pid: process for process in _process_table()}
        found: list[Process] = []
        parents = {self._process.pid}
        while parents:  # an orphan inside becomes a child of the first process: none can get away
            generation = [process for process in table.values() if process.parent in parents]
            parents = {process.pid for process in generation}
            found += generation
        return found

    def find(self, is_it: Callable[[Process], bool]) -> Process:
        """Give the one process inside for which *is_it* holds."""
        matches = [process for process in self.processes() if is_it(process)]
        if len(matches) != 1:
            raise ProcessLookupError(f"{len(matches)} processes match: {matches}")
        return matches[0]

    async def wait(self) -> int:
        """Wait for the command to end; its exit code (128 + the signal that ended it)."""
        return await self._process.wait()


def _process_table() -> Iterator[Process]:
    """All processes of the machine that have a command line, which a zombie has not."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            lines = (entry / "status").read_text().splitlines()
            argv = (entry / "cmdline").read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while we looked
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        if argv:
            yield Process(
                pid=int(entry.name),
                pid_inside=int(status["NSpid"].split()[-1]),
                parent=int(status["PPid"]),
                argv=tuple(argv.rstrip("\0").split("\0")),
            )


def _socket_in(namespace_fd: int) -> socket.socket:
    """Make a socket in the namespace; runs in a thread that is thrown away afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace_fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def _bring_up(any_socket: socket.socket, device: str) -> None:
    """`ip link set DEVICE up`, without the need for iproute2 (netdevice(7))."""
    request = struct.pack("16sh22x", device.encode(), 0)
    _, flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))
    request = struct.pack("16sh22x", device.encode(), flags | _IFF_UP)
    fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
