"""The CPU share of a function's memory size, by control group.

Owns one directory below /sys/fs/cgroup while a sandbox is up. Lambda gives 1 CPU for 1,769 MB and a
proportional share below and above (AWS docs, "Configure Lambda function memory"); INIT runs
unthrottled, so the share is set when init is over. It must not know which processes it holds.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MB_PER_CPU = 1_769
PERIOD_US = 100_000
LEAST_QUOTA_US = 1_000
ROOT = Path("/sys/fs/cgroup")
JOIN = 'echo $$ > "$0" && exec "$@"'


def quota_us(memory_size_mb: int) -> int:
    """Microseconds of CPU time in each period of PERIOD_US."""
    return max(LEAST_QUOTA_US, round(PERIOD_US * memory_size_mb / MB_PER_CPU))


class CpuShare:
    """No limit at all: for scenarios without `enforce_cpu` and where no cgroup can be written."""

    def wrap(self, command: Sequence[str]) -> list[str]:
        """The command that starts `command` inside the group."""
        return list(command)

    def limit(self) -> None:
        """Init is over: hold the processes to their share."""

    def boost(self) -> None:
        """An init begins: let the processes have what they can get."""

    def close(self) -> None:
        """Remove the group; its processes must be gone."""


class CgroupCpuShare(CpuShare):
    """A control group of version 1 or 2 with a quota."""

    def __init__(self, directory: Path, quota_file: str, limited: str, unlimited: str) -> None:
        self._directory = directory
        self._quota = directory / quota_file
        self._limited = limited
        self._unlimited = unlimited
        self._quota.write_text(unlimited)

    def wrap(self, command: Sequence[str]) -> list[str]:
        """The shell joins the group and becomes the command, so no child can escape.

        What cannot be executed is an exit of the shell here, not an error of the start.
        """
        return ["/bin/sh", "-c", JOIN, str(self._directory / "cgroup.procs"), *command]

    def limit(self) -> None:
        """Write the quota of the memory size."""
        self._quota.write_text(self._limited)

    def boost(self) -> None:
        """Lift the quota."""
        self._quota.write_text(self._unlimited)

    def close(self) -> None:
        """Remove the directory of the group."""
        with suppress(FileNotFoundError):
            self._directory.rmdir()


def open_cpu_share(memory_size_mb: int, root: Path = ROOT) -> tuple[CpuShare, str | None]:
    """Make a control group for this memory size; where that is not possible, say why."""
    quota = quota_us(memory_size_mb)
    candidates = [
        (_v1_parent(root), "cpu.cfs_quota_us", str(quota), "-1"),
        (_v2_parent(root), "cpu.max", f"{quota} {PERIOD_US}", f"max {PERIOD_US}"),
    ]
    reasons = []
    for parent, *files in candidates:
        if parent is None:
            continue
        directory = parent / f"lambda-sandbox-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            directory.mkdir()
            return CgroupCpuShare(directory, *files), None
        except OSError as error:
            reasons.append(f"{directory}: {error.strerror}")
            with suppress(OSError):
                directory.rmdir()
    why = "; ".join(reasons) or "no cgroup with a cpu controller"
    return CpuShare(), f"CPU share not enforced: {why}"


def _v1_parent(root: Path) -> Path | None:
    parent = root / "cpu"
    return parent if (parent / "cpu.cfs_quota_us").exists() else None


def _v2_parent(root: Path) -> Path | None:
    """The root group, if it hands the cpu controller down; other groups with processes may not."""
    try:
        controllers = (root / "cgroup.subtree_control").read_text().split()
    except OSError:
        return None
    return root if "cpu" in controllers else None
