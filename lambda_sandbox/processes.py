"""One process of the sandbox, in a process group of its own.

Owns the pid, the pipes and the task that reaps it. It must not know whether it is a runtime or an
extension, nor what its exit means. Signals go to the whole group, so the children of a launcher are
frozen, thawed and killed with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_sandbox.lines import PipeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambda_sandbox.transcript import Transcript

STOP_CHECKS = 50
STOP_CHECK_S = 0.001
GROUP_END_CHECKS = 20
GROUP_END_CHECK_S = 0.002


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of a process.

    Attributes:
        on_line: gets the stream (`stdout`, `stderr`) and a line without its line feed.
        on_exit: called when the process is reaped and everything that it printed has been read.
    """

    on_line: Callable[[str, str], None]
    on_exit: Callable[[Process], None]


class Process:
    """A started process; made by `start_process`."""

    def __init__(
        self,
        actor: str,
        process: asyncio.subprocess.Process,
        pipes: Sequence[PipeReader],
        transcript: Transcript,
        on_exit: Callable[[Process], None],
    ) -> None:
        self.actor = actor
        self.pid = process.pid
        self._process = process
        self._pipes = pipes
        self._transcript = transcript
        self._exited = asyncio.Event()
        self._peak_rss_bytes = 0
        self._reaper = asyncio.create_task(self._reap(on_exit))

    @property
    def returncode(self) -> int | None:
        """Exit status, minus the number of the signal that ended it, or None while it runs."""
        return self._process.returncode if self._exited.is_set() else None

    @property
    def alive(self) -> bool:
        """True until the process has been reaped."""
        return not self._exited.is_set()

    async def _reap(self, on_exit: Callable[[Process], None]) -> None:
        """Wait for the end, kill what it left behind, read what it printed last, tell `on_exit`."""
        returncode = await self._process.wait()
        await _end_group(self.pid)
        for pipe in self._pipes:
            pipe.close()
        self._exited.set()
        self._transcript.record(self.actor, "exit", status=describe_exit(returncode))
        on_exit(self)

    async def wait(self) -> None:
        """Return when the process has been reaped."""
        await asyncio.shield(self._reaper)

    def signal(self, number: signal.Signals, *, silent: bool = False) -> None:
        """Send a signal to the process group, if the process has not been reaped."""
        if not self.alive:
            return
        if not silent:
            self._transcript.record(self.actor, "signal", name=number.name)
        # On macOS a group whose leader is a zombie answers EPERM.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def wait_stopped(self) -> None:
        """Return when SIGSTOP has taken effect, or after a moment; nobody tells of it."""
        for _ in range(STOP_CHECKS):
            if not self.alive or _is_stopped(self.pid):
                return
            await asyncio.sleep(STOP_CHECK_S)

    def drain_output(self) -> None:
        """Read everything that the process has printed until now."""
        for pipe in self._pipes:
            pipe.drain()

    def measure_memory(self) -> int:
        """Return the peak resident memory of the process and its children in bytes, as seen so far.

        0 where there is no /proc.
        """
        self._peak_rss_bytes = max(self._peak_rss_bytes, _peak_rss_bytes(self.pid))
        return self._peak_rss_bytes


def describe_exit(returncode: int) -> str:
    """Say how a process ended, as Go does: `exit status 1`, `signal: killed`."""
    if returncode >= 0:
        return f"exit status {returncode}"
    return f"signal: {(signal.strsignal(-returncode) or str(-returncode)).lower()}"


async def start_process(
    command: Sequence[str],
    *,
    actor: str,
    cwd: Path,
    environment: Mapping[str, str],
    watch: Watch,
    transcript: Transcript,
) -> Process:
    """Start a process in its own session and group, its output read line by line.

    Raises:
        OSError: the command cannot be executed.
    """
    out = PipeReader(lambda line: watch.on_line("stdout", line))
    err = PipeReader(lambda line: watch.on_line("stderr", line))
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out.child_fd,
            stderr=err.child_fd,
            start_new_session=True,
        )
    except BaseException:
        for pipe in (out, err):
            os.close(pipe.child_fd)
            pipe.close()
        raise
    for pipe in (out, err):
        os.close(pipe.child_fd)
    transcript.record(actor, "exec", pid=process.pid)
    return Process(actor, process, (out, err), transcript, watch.on_exit)


def _is_stopped(child: int) -> bool:
    """True if a child is stopped, or where that cannot be asked (macOS before Python 3.13)."""
    if not hasattr(os, "waitid"):
        return True
    flags = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_PID, child, flags) is not None
    except ChildProcessError:  # reaped meanwhile
        return True


async def _end_group(group: int) -> None:
    """Kill what a leader left behind, and give it a moment to be gone.

    Nobody tells of the end of a process that is not one's own child; those that nobody reaps stay
    in the group as zombies, so the wait is bounded.
    """
    with suppress(ProcessLookupError, PermissionError):
        for _ in range(GROUP_END_CHECKS):
            os.killpg(group, signal.SIGKILL)
            await asyncio.sleep(GROUP_END_CHECK_S)


def _peak_rss_bytes(pid: int) -> int:
    """Sum VmHWM over a process and its descendants."""
    total = 0
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total += int(line.split()[1]) * 1024
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total += sum(_peak_rss_bytes(int(child)) for child in children)
    return total
