"""Readings of /proc and /tmp: what the sandbox uses.

An edge: opens files, decides little. The kernel counts for the whole sandbox, so the figures hold
the runtime, the function and all extensions. Called at an INVOKE and when its runtime is done, at
no other time: each reading costs CPU that the function pays for. What cannot be read is left out.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

from logger_extension.policy.usage import (
    Counters,
    Levels,
    Usage,
    find_usage,
    parse_cpu,
    parse_network,
)

PROC = Path("/proc")
TMP = Path("/tmp")  # noqa: S108  (the storage that Lambda gives a function)  # nosec B108

# A sandbox has a handful of processes. More are not looked at: it would cost too much.
MAX_PROCESSES = 64

# Metrics are collected once a minute.
LEVELS_PAUSE_S = 10.0

# The head of these files is all that is read of them.
HEAD_BYTES = 16_384


class OwnUsage(NamedTuple):
    """What this process has used: CPU time since its start, memory now (0 if not known)."""

    cpu_s: float
    resident_bytes: int


def read_own_usage(proc: Path = PROC) -> OwnUsage:
    """Return what this process uses itself."""
    times = os.times()
    pages = _read_head(proc / "self" / "statm").split()
    resident_bytes = int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if len(pages) > 1 else 0
    return OwnUsage(times.user + times.system, resident_bytes)


def read_counters(proc: Path = PROC) -> Counters:
    """Return what the kernel has counted until now: at an INVOKE."""
    return Counters(
        parse_cpu(_read_head(proc / "stat")), parse_network(_read_head(proc / "net" / "dev"))
    )


class UsageReader:
    """Reads what invocations use.

    State: when levels were read last. They take a walk over all processes, and only the last ones
    before metrics are collected count: they are not read with each invocation.
    """

    def __init__(self, proc: Path = PROC, tmp: Path = TMP) -> None:
        self._proc = proc
        self._tmp = tmp
        self._next_levels_s = 0.0

    def read(self, before: Counters) -> Usage:
        """Return what was used since an earlier reading, and now and then what is in use."""
        levels, now_s = Levels(), time.monotonic()
        if now_s >= self._next_levels_s:
            levels = read_levels(self._proc, self._tmp)
            self._next_levels_s = now_s + LEVELS_PAUSE_S
        return find_usage(before, read_counters(self._proc), levels)


def read_levels(proc: Path = PROC, tmp: Path = TMP) -> Levels:
    """Return what is in use now."""
    descriptors, threads = _count_of_processes(proc)
    used_bytes, limit_bytes = _measure_storage(tmp)
    return Levels(used_bytes, limit_bytes, descriptors, threads)


def _read_head(path: Path) -> str:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(HEAD_BYTES).decode("ascii", "replace")
    except OSError:
        return ""


def _measure_storage(tmp: Path) -> tuple[int | None, int | None]:
    try:
        status = os.statvfs(tmp)
    except OSError:
        return None, None
    return (
        (status.f_blocks - status.f_bfree) * status.f_frsize,
        status.f_blocks * status.f_frsize,
    )


def _count_of_processes(proc: Path) -> tuple[int | None, int | None]:
    """Return descriptors and threads of all processes that we may look at."""
    descriptors: list[int] = []
    threads: list[int] = []
    processes = [name for name in _list(proc) if name.isdecimal()]
    for name in processes[:MAX_PROCESSES]:
        # A process has at least one thread; where none is seen it is gone. It may well have no
        # descriptor that we may see: another user's.
        if tasks := _list(f"{proc}/{name}/task"):
            threads.append(len(tasks))
            descriptors.append(len(_list(f"{proc}/{name}/fd")))
    return sum(descriptors) or None, sum(threads) or None


def _list(folder: Path | str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  (names are enough; paths would cost ten times)
    except OSError:
        return []
