"""Readings of the real /proc, and of one that lacks everything."""

import os
import threading
from pathlib import Path

from logger_extension.policy.usage import Counters, Levels
from logger_extension.process_usage import (
    OwnUsage,
    UsageReader,
    read_counters,
    read_levels,
    read_own_usage,
)


def test_work_shows_as_cpu_time() -> None:
    """The kernel counts what this test burns."""
    before = read_counters()
    burnt_from = os.times()
    while os.times().user - burnt_from.user < 0.05:
        sum(range(1000))
    usage = UsageReader().read(before)
    assert usage.cpu is not None
    # The kernel counts in steps of 10 ms, and other processes' time besides.
    assert usage.cpu.user_s >= 0.03


def test_what_this_process_has_used_itself() -> None:
    """CPU time since its start, which grows with work, and the memory that it holds now."""
    before = read_own_usage()
    while os.times().user + os.times().system - before.cpu_s < 0.03:
        sum(range(1000))
    after = read_own_usage()
    assert after.cpu_s >= before.cpu_s + 0.03
    # An interpreter with a test suite in it, on a machine of ordinary size.
    assert 10 * 1024**2 < after.resident_bytes < 64 * 1024**3


def test_memory_in_bytes(tmp_path: Path) -> None:
    """The kernel counts pages, resident ones second; without /proc there is no figure."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "statm").write_text("900 17 5 1 0 200 0\n")
    assert read_own_usage(tmp_path).resident_bytes == 17 * os.sysconf("SC_PAGE_SIZE")
    nothing = read_own_usage(tmp_path / "nowhere")
    assert nothing == OwnUsage(nothing.cpu_s, 0)
    assert nothing.cpu_s > 0


def test_levels_of_this_machine(tmp_path: Path) -> None:
    """Storage, descriptors and threads are there and plausible."""
    levels = read_levels(tmp=tmp_path)
    assert levels.tmp_used_bytes is not None
    assert levels.tmp_limit_bytes is not None
    assert 0 < levels.tmp_used_bytes <= levels.tmp_limit_bytes
    assert levels.descriptors is not None
    assert levels.threads is not None
    assert levels.descriptors >= 3
    assert levels.threads >= 1


def test_descriptors_and_threads_are_counted(tmp_path: Path) -> None:
    """One process alone, seen through a folder that holds only its entry."""
    (tmp_path / str(os.getpid())).symlink_to("/proc/self")
    before = read_levels(proc=tmp_path)
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    with (tmp_path / "opened").open("w"):
        after = read_levels(proc=tmp_path)
    go_on.set()
    thread.join()
    assert (before.descriptors, before.threads) != (None, None)
    assert after.descriptors == (before.descriptors or 0) + 1
    assert after.threads == (before.threads or 0) + 1


def test_nothing_to_read(tmp_path: Path) -> None:
    """What is not there is left out, and nothing is raised."""
    nowhere = tmp_path / "nowhere"
    assert read_counters(nowhere) == Counters(None, None)
    assert read_levels(nowhere, nowhere) == Levels()


def test_a_process_of_another_user(tmp_path: Path) -> None:
    """Its threads count, its descriptors cannot be seen."""
    (tmp_path / "17" / "task" / "17").mkdir(parents=True)
    (tmp_path / "not-a-process").mkdir()
    assert read_levels(proc=tmp_path, tmp=tmp_path / "none") == Levels(threads=1)


def test_levels_are_not_read_each_time() -> None:
    """They take a walk over all processes; the counters are read for each invocation."""
    reader, before = UsageReader(), read_counters()
    first, second = reader.read(before), reader.read(before)
    assert first.levels.threads is not None
    assert second.levels == Levels()
    assert second.cpu is not None
