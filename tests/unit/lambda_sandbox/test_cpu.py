"""CPU shares: the arithmetic, and the files of both versions of control groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_sandbox.cpu import CpuShare, open_cpu_share, quota_us

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("memory_size_mb", "quota"), [(128, 7_236), (1_769, 100_000), (10_240, 578_858), (1, 1_000)]
)
def test_quota(memory_size_mb: int, quota: int) -> None:
    """1,769 MB are one CPU; the kernel takes no quota below a millisecond."""
    assert quota_us(memory_size_mb) == quota


@pytest.mark.parametrize(
    ("marker", "content", "quota_file", "limited", "boosted"),
    [
        ("cpu/cpu.cfs_quota_us", "-1", "cpu/{}/cpu.cfs_quota_us", "7236", "-1"),
        ("cgroup.subtree_control", "cpu io", "{}/cpu.max", "7236 100000", "max 100000"),
    ],
)
def test_files(
    tmp_path: Path, marker: str, content: str, quota_file: str, limited: str, boosted: str
) -> None:
    """Init runs without a limit, then the quota of the memory size is written."""
    (tmp_path / marker).parent.mkdir(exist_ok=True)
    (tmp_path / marker).write_text(content)
    share, note = open_cpu_share(128, tmp_path)
    assert note is None
    (path,) = tmp_path.glob(quota_file.format("lambda-sandbox-*"))
    assert path.read_text() == boosted
    share.limit()
    assert path.read_text() == limited
    share.boost()
    assert path.read_text() == boosted
    assert share.wrap(["a", "b"])[-2:] == ["a", "b"]
    assert str(path.parent / "cgroup.procs") in share.wrap(["a"])


def test_it_says_where_it_cannot(tmp_path: Path) -> None:
    """Without a cgroup the command is not wrapped, and the note says why."""
    share, note = open_cpu_share(128, tmp_path)
    assert type(share) is CpuShare
    assert note == "CPU share not enforced: no cgroup with a cpu controller"
    assert share.wrap(["a"]) == ["a"]
    share.boost()
    share.limit()
    share.close()
