"""Taking away from a running process what it needs: sockets, descriptors, memory, room in /tmp."""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.stage import NAME, REPOSITORY, stage_layer, this_interpreter
from tests.support.faults.trial import read_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

PIDFD_GETFD = 438  # the same number on every architecture

LISTEN = "0A"
ESTABLISHED = "01"


def kill_listener(pid: int) -> int:
    """Shut a process's listening sockets and their connections down; return how many those were.

    From outside, by a duplicate of its descriptor: the process is told nothing.
    """
    states = _read_sockets()
    own = list(_find_sockets(pid))
    ports = {states[inode][0] for _, inode in own if states.get(inode, ("", ""))[1] == LISTEN}
    closed = 0
    for descriptor, inode in own:
        port, state = states.get(inode, ("", ""))
        if port in ports and state in {LISTEN, ESTABLISHED}:
            with socket.socket(fileno=_duplicate(pid, descriptor)) as shared, suppress(OSError):
                shared.shutdown(socket.SHUT_RDWR)
            closed += 1
    return closed


def use_up_descriptors(pid: int) -> None:
    """Let a process open no descriptor any more; those it has stay."""
    _limit_descriptors(pid, 1)


def give_descriptors(pid: int) -> None:
    """Let it open some again."""
    _limit_descriptors(pid, 1_024)


def limit_memory(pids: list[int], spare_bytes: int) -> None:
    """Let the last process have so much more address space than it has now; the others too."""
    most = read_memory(pids[-1], "VmSize") + spare_bytes
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_AS, (most, most))


def stage_with_full_tmp(folder: Path) -> Path:
    """Lay the layer with a launcher that sees a /tmp in which no byte can be written.

    In a mount namespace of its own, where only the paths that it is made of shine through.
    """
    extensions = stage_layer(folder / "opt", interpreter=this_interpreter())
    real = folder / "opt" / "real" / NAME
    real.parent.mkdir()
    wrapper = extensions / NAME
    wrapper.rename(real)
    kept = {folder, REPOSITORY, Path(sys.prefix), Path(sys.base_prefix)}
    inside = sorted(str(path) for path in kept if path.is_relative_to("/tmp"))  # noqa: S108
    wrapper.write_text(FULL_TMP.format(kept=" ".join(inside), real=real))
    wrapper.chmod(0o755)
    return extensions


FULL_TMP = """#!/bin/bash
exec unshare --mount --propagation private -- bash -c '
  mount --rbind /tmp /mnt && mount -t tmpfs -o size=64k none /tmp || exit 1
  for path in {kept}; do
    mkdir -p "$path" && mount --bind "/mnt/${{path#/tmp/}}" "$path" || exit 1
  done
  head -c 1M /dev/zero > /tmp/full 2>/dev/null
  exec {real}'
"""


def _limit_descriptors(pid: int, number: int) -> None:
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (number, most))


def _find_sockets(pid: int) -> Iterator[tuple[int, str]]:
    """Yield descriptor and inode of each socket."""
    folder = Path(f"/proc/{pid}/fd")
    for link in folder.iterdir():
        with suppress(FileNotFoundError):
            target = str(link.readlink())
            if target.startswith("socket:["):
                yield int(link.name), target[8:-1]


def _read_sockets() -> dict[str, tuple[str, str]]:
    """Return local port and state of every TCP socket by inode."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {field[9]: (field[1].partition(":")[2], field[3]) for field in fields}


def _duplicate(pid: int, descriptor: int) -> int:
    """Return a descriptor of ours for an open file of another process."""
    pidfd = os.pidfd_open(pid)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        mine: int = libc.syscall(PIDFD_GETFD, pidfd, descriptor, 0)
    finally:
        os.close(pidfd)
    if mine < 0:
        raise OSError(ctypes.get_errno(), f"pidfd_getfd of process {pid}")
    return mine
